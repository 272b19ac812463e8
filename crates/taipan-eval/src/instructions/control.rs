//! Exceptions, imports and pattern matching.

use super::*;

instructions! {
    raise_varargs: RAISE_VARARGS;
    reraise: RERAISE;
    push_exc_info: PUSH_EXC_INFO;
    pop_except: POP_EXCEPT;
    check_exc_match: CHECK_EXC_MATCH;
    check_eg_match: CHECK_EG_MATCH;
    with_except_start: WITH_EXCEPT_START;
    import_name: IMPORT_NAME;
    import_from: IMPORT_FROM;
    match_mapping: MATCH_MAPPING;
    match_sequence: MATCH_SEQUENCE;
    match_keys: MATCH_KEYS;
    match_class: MATCH_CLASS;
    exit_init_check: EXIT_INIT_CHECK, INTERPRETER_EXIT, CACHE, RESERVED;
}

/// `RAISE_VARARGS`.
#[inline(always)]
unsafe fn raise_varargs(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let cause = if vm.oparg == 2 { Some(pop!(vm).into_ref()) } else { None };
        let value = if vm.oparg >= 1 { Some(pop!(vm).into_ref()) } else { None };
        match ops::raise(value, cause) {
            Ok(again) => leave_again(&vm, again, core::ptr::null_mut()),
            Err(error) => raise!(vm, error),
        }
    }
}

/// `RERAISE`.
#[inline(always)]
unsafe fn reraise(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let error = pop!(vm).into_ref();
        let mut raised_at = core::ptr::null_mut();
        if vm.oparg > 0 {
            // The offset of the instruction that raised first stands below. The vm.frame
            // is to stand there, but the handler is looked for from here.
            let lasti = peek!(vm, vm.oparg);
            if lasti.is_int() {
                let code = Frame::code(vm.frame);
                raised_at = code.instructions().add(lasti.int_value() as usize);
            }
        }
        match ops::reraise(error) {
            Ok(error) => leave_again(&vm, error, raised_at),
            Err(error) => leave_raised(vm.ip, vm.sp, vm.frame, error),
        }
    }
}

/// `PUSH_EXC_INFO`.
#[inline(always)]
unsafe fn push_exc_info(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let new = pop!(vm).into_ref();
        let info = (*vm.thread).base.exc_info;
        let old = (*info).exc_value;
        push!(vm, if old.is_null() { StackRef::borrowed(none()) } else { StackRef::from_ptr(old) });
        (*info).exc_value = new.new_ref().into_ptr();
        push!(vm, StackRef::owned(new));
        next!(vm, 0);
    }
}

/// `POP_EXCEPT`.
#[inline(always)]
unsafe fn pop_except(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let old = pop!(vm);
        let info = (*vm.thread).base.exc_info;
        let value =
            if old.ptr() == none().as_ptr() { core::ptr::null_mut() } else { old.into_ref().into_ptr() };
        let handled = core::mem::replace(&mut (*info).exc_value, value);
        save!(vm);
        refcount::xdecref(handled);
        next!(vm, 0);
    }
}

/// `CHECK_EXC_MATCH`.
#[inline(always)]
unsafe fn check_exc_match(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let matches = check!(vm, ops::exception_matches(&peek!(vm, 2).look(), &peek!(vm, 1).look()));
        pop!(vm).close();
        push!(vm, StackRef::borrowed(bool_object(matches)));
        next!(vm, 0);
    }
}

/// `CHECK_EG_MATCH`.
#[inline(always)]
unsafe fn check_eg_match(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (value, kind) = (peek!(vm, 2), peek!(vm, 1));
        let (rest, matched) = check!(vm, ops::exception_group_match(&value.look(), &kind.look()));
        vm.sp = vm.sp.sub(2);
        if !taipan_object::singletons::is_none(&matched) {
            // While the clause runs, what it took is the exception being handled.
            let info = (*vm.thread).base.exc_info;
            taipan_object::handle::set_field(&raw mut (*info).exc_value, Some(matched.clone()));
        }
        push!(vm, StackRef::owned(rest));
        push!(vm, StackRef::owned(matched));
        value.close();
        kind.close();
        next!(vm, 0);
    }
}

/// `WITH_EXCEPT_START`.
#[inline(always)]
unsafe fn with_except_start(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let result = check!(vm, ops::with_except_start(peek!(vm, 5), peek!(vm, 4), &peek!(vm, 1).look()));
        push!(vm, StackRef::owned(result));
        next!(vm, 0);
    }
}

/// `IMPORT_NAME`.
#[inline(always)]
unsafe fn import_name(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (level, from) = (peek!(vm, 2), peek!(vm, 1));
        let module = check!(vm, ops::import_name(vm.frame, vm.oparg, &level.look(), &from.look()));
        vm.sp = vm.sp.sub(2);
        push!(vm, StackRef::owned(module));
        level.close();
        from.close();
        next!(vm, 0);
    }
}

/// `IMPORT_FROM`.
#[inline(always)]
unsafe fn import_from(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let name: &Str = Frame::code(vm.frame).names().items()[vm.oparg].cast();
        let value = check!(vm, ops::import_from(&peek!(vm, 1).look(), name));
        push!(vm, StackRef::owned(value));
        next!(vm, 0);
    }
}

/// `MATCH_MAPPING`.
#[inline(always)]
unsafe fn match_mapping(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let is = peek!(vm, 1).ty().has_flag(Py_TPFLAGS_MAPPING);
        push!(vm, StackRef::borrowed(bool_object(is)));
        next!(vm, 0);
    }
}

/// `MATCH_SEQUENCE`.
#[inline(always)]
unsafe fn match_sequence(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let is = peek!(vm, 1).ty().has_flag(Py_TPFLAGS_SEQUENCE);
        push!(vm, StackRef::borrowed(bool_object(is)));
        next!(vm, 0);
    }
}

/// `MATCH_KEYS`.
#[inline(always)]
unsafe fn match_keys(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let values = check!(vm, ops::match_keys(&peek!(vm, 2).look(), &peek!(vm, 1).look()));
        push!(vm, StackRef::owned(values));
        next!(vm, 0);
    }
}

/// `MATCH_CLASS`.
#[inline(always)]
unsafe fn match_class(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (subject, class, names) = (peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        let result = check!(vm, ops::match_class(&subject.look(), &class.look(), &names.look(), vm.oparg));
        vm.sp = vm.sp.sub(3);
        push!(vm, StackRef::owned(result));
        subject.close();
        class.close();
        names.close();
        next!(vm, 0);
    }
}

/// `EXIT_INIT_CHECK`, `INTERPRETER_EXIT`, `CACHE`, `RESERVED`.
#[inline(always)]
unsafe fn exit_init_check(vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        raise!(vm, taipan_object::err::system_error("this instruction cannot be run"));
    }
}
