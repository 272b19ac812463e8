//! Functions, lambdas, classes, type parameters and aliases, and annotations that wait for being asked for
//! (PEP 649).

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Constant, Location, Opcode};
use taipan_syntax::ast::*;

use super::blocks::GuardKind;
use super::{ArgCounts, Compiler, UnitKind, line_start};
use crate::docstring;
use crate::error::{CompileError, Compiled, location};
use crate::instr::InstrSeq;
use crate::names::{Name, known};
use crate::symtable::{BlockKind, Key, Part, ScopeId, key_of};
use crate::unparse;

/// `annotationlib.Format.VALUE_WITH_FAKE_GLOBALS`
const VALUE_WITH_FAKE_GLOBALS: i64 = 2;

struct Function<'a> {
    name: Name,
    args: &'a Arguments,
    body: &'a [Stmt],
    decorators: &'a [Expr],
    returns: Option<&'a Expr>,
    type_params: &'a Vec<TypeParam>,
    key: Key,
    is_async: bool,
    range: Range,
}

fn counts(args: &Arguments) -> ArgCounts {
    ArgCounts { args: args.args.len(), posonly: args.posonlyargs.len(), kwonly: args.kwonlyargs.len() }
}

/// Line of a definition: that of its first decorator.
fn first_line(decorators: &[Expr], range: Range) -> i32 {
    decorators.first().map_or(range.lineno, |decorator| decorator.range.lineno)
}

impl<'a> Compiler<'a> {
    pub(crate) fn function_def(&mut self, node: &'a StmtFunctionDef, range: Range) -> Compiled<()> {
        let name = self.names.intern(&node.name);
        self.function(Function {
            name,
            args: &node.args,
            body: &node.body,
            decorators: &node.decorator_list,
            returns: node.returns.as_ref(),
            type_params: &node.type_params,
            key: key_of(node, Part::Body),
            is_async: false,
            range,
        })
    }

    pub(crate) fn async_function_def(
        &mut self,
        node: &'a StmtAsyncFunctionDef,
        range: Range,
    ) -> Compiled<()> {
        let name = self.names.intern(&node.name);
        self.function(Function {
            name,
            args: &node.args,
            body: &node.body,
            decorators: &node.decorator_list,
            returns: node.returns.as_ref(),
            type_params: &node.type_params,
            key: key_of(node, Part::Body),
            is_async: true,
            range,
        })
    }

    fn apply_decorators(&mut self, decorators: &'a [Expr]) {
        for decorator in decorators.iter().rev() {
            self.op_i(location(decorator.range), Opcode::CALL, 0);
        }
    }

    /// Pushes defaults; returns the flags of what was pushed.
    fn default_arguments(&mut self, args: &'a Arguments, loc: Location) -> Compiled<u32> {
        let mut flags = 0;
        if !args.defaults.is_empty() {
            self.exprs(&args.defaults)?;
            self.op_i(loc, Opcode::BUILD_TUPLE, args.defaults.len() as u32);
            flags |= MAKE_FUNCTION_DEFAULTS;
        }
        let mut count = 0;
        for (arg, default) in args.kwonlyargs.iter().zip(&args.kw_defaults) {
            if let Some(default) = default {
                count += 1;
                let name = self.names.intern(&arg.arg);
                let name = self.mangle(name);
                self.load_name_const(loc, name);
                self.expr(default)?;
            }
        }
        if count > 0 {
            self.op_i(loc, Opcode::BUILD_MAP, count);
            flags |= MAKE_FUNCTION_KWDEFAULTS;
        }
        Ok(flags)
    }

    fn generic_name(&mut self, name: Name) -> Name {
        let text = format!("<generic parameters of {}>", self.names.text(name));
        self.names.intern_str(&text)
    }

    fn enter_type_params(
        &mut self,
        name: Name,
        params: &'a Vec<TypeParam>,
        lineno: i32,
        private: Option<Name>,
        args: usize,
    ) -> Compiled<()> {
        let scope = self.lookup(key_of(params, Part::TypeParams))?;
        let name = self.generic_name(name);
        let counts = ArgCounts { args, ..ArgCounts::default() };
        self.enter_unit(name, UnitKind::Annotations, scope, lineno, private, counts);
        Ok(())
    }

    fn function(&mut self, function: Function<'a>) -> Compiled<()> {
        self.exprs(function.decorators)?;
        let firstlineno = first_line(function.decorators, function.range);
        let loc = location(function.range);
        let generic = !function.type_params.is_empty();
        let mut flags = self.default_arguments(function.args, loc)?;
        let mut passed = 0;
        if generic {
            passed = (flags & (MAKE_FUNCTION_DEFAULTS | MAKE_FUNCTION_KWDEFAULTS)).count_ones();
            if passed == 2 {
                self.op_i(loc, Opcode::SWAP, 2);
            }
            self.enter_type_params(function.name, function.type_params, firstlineno, None, passed as usize)?;
            self.type_params(function.type_params)?;
            for index in 0..passed {
                self.op_i(loc, Opcode::LOAD_FAST, index);
            }
        }
        flags |= self.function_annotations(&function, loc)?;
        self.function_body(&function, flags, firstlineno)?;
        if generic {
            self.op_i(loc, Opcode::SWAP, 2);
            self.op_i(loc, Opcode::CALL_INTRINSIC_2, INTRINSIC_SET_FUNCTION_TYPE_PARAMS);
            let finished = self.end_unit(false, false)?;
            self.make_closure(loc, finished, 0);
            if passed > 0 {
                self.op_i(loc, Opcode::SWAP, passed + 1);
                self.op_i(loc, Opcode::CALL, passed - 1);
            } else {
                self.op(loc, Opcode::PUSH_NULL);
                self.op_i(loc, Opcode::CALL, 0);
            }
        }
        self.apply_decorators(function.decorators);
        self.nameop(loc, function.name, ExprContext::Store);
        Ok(())
    }

    fn function_body(&mut self, function: &Function<'a>, flags: u32, firstlineno: i32) -> Compiled<()> {
        let kind = if function.is_async { UnitKind::AsyncFunction } else { UnitKind::Function };
        let scope = self.lookup(function.key)?;
        self.enter_unit(function.name, kind, scope, firstlineno, None, counts(function.args));
        let mut first = 0;
        if self.scope().has_docstring
            && let Some(doc) = docstring::of_body(function.body)
        {
            first = 1;
            self.add_const(Constant::Str(docstring::clean(doc)));
        }
        let start = self.new_label();
        self.use_label(start);
        let generator = self.scope().coroutine || self.scope().generator;
        if generator {
            self.push_guard(Location::NONE, GuardKind::StopIteration, Some(start), None)?;
        }
        self.stmts(&function.body[first..])?;
        if generator {
            self.wrap_in_stopiteration_handler();
            self.pop_guard();
        }
        let finished = self.end_unit(true, false)?;
        self.make_closure(location(function.range), finished, flags);
        Ok(())
    }

    /// A generator's whole body is guarded: StopIteration must not leave it.
    pub(crate) fn wrap_in_stopiteration_handler(&mut self) {
        let none = Location::NONE;
        let handler = self.new_label();
        self.unit.seq.push_first(Opcode::SETUP_CLEANUP, handler, none);
        self.load_const(none, Constant::None);
        self.op(none, Opcode::RETURN_VALUE);
        self.use_label(handler);
        self.op_i(none, Opcode::CALL_INTRINSIC_1, INTRINSIC_STOPITERATION_ERROR);
        self.op_i(none, Opcode::RERAISE, 1);
    }

    pub(crate) fn lambda(&mut self, node: &'a ExprLambda, range: Range) -> Compiled<()> {
        let loc = location(range);
        let flags = self.default_arguments(&node.args, loc)?;
        let scope = self.lookup(key_of(node, Part::Body))?;
        self.enter_unit(known::ANON_LAMBDA, UnitKind::Lambda, scope, range.lineno, None, counts(&node.args));
        self.expr(&node.body)?;
        let finished = if self.scope().generator {
            self.end_unit(false, false)?
        } else {
            self.op(location(node.body.range), Opcode::RETURN_VALUE);
            self.end_unit(true, false)?
        };
        self.make_closure(loc, finished, flags);
        Ok(())
    }

    // Annotations.

    /// Begins a function that evaluates annotations: it first refuses formats that it does not know.
    fn enter_annotations(&mut self, scope: ScopeId, name: Name, loc: Location) {
        let counts = ArgCounts { posonly: 1, ..ArgCounts::default() };
        self.enter_unit(name, UnitKind::Annotations, scope, loc.lineno, None, counts);
        self.op_i(loc, Opcode::LOAD_FAST, 0);
        self.load_int(loc, VALUE_WITH_FAKE_GLOBALS);
        self.op_i(loc, Opcode::COMPARE_OP, compare_oparg(PY_GT));
        let body = self.new_label();
        self.jump(loc, Opcode::POP_JUMP_IF_FALSE, body);
        self.op_i(loc, Opcode::LOAD_COMMON_CONSTANT, CONSTANT_NOTIMPLEMENTEDERROR);
        self.op_i(loc, Opcode::RAISE_VARARGS, 1);
        self.use_label(body);
    }

    fn leave_annotations(&mut self, loc: Location) -> Compiled<()> {
        self.op(loc, Opcode::RETURN_VALUE);
        let finished = self.end_unit(true, true)?;
        self.make_closure(loc, finished, 0);
        Ok(())
    }

    /// Pushes an annotation as text.
    pub(crate) fn annotation_text(&mut self, annotation: &Expr) {
        let text = unparse::expression(annotation);
        self.load_const(location(annotation.range), Constant::Str(text));
    }

    fn function_annotations(&mut self, function: &Function<'a>, loc: Location) -> Compiled<u32> {
        let args = function.args;
        let scope = self.lookup(key_of(args, Part::Annotations))?;
        if !self.table.scopes[scope].annotations_used {
            return Ok(0);
        }
        let name = self.table.scopes[scope].name;
        self.enter_annotations(scope, name, loc);
        let mut count = 0;
        let in_order = args
            .args
            .iter()
            .chain(&args.posonlyargs)
            .chain(args.vararg.as_deref())
            .chain(&args.kwonlyargs)
            .chain(args.kwarg.as_deref());
        for arg in in_order {
            if let Some(annotation) = &arg.annotation {
                let name = self.names.intern(&arg.arg);
                self.annotation(name, annotation, loc)?;
                count += 1;
            }
        }
        if let Some(returns) = function.returns {
            self.annotation(known::RETURN, returns, loc)?;
            count += 1;
        }
        self.op_i(loc, Opcode::BUILD_MAP, count);
        self.leave_annotations(loc)?;
        Ok(MAKE_FUNCTION_ANNOTATE)
    }

    fn annotation(&mut self, name: Name, annotation: &'a Expr, loc: Location) -> Compiled<()> {
        let mangled = self.mangle(name);
        self.load_name_const(loc, mangled);
        if self.future.annotations() {
            self.annotation_text(annotation);
            return Ok(());
        }
        if let ExprKind::Starred(star) = &annotation.kind {
            self.expr(&star.value)?;
            self.op_i(loc, Opcode::UNPACK_SEQUENCE, 1);
            return Ok(());
        }
        self.expr(annotation)
    }

    /// The `__annotate__` function of a module or class.
    pub(crate) fn deferred_annotations(&mut self, loc: Location) -> Compiled<()> {
        let deferred = std::mem::take(&mut self.unit.deferred_annotations);
        if deferred.is_empty() {
            return Ok(());
        }
        let kind = self.unit.kind;
        let Some(scope) = self.scope().annotation_block else {
            return Err(CompileError::system("annotations without a block"));
        };
        // A module's function is made at its beginning, so that it is there even if the module fails.
        let stash = kind == UnitKind::Module;
        if stash {
            let own = std::mem::take(&mut self.unit.seq);
            self.unit.stashed = Some(own);
        }
        let in_class = self.scope().kind == BlockKind::Class;
        let name = self.table.scopes[scope].name;
        self.enter_annotations(scope, name, loc);
        self.op_i(loc, Opcode::BUILD_MAP, 0);
        for (node, place, index) in deferred {
            let ExprKind::Name(target) = &node.target.kind else { continue };
            let name = self.names.intern(&target.id);
            let mangled = self.names.mangle(self.unit.private, name);
            let not_set = self.new_label();
            if let Some(index) = index {
                self.load_int(place, index);
                if kind == UnitKind::Class {
                    let arg = self.free_index(known::CONDITIONAL_ANNOTATIONS);
                    self.op_i(place, Opcode::LOAD_DEREF, arg);
                } else {
                    // The name's index is its place among all names, without the shift for calls: it is the first.
                    let arg = self.name_index(known::CONDITIONAL_ANNOTATIONS);
                    self.op_i(place, Opcode::LOAD_GLOBAL, arg);
                }
                self.op_i(place, Opcode::CONTAINS_OP, 0);
                self.jump(place, Opcode::POP_JUMP_IF_FALSE, not_set);
            }
            self.expr(&node.annotation)?;
            self.op_i(place, Opcode::COPY, 2);
            self.load_name_const(place, mangled);
            self.op(loc, Opcode::STORE_SUBSCR);
            self.use_label(not_set);
        }
        self.leave_annotations(loc)?;
        let bound = if in_class { known::ANNOTATE_FUNC } else { known::ANNOTATE };
        self.nameop(loc, bound, ExprContext::Store);
        if stash {
            let own: InstrSeq = self.unit.stashed.take().unwrap_or_default();
            let annotations = std::mem::replace(&mut self.unit.seq, own);
            self.unit.seq.annotations = Some(Box::new(annotations));
        }
        Ok(())
    }

    // Type parameters.

    fn type_param_part(
        &mut self,
        param: &'a TypeParam,
        part: Part,
        expr: &'a Expr,
        name: Name,
        starred: bool,
    ) -> Compiled<()> {
        let loc = location(expr.range);
        self.load_const(loc, Constant::Tuple([Constant::Int(1)].into()));
        let scope = self.lookup(key_of(param, part))?;
        self.enter_annotations(scope, name, loc);
        match &expr.kind {
            ExprKind::Starred(star) if starred => {
                self.expr(&star.value)?;
                self.op_i(loc, Opcode::UNPACK_SEQUENCE, 1);
            }
            _ => self.expr(expr)?,
        }
        self.op(loc, Opcode::RETURN_VALUE);
        let finished = self.end_unit(true, false)?;
        self.make_closure(loc, finished, MAKE_FUNCTION_DEFAULTS);
        Ok(())
    }

    fn type_params(&mut self, params: &'a [TypeParam]) -> Compiled<()> {
        let mut seen_default = false;
        for param in params {
            let loc = location(param.range);
            let (name, bound, default, intrinsic, starred) = match &param.kind {
                TypeParamKind::TypeVar(n) => {
                    (&n.name, n.bound.as_ref(), &n.default_value, INTRINSIC_TYPEVAR, false)
                }
                TypeParamKind::TypeVarTuple(n) => {
                    (&n.name, None, &n.default_value, INTRINSIC_TYPEVARTUPLE, true)
                }
                TypeParamKind::ParamSpec(n) => (&n.name, None, &n.default_value, INTRINSIC_PARAMSPEC, false),
            };
            let name = self.names.intern(name);
            self.load_name_const(loc, name);
            if let Some(bound) = bound {
                self.type_param_part(param, Part::Body, bound, name, false)?;
                let constraints = matches!(bound.kind, ExprKind::Tuple(_));
                let intrinsic = match constraints {
                    true => INTRINSIC_TYPEVAR_WITH_CONSTRAINTS,
                    false => INTRINSIC_TYPEVAR_WITH_BOUND,
                };
                self.op_i(loc, Opcode::CALL_INTRINSIC_2, intrinsic);
            } else {
                self.op_i(loc, Opcode::CALL_INTRINSIC_1, intrinsic);
            }
            if let Some(default) = default {
                seen_default = true;
                self.type_param_part(param, Part::Default, default, name, starred)?;
                self.op_i(loc, Opcode::CALL_INTRINSIC_2, INTRINSIC_SET_TYPEPARAM_DEFAULT);
            } else if seen_default {
                let text = self.names.text(name);
                return self.error(
                    loc,
                    format!("non-default type parameter '{text}' follows default type parameter"),
                );
            }
            self.op_i(loc, Opcode::COPY, 1);
            self.nameop(loc, name, ExprContext::Store);
        }
        if let Some(first) = params.first() {
            self.op_i(location(first.range), Opcode::BUILD_TUPLE, params.len() as u32);
        }
        Ok(())
    }

    pub(crate) fn type_alias(&mut self, node: &'a StmtTypeAlias, range: Range) -> Compiled<()> {
        let loc = location(range);
        let ExprKind::Name(target) = &node.name.kind else {
            return Err(CompileError::system("type alias without a name"));
        };
        let name = self.names.intern(&target.id);
        let generic = !node.type_params.is_empty();
        if generic {
            self.enter_type_params(name, &node.type_params, loc.lineno, None, 0)?;
            self.load_name_const(loc, name);
            self.type_params(&node.type_params)?;
        } else {
            self.load_name_const(loc, name);
            self.load_const(loc, Constant::None);
        }
        self.load_const(loc, Constant::Tuple([Constant::Int(1)].into()));
        let scope = self.lookup(key_of(node, Part::Body))?;
        self.enter_annotations(scope, name, loc);
        self.expr(&node.value)?;
        self.op(loc, Opcode::RETURN_VALUE);
        let finished = self.end_unit(false, false)?;
        self.make_closure(loc, finished, MAKE_FUNCTION_DEFAULTS);
        self.op_i(loc, Opcode::BUILD_TUPLE, 3);
        self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_TYPEALIAS);
        if generic {
            let finished = self.end_unit(false, false)?;
            self.make_closure(loc, finished, 0);
            self.op(loc, Opcode::PUSH_NULL);
            self.op_i(loc, Opcode::CALL, 0);
        }
        self.nameop(loc, name, ExprContext::Store);
        Ok(())
    }

    // Classes.

    pub(crate) fn class_def(&mut self, node: &'a StmtClassDef, range: Range) -> Compiled<()> {
        self.exprs(&node.decorator_list)?;
        let firstlineno = first_line(&node.decorator_list, range);
        let loc = location(range);
        let name = self.names.intern(&node.name);
        let generic = !node.type_params.is_empty();
        if generic {
            self.enter_type_params(name, &node.type_params, firstlineno, Some(name), 0)?;
            self.type_params(&node.type_params)?;
            self.nameop(loc, known::TYPE_PARAMS, ExprContext::Store);
        }
        self.class_body(node, name, firstlineno, loc)?;
        if generic {
            self.nameop(loc, known::TYPE_PARAMS, ExprContext::Load);
            self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_SUBSCRIPT_GENERIC);
            self.nameop(loc, known::GENERIC_BASE, ExprContext::Store);
            self.call_args(loc, 2, &node.bases, Some(known::GENERIC_BASE), &node.keywords)?;
            let finished = self.end_unit(false, false)?;
            self.make_closure(loc, finished, 0);
            self.op(loc, Opcode::PUSH_NULL);
            self.op_i(loc, Opcode::CALL, 0);
        } else {
            self.call_args(loc, 2, &node.bases, None, &node.keywords)?;
        }
        self.apply_decorators(&node.decorator_list);
        self.nameop(loc, name, ExprContext::Store);
        Ok(())
    }

    fn class_body(
        &mut self,
        node: &'a StmtClassDef,
        name: Name,
        firstlineno: i32,
        stmt_loc: Location,
    ) -> Compiled<()> {
        use ExprContext::{Load, Store};
        let scope = self.lookup(key_of(node, Part::Body))?;
        self.enter_unit(name, UnitKind::Class, scope, firstlineno, Some(name), ArgCounts::default());
        let loc = line_start(firstlineno);
        self.nameop(loc, known::NAME, Load);
        self.nameop(loc, known::MODULE, Store);
        let qualname = self.unit.qualname.clone();
        self.load_const(loc, Constant::Str(qualname));
        self.nameop(loc, known::QUALNAME, Store);
        self.load_int(loc, i64::from(firstlineno));
        self.nameop(loc, known::FIRSTLINENO, Store);
        if !node.type_params.is_empty() {
            self.nameop(loc, known::TYPE_PARAMS, Load);
            self.nameop(loc, known::DUNDER_TYPE_PARAMS, Store);
        }
        if self.scope().needs_classdict {
            self.op(loc, Opcode::LOAD_LOCALS);
            let arg = self.cell_index(known::CLASSDICT);
            self.op_i(loc, Opcode::STORE_DEREF, arg);
        }
        if self.scope().has_conditional_annotations {
            self.op_i(loc, Opcode::BUILD_SET, 0);
            let arg = self.cell_index(known::CONDITIONAL_ANNOTATIONS);
            self.op_i(loc, Opcode::STORE_DEREF, arg);
        }
        self.body(loc, &node.body, false)?;
        let none = Location::NONE;
        let mut attributes: Vec<Name> = self.unit.static_attributes.keys().collect();
        attributes.sort_by(|a, b| self.names.text(*a).cmp(self.names.text(*b)));
        let attributes = attributes.into_iter().map(|name| self.name_constant(name)).collect();
        self.load_const(none, Constant::Tuple(attributes));
        self.nameop(none, known::STATIC_ATTRIBUTES, Store);
        if self.scope().needs_classdict {
            let arg = self.cell_index(known::CLASSDICT);
            self.op_i(none, Opcode::LOAD_CLOSURE, arg);
            self.nameop(none, known::CLASSDICTCELL, Store);
        }
        if self.scope().needs_class_closure {
            let arg = self.cell_index(known::CLASS);
            self.op_i(none, Opcode::LOAD_CLOSURE, arg);
            self.op_i(none, Opcode::COPY, 1);
            self.nameop(none, known::CLASSCELL, Store);
        } else {
            self.load_const(none, Constant::None);
        }
        self.op(none, Opcode::RETURN_VALUE);
        let finished = self.end_unit(true, false)?;
        self.op(stmt_loc, Opcode::LOAD_BUILD_CLASS);
        self.op(stmt_loc, Opcode::PUSH_NULL);
        self.make_closure(stmt_loc, finished, 0);
        self.load_name_const(stmt_loc, name);
        Ok(())
    }
}
