//! Calls, and the ways out of a frame.

use super::*;

instructions! {
    call: CALL, CALL_NON_PY_GENERAL, CALL_PY_GENERAL, CALL_BOUND_METHOD_GENERAL, CALL_BUILTIN_CLASS,
        CALL_STR_1, CALL_TUPLE_1;
    call_py_exact_args: CALL_PY_EXACT_ARGS;
    call_bound_method_exact_args: CALL_BOUND_METHOD_EXACT_ARGS;
    call_alloc_and_enter_init: CALL_ALLOC_AND_ENTER_INIT;
    call_type_1: CALL_TYPE_1;
    call_len: CALL_LEN;
    call_isinstance: CALL_ISINSTANCE;
    call_builtin_o: CALL_BUILTIN_O, CALL_BUILTIN_FAST, CALL_BUILTIN_FAST_WITH_KEYWORDS;
    call_list_append: CALL_LIST_APPEND;
    call_method_descriptor_o: CALL_METHOD_DESCRIPTOR_O, CALL_METHOD_DESCRIPTOR_NOARGS,
        CALL_METHOD_DESCRIPTOR_FAST, CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS;
    call_kw: CALL_KW, CALL_KW_PY, CALL_KW_BOUND_METHOD, CALL_KW_NON_PY;
    call_function_ex: CALL_FUNCTION_EX;
    call_intrinsic_1: CALL_INTRINSIC_1;
    call_intrinsic_2: CALL_INTRINSIC_2;
    make_function: MAKE_FUNCTION;
    set_function_attribute: SET_FUNCTION_ATTRIBUTE;
    return_value: RETURN_VALUE;
    return_generator: RETURN_GENERATOR;
    yield_value: YIELD_VALUE;
    send: SEND, SEND_GEN;
    get_awaitable: GET_AWAITABLE;
    get_aiter: GET_AITER;
    get_anext: GET_ANEXT;
    end_async_for: END_ASYNC_FOR;
    cleanup_throw: CLEANUP_THROW;
}

/// `CALL`, `CALL_NON_PY_GENERAL`, `CALL_PY_GENERAL`, `CALL_BOUND_METHOD_GENERAL`, `CALL_BUILTIN_CLASS`,
/// `CALL_STR_1`, `CALL_TUPLE_1`.
#[inline(always)]
unsafe fn call(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let mut count = vm.oparg;
        let mut target = *base;
        let has_self = !(*base.add(1)).is_null();
        if adaptive::due(vm.ip.add(1)) {
            adaptive::call(vm.ip, target, has_self, vm.oparg + usize::from(has_self));
        }
        if has_self {
            count += 1;
        } else if target.is_exact(&PyMethod_Type) {
            // Unpack the bound method: function and instance in its two places.
            unpack_method!(base, target);
            target = *base;
            count += 1;
        }
        let args = vm.sp.sub(count);
        if target.is_exact(&PyFunction_Type) {
            // The function word goes into the vm.frame; the arguments into its locals.
            let function = target.heap_safe();
            vm.sp = base;
            save!(vm);
            let new = check!(vm, crate::call::push_call(vm.thread, function, args, count, None, vm.frame));
            enter!(vm, new, 3);
        }
        save!(vm);
        if !has_self
            && target.is_exact(&PyType_Type)
            && let Some((function, instance)) = check!(vm, ops::inlined_init(target))
        {
            // `Class(...)` with a Python `__init__`: its vm.frame is entered directly and the instance
            // stands where the result goes.
            base.write(StackRef::owned(instance.clone()));
            base.add(1).write(StackRef::owned(instance));
            vm.sp = base.add(1);
            save!(vm);
            target.close();
            let function = StackRef::owned(function);
            let pushed = crate::call::push_call(vm.thread, function, vm.sp, count + 1, None, vm.frame);
            let new = check!(vm, pushed);
            (*new).flags |= INIT;
            enter!(vm, new, 3);
        }
        let result = check!(vm, ops::call_words(target, args, count, None));
        called!(vm, base, StackRef::owned(result));
    }
}

/// `CALL_PY_EXACT_ARGS`.
#[inline(always)]
unsafe fn call_py_exact_args(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        let count = vm.oparg + usize::from(!(*base.add(1)).is_null());
        if target.is_exact(&PyFunction_Type) {
            let function: &Function = target.object().cast();
            if function.has_version(sp::read_u32(vm.ip.add(2))) && function.code().argcount() == count {
                let args = vm.sp.sub(count);
                let pushed = crate::call::push_exact(
                    vm.thread,
                    target.heap_safe(),
                    function.code(),
                    args,
                    count,
                    vm.frame,
                );
                if let Some(new) = pushed {
                    vm.sp = base;
                    enter!(vm, new, 3);
                }
                raise!(vm, taipan_object::alloc::no_memory());
            }
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_BOUND_METHOD_EXACT_ARGS`.
#[inline(always)]
unsafe fn call_bound_method_exact_args(vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        if (*base.add(1)).is_null() && target.is_exact(&PyMethod_Type) {
            let method: &callable::Method = target.object().cast();
            if method.function().is_exact(&PyFunction_Type) {
                let function: &Function = method.function().cast();
                if function.has_version(sp::read_u32(vm.ip.add(2)))
                    && function.code().argcount() == vm.oparg + 1
                {
                    unpack_method!(base, target);
                    // The words are those of the exact call of a function now.
                    deopt!(vm, op::CALL_PY_EXACT_ARGS);
                }
            }
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_ALLOC_AND_ENTER_INIT`.
#[inline(always)]
unsafe fn call_alloc_and_enter_init(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        if (*base.add(1)).is_null() && target.is_exact(&PyType_Type) {
            let class: &Type = target.object().cast();
            if class.version() == sp::read_u32(vm.ip.add(2))
                && let Some(init) = sp::known_init(class, vm.oparg + 1)
            {
                save!(vm);
                let instance = check!(vm, ops::new_instance(class));
                let function: &Function = init.object().cast();
                base.write(StackRef::owned(instance.clone()));
                base.add(1).write(StackRef::owned(instance));
                vm.sp = base.add(1);
                let code = function.code();
                let pushed = crate::call::push_exact(vm.thread, init, code, vm.sp, vm.oparg + 1, vm.frame);
                let Some(new) = pushed else {
                    vm.sp = base.add(vm.oparg + 2);
                    raise!(vm, taipan_object::alloc::no_memory());
                };
                target.close();
                (*new).flags |= INIT;
                enter!(vm, new, 3);
            }
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_TYPE_1`.
#[inline(always)]
unsafe fn call_type_1(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(3);
        let target = *base;
        if vm.oparg == 1
            && (*base.add(1)).is_null()
            && !target.is_int()
            && target.ptr() == PyType_Type.as_ptr()
        {
            let value = peek!(vm, 1);
            let ty = StackRef::owned(value.ty().new_ref().upcast());
            called!(vm, base, ty);
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_LEN`.
#[inline(always)]
unsafe fn call_len(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        if vm.oparg + usize::from(!(*base.add(1)).is_null()) == 1
            && target.is_exact(&PyCFunction_Type)
            && taipan_object::state::interp().callables.is_len(target.object().cast())
        {
            save!(vm);
            let length = match quick::quick_len(peek!(vm, 1)) {
                Some(length) => length,
                None => check!(vm, peek!(vm, 1).look().len()),
            };
            called!(vm, base, StackRef::from_i64(length as i64));
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_ISINSTANCE`.
#[inline(always)]
unsafe fn call_isinstance(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        if vm.oparg + usize::from(!(*base.add(1)).is_null()) == 2
            && target.is_exact(&PyCFunction_Type)
            && taipan_object::state::interp().callables.is_isinstance(target.object().cast())
        {
            let (object, class) = (peek!(vm, 2), peek!(vm, 1));
            if let Some(is) = quick::quick_isinstance(object, class) {
                save!(vm);
                called!(vm, base, StackRef::borrowed(bool_object(is)));
            }
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_BUILTIN_O`, `CALL_BUILTIN_FAST`, `CALL_BUILTIN_FAST_WITH_KEYWORDS`.
#[inline(always)]
unsafe fn call_builtin_o(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        let count = vm.oparg + usize::from(!(*base.add(1)).is_null());
        if target.is_exact(&PyCFunction_Type) {
            save!(vm);
            let function: &callable::CFunction = target.object().cast();
            if let Some(result) =
                quick::call_native(function.def_ptr(), function.raw_self(), vm.sp.sub(count), count, &|| {
                    function.message_name()
                })
            {
                let result = check!(vm, result);
                called!(vm, base, StackRef::owned(result));
            }
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_LIST_APPEND`.
#[inline(always)]
unsafe fn call_list_append(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        let owner = *base.add(1);
        if vm.oparg == 1
            && !owner.is_null()
            && owner.is_exact(&PyList_Type)
            && target.is_exact(&PyMethodDescr_Type)
        {
            let method: &MethodDescr = target.object().cast();
            if adaptive::is_append(method) {
                let value = pop!(vm).into_ref();
                let list: &List = owner.object().cast();
                check!(vm, list.append(value));
                called!(vm, base, StackRef::borrowed(none()));
            }
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_METHOD_DESCRIPTOR_O`, `CALL_METHOD_DESCRIPTOR_NOARGS`, `CALL_METHOD_DESCRIPTOR_FAST`,
/// `CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS`.
#[inline(always)]
unsafe fn call_method_descriptor_o(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let target = *base;
        let count = vm.oparg + usize::from(!(*base.add(1)).is_null());
        if count >= 1 && target.is_exact(&PyMethodDescr_Type) {
            let method: &MethodDescr = target.object().cast();
            let args = vm.sp.sub(count);
            if (*args).ty().is_subtype(method.as_descr().owner()) {
                save!(vm);
                let object = StackRef::materialize(&mut *args);
                if let Some(result) =
                    quick::call_native(method.def(), object, args.add(1), count - 1, &|| {
                        method.message_name()
                    })
                {
                    let result = check!(vm, result);
                    called!(vm, base, StackRef::owned(result));
                }
            }
        }
        deopt!(vm, op::CALL);
    }
}

/// `CALL_KW`, `CALL_KW_PY`, `CALL_KW_BOUND_METHOD`, `CALL_KW_NON_PY`.
#[inline(always)]
unsafe fn call_kw(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let names_word = pop!(vm);
        let names: &Tuple = names_word.object().cast();
        let base = vm.sp.sub(vm.oparg + 2);
        let mut count = vm.oparg;
        let mut target = *base;
        if (*base.add(1)).is_null() {
            if target.is_exact(&PyMethod_Type) {
                unpack_method!(base, target);
                target = *base;
                count += 1;
            }
        } else {
            count += 1;
        }
        let args = vm.sp.sub(count);
        if target.is_exact(&PyFunction_Type) {
            let function = target.heap_safe();
            vm.sp = base;
            (*vm.frame).instr_ptr = vm.ip;
            (*vm.frame).stackpointer = vm.sp;
            let pushed =
                crate::call::push_call(vm.thread, function, args, count - names.len(), Some(names), vm.frame);
            let new = check!(vm, pushed);
            names_word.close();
            enter!(vm, new, 3);
        }
        save!(vm);
        let result = ops::call_words(target, args, count, Some(names));
        let result = check!(vm, result);
        names_word.close();
        while vm.sp > base {
            vm.sp = vm.sp.sub(1);
            vm.sp.replace(StackRef::NULL).close();
        }
        push!(vm, StackRef::owned(result));
        next!(vm, 3);
    }
}

/// `CALL_FUNCTION_EX`.
#[inline(always)]
unsafe fn call_function_ex(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (target, args, kwargs) = (peek!(vm, 4), peek!(vm, 2), peek!(vm, 1));
        let result = check!(vm, ops::call_function_ex(&target.look(), &args.look(), kwargs));
        for _ in 0..4 {
            pop!(vm).close();
        }
        push!(vm, StackRef::owned(result));
        next!(vm, 0);
    }
}

/// `CALL_INTRINSIC_1`.
#[inline(always)]
unsafe fn call_intrinsic_1(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        let result = check!(vm, ops::intrinsic_1(vm.frame, vm.oparg, &value.look()));
        peek!(vm, 1) = StackRef::owned(result);
        value.close();
        next!(vm, 0);
    }
}

/// `CALL_INTRINSIC_2`.
#[inline(always)]
unsafe fn call_intrinsic_2(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (first, second) = (peek!(vm, 2), peek!(vm, 1));
        let result = check!(vm, ops::intrinsic_2(vm.oparg, &first.look(), &second.look()));
        vm.sp = vm.sp.sub(2);
        push!(vm, StackRef::owned(result));
        first.close();
        second.close();
        next!(vm, 0);
    }
}

/// `MAKE_FUNCTION`.
#[inline(always)]
unsafe fn make_function(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let code = pop!(vm);
        let made = Function::new(code.object().cast::<Code>(), Frame::globals(vm.frame), None);
        code.close();
        push!(vm, StackRef::owned(check!(vm, made).upcast()));
        next!(vm, 0);
    }
}

/// `SET_FUNCTION_ATTRIBUTE`.
#[inline(always)]
unsafe fn set_function_attribute(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let function = pop!(vm);
        let value = pop!(vm).into_ref();
        if let Err(error) = ops::set_function_attribute(function.object().cast(), vm.oparg, value) {
            function.close();
            raise!(vm, error);
        }
        push!(vm, function);
        next!(vm, 0);
    }
}

/// `RETURN_VALUE`.
#[inline(always)]
unsafe fn return_value(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let mut value = pop!(vm).heap_safe();
        (*vm.frame).stackpointer = vm.sp;
        let done = vm.frame;
        let flags = (*done).flags;
        if flags & INIT != 0 && (value.is_int() || value.ptr() != none().as_ptr()) {
            save!(vm);
            let error = ops::init_returned(&value.look());
            value.close();
            raise!(vm, error);
        }
        frame::leave_recursion(vm.thread);
        let previous = (*done).previous;
        (*vm.thread).base.current_frame = previous.cast();
        unwind::finish_frame(vm.thread, done);
        if flags & ENTRY != 0 {
            return Next::value(value.into_ref());
        }
        vm.frame = previous;
        vm.ip = (*vm.frame).instr_ptr.add(usize::from((*vm.frame).return_offset));
        vm.sp = (*vm.frame).stackpointer;
        if flags & INIT != 0 {
            // The instance is on the stack already.
            value = StackRef::NULL;
            let _ = value;
            go!(vm);
        }
        push!(vm, value);
        go!(vm);
    }
}

/// `RETURN_GENERATOR`.
#[inline(always)]
unsafe fn return_generator(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let made = check!(vm, generator::from_frame(vm.frame, vm.ip.add(1)));
        frame::leave_recursion(vm.thread);
        let (flags, previous) = ((*vm.frame).flags, (*vm.frame).previous);
        (*vm.thread).base.current_frame = previous.cast();
        // The words live on in the generator: only the memory is given back.
        frame::pop_words(vm.thread, vm.frame.cast());
        if flags & ENTRY != 0 {
            return Next::value(made);
        }
        vm.frame = previous;
        vm.ip = (*vm.frame).instr_ptr.add(usize::from((*vm.frame).return_offset));
        vm.sp = (*vm.frame).stackpointer;
        push!(vm, StackRef::owned(made));
        go!(vm);
    }
}

/// `YIELD_VALUE`.
#[inline(always)]
unsafe fn yield_value(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm).heap_safe();
        // Execution goes on behind this instruction.
        (*vm.frame).instr_ptr = vm.ip.add(1);
        (*vm.frame).stackpointer = vm.sp;
        frame::leave_recursion(vm.thread);
        let flags = (*vm.frame).flags;
        let previous = (*vm.frame).previous;
        generator::suspend(vm.thread, vm.frame, vm.oparg);
        (*vm.thread).base.current_frame = previous.cast();
        if flags & ENTRY != 0 {
            return Next::value(value.into_ref());
        }
        vm.frame = previous;
        // The caller is a SEND or FOR_ITER: one cache unit each.
        vm.ip = (*vm.frame).instr_ptr.add(2);
        vm.sp = (*vm.frame).stackpointer;
        push!(vm, value);
        go!(vm);
    }
}

/// `SEND`, `SEND_GEN`.
#[inline(always)]
unsafe fn send(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (receiver, value) = (peek!(vm, 2), peek!(vm, 1));
        if let Some(new) = generator::start_send(vm.thread, receiver, value, vm.frame) {
            vm.sp = vm.sp.sub(1);
            (*vm.frame).instr_ptr = vm.ip;
            (*vm.frame).stackpointer = vm.sp;
            (*vm.frame).return_offset = (vm.oparg + 2) as u16;
            if let Err(error) = frame::enter_recursion(vm.thread) {
                frame::leave_recursion(vm.thread);
                generator::abort_start(vm.thread, new);
                raise!(vm, error);
            }
            load_frame!(vm, new);
            go!(vm);
        }
        save!(vm);
        let (result, finished) = check!(vm, generator::send_any(receiver.object(), &value.look()));
        if finished {
            vm.ip = vm.ip.add(vm.oparg);
        }
        peek!(vm, 1) = StackRef::owned(result);
        value.close();
        next!(vm, 1);
    }
}

/// `GET_AWAITABLE`.
#[inline(always)]
unsafe fn get_awaitable(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        let iterator = check!(vm, ops::get_awaitable(&value.look(), vm.oparg));
        peek!(vm, 1) = StackRef::owned(iterator);
        value.close();
        next!(vm, 0);
    }
}

/// `GET_AITER`.
#[inline(always)]
unsafe fn get_aiter(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        let iterator = check!(vm, ops::get_aiter(&value.look()));
        peek!(vm, 1) = StackRef::owned(iterator);
        value.close();
        next!(vm, 0);
    }
}

/// `GET_ANEXT`.
#[inline(always)]
unsafe fn get_anext(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let awaitable = check!(vm, ops::get_anext(&peek!(vm, 1).look()));
        push!(vm, StackRef::owned(awaitable));
        next!(vm, 0);
    }
}

/// `END_ASYNC_FOR`.
#[inline(always)]
unsafe fn end_async_for(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let error = peek!(vm, 1);
        if error.look().ty().is_subtype(&PyExc_StopAsyncIteration) {
            let (error, iterator) = (pop!(vm), pop!(vm));
            error.close();
            iterator.close();
            next!(vm, 0);
        }
        let error = pop!(vm).into_ref();
        match ops::reraise(error) {
            Ok(error) => leave_again(&vm, error, core::ptr::null_mut()),
            Err(error) => leave_raised(vm.ip, vm.sp, vm.frame, error),
        }
    }
}

/// `CLEANUP_THROW`.
#[inline(always)]
unsafe fn cleanup_throw(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let error = peek!(vm, 1);
        match ops::cleanup_throw(&error.look()) {
            Some(value) => {
                for _ in 0..3 {
                    pop!(vm).close();
                }
                push!(vm, StackRef::borrowed(none()));
                push!(vm, StackRef::owned(value));
                next!(vm, 0);
            }
            None => {
                let error = pop!(vm).into_ref();
                match ops::reraise(error) {
                    Ok(error) => leave_again(&vm, error, core::ptr::null_mut()),
                    Err(error) => leave_raised(vm.ip, vm.sp, vm.frame, error),
                }
            }
        }
    }
}
