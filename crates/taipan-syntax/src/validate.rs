//! What the parser guarantees, checked for trees that come from elsewhere.
//!
//! Python code can put any tree together and compile it. The compiler relies on what the grammar ensures:
//! bodies are not empty, contexts fit, operands and operators match in number. [`validate`] finds the first
//! place where a tree breaks such a rule and says so in CPython's words.

use crate::ast::*;

/// A rule that a tree breaks.
#[derive(Debug)]
pub struct Invalid {
    /// `TypeError` where a node has the wrong class, `ValueError` for everything else.
    pub is_type_error: bool,
    /// What is wrong.
    pub message: String,
}

type Checked = Result<(), Invalid>;

fn wrong(message: impl Into<String>) -> Checked {
    Err(Invalid { is_type_error: false, message: message.into() })
}

fn wrong_type(message: impl Into<String>) -> Checked {
    Err(Invalid { is_type_error: true, message: message.into() })
}

/// Checks a tree. The depth of the tree is the caller's to limit.
///
/// # Errors
/// The first broken rule.
pub fn validate(tree: &Mod) -> Checked {
    match tree {
        Mod::Module(module) => statements(&module.body),
        Mod::Interactive(module) => statements(&module.body),
        Mod::Expression(module) => load(&module.body),
        Mod::FunctionType(module) => {
            loads(&module.argtypes)?;
            load(&module.returns)
        }
    }
}

fn place(range: Range) -> Checked {
    let Range { lineno, col_offset, end_lineno, end_col_offset } = range;
    if lineno > end_lineno {
        return wrong(format!("AST node line range ({lineno}, {end_lineno}) is not valid"));
    }
    if lineno < 0 && end_lineno != lineno || col_offset < 0 && col_offset != end_col_offset {
        return wrong(format!(
            "AST node column range ({col_offset}, {end_col_offset}) for line range ({lineno}, {end_lineno}) is not valid"
        ));
    }
    if lineno == end_lineno && col_offset > end_col_offset {
        return wrong(format!("line {lineno}, column {col_offset}-{end_col_offset} is not a valid range"));
    }
    Ok(())
}

fn name(name: &str) -> Checked {
    match name {
        "None" | "True" | "False" => wrong(format!("identifier field can't represent '{name}' constant")),
        _ => Ok(()),
    }
}

fn not_empty<T>(list: &[T], field: &str, owner: &str) -> Checked {
    if list.is_empty() { wrong(format!("empty {field} on {owner}")) } else { Ok(()) }
}

fn body(list: &[Stmt], owner: &str) -> Checked {
    not_empty(list, "body", owner)?;
    statements(list)
}

fn statements(list: &[Stmt]) -> Checked {
    list.iter().try_for_each(statement)
}

fn loads(list: &[Expr]) -> Checked {
    list.iter().try_for_each(load)
}

fn load(value: &Expr) -> Checked {
    expression(value, ExprContext::Load)
}

fn maybe(value: Option<&Expr>) -> Checked {
    value.map_or(Ok(()), load)
}

fn targets(list: &[Expr], context: ExprContext, owner: &str) -> Checked {
    not_empty(list, "targets", owner)?;
    list.iter().try_for_each(|target| expression(target, context))
}

fn context_name(context: ExprContext) -> &'static str {
    match context {
        ExprContext::Load => "Load",
        ExprContext::Store => "Store",
        ExprContext::Del => "Del",
    }
}

fn arguments(arguments: &Arguments) -> Checked {
    let annotated = |arg: &Arg| {
        place(arg.range)?;
        maybe(arg.annotation.as_ref())
    };
    arguments.posonlyargs.iter().try_for_each(annotated)?;
    arguments.args.iter().try_for_each(annotated)?;
    arguments.vararg.iter().try_for_each(|arg| annotated(arg))?;
    arguments.kwonlyargs.iter().try_for_each(annotated)?;
    arguments.kwarg.iter().try_for_each(|arg| annotated(arg))?;
    if arguments.defaults.len() > arguments.posonlyargs.len() + arguments.args.len() {
        return wrong("more positional defaults than args on arguments");
    }
    if arguments.kw_defaults.len() != arguments.kwonlyargs.len() {
        return wrong("length of kwonlyargs is not the same as kw_defaults on arguments");
    }
    loads(&arguments.defaults)?;
    arguments.kw_defaults.iter().flatten().try_for_each(load)
}

fn keywords(list: &[Keyword]) -> Checked {
    list.iter().try_for_each(|keyword| load(&keyword.value))
}

fn comprehensions(list: &[Comprehension]) -> Checked {
    if list.is_empty() {
        return wrong("comprehension with no generators");
    }
    for part in list {
        expression(&part.target, ExprContext::Store)?;
        load(&part.iter)?;
        loads(&part.ifs)?;
    }
    Ok(())
}

fn type_params(list: &[TypeParam]) -> Checked {
    for param in list {
        place(param.range)?;
        match &param.kind {
            TypeParamKind::TypeVar(param) => {
                name(&param.name)?;
                maybe(param.bound.as_ref())?;
                maybe(param.default_value.as_ref())?;
            }
            TypeParamKind::ParamSpec(param) => {
                name(&param.name)?;
                maybe(param.default_value.as_ref())?;
            }
            TypeParamKind::TypeVarTuple(param) => {
                name(&param.name)?;
                maybe(param.default_value.as_ref())?;
            }
        }
    }
    Ok(())
}

/// The context that an expression has itself, if its class has one.
fn own_context(value: &Expr) -> Option<ExprContext> {
    match &value.kind {
        ExprKind::Attribute(node) => Some(node.ctx),
        ExprKind::Subscript(node) => Some(node.ctx),
        ExprKind::Starred(node) => Some(node.ctx),
        ExprKind::Name(node) => Some(node.ctx),
        ExprKind::List(node) => Some(node.ctx),
        ExprKind::Tuple(node) => Some(node.ctx),
        _ => None,
    }
}

fn expression(value: &Expr, context: ExprContext) -> Checked {
    place(value.range)?;
    match own_context(value) {
        Some(own) if own != context => {
            return wrong(format!(
                "expression must have {} context but has {} instead",
                context_name(context),
                context_name(own)
            ));
        }
        None if context != ExprContext::Load => {
            return wrong(format!(
                "expression which can't be assigned to in {} context",
                context_name(context)
            ));
        }
        _ => {}
    }
    match &value.kind {
        ExprKind::BoolOp(node) => {
            if node.values.len() < 2 {
                return wrong("BoolOp with less than 2 values");
            }
            loads(&node.values)
        }
        ExprKind::NamedExpr(node) => {
            if !matches!(node.target.kind, ExprKind::Name(_)) {
                return wrong_type("NamedExpr target must be a Name");
            }
            load(&node.value)
        }
        ExprKind::BinOp(node) => {
            load(&node.left)?;
            load(&node.right)
        }
        ExprKind::UnaryOp(node) => load(&node.operand),
        ExprKind::Lambda(node) => {
            arguments(&node.args)?;
            load(&node.body)
        }
        ExprKind::IfExp(node) => {
            load(&node.test)?;
            load(&node.body)?;
            load(&node.orelse)
        }
        ExprKind::Dict(node) => {
            if node.keys.len() != node.values.len() {
                return wrong("Dict doesn't have the same number of keys as values");
            }
            // A missing key stands for `**mapping`.
            node.keys.iter().flatten().try_for_each(load)?;
            loads(&node.values)
        }
        ExprKind::Set(node) => loads(&node.elts),
        ExprKind::ListComp(node) => {
            comprehensions(&node.generators)?;
            load(&node.elt)
        }
        ExprKind::SetComp(node) => {
            comprehensions(&node.generators)?;
            load(&node.elt)
        }
        ExprKind::GeneratorExp(node) => {
            comprehensions(&node.generators)?;
            load(&node.elt)
        }
        ExprKind::DictComp(node) => {
            comprehensions(&node.generators)?;
            load(&node.key)?;
            load(&node.value)
        }
        ExprKind::Await(node) => load(&node.value),
        ExprKind::Yield(node) => maybe(node.value.as_ref()),
        ExprKind::YieldFrom(node) => load(&node.value),
        ExprKind::Compare(node) => {
            if node.comparators.is_empty() {
                return wrong("Compare has no comparators");
            }
            if node.comparators.len() != node.ops.len() {
                return wrong("Compare has a different number of comparators and operands");
            }
            loads(&node.comparators)?;
            load(&node.left)
        }
        ExprKind::Call(node) => {
            load(&node.func)?;
            loads(&node.args)?;
            keywords(&node.keywords)
        }
        ExprKind::FormattedValue(node) => {
            load(&node.value)?;
            maybe(node.format_spec.as_ref())
        }
        ExprKind::Interpolation(node) => {
            load(&node.value)?;
            maybe(node.format_spec.as_ref())
        }
        ExprKind::JoinedStr(node) => loads(&node.values),
        ExprKind::TemplateStr(node) => loads(&node.values),
        ExprKind::Constant(_) => Ok(()),
        ExprKind::Attribute(node) => load(&node.value),
        ExprKind::Subscript(node) => {
            load(&node.slice)?;
            load(&node.value)
        }
        ExprKind::Starred(node) => expression(&node.value, context),
        ExprKind::Name(node) => name(&node.id),
        ExprKind::List(node) => node.elts.iter().try_for_each(|item| expression(item, context)),
        ExprKind::Tuple(node) => node.elts.iter().try_for_each(|item| expression(item, context)),
        ExprKind::Slice(node) => {
            maybe(node.lower.as_ref())?;
            maybe(node.upper.as_ref())?;
            maybe(node.step.as_ref())
        }
    }
}

fn function(
    owner: &str,
    own_name: &str,
    args: &Arguments,
    statements: &[Stmt],
    decorators: &[Expr],
    returns: Option<&Expr>,
    params: &[TypeParam],
) -> Checked {
    name(own_name)?;
    body(statements, owner)?;
    type_params(params)?;
    arguments(args)?;
    loads(decorators)?;
    maybe(returns)
}

fn handlers(list: &[ExceptHandler]) -> Checked {
    for handler in list {
        place(handler.range)?;
        maybe(handler.type_.as_ref())?;
        body(&handler.body, "ExceptHandler")?;
    }
    Ok(())
}

fn with_items(items: &[WithItem], owner: &str) -> Checked {
    not_empty(items, "items", owner)?;
    for item in items {
        load(&item.context_expr)?;
        if let Some(target) = &item.optional_vars {
            expression(target, ExprContext::Store)?;
        }
    }
    Ok(())
}

/// The names of handlers; those of `except*` are not looked at.
fn try_names(handlers: &[ExceptHandler]) -> Checked {
    handlers.iter().filter_map(|handler| handler.name.as_ref()).try_for_each(|bound| name(bound))
}

fn aliases(names: &[Alias], owner: &str) -> Checked {
    not_empty(names, "names", owner)?;
    for alias in names {
        name(&alias.name)?;
        alias.asname.as_ref().map_or(Ok(()), |bound| name(bound))?;
    }
    Ok(())
}

fn try_parts(
    owner: &str,
    statements_in: &[Stmt],
    handlers_in: &[ExceptHandler],
    orelse: &[Stmt],
    finalbody: &[Stmt],
) -> Checked {
    body(statements_in, owner)?;
    if handlers_in.is_empty() && finalbody.is_empty() {
        return wrong(format!("{owner} has neither except handlers nor finalbody"));
    }
    if handlers_in.is_empty() && !orelse.is_empty() {
        return wrong(format!("{owner} has orelse but no except handlers"));
    }
    handlers(handlers_in)?;
    statements(finalbody)?;
    statements(orelse)
}

fn statement(node: &Stmt) -> Checked {
    place(node.range)?;
    match &node.kind {
        StmtKind::FunctionDef(node) => function(
            "FunctionDef",
            &node.name,
            &node.args,
            &node.body,
            &node.decorator_list,
            node.returns.as_ref(),
            &node.type_params,
        ),
        StmtKind::AsyncFunctionDef(node) => function(
            "AsyncFunctionDef",
            &node.name,
            &node.args,
            &node.body,
            &node.decorator_list,
            node.returns.as_ref(),
            &node.type_params,
        ),
        StmtKind::ClassDef(node) => {
            name(&node.name)?;
            body(&node.body, "ClassDef")?;
            type_params(&node.type_params)?;
            loads(&node.bases)?;
            keywords(&node.keywords)?;
            loads(&node.decorator_list)
        }
        StmtKind::Return(node) => maybe(node.value.as_ref()),
        StmtKind::Delete(node) => targets(&node.targets, ExprContext::Del, "Delete"),
        StmtKind::Assign(node) => {
            targets(&node.targets, ExprContext::Store, "Assign")?;
            load(&node.value)
        }
        StmtKind::TypeAlias(node) => {
            if !matches!(node.name.kind, ExprKind::Name(_)) {
                return wrong_type("TypeAlias with non-Name name");
            }
            expression(&node.name, ExprContext::Store)?;
            type_params(&node.type_params)?;
            load(&node.value)
        }
        StmtKind::AugAssign(node) => {
            expression(&node.target, ExprContext::Store)?;
            load(&node.value)
        }
        StmtKind::AnnAssign(node) => {
            if node.simple != 0 && !matches!(node.target.kind, ExprKind::Name(_)) {
                return wrong_type("AnnAssign with simple non-Name target");
            }
            expression(&node.target, ExprContext::Store)?;
            maybe(node.value.as_ref())?;
            load(&node.annotation)
        }
        StmtKind::For(node) => {
            expression(&node.target, ExprContext::Store)?;
            load(&node.iter)?;
            body(&node.body, "For")?;
            statements(&node.orelse)
        }
        StmtKind::AsyncFor(node) => {
            expression(&node.target, ExprContext::Store)?;
            load(&node.iter)?;
            body(&node.body, "AsyncFor")?;
            statements(&node.orelse)
        }
        StmtKind::While(node) => {
            load(&node.test)?;
            body(&node.body, "While")?;
            statements(&node.orelse)
        }
        StmtKind::If(node) => {
            load(&node.test)?;
            body(&node.body, "If")?;
            statements(&node.orelse)
        }
        StmtKind::With(node) => {
            with_items(&node.items, "With")?;
            body(&node.body, "With")
        }
        StmtKind::AsyncWith(node) => {
            with_items(&node.items, "AsyncWith")?;
            body(&node.body, "AsyncWith")
        }
        StmtKind::Match(node) => {
            load(&node.subject)?;
            not_empty(&node.cases, "cases", "Match")?;
            for case in &node.cases {
                pattern(&case.pattern, false)?;
                maybe(case.guard.as_ref())?;
                body(&case.body, "match_case")?;
            }
            Ok(())
        }
        StmtKind::Raise(node) => {
            if node.exc.is_none() && node.cause.is_some() {
                return wrong("Raise with cause but no exception");
            }
            maybe(node.exc.as_ref())?;
            maybe(node.cause.as_ref())
        }
        StmtKind::Try(node) => try_names(&node.handlers)
            .and_then(|()| try_parts("Try", &node.body, &node.handlers, &node.orelse, &node.finalbody)),
        StmtKind::TryStar(node) => {
            try_parts("TryStar", &node.body, &node.handlers, &node.orelse, &node.finalbody)
        }
        StmtKind::Assert(node) => {
            load(&node.test)?;
            maybe(node.msg.as_ref())
        }
        StmtKind::Import(node) => aliases(&node.names, "Import"),
        StmtKind::ImportFrom(node) => {
            if node.level < 0 {
                return wrong("Negative ImportFrom level");
            }
            aliases(&node.names, "ImportFrom")
        }
        StmtKind::Global(node) => not_empty(&node.names, "names", "Global"),
        StmtKind::Nonlocal(node) => not_empty(&node.names, "names", "Nonlocal"),
        StmtKind::Expr(node) => load(&node.value),
        StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
    }
}

/// The value that a pattern compares with: a literal, a signed or complex number, or a dotted name.
fn pattern_value(value: &Expr) -> Checked {
    load(value)?;
    let fine = match &value.kind {
        ExprKind::Constant(node) => matches!(
            node.value,
            Constant::Int(_)
                | Constant::BigInt(_)
                | Constant::Float(_)
                | Constant::Bytes(_)
                | Constant::Complex { .. }
                | Constant::Str(_)
        ),
        ExprKind::Attribute(_) | ExprKind::JoinedStr(_) | ExprKind::TemplateStr(_) => true,
        ExprKind::UnaryOp(_) => is_number(value, true),
        ExprKind::BinOp(node) => {
            matches!(node.op, Operator::Add | Operator::Sub)
                && is_number(&node.left, false)
                && matches!(&node.right.kind, ExprKind::Constant(node) if matches!(node.value, Constant::Complex { .. }))
        }
        _ => false,
    };
    if fine { Ok(()) } else { wrong("patterns may only match literals and attribute lookups") }
}

fn is_number(value: &Expr, with_complex: bool) -> bool {
    match &value.kind {
        ExprKind::Constant(node) => match node.value {
            Constant::Int(_) | Constant::BigInt(_) | Constant::Float(_) => true,
            Constant::Complex { .. } => with_complex,
            _ => false,
        },
        ExprKind::UnaryOp(node) => {
            node.op == UnaryOp::USub
                && matches!(node.operand.kind, ExprKind::Constant(_))
                && is_number(&node.operand, with_complex)
        }
        _ => false,
    }
}

fn capture(target: &str) -> Checked {
    if target == "_" {
        return wrong("can't capture name '_' in patterns");
    }
    name(target)
}

fn patterns(list: &[Pattern], star: bool) -> Checked {
    list.iter().try_for_each(|item| pattern(item, star))
}

fn pattern(node: &Pattern, star: bool) -> Checked {
    place(node.range)?;
    match &node.kind {
        PatternKind::MatchValue(node) => pattern_value(&node.value),
        PatternKind::MatchSingleton(node) => match node.value {
            Constant::None | Constant::Bool(_) => Ok(()),
            _ => wrong("MatchSingleton can only contain True, False and None"),
        },
        PatternKind::MatchSequence(node) => patterns(&node.patterns, true),
        PatternKind::MatchMapping(node) => {
            if node.keys.len() != node.patterns.len() {
                return wrong("MatchMapping doesn't have the same number of keys as patterns");
            }
            if let Some(rest) = &node.rest {
                capture(rest)?;
            }
            for key in &node.keys {
                let singleton = matches!(&key.kind, ExprKind::Constant(node)
                    if matches!(node.value, Constant::None | Constant::Bool(_)));
                if !singleton {
                    pattern_value(key)?;
                }
            }
            patterns(&node.patterns, false)
        }
        PatternKind::MatchClass(node) => {
            if node.kwd_attrs.len() != node.kwd_patterns.len() {
                return wrong("MatchClass doesn't have the same number of keyword attributes as patterns");
            }
            load(&node.cls)?;
            let mut class = &node.cls;
            loop {
                match &class.kind {
                    ExprKind::Name(_) => break,
                    ExprKind::Attribute(attribute) => class = &attribute.value,
                    _ => return wrong("MatchClass cls field can only contain Name or Attribute nodes."),
                }
            }
            node.kwd_attrs.iter().try_for_each(|attribute| name(attribute))?;
            patterns(&node.patterns, false)?;
            patterns(&node.kwd_patterns, false)
        }
        PatternKind::MatchStar(node) => {
            if !star {
                return wrong("can't use MatchStar here");
            }
            node.name.iter().try_for_each(|target| capture(target))
        }
        PatternKind::MatchAs(node) => {
            if let Some(target) = &node.name {
                capture(target)?;
            }
            match (&node.pattern, &node.name) {
                (None, _) => Ok(()),
                (Some(_), None) => wrong("MatchAs must specify a target name if a pattern is given"),
                (Some(inner), Some(_)) => pattern(inner, false),
            }
        }
        PatternKind::MatchOr(node) => {
            if node.patterns.len() < 2 {
                return wrong("MatchOr requires at least 2 patterns");
            }
            patterns(&node.patterns, false)
        }
    }
}
