//! Calls: of functions, of methods without making a bound method, of `super`, and of `all`, `any` and `tuple` with
//! a generator, which are run in place.

use std::collections::HashMap;

use taipan_bytecode::opcode::*;
use taipan_bytecode::{Constant, Location, Opcode};
use taipan_syntax::ast::*;

use super::expr::{Display, infer_type};
use super::{Compiler, STACK_USE_GUIDELINE};
use crate::error::{CompileError, Compiled, location};
use crate::instr::Label;
use crate::names::{Name, known};
use crate::symtable::{DEF_IMPORT, FREE, GLOBAL_IMPLICIT, Part, key_of};

fn is_starred(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Starred(_))
}

impl<'a> Compiler<'a> {
    fn check_caller(&mut self, func: &Expr) {
        if matches!(func.kind, ExprKind::Lambda(_)) {
            return;
        }
        if let Some(name) = infer_type(func) {
            self.warn(
                location(func.range),
                format!("'{name}' object is not callable; perhaps you missed a comma?"),
            );
        }
    }

    fn check_keywords(&self, keywords: &[Keyword]) -> Compiled<()> {
        if keywords.len() < 2 {
            return Ok(());
        }
        // A short list is searched quicker than hashed; a list of any length must not cost its square.
        let mut seen: Vec<&str> = Vec::with_capacity(keywords.len());
        let mut places: Option<HashMap<&str, usize>> = (keywords.len() > 32).then(HashMap::new);
        // The first name that comes again is reported, at its second place.
        let mut repeated: Option<(usize, &Keyword)> = None;
        for keyword in keywords {
            let Some(arg) = &keyword.arg else { continue };
            let earlier = match &places {
                Some(places) => places.get(arg.as_str()).copied(),
                None => seen.iter().position(|other| *other == arg.as_str()),
            };
            match earlier {
                Some(at) if repeated.is_none_or(|(first, _)| at < first) => repeated = Some((at, keyword)),
                Some(_) => {}
                None => {
                    if let Some(places) = &mut places {
                        places.insert(arg, seen.len());
                    }
                    seen.push(arg);
                }
            }
        }
        match repeated {
            Some((at, keyword)) => {
                Err(CompileError::syntax(format!("keyword argument repeated: {}", seen[at]), keyword.range))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn call(&mut self, node: &'a ExprCall, loc: Location) -> Compiled<()> {
        self.check_keywords(&node.keywords)?;
        if self.method_call(node, loc)? {
            return Ok(());
        }
        let done = self.new_label();
        self.check_caller(&node.func);
        self.expr(&node.func)?;
        self.call_in_place(node, done)?;
        self.op(location(node.func.range), Opcode::PUSH_NULL);
        self.call_args(loc, 0, &node.args, None, &node.keywords)?;
        self.use_label(done);
        Ok(())
    }

    /// A call of an attribute: the method is looked up without binding it.
    fn method_call(&mut self, node: &'a ExprCall, loc: Location) -> Compiled<bool> {
        let ExprKind::Attribute(method) = &node.func.kind else { return Ok(false) };
        if method.ctx != ExprContext::Load {
            return Ok(false);
        }
        if let ExprKind::Name(owner) = &method.value.kind {
            let name = self.names.intern(&owner.id);
            if self.table.scopes[0].symbol(name) & DEF_IMPORT != 0 {
                return Ok(false);
            }
        }
        let (nargs, nkeywords) = (node.args.len(), node.keywords.len());
        if nargs + nkeywords + usize::from(nkeywords != 0) >= STACK_USE_GUIDELINE
            || node.args.iter().any(is_starred)
            || node.keywords.iter().any(|keyword| keyword.arg.is_none())
        {
            return Ok(false);
        }
        let name = self.names.intern(&method.attr);
        let func_loc = location(node.func.range);
        let place;
        if let Some(call) = self.optimizable_super_call(method) {
            self.super_args(call, location(method.value.range))?;
            let arg = self.name_index(name);
            let bits = if call.args.is_empty() { 1 } else { 3 };
            self.op_i(func_loc, Opcode::LOAD_SUPER_ATTR, (arg << 2) | bits);
            place = self.attribute_location(func_loc, &node.func);
            self.op(place, Opcode::NOP);
        } else {
            self.expr(&method.value)?;
            place = self.attribute_location(func_loc, &node.func);
            self.load_method(place, name);
        }
        self.exprs(&node.args)?;
        let call_loc = self.attribute_location(loc, &node.func);
        if nkeywords > 0 {
            self.keyword_values(&node.keywords, place)?;
            self.op_i(call_loc, Opcode::CALL_KW, (nargs + nkeywords) as u32);
        } else {
            self.op_i(call_loc, Opcode::CALL, nargs as u32);
        }
        Ok(true)
    }

    /// The values of keywords, then the tuple of their names.
    fn keyword_values(&mut self, keywords: &'a [Keyword], loc: Location) -> Compiled<()> {
        keywords.iter().try_for_each(|keyword| self.expr(&keyword.value))?;
        let mut names = Vec::with_capacity(keywords.len());
        for keyword in keywords {
            if let Some(arg) = &keyword.arg {
                let name = self.names.intern(arg);
                names.push(self.name_constant(name));
            }
        }
        self.load_const(loc, Constant::Tuple(names.into()));
        Ok(())
    }

    /// Arguments and the call itself; `pushed` positional ones are on the stack already.
    pub(crate) fn call_args(
        &mut self,
        loc: Location,
        pushed: usize,
        args: &'a [Expr],
        injected: Option<Name>,
        keywords: &'a [Keyword],
    ) -> Compiled<()> {
        self.check_keywords(keywords)?;
        let unpacking = args.len() + keywords.len() * 2 > STACK_USE_GUIDELINE
            || args.iter().any(is_starred)
            || keywords.iter().any(|keyword| keyword.arg.is_none());
        if unpacking {
            return self.call_unpacking(loc, pushed, args, injected, keywords);
        }
        self.exprs(args)?;
        let mut count = pushed + args.len();
        if let Some(name) = injected {
            self.nameop(loc, name, ExprContext::Load);
            count += 1;
        }
        if keywords.is_empty() {
            self.op_i(loc, Opcode::CALL, count as u32);
        } else {
            self.keyword_values(keywords, loc)?;
            self.op_i(loc, Opcode::CALL_KW, (count + keywords.len()) as u32);
        }
        Ok(())
    }

    fn call_unpacking(
        &mut self,
        loc: Location,
        pushed: usize,
        args: &'a [Expr],
        injected: Option<Name>,
        keywords: &'a [Keyword],
    ) -> Compiled<()> {
        match args {
            [Expr { kind: ExprKind::Starred(star), .. }] if pushed == 0 => self.expr(&star.value)?,
            _ => self.display(args, loc, Display::Tuple, pushed, injected)?,
        }
        if keywords.is_empty() {
            self.op(loc, Opcode::PUSH_NULL);
            self.op(loc, Opcode::CALL_FUNCTION_EX);
            return Ok(());
        }
        let mut have_dict = false;
        let mut pending = 0;
        for (at, keyword) in keywords.iter().enumerate() {
            if keyword.arg.is_some() {
                pending += 1;
                continue;
            }
            if pending > 0 {
                self.keyword_dict(&keywords[at - pending..at], loc)?;
                if have_dict {
                    self.op_i(loc, Opcode::DICT_MERGE, 1);
                }
                have_dict = true;
                pending = 0;
            }
            if !have_dict {
                self.op_i(loc, Opcode::BUILD_MAP, 0);
                have_dict = true;
            }
            self.expr(&keyword.value)?;
            self.op_i(loc, Opcode::DICT_MERGE, 1);
        }
        if pending > 0 {
            self.keyword_dict(&keywords[keywords.len() - pending..], loc)?;
            if have_dict {
                self.op_i(loc, Opcode::DICT_MERGE, 1);
            }
        }
        self.op(loc, Opcode::CALL_FUNCTION_EX);
        Ok(())
    }

    fn keyword_dict(&mut self, keywords: &'a [Keyword], loc: Location) -> Compiled<()> {
        let big = keywords.len() * 2 > STACK_USE_GUIDELINE;
        if big {
            self.op_i(Location::NONE, Opcode::BUILD_MAP, 0);
        }
        for keyword in keywords {
            if let Some(arg) = &keyword.arg {
                let name = self.names.intern(arg);
                self.load_name_const(loc, name);
            }
            self.expr(&keyword.value)?;
            if big {
                self.op_i(Location::NONE, Opcode::MAP_ADD, 1);
            }
        }
        if !big {
            self.op_i(loc, Opcode::BUILD_MAP, keywords.len() as u32);
        }
        Ok(())
    }

    /// `all`, `any` or `tuple` of a generator: if the name still means the builtin, a loop over the generator.
    fn call_in_place(&mut self, node: &'a ExprCall, done: Label) -> Compiled<()> {
        let ExprKind::Name(func) = &node.func.kind else { return Ok(()) };
        let [generator @ Expr { kind: ExprKind::GeneratorExp(_), .. }] = node.args.as_slice() else {
            return Ok(());
        };
        if !node.keywords.is_empty() {
            return Ok(());
        }
        // An asynchronous generator cannot be looped over here; let the call complain.
        if let ExprKind::GeneratorExp(inner) = &generator.kind {
            let scope = self.lookup(key_of(&**inner, Part::Body))?;
            if self.table.scopes[scope].coroutine {
                return Ok(());
            }
        }
        let (builtin, initial, go_on) = match func.id.as_str() {
            "all" => (CONSTANT_BUILTIN_ALL, Some(true), Opcode::POP_JUMP_IF_TRUE),
            "any" => (CONSTANT_BUILTIN_ANY, Some(false), Opcode::POP_JUMP_IF_FALSE),
            "tuple" => (CONSTANT_BUILTIN_TUPLE, None, Opcode::JUMP),
            _ => return Ok(()),
        };
        let loc = location(node.func.range);
        let skip = self.new_label();
        self.op_i(loc, Opcode::COPY, 1);
        self.op_i(loc, Opcode::LOAD_COMMON_CONSTANT, builtin);
        self.compare_op(loc, CmpOp::Is);
        self.jump(loc, Opcode::POP_JUMP_IF_FALSE, skip);
        self.op(loc, Opcode::POP_TOP);
        if initial.is_none() {
            self.op_i(loc, Opcode::BUILD_LIST, 0);
        }
        self.expr(generator)?;
        let (start, cleanup) = (self.new_label(), self.new_label());
        self.use_label(start);
        self.jump(loc, Opcode::FOR_ITER, cleanup);
        match initial {
            None => {
                self.op_i(loc, Opcode::LIST_APPEND, 2);
                self.jump(loc, Opcode::JUMP, start);
            }
            Some(_) => {
                self.op(loc, Opcode::TO_BOOL);
                self.jump(loc, go_on, start);
            }
        }
        self.op(Location::NONE, Opcode::POP_ITER);
        if let Some(initial) = initial {
            self.load_const(loc, Constant::Bool(!initial));
        }
        self.jump(loc, Opcode::JUMP, done);
        self.use_label(cleanup);
        self.op(Location::NONE, Opcode::END_FOR);
        self.op(Location::NONE, Opcode::POP_ITER);
        match initial {
            None => self.op_i(loc, Opcode::CALL_INTRINSIC_1, INTRINSIC_LIST_TO_TUPLE),
            Some(initial) => self.load_const(loc, Constant::Bool(initial)),
        }
        self.jump(loc, Opcode::JUMP, done);
        self.use_label(skip);
        Ok(())
    }

    /// The call of `super` that an attribute is taken from, when both can be one instruction.
    pub(crate) fn optimizable_super_call(&mut self, node: &'a ExprAttribute) -> Option<&'a ExprCall> {
        let ExprKind::Call(call) = &node.value.kind else { return None };
        let ExprKind::Name(func) = &call.func.kind else { return None };
        if func.id.as_str() != "super" || node.attr.as_str() == "__class__" || !call.keywords.is_empty() {
            return None;
        }
        if self.scope().scope(known::SUPER) != GLOBAL_IMPLICIT
            || self.table.scopes[0].scope(known::SUPER) != 0
        {
            return None;
        }
        let fits = match call.args.len() {
            2 => !call.args.iter().any(is_starred),
            0 => {
                self.unit.argcount + self.unit.posonlyargcount > 0 && self.closure_scope(known::CLASS) == FREE
            }
            _ => false,
        };
        fits.then_some(call)
    }

    /// Pushes `super`, class and instance.
    pub(crate) fn super_args(&mut self, call: &'a ExprCall, loc: Location) -> Compiled<()> {
        self.nameop(location(call.func.range), known::SUPER, ExprContext::Load);
        if !call.args.is_empty() {
            return self.exprs(&call.args);
        }
        self.nameop(loc, known::CLASS, ExprContext::Load);
        let first = self.unit.varnames.keys().next();
        if let Some(first) = first {
            self.nameop(loc, first, ExprContext::Load);
        }
        Ok(())
    }
}
