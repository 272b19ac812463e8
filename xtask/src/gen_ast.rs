//! `cargo dev gen-ast [--check]`: writes the syntax tree's Rust types from `ast.table`.
//!
//! One table, many readers: the node structs and enums, the description of every class (names,
//! fields, kinds) and the generic walk over fields all come from it, so they cannot disagree.

use std::fmt::Write as _;

const TABLE: &str = "crates/taipan-syntax/ast.table";
const OUT: &str = "crates/taipan-syntax/src/ast/generated.rs";

#[derive(PartialEq, Clone, Copy)]
enum Shape {
    Sum,
    Enum,
    Product,
}

struct Group {
    name: String,
    shape: Shape,
    located: bool,
    members: Vec<Member>,
}

struct Member {
    name: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    kind: String,
    count: &'static str,
}

/// Entry point of the subcommand.
pub fn run(args: &[String]) -> Result<(), String> {
    let table = std::fs::read_to_string(TABLE).map_err(|e| format!("{TABLE}: {e}"))?;
    crate::generated::write(OUT, &render(&parse_table(&table)?), args)
}

fn parse_table(table: &str) -> Result<Vec<Group>, String> {
    let mut groups: Vec<Group> = Vec::new();
    for line in table.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() || words[0].starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            let shape = match words[0] {
                "sum" => Shape::Sum,
                "enum" => Shape::Enum,
                "product" => Shape::Product,
                other => return Err(format!("unknown group kind {other}")),
            };
            let located = words.get(2) == Some(&"located");
            groups.push(Group { name: words[1].into(), shape, located, members: Vec::new() });
            continue;
        }
        let fields = words[1..].iter().map(|w| parse_field(w)).collect::<Result<_, _>>()?;
        let group = groups.last_mut().ok_or("member outside a group")?;
        group.members.push(Member { name: words[0].into(), fields });
    }
    Ok(groups)
}

fn parse_field(word: &str) -> Result<Field, String> {
    let (name, kind) = word.split_once(':').ok_or_else(|| format!("field without type: {word}"))?;
    let (kind, count) = if let Some(k) = kind.strip_suffix("?*") {
        (k, "ManyOptional")
    } else if let Some(k) = kind.strip_suffix('*') {
        (k, "Many")
    } else if let Some(k) = kind.strip_suffix('?') {
        (k, "Optional")
    } else {
        (kind, "One")
    };
    Ok(Field { name: name.into(), kind: kind.into(), count })
}

/// `match_case` becomes `MatchCase`; names of groups whose plain reading would be odd are spelled out.
fn rust_name(group: &str) -> String {
    match group {
        "excepthandler" => "ExceptHandler".into(),
        "withitem" => "WithItem".into(),
        "boolop" => "BoolOp".into(),
        "unaryop" => "UnaryOp".into(),
        "cmpop" => "CmpOp".into(),
        _ => group.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect(),
    }
}

fn rust_field(name: &str) -> &str {
    if name == "type" { "type_" } else { name }
}

/// Sums with a single member are plain structs.
fn is_struct(group: &Group) -> bool {
    group.shape == Shape::Product || (group.shape == Shape::Sum && group.members.len() == 1)
}

/// Small and frequent payloads stand in the kind itself, without a box.
fn is_inline(group: &Group, member: &Member) -> bool {
    group.name == "mod" || matches!(member.name.as_str(), "Name" | "Constant")
}

fn rust_type(groups: &[Group], field: &Field) -> String {
    let base = match field.kind.as_str() {
        "identifier" => "Identifier".to_string(),
        "string" => "PyStr".to_string(),
        "constant" => "Constant".to_string(),
        "int" => return "i32".to_string(),
        kind => rust_name(kind),
    };
    let boxed = groups.iter().any(|g| g.name == field.kind && is_struct(g)) || field.kind == "pattern";
    match field.count {
        "One" => base,
        "Optional" if boxed => format!("Option<Box<{base}>>"),
        "Optional" => format!("Option<{base}>"),
        "Many" => format!("Vec<{base}>"),
        _ => format!("Vec<Option<{base}>>"),
    }
}

fn render(groups: &[Group]) -> String {
    let mut out = String::from(
        "//! Written by `cargo dev gen-ast` from `ast.table`. Do not edit by hand.\n\n\
         #![allow(missing_docs, reason = \"the node classes and fields are CPython's\")]\n\n\
         use super::{Build, Constant, Count, FieldDescription, FieldRef, GroupDescription, Identifier, NodeDescription, PyStr, Range, Source};\n\n",
    );
    for group in groups {
        render_types(&mut out, groups, group);
    }
    render_descriptions(&mut out, groups);
    render_walk(&mut out, groups);
    render_build(&mut out, groups);
    out
}

fn render_types(out: &mut String, groups: &[Group], group: &Group) {
    let name = rust_name(&group.name);
    if group.shape == Shape::Enum {
        writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum {name} {{").unwrap();
        for member in &group.members {
            writeln!(out, "{},", member.name).unwrap();
        }
        out.push_str("}\n\n");
        return;
    }
    if is_struct(group) {
        render_struct(out, groups, &name, &group.members[0], group.located);
        return;
    }
    let kind = if group.located {
        writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub struct {name} {{ pub range: Range, pub kind: {name}Kind }}\n").unwrap();
        format!("{name}Kind")
    } else {
        name.clone()
    };
    writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub enum {kind} {{").unwrap();
    for member in &group.members {
        let m = &member.name;
        match (member.fields.is_empty(), is_inline(group, member)) {
            (true, _) => writeln!(out, "{m},").unwrap(),
            (_, true) => writeln!(out, "{m}({name}{m}),").unwrap(),
            _ => writeln!(out, "{m}(Box<{name}{m}>),").unwrap(),
        }
    }
    out.push_str("}\n\n");
    for member in group.members.iter().filter(|m| !m.fields.is_empty()) {
        render_struct(out, groups, &format!("{name}{}", member.name), member, false);
    }
    for member in group.members.iter().filter(|m| !m.fields.is_empty() && !is_inline(group, m)) {
        let m = &member.name;
        writeln!(
            out,
            "impl From<{name}{m}> for {kind} {{ #[inline] fn from(node: {name}{m}) -> {kind} {{ {kind}::{m}(Box::new(node)) }} }}\n"
        )
        .unwrap();
    }
}

fn render_struct(out: &mut String, groups: &[Group], name: &str, member: &Member, located: bool) {
    writeln!(out, "#[derive(Clone, Debug, PartialEq)]\npub struct {name} {{").unwrap();
    if located {
        out.push_str("pub range: Range,\n");
    }
    for field in &member.fields {
        writeln!(out, "pub {}: {},", rust_field(&field.name), rust_type(groups, field)).unwrap();
    }
    out.push_str("}\n\n");
}

fn constant_name(name: &str) -> String {
    let mut upper = String::new();
    for (i, c) in name.char_indices() {
        if c.is_uppercase() && i > 0 {
            upper.push('_');
        }
        upper.push(c.to_ascii_uppercase());
    }
    upper
}

fn node_constant(group: &Group, member: &Member) -> String {
    format!("{}_{}", constant_name(&rust_name(&group.name)), constant_name(&member.name))
}

fn render_descriptions(out: &mut String, groups: &[Group]) {
    out.push_str("/// Every node class, described.\npub mod describe {\nuse super::{Count, FieldDescription, GroupDescription, NodeDescription};\n");
    for group in groups {
        for member in &group.members {
            let base = if group.shape == Shape::Product { "AST" } else { &group.name };
            writeln!(
                out,
                "pub static {}: NodeDescription = NodeDescription {{ name: {:?}, base: {base:?}, located: {}, fields: &[",
                node_constant(group, member),
                member.name,
                group.located
            )
            .unwrap();
            for f in &member.fields {
                writeln!(
                    out,
                    "FieldDescription {{ name: {:?}, kind: {:?}, count: Count::{} }},",
                    f.name, f.kind, f.count
                )
                .unwrap();
            }
            out.push_str("] };\n");
        }
    }
    out.push_str("pub static GROUPS: &[GroupDescription] = &[\n");
    for group in groups {
        let members: Vec<String> =
            group.members.iter().map(|m| format!("&{}", node_constant(group, m))).collect();
        writeln!(
            out,
            "GroupDescription {{ name: {:?}, is_sum: {}, located: {}, members: &[{}] }},",
            group.name,
            group.shape != Shape::Product,
            group.located,
            members.join(", ")
        )
        .unwrap();
    }
    out.push_str("];\n}\n\n");
}

fn render_walk(out: &mut String, groups: &[Group]) {
    out.push_str("/// A borrowed node of any class.\n#[derive(Clone, Copy)]\npub enum NodeRef<'a> {\n");
    for group in groups {
        let name = rust_name(&group.name);
        if group.shape == Shape::Enum {
            writeln!(out, "{name}({name}),").unwrap();
        } else {
            writeln!(out, "{name}(&'a {name}),").unwrap();
        }
    }
    out.push_str(
        "}\n\n/// A borrowed list of nodes of one class.\n#[derive(Clone, Copy)]\npub enum NodesRef<'a> {\n",
    );
    for group in groups {
        let name = rust_name(&group.name);
        writeln!(out, "{name}(&'a [{name}]),").unwrap();
    }
    out.push_str("OptionalExpr(&'a [Option<Expr>]),\n}\n\n");
    out.push_str("impl<'a> NodesRef<'a> {\n/// How many items.\npub fn len(self) -> usize { match self {\n");
    for group in groups {
        writeln!(out, "NodesRef::{}(list) => list.len(),", rust_name(&group.name)).unwrap();
    }
    out.push_str("NodesRef::OptionalExpr(list) => list.len(),\n} }\n\n/// Whether there is no item.\npub fn is_empty(self) -> bool { self.len() == 0 }\n\n/// The item at `index`; `None` where the list holds `None`.\npub fn get(self, index: usize) -> Option<NodeRef<'a>> { match self {\n");
    for group in groups {
        let name = rust_name(&group.name);
        let star = if group.shape == Shape::Enum { "" } else { "&" };
        writeln!(out, "NodesRef::{name}(list) => Some(NodeRef::{name}({star}list[index])),").unwrap();
    }
    out.push_str("NodesRef::OptionalExpr(list) => list[index].as_ref().map(NodeRef::Expr),\n} }\n}\n\n");
    render_node_ref(out, groups);
}

fn render_node_ref(out: &mut String, groups: &[Group]) {
    out.push_str("impl<'a> NodeRef<'a> {\n/// The class of the node.\npub fn description(self) -> &'static NodeDescription { match self {\n");
    for group in groups {
        let name = rust_name(&group.name);
        if is_struct(group) {
            writeln!(out, "NodeRef::{name}(_) => &describe::{},", node_constant(group, &group.members[0]))
                .unwrap();
            continue;
        }
        let (subject, kind) = match (group.shape, group.located) {
            (Shape::Enum, _) => ("node", name.clone()),
            (_, true) => ("&node.kind", format!("{name}Kind")),
            _ => ("node", name.clone()),
        };
        writeln!(out, "NodeRef::{name}(node) => match {subject} {{").unwrap();
        for m in &group.members {
            let binding = if m.fields.is_empty() { "" } else { "(_)" };
            writeln!(out, "{kind}::{}{binding} => &describe::{},", m.name, node_constant(group, m)).unwrap();
        }
        out.push_str("},\n");
    }
    out.push_str("} }\n\n/// The place of the node, if its class has one.\npub fn range(self) -> Option<Range> { match self {\n");
    for group in groups.iter().filter(|g| g.located) {
        writeln!(out, "NodeRef::{}(node) => Some(node.range),", rust_name(&group.name)).unwrap();
    }
    out.push_str("_ => None,\n} }\n\n/// The field at `index`, in the order of the description.\npub fn field(self, index: usize) -> FieldRef<'a> { match self {\n");
    for group in groups.iter().filter(|g| g.shape != Shape::Enum) {
        let name = rust_name(&group.name);
        if is_struct(group) {
            writeln!(out, "NodeRef::{name}(node) => match index {{").unwrap();
            render_fields(out, groups, &group.members[0]);
            out.push_str("},\n");
            continue;
        }
        let (subject, kind) =
            if group.located { ("&node.kind", format!("{name}Kind")) } else { ("node", name.clone()) };
        writeln!(out, "NodeRef::{name}(node) => match {subject} {{").unwrap();
        for m in group.members.iter().filter(|m| !m.fields.is_empty()) {
            writeln!(out, "{kind}::{}(node) => match index {{", m.name).unwrap();
            render_fields(out, groups, m);
            out.push_str("},\n");
        }
        if group.members.iter().any(|m| m.fields.is_empty()) {
            out.push_str("_ => FieldRef::None,\n");
        }
        out.push_str("},\n");
    }
    out.push_str("_ => FieldRef::None,\n} }\n}\n");
}

fn render_fields(out: &mut String, groups: &[Group], member: &Member) {
    for (index, f) in member.fields.iter().enumerate() {
        let place = format!("node.{}", rust_field(&f.name));
        let is_enum = groups.iter().any(|g| g.name == f.kind && g.shape == Shape::Enum);
        let boxed = groups.iter().any(|g| g.name == f.kind && is_struct(g)) || f.kind == "pattern";
        let kind = rust_name(&f.kind);
        let text = match (f.kind.as_str(), f.count) {
            ("int", _) => format!("FieldRef::Int({place})"),
            ("identifier", "Many") => format!("FieldRef::Identifiers(&{place})"),
            ("identifier" | "string", "Optional") => {
                format!("{place}.as_ref().map_or(FieldRef::None, FieldRef::{kind})")
            }
            ("identifier" | "string" | "constant", _) => format!("FieldRef::{kind}(&{place})"),
            (_, "One") if is_enum => format!("FieldRef::Node(NodeRef::{kind}({place}))"),
            (_, "One") => format!("FieldRef::Node(NodeRef::{kind}(&{place}))"),
            (_, "Optional") => {
                let get = if boxed { "as_deref" } else { "as_ref" };
                format!("{place}.{get}().map_or(FieldRef::None, |n| FieldRef::Node(NodeRef::{kind}(n)))")
            }
            (_, "Many") => format!("FieldRef::Nodes(NodesRef::{kind}(&{place}))"),
            _ => format!("FieldRef::Nodes(NodesRef::Optional{kind}(&{place}))"),
        };
        writeln!(out, "{index} => {text},").unwrap();
    }
    out.push_str("_ => FieldRef::None,\n");
}

/// How each group is made from a [`Source`].
fn render_build(out: &mut String, groups: &[Group]) {
    for (index, group) in groups.iter().enumerate() {
        let name = rust_name(&group.name);
        writeln!(
            out,
            "impl Build for {name} {{ fn build<S: Source>(source: &S) -> Result<{name}, S::Error> {{\n\
             source.nested(|| {{"
        )
        .unwrap();
        if group.located {
            writeln!(out, "let range = source.range(&describe::GROUPS[{index}])?;").unwrap();
        }
        if is_struct(group) {
            writeln!(out, "source.class(&describe::GROUPS[{index}])?;").unwrap();
            let range = if group.located { "range," } else { "" };
            writeln!(out, "Ok({name} {{ {range} {} }})", build_fields(group, &group.members[0])).unwrap();
        } else {
            let kind = if group.located { format!("{name}Kind") } else { name.clone() };
            writeln!(out, "let kind = match source.class(&describe::GROUPS[{index}])? {{").unwrap();
            for (number, member) in group.members.iter().enumerate() {
                let m = &member.name;
                let pattern =
                    if number + 1 == group.members.len() { "_".to_owned() } else { number.to_string() };
                let made = format!("{name}{m} {{ {} }}", build_fields(group, member));
                match (member.fields.is_empty(), is_inline(group, member)) {
                    (true, _) => writeln!(out, "{pattern} => {kind}::{m},").unwrap(),
                    (_, true) => writeln!(out, "{pattern} => {kind}::{m}({made}),").unwrap(),
                    _ => writeln!(out, "{pattern} => {kind}::{m}(Box::new({made})),").unwrap(),
                }
            }
            out.push_str("};\n");
            out.push_str(if group.located { "Ok(Self { range, kind })" } else { "Ok(kind)" });
        }
        out.push_str("})\n} }\n\n");
    }
}

fn build_fields(group: &Group, member: &Member) -> String {
    let description = format!("&describe::{}", node_constant(group, member));
    let mut fields = String::new();
    for (index, field) in member.fields.iter().enumerate() {
        let get = match (field.count, field.kind.as_str()) {
            ("One", _) => format!("Build::build(&source.one({description}, {index})?)?"),
            ("Optional", "int") => format!("super::optional(source, {description}, {index})?.unwrap_or(0)"),
            ("Optional", _) => format!("super::optional(source, {description}, {index})?"),
            ("Many", _) => format!("super::many(source, {description}, {index})?"),
            _ => format!("super::many_optional(source, {description}, {index})?"),
        };
        write!(fields, "{}: {get}, ", rust_field(&field.name)).unwrap();
    }
    fields
}
