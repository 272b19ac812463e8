//! The first walk: expressions, patterns, type parameters, comprehensions.

use taipan_syntax::ast::{Comprehension as Generator, *};

use super::build::Builder;
use super::{
    BlockKind, Comprehension, DEF_COMP_ITER, DEF_GLOBAL, DEF_LOCAL, DEF_NONLOCAL, DEF_PARAM, DEF_TYPE_PARAM,
    Part, USE, key_of,
};
use crate::error::{CompileError, Compiled};
use crate::names::{Name, known};

impl Builder<'_> {
    pub fn exprs(&mut self, exprs: &[Expr]) -> Compiled<()> {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    pub fn optional_expr(&mut self, expr: Option<&Expr>) -> Compiled<()> {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    pub fn keywords(&mut self, keywords: &[Keyword]) -> Compiled<()> {
        for keyword in keywords {
            if let Some(arg) = &keyword.arg
                && arg.as_str() == "__debug__"
            {
                self.check_name(known::DEBUG, keyword.range, ExprContext::Store)?;
            }
        }
        keywords.iter().try_for_each(|keyword| self.expr(&keyword.value))
    }

    pub fn expr(&mut self, expr: &Expr) -> Compiled<()> {
        self.depth.enter()?;
        let range = expr.range;
        match &expr.kind {
            ExprKind::NamedExpr(node) => {
                self.refuse_in_annotation("named expression", range)?;
                self.named_expr(node, range)?;
            }
            ExprKind::BoolOp(node) => self.exprs(&node.values)?,
            ExprKind::BinOp(node) => {
                self.expr(&node.left)?;
                self.expr(&node.right)?;
            }
            ExprKind::UnaryOp(node) => self.expr(&node.operand)?,
            ExprKind::Lambda(node) => {
                self.exprs(&node.args.defaults)?;
                node.args.kw_defaults.iter().flatten().try_for_each(|default| self.expr(default))?;
                let key = key_of(&**node, Part::Body);
                self.enter_block(known::LAMBDA, BlockKind::Function, key, range);
                self.arguments(&node.args)?;
                self.expr(&node.body)?;
                self.exit_block();
            }
            ExprKind::IfExp(node) => {
                self.expr(&node.test)?;
                self.expr(&node.body)?;
                self.expr(&node.orelse)?;
            }
            ExprKind::Dict(node) => {
                node.keys.iter().flatten().try_for_each(|key| self.expr(key))?;
                self.exprs(&node.values)?;
            }
            ExprKind::Set(node) => self.exprs(&node.elts)?,
            ExprKind::GeneratorExp(node) => {
                let key = key_of(&**node, Part::Body);
                self.comprehension(Comprehension::Generator, key, &node.generators, &node.elt, None, range)?;
            }
            ExprKind::ListComp(node) => {
                let key = key_of(&**node, Part::Body);
                self.comprehension(Comprehension::List, key, &node.generators, &node.elt, None, range)?;
            }
            ExprKind::SetComp(node) => {
                let key = key_of(&**node, Part::Body);
                self.comprehension(Comprehension::Set, key, &node.generators, &node.elt, None, range)?;
            }
            ExprKind::DictComp(node) => {
                let key = key_of(&**node, Part::Body);
                let value = Some(&node.value);
                self.comprehension(Comprehension::Dict, key, &node.generators, &node.key, value, range)?;
            }
            ExprKind::Yield(node) => {
                self.refuse_in_annotation("yield expression", range)?;
                self.optional_expr(node.value.as_ref())?;
                self.mark_generator(range)?;
            }
            ExprKind::YieldFrom(node) => {
                self.refuse_in_annotation("yield expression", range)?;
                self.expr(&node.value)?;
                self.mark_generator(range)?;
            }
            ExprKind::Await(node) => {
                self.refuse_in_annotation("await expression", range)?;
                self.check_await(range)?;
                self.expr(&node.value)?;
                self.cur().coroutine = true;
            }
            ExprKind::Compare(node) => {
                self.expr(&node.left)?;
                self.exprs(&node.comparators)?;
            }
            ExprKind::Call(node) => {
                self.expr(&node.func)?;
                self.exprs(&node.args)?;
                self.keywords(&node.keywords)?;
            }
            ExprKind::FormattedValue(node) => {
                self.expr(&node.value)?;
                self.optional_expr(node.format_spec.as_ref())?;
            }
            ExprKind::Interpolation(node) => {
                self.expr(&node.value)?;
                self.optional_expr(node.format_spec.as_ref())?;
            }
            ExprKind::JoinedStr(node) => self.exprs(&node.values)?,
            ExprKind::TemplateStr(node) => self.exprs(&node.values)?,
            ExprKind::Constant(_) => {}
            ExprKind::Attribute(node) => {
                if node.ctx != ExprContext::Load && node.attr.as_str() == "__debug__" {
                    self.check_name(known::DEBUG, range, node.ctx)?;
                }
                self.expr(&node.value)?;
            }
            ExprKind::Subscript(node) => {
                self.expr(&node.value)?;
                self.expr(&node.slice)?;
            }
            ExprKind::Starred(node) => self.expr(&node.value)?,
            ExprKind::Slice(node) => {
                self.optional_expr(node.lower.as_ref())?;
                self.optional_expr(node.upper.as_ref())?;
                self.optional_expr(node.step.as_ref())?;
            }
            ExprKind::Name(node) => self.name(node, range)?,
            ExprKind::List(node) => self.exprs(&node.elts)?,
            ExprKind::Tuple(node) => self.exprs(&node.elts)?,
        }
        self.depth.leave();
        Ok(())
    }

    fn name(&mut self, node: &ExprName, range: Range) -> Compiled<()> {
        if self.cur().in_unevaluated_annotation {
            return Ok(());
        }
        let name = self.names.intern(&node.id);
        let load = node.ctx == ExprContext::Load;
        self.add_def_ctx(name, if load { USE } else { DEF_LOCAL }, range, node.ctx)?;
        // `super` without arguments reads `__class__`.
        if load && name == known::SUPER && self.cur().is_function_like() {
            self.add_def(known::CLASS, USE, range)?;
        }
        Ok(())
    }

    fn refuse_in_annotation(&mut self, what: &str, range: Range) -> Compiled<()> {
        let scope = self.cur();
        let message = match scope.kind {
            BlockKind::Annotation => format!("{what} cannot be used within an annotation"),
            BlockKind::TypeVariable => {
                format!("{what} cannot be used within {}", scope.scope_info.unwrap_or("a TypeVar bound"))
            }
            BlockKind::TypeAlias => format!("{what} cannot be used within a type alias"),
            BlockKind::TypeParameters => {
                format!("{what} cannot be used within the definition of a generic")
            }
            _ => return Ok(()),
        };
        Err(CompileError::syntax(message, range))
    }

    fn mark_generator(&mut self, range: Range) -> Compiled<()> {
        self.cur().generator = true;
        let what = match self.cur().comprehension {
            Comprehension::None => return Ok(()),
            Comprehension::List => "list comprehension",
            Comprehension::Set => "set comprehension",
            Comprehension::Dict => "dict comprehension",
            Comprehension::Generator => "generator expression",
        };
        Err(CompileError::syntax(format!("'yield' inside {what}"), range))
    }

    fn is_async_def(&mut self) -> bool {
        self.cur().kind == BlockKind::Function && self.cur().coroutine
    }

    fn check_await(&mut self, range: Range) -> Compiled<()> {
        if self.allows_top_level_await() {
            return Ok(());
        }
        if !self.cur().is_function_like() {
            return Err(CompileError::syntax("'await' outside function", range));
        }
        if !self.is_async_def() && self.cur().comprehension == Comprehension::None {
            return Err(CompileError::syntax("'await' outside async function", range));
        }
        Ok(())
    }

    fn named_expr(&mut self, node: &ExprNamedExpr, range: Range) -> Compiled<()> {
        if self.cur().comp_iter_expr > 0 {
            return Err(CompileError::syntax(
                "assignment expression cannot be used in a comprehension iterable expression",
                range,
            ));
        }
        if self.cur().comprehension != Comprehension::None
            && let ExprKind::Name(target) = &node.target.kind
        {
            let name = self.names.intern(&target.id);
            self.bind_outside_comprehension(name, node.target.range)?;
        }
        self.expr(&node.value)?;
        self.expr(&node.target)
    }

    /// A `:=` within a comprehension binds in the nearest block that is none.
    fn bind_outside_comprehension(&mut self, name: Name, range: Range) -> Compiled<()> {
        for at in (0..self.stack.len()).rev() {
            let id = self.stack[at];
            if self.table.scopes[id].comprehension != Comprehension::None {
                let flags = self.lookup_in(id, name);
                if flags & DEF_COMP_ITER != 0 && flags & DEF_LOCAL != 0 {
                    return Err(CompileError::syntax(
                        format!(
                            "assignment expression cannot rebind comprehension iteration variable '{}'",
                            self.names.text(name)
                        ),
                        range,
                    ));
                }
                continue;
            }
            let place = match self.table.scopes[id].kind {
                BlockKind::Function => {
                    let global = self.lookup_in(id, name) & DEF_GLOBAL != 0;
                    self.add_def(name, if global { DEF_GLOBAL } else { DEF_NONLOCAL }, range)?;
                    self.record_directive(name, range);
                    return self.add_def_to(id, name, DEF_LOCAL, range);
                }
                BlockKind::Module => {
                    self.add_def(name, DEF_GLOBAL, range)?;
                    self.record_directive(name, range);
                    return self.add_def_to(id, name, DEF_GLOBAL, range);
                }
                BlockKind::Class => "in a class body",
                BlockKind::TypeParameters => "within the definition of a generic",
                BlockKind::TypeAlias => "in a type alias",
                BlockKind::TypeVariable => "in a TypeVar bound",
                BlockKind::Annotation => continue,
            };
            return Err(CompileError::syntax(
                format!("assignment expression within a comprehension cannot be used {place}"),
                range,
            ));
        }
        Ok(())
    }

    fn comprehension(
        &mut self,
        kind: Comprehension,
        key: super::Key,
        generators: &[Generator],
        elt: &Expr,
        value: Option<&Expr>,
        range: Range,
    ) -> Compiled<()> {
        let Some(outermost) = generators.first() else {
            return Err(CompileError::system("comprehension with no generators"));
        };
        // The outermost iterable is evaluated in the block around.
        self.cur().comp_iter_expr += 1;
        self.expr(&outermost.iter)?;
        self.cur().comp_iter_expr -= 1;
        let name = match kind {
            Comprehension::List => known::LISTCOMP,
            Comprehension::Set => known::SETCOMP,
            Comprehension::Dict => known::DICTCOMP,
            _ => known::GENEXPR,
        };
        self.enter_block(name, BlockKind::Function, key, range);
        self.cur().comprehension = kind;
        if outermost.is_async != 0 {
            self.cur().coroutine = true;
        }
        self.add_def(known::ITERABLE, DEF_PARAM, range)?;
        self.cur().comp_iter_target = true;
        self.expr(&outermost.target)?;
        self.cur().comp_iter_target = false;
        self.exprs(&outermost.ifs)?;
        for generator in &generators[1..] {
            self.cur().comp_iter_target = true;
            self.expr(&generator.target)?;
            self.cur().comp_iter_target = false;
            self.cur().comp_iter_expr += 1;
            self.expr(&generator.iter)?;
            self.cur().comp_iter_expr -= 1;
            self.exprs(&generator.ifs)?;
            if generator.is_async != 0 {
                self.cur().coroutine = true;
            }
        }
        self.optional_expr(value)?;
        self.expr(elt)?;
        let is_generator = kind == Comprehension::Generator;
        self.cur().generator = is_generator;
        let is_async = self.cur().coroutine && !is_generator;
        self.exit_block();
        if is_async {
            if !self.is_async_def()
                && self.cur().comprehension == Comprehension::None
                && !self.allows_top_level_await()
            {
                return Err(CompileError::syntax(
                    "asynchronous comprehension outside of an asynchronous function",
                    range,
                ));
            }
            self.cur().coroutine = true;
        }
        Ok(())
    }

    pub fn type_params(&mut self, params: &[TypeParam]) -> Compiled<()> {
        params.iter().try_for_each(|param| self.type_param(param))
    }

    fn type_param(&mut self, param: &TypeParam) -> Compiled<()> {
        let (name, bound, default, default_of) = match &param.kind {
            TypeParamKind::TypeVar(node) => {
                (&node.name, node.bound.as_ref(), node.default_value.as_ref(), "a TypeVar default")
            }
            TypeParamKind::ParamSpec(node) => {
                (&node.name, None, node.default_value.as_ref(), "a ParamSpec default")
            }
            TypeParamKind::TypeVarTuple(node) => {
                (&node.name, None, node.default_value.as_ref(), "a TypeVarTuple default")
            }
        };
        let name = self.names.intern(name);
        self.add_def(name, DEF_TYPE_PARAM | DEF_LOCAL, param.range)?;
        if name == known::CLASSDICT {
            return Err(CompileError::syntax(
                "reserved name '__classdict__' cannot be used for type parameter",
                param.range,
            ));
        }
        if let Some(bound) = bound {
            let tuple = matches!(bound.kind, ExprKind::Tuple(_));
            let info = if tuple { "a TypeVar constraint" } else { "a TypeVar bound" };
            self.type_param_part(param, Part::Body, bound, name, info)?;
        }
        if let Some(default) = default {
            self.type_param_part(param, Part::Default, default, name, default_of)?;
        }
        Ok(())
    }

    fn type_param_part(
        &mut self,
        param: &TypeParam,
        part: Part,
        expr: &Expr,
        name: Name,
        info: &'static str,
    ) -> Compiled<()> {
        let sees_class = self.cur().can_see_class_scope;
        self.enter_block(name, BlockKind::TypeVariable, key_of(param, part), expr.range);
        self.cur().can_see_class_scope = sees_class;
        if sees_class {
            self.add_def(known::CLASSDICT, USE, expr.range)?;
        }
        self.cur().scope_info = Some(info);
        self.expr(expr)?;
        self.exit_block();
        Ok(())
    }

    fn bind_pattern_name(&mut self, name: Option<&Identifier>, range: Range) -> Compiled<()> {
        match name {
            Some(name) => {
                let name = self.names.intern(name);
                self.add_def(name, DEF_LOCAL, range)
            }
            None => Ok(()),
        }
    }

    pub fn pattern(&mut self, pattern: &Pattern) -> Compiled<()> {
        self.depth.enter()?;
        let range = pattern.range;
        match &pattern.kind {
            PatternKind::MatchValue(node) => self.expr(&node.value)?,
            PatternKind::MatchSingleton(_) => {}
            PatternKind::MatchSequence(node) => self.patterns(&node.patterns)?,
            PatternKind::MatchStar(node) => self.bind_pattern_name(node.name.as_ref(), range)?,
            PatternKind::MatchMapping(node) => {
                self.exprs(&node.keys)?;
                self.patterns(&node.patterns)?;
                self.bind_pattern_name(node.rest.as_ref(), range)?;
            }
            PatternKind::MatchClass(node) => {
                self.expr(&node.cls)?;
                self.patterns(&node.patterns)?;
                for (attr, pattern) in node.kwd_attrs.iter().zip(&node.kwd_patterns) {
                    if attr.as_str() == "__debug__" {
                        self.check_name(known::DEBUG, pattern.range, ExprContext::Store)?;
                    }
                }
                self.patterns(&node.kwd_patterns)?;
            }
            PatternKind::MatchAs(node) => {
                if let Some(inner) = &node.pattern {
                    self.pattern(inner)?;
                }
                self.bind_pattern_name(node.name.as_ref(), range)?;
            }
            PatternKind::MatchOr(node) => self.patterns(&node.patterns)?,
        }
        self.depth.leave();
        Ok(())
    }

    fn patterns(&mut self, patterns: &[Pattern]) -> Compiled<()> {
        patterns.iter().try_for_each(|pattern| self.pattern(pattern))
    }
}
