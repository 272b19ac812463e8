//! `_ast`: the node classes, and trees from and to Python objects.
//!
//! Problem: Python sees over a hundred node classes; the front end has Rust types. Idea: both come from the
//! one table in `taipan-syntax`, whose descriptions are read here: the classes are ordinary classes made at
//! first use, a tree is turned into instances by walking its descriptions ([`objects`]), and instances into a
//! tree by the generated builder ([`source`]).

mod base;
mod objects;
mod source;

pub(crate) use objects::to_object;
pub(crate) use source::{check_root, constant, from_object, is_node};

use core::cell::RefCell;
use std::collections::HashMap;
use taipan_object::dict::Dict;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::make_ready;
use taipan_object::protocol::{BinaryOp, binary_op};
use taipan_object::singletons::none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{Object, PyErr, PyResult, Ref, Type, intern, state};
use taipan_syntax::ast::{Count, FieldDescription, GroupDescription, NodeDescription, describe::GROUPS};

/// The attributes of nodes that have a place.
const PLACE: [&str; 4] = ["lineno", "col_offset", "end_lineno", "end_col_offset"];

/// The classes of an interpreter.
struct Classes {
    /// By the address of a description.
    nodes: HashMap<usize, Node>,
    /// By the name of a group.
    groups: HashMap<&'static str, Ref<Type>>,
}

/// A node class with what making an instance needs.
struct Node {
    class: Ref<Type>,
    fields: Vec<Ref<Str>>,
    /// The one instance of a class without fields and place.
    single: Option<Ref>,
}

#[derive(Default)]
struct Holder(RefCell<Option<&'static Classes>>);

fn key<T>(description: &'static T) -> usize {
    core::ptr::from_ref(description).addr()
}

/// The classes, made now if need be.
fn classes() -> PyResult<&'static Classes> {
    let holder = state::interp().extension(Holder::default);
    if let Some(found) = *holder.0.borrow() {
        return Ok(found);
    }
    let made: &'static Classes = Box::leak(Box::new(make_classes()?));
    *holder.0.borrow_mut() = Some(made);
    Ok(made)
}

fn text(value: &str) -> PyResult<Ref<Str>> {
    Ok(unicode::intern_immortal(Str::from_utf8(value)?))
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> PyResult<Ref<Tuple>> {
    let mut all = Vec::new();
    for value in values {
        all.push(text(value)?.upcast());
    }
    Tuple::from_vec(all)
}

fn mark(count: Count) -> &'static str {
    match count {
        Count::One => "",
        Count::Optional => "?",
        Count::Many => "*",
        Count::ManyOptional => "?*",
    }
}

/// A class as the grammar of trees (ASDL) has it: `Name(expr value, string? kind)`.
fn grammar(node: &NodeDescription) -> String {
    if node.fields.is_empty() {
        return node.name.to_owned();
    }
    let fields: Vec<String> = node
        .fields
        .iter()
        .map(|field| format!("{}{} {}", field.kind, mark(field.count), field.name))
        .collect();
    format!("{}({})", node.name, fields.join(", "))
}

fn group_grammar(group: &GroupDescription) -> String {
    let members: Vec<String> = group.members.iter().map(|member| grammar(member)).collect();
    if group.members.iter().all(|member| member.fields.is_empty()) {
        return format!("{} = {}", group.name, members.join(" | "));
    }
    let indent = " ".repeat(group.name.len() + 1);
    format!("{} = {}", group.name, members.join(&format!("\n{indent}| ")))
}

/// A class with these fields and attributes.
fn make_class(
    name: &str,
    base: &Type,
    fields: Option<&NodeDescription>,
    doc: &str,
    located: bool,
) -> PyResult<Ref<Type>> {
    let namespace = Dict::new()?;
    let names = match fields {
        Some(node) => texts(node.fields.iter().map(|field| field.name))?,
        None => Tuple::empty(),
    };
    namespace.set_text("_fields", &names)?;
    namespace.set_text("__match_args__", &names)?;
    namespace.set_text("__module__", &*text("ast")?)?;
    namespace.set_text("__doc__", &*Str::from_utf8(doc)?)?;
    if let Some(node) = fields {
        for field in node.fields.iter().filter(|field| field.count == Count::Optional) {
            namespace.set_text(field.name, none())?;
        }
    }
    if located {
        namespace.set_text("_attributes", &*texts(PLACE.into_iter())?)?;
        namespace.set_text("end_lineno", none())?;
        namespace.set_text("end_col_offset", none())?;
    } else if base.is(&base::AST) {
        namespace.set_text("_attributes", &Tuple::empty())?;
    }
    let bases = Tuple::from_refs(&[base])?;
    let made = PyType_Type.call(&[&*Str::from_utf8(name)?, &*bases, &*namespace])?;
    made.downcast_owned().map_err(|_| PyErr::new(&PyExc_SystemError, "a node class is no class"))
}

fn make_classes() -> PyResult<Classes> {
    make_ready(&base::SPEC)?;
    let root: &Type = &base::AST;
    for name in ["_fields", "_attributes", "__match_args__"] {
        root.set_own(name, &Tuple::empty())?;
    }
    root.set_own("__module__", &*text("ast")?)?;
    let mut made = Classes { nodes: HashMap::new(), groups: HashMap::new() };
    for group in GROUPS {
        let base = if group.is_sum {
            make_class(group.name, root, None, &group_grammar(group), group.located)?
        } else {
            Ref::of(root)
        };
        for &member in group.members {
            let located = group.located && !group.is_sum;
            let class = make_class(member.name, &base, Some(member), &grammar(member), located)?;
            if !group.is_sum {
                made.groups.insert(group.name, class.clone());
            }
            let mut fields = Vec::with_capacity(member.fields.len());
            for field in member.fields {
                fields.push(text(field.name)?);
            }
            let single =
                if member.fields.is_empty() && !group.located { Some(base::new_node(&class)?) } else { None };
            made.nodes.insert(key(member), Node { class, fields, single });
        }
        if group.is_sum {
            made.groups.insert(group.name, base);
        }
    }
    for group in GROUPS {
        for &member in group.members {
            add_field_types(&made, member)?;
        }
    }
    Ok(made)
}

/// The type of a field as an annotation.
fn field_type(classes: &Classes, field: &FieldDescription) -> PyResult {
    let plain: Ref = match field.kind {
        "identifier" | "string" => PyUnicode_Type.new_ref(),
        "int" => PyLong_Type.new_ref(),
        "constant" => PyBaseObject_Type.new_ref(),
        group => match classes.groups.get(group) {
            Some(class) => class.clone().upcast(),
            None => PyBaseObject_Type.new_ref(),
        },
    };
    match field.count {
        Count::One => Ok(plain),
        Count::Optional => binary_op(&plain, none(), BinaryOp::Or),
        Count::Many | Count::ManyOptional => {
            Py_GenericAliasType.call(&[&PyList_Type, &*Tuple::from_array([plain])?])
        }
    }
}

fn add_field_types(classes: &Classes, node: &'static NodeDescription) -> PyResult<()> {
    let types = Dict::new()?;
    for field in node.fields {
        types.set_text(field.name, &*field_type(classes, field)?)?;
    }
    let Some(made) = classes.nodes.get(&key(node)) else { return Ok(()) };
    made.class.setattr(intern!("_field_types"), Some(&types))?;
    made.class.setattr(intern!("__annotations__"), Some(&types))
}

fn init(module: &Module) -> PyResult<()> {
    let classes = classes()?;
    let root: &Type = &base::AST;
    module.add("AST", root)?;
    for group in GROUPS {
        if let Some(class) = classes.groups.get(group.name) {
            module.add(group.name, class)?;
        }
        for &member in group.members {
            if let Some(node) = classes.nodes.get(&key(member)) {
                module.add(member.name, &node.class)?;
            }
        }
    }
    for (name, value) in [
        ("PyCF_ALLOW_TOP_LEVEL_AWAIT", 0x2000),
        ("PyCF_ONLY_AST", 0x400),
        ("PyCF_TYPE_COMMENTS", 0x1000),
        ("PyCF_OPTIMIZED_AST", 0x8400),
    ] {
        module.add(name, &taipan_object::int::Int::from_i64(value))?;
    }
    Ok(())
}

/// `_ast`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_ast", doc: "The node classes of syntax trees.", methods: &[], init };

/// An attribute of a node; missing ones are `None`.
fn attribute(node: &Object, name: &Str) -> PyResult<Option<Ref>> {
    node.getattr_opt(name)
}
