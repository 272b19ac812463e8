//! Arithmetic, comparisons and subscriptions.

use super::*;

instructions! {
    binary_op: BINARY_OP, BINARY_OP_SUBSCR_GETITEM, BINARY_OP_SUBSCR_LIST_SLICE;
    binary_op_add_int: BINARY_OP_ADD_INT;
    binary_op_subtract_int: BINARY_OP_SUBTRACT_INT;
    binary_op_multiply_int: BINARY_OP_MULTIPLY_INT;
    binary_op_add_float: BINARY_OP_ADD_FLOAT;
    binary_op_subtract_float: BINARY_OP_SUBTRACT_FLOAT;
    binary_op_multiply_float: BINARY_OP_MULTIPLY_FLOAT;
    binary_op_extend: BINARY_OP_EXTEND;
    binary_op_add_unicode: BINARY_OP_ADD_UNICODE;
    binary_op_inplace_add_unicode: BINARY_OP_INPLACE_ADD_UNICODE;
    binary_op_subscr_list_int: BINARY_OP_SUBSCR_LIST_INT;
    binary_op_subscr_tuple_int: BINARY_OP_SUBSCR_TUPLE_INT;
    binary_op_subscr_str_int: BINARY_OP_SUBSCR_STR_INT;
    binary_op_subscr_dict: BINARY_OP_SUBSCR_DICT;
    unary_negative: UNARY_NEGATIVE;
    unary_invert: UNARY_INVERT;
    compare_op: COMPARE_OP;
    compare_op_int: COMPARE_OP_INT;
    compare_op_float: COMPARE_OP_FLOAT;
    compare_op_str: COMPARE_OP_STR;
    is_op: IS_OP;
    contains_op: CONTAINS_OP, CONTAINS_OP_DICT, CONTAINS_OP_SET;
    store_subscr: STORE_SUBSCR;
    store_subscr_list_int: STORE_SUBSCR_LIST_INT;
    store_subscr_dict: STORE_SUBSCR_DICT;
    delete_subscr: DELETE_SUBSCR;
    binary_slice: BINARY_SLICE;
    store_slice: STORE_SLICE;
}

/// `BINARY_OP`, `BINARY_OP_SUBSCR_GETITEM`, `BINARY_OP_SUBSCR_LIST_SLICE`.
#[inline(always)]
unsafe fn binary_op(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if adaptive::due(vm.ip.add(1)) {
            adaptive::binary_op(vm.ip, left, right, vm.oparg);
        }
        save!(vm);
        if let Some(result) = quick::quick_binary(left, right, vm.oparg) {
            vm.sp = vm.sp.sub(2);
            push!(vm, result);
            left.close();
            right.close();
            next!(vm, 5);
        }
        if vm.oparg == 26
            && let Some(result) = quick::native_item(left, right)
        {
            vm.sp = vm.sp.sub(2);
            push!(vm, result);
            done!(vm, 5, left);
        }
        if vm.oparg == 26
            && let Some(function) = quick::python_getitem(left)
        {
            vm.sp = vm.sp.sub(2);
            let mut words = [left, right];
            let called = crate::call::push_call(
                vm.thread,
                StackRef::owned(function),
                words.as_mut_ptr(),
                2,
                None,
                vm.frame,
            );
            let new = check!(vm, called);
            enter!(vm, new, 5);
        }
        let result = check!(vm, ops::binary_op(left, right, vm.oparg));
        vm.sp = vm.sp.sub(2);
        push!(vm, result);
        left.close();
        right.close();
        next!(vm, 5);
    }
}

/// `BINARY_OP_ADD_INT`.
#[inline(always)]
unsafe fn binary_op_add_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        int_arm!(vm, StackRef::add_ints, |a: i64, b: i64| Some(a + b));
    }
}

/// `BINARY_OP_SUBTRACT_INT`.
#[inline(always)]
unsafe fn binary_op_subtract_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        int_arm!(vm, StackRef::sub_ints, |a: i64, b: i64| Some(a - b));
    }
}

/// `BINARY_OP_MULTIPLY_INT`.
#[inline(always)]
unsafe fn binary_op_multiply_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        int_arm!(vm, StackRef::mul_ints, i64::checked_mul);
    }
}

/// `BINARY_OP_ADD_FLOAT`.
#[inline(always)]
unsafe fn binary_op_add_float(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        float_arm!(vm, |a: f64, b: f64| a + b);
    }
}

/// `BINARY_OP_SUBTRACT_FLOAT`.
#[inline(always)]
unsafe fn binary_op_subtract_float(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        float_arm!(vm, |a: f64, b: f64| a - b);
    }
}

/// `BINARY_OP_MULTIPLY_FLOAT`.
#[inline(always)]
unsafe fn binary_op_multiply_float(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        float_arm!(vm, |a: f64, b: f64| a * b);
    }
}

/// `BINARY_OP_EXTEND`.
#[inline(always)]
unsafe fn binary_op_extend(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if let Some(result) = quick::extended_binary(left, right, vm.oparg) {
            vm.sp = vm.sp.sub(1);
            peek!(vm, 1) = result;
            next!(vm, 5);
        }
        deopt!(vm, op::BINARY_OP);
    }
}

/// `BINARY_OP_ADD_UNICODE`.
#[inline(always)]
unsafe fn binary_op_add_unicode(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if left.is_exact(&PyUnicode_Type) && right.is_exact(&PyUnicode_Type) {
            let text = check!(vm, quick::concat(left.object(), right.object()));
            vm.sp = vm.sp.sub(2);
            push!(vm, StackRef::owned(text));
            left.close();
            right.close();
            next!(vm, 5);
        }
        deopt!(vm, op::BINARY_OP);
    }
}

/// `BINARY_OP_INPLACE_ADD_UNICODE`.
#[inline(always)]
unsafe fn binary_op_inplace_add_unicode(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if quick::append_in_place(left, right, local!(vm, 0), *vm.ip.add(6)) {
            vm.sp = vm.sp.sub(2);
            right.close();
            // The local holds the longer string already: its STORE_FAST is done.
            next!(vm, 6);
        }
        deopt!(vm, op::BINARY_OP);
    }
}

/// `BINARY_OP_SUBSCR_LIST_INT`.
#[inline(always)]
unsafe fn binary_op_subscr_list_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (container, key) = (peek!(vm, 2), peek!(vm, 1));
        if container.is_exact(&PyList_Type)
            && let Some(item) = quick::list_item(container, key)
        {
            vm.sp = vm.sp.sub(1);
            peek!(vm, 1) = item;
            done!(vm, 5, key, container);
        }
        deopt!(vm, op::BINARY_OP);
    }
}

/// `BINARY_OP_SUBSCR_TUPLE_INT`.
#[inline(always)]
unsafe fn binary_op_subscr_tuple_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (container, key) = (peek!(vm, 2), peek!(vm, 1));
        if container.is_exact(&PyTuple_Type)
            && let Some(item) = quick::tuple_item(container, key)
        {
            vm.sp = vm.sp.sub(1);
            peek!(vm, 1) = item;
            done!(vm, 5, key, container);
        }
        deopt!(vm, op::BINARY_OP);
    }
}

/// `BINARY_OP_SUBSCR_STR_INT`.
#[inline(always)]
unsafe fn binary_op_subscr_str_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (container, key) = (peek!(vm, 2), peek!(vm, 1));
        if let Some(item) = quick::str_item(container, key) {
            vm.sp = vm.sp.sub(1);
            peek!(vm, 1) = item;
            key.close();
            container.close();
            next!(vm, 5);
        }
        deopt!(vm, op::BINARY_OP);
    }
}

/// `BINARY_OP_SUBSCR_DICT`.
#[inline(always)]
unsafe fn binary_op_subscr_dict(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (container, key) = (peek!(vm, 2), peek!(vm, 1));
        if container.is_exact(&PyDict_Type) {
            save!(vm);
            let dict: &Dict = container.object().cast();
            let look = key.look();
            let found = check!(vm, dict.get(&look));
            drop(look);
            if let Some(item) = found {
                vm.sp = vm.sp.sub(1);
                peek!(vm, 1) = StackRef::owned(item);
                save!(vm);
                key.close();
                container.close();
                next!(vm, 5);
            }
        }
        deopt!(vm, op::BINARY_OP);
    }
}

/// `UNARY_NEGATIVE`.
#[inline(always)]
unsafe fn unary_negative(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = peek!(vm, 1);
        if value.is_int() {
            peek!(vm, 1) = StackRef::from_i64(-value.int_value());
            next!(vm, 0);
        }
        save!(vm);
        let result = check!(vm, protocol::unary(value.object(), Py_nb_negative));
        peek!(vm, 1) = StackRef::owned(result);
        value.close();
        next!(vm, 0);
    }
}

/// `UNARY_INVERT`.
#[inline(always)]
unsafe fn unary_invert(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = peek!(vm, 1);
        if value.is_int() {
            peek!(vm, 1) = StackRef::from_i64(!value.int_value());
            next!(vm, 0);
        }
        save!(vm);
        let result = check!(vm, protocol::unary(value.object(), Py_nb_invert));
        peek!(vm, 1) = StackRef::owned(result);
        value.close();
        next!(vm, 0);
    }
}

/// `COMPARE_OP`.
#[inline(always)]
unsafe fn compare_op(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if adaptive::due(vm.ip.add(1)) {
            adaptive::compare_op(vm.ip, left, right);
        }
        save!(vm);
        if let Some(result) = quick::quick_compare(left, right, vm.oparg) {
            vm.sp = vm.sp.sub(2);
            left.close();
            right.close();
            truth!(vm, result, 1);
        }
        let result = check!(vm, ops::compare_op(left, right, vm.oparg));
        vm.sp = vm.sp.sub(2);
        push!(vm, StackRef::owned(result));
        save!(vm);
        left.close();
        right.close();
        next!(vm, 1);
    }
}

/// `COMPARE_OP_INT`.
#[inline(always)]
unsafe fn compare_op_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if left.both_int(right) {
            vm.sp = vm.sp.sub(2);
            truth!(vm, quick::holds(left.int_value(), right.int_value(), vm.oparg), 1);
        }
        compare_long_ints(vm.ip, vm.sp, vm.frame, vm.thread, vm.oparg)
    }
}

/// `COMPARE_OP_INT` where one of the ints has an object.
#[inline(never)]
unsafe fn compare_long_ints(
    ip: *mut u16,
    sp: *mut StackRef,
    frame: *mut Frame,
    thread: *mut ThreadState,
    oparg: usize,
) -> Next {
    let mut vm = Vm { ip, sp, frame, thread, oparg };
    // SAFETY: as every instruction.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if let (Some(a), Some(b)) = (left.as_compact_int(), right.as_compact_int()) {
            vm.sp = vm.sp.sub(2);
            left.close();
            right.close();
            truth!(vm, quick::holds(a, b, vm.oparg), 1);
        }
        deopt!(vm, op::COMPARE_OP);
    }
}

/// `COMPARE_OP_FLOAT`.
#[inline(always)]
unsafe fn compare_op_float(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if let (Some(a), Some(b)) = (exact_float(left), exact_float(right)) {
            vm.sp = vm.sp.sub(2);
            left.close();
            right.close();
            truth!(vm, quick::holds(a, b, vm.oparg), 1);
        }
        deopt!(vm, op::COMPARE_OP);
    }
}

/// `COMPARE_OP_STR`.
#[inline(always)]
unsafe fn compare_op_str(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (left, right) = (peek!(vm, 2), peek!(vm, 1));
        if left.is_exact(&PyUnicode_Type)
            && right.is_exact(&PyUnicode_Type)
            && let Some(result) = quick::quick_compare(left, right, vm.oparg)
        {
            vm.sp = vm.sp.sub(2);
            left.close();
            right.close();
            truth!(vm, result, 1);
        }
        deopt!(vm, op::COMPARE_OP);
    }
}

/// `IS_OP`.
#[inline(always)]
unsafe fn is_op(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (right, left) = (pop!(vm), pop!(vm));
        let same = left.is(right) != (vm.oparg == 1);
        save!(vm);
        left.close();
        right.close();
        truth!(vm, same, 0);
    }
}

/// `CONTAINS_OP`, `CONTAINS_OP_DICT`, `CONTAINS_OP_SET`.
#[inline(always)]
unsafe fn contains_op(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (item, container) = (peek!(vm, 2), peek!(vm, 1));
        let found = match quick::quick_contains(container, item) {
            Some(found) => found,
            None => check!(vm, protocol::contains(&container.look(), &item.look())),
        };
        vm.sp = vm.sp.sub(2);
        save!(vm);
        item.close();
        container.close();
        truth!(vm, found != (vm.oparg == 1), 1);
    }
}

/// `STORE_SUBSCR`.
#[inline(always)]
unsafe fn store_subscr(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (value, container, key) = (peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        if adaptive::due(vm.ip.add(1)) {
            adaptive::store_subscr(vm.ip, container, key);
        }
        save!(vm);
        if !quick::store_native_item(container, key, value) {
            check!(vm, protocol::set_item(&container.look(), &key.look(), &value.look()));
        }
        vm.sp = vm.sp.sub(3);
        save!(vm);
        value.close();
        container.close();
        key.close();
        next!(vm, 1);
    }
}

/// `STORE_SUBSCR_LIST_INT`.
#[inline(always)]
unsafe fn store_subscr_list_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (value, container, key) = (peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        if container.is_exact(&PyList_Type)
            && let Some(place) = quick::list_place(container, key)
        {
            vm.sp = vm.sp.sub(3);
            let old = StackRef::from_ptr(place.replace(value.into_ref().into_ptr()));
            key.close();
            done!(vm, 1, old, container);
        }
        deopt!(vm, op::STORE_SUBSCR);
    }
}

/// `STORE_SUBSCR_DICT`.
#[inline(always)]
unsafe fn store_subscr_dict(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let (value, container, key) = (peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        if container.is_exact(&PyDict_Type) {
            save!(vm);
            let dict: &Dict = container.object().cast();
            check!(vm, dict.set(&key.look(), &value.look()));
            vm.sp = vm.sp.sub(3);
            save!(vm);
            value.close();
            container.close();
            key.close();
            next!(vm, 1);
        }
        deopt!(vm, op::STORE_SUBSCR);
    }
}

/// `DELETE_SUBSCR`.
#[inline(always)]
unsafe fn delete_subscr(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (container, key) = (peek!(vm, 2), peek!(vm, 1));
        check!(vm, protocol::delete_item(&container.look(), &key.look()));
        vm.sp = vm.sp.sub(2);
        save!(vm);
        container.close();
        key.close();
        next!(vm, 0);
    }
}

/// `BINARY_SLICE`.
#[inline(always)]
unsafe fn binary_slice(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (container, start, stop) = (peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        let result = check!(vm, ops::binary_slice(container, start, stop));
        vm.sp = vm.sp.sub(3);
        push!(vm, StackRef::owned(result));
        save!(vm);
        container.close();
        start.close();
        stop.close();
        next!(vm, 0);
    }
}

/// `STORE_SLICE`.
#[inline(always)]
unsafe fn store_slice(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (value, container, start, stop) = (peek!(vm, 4), peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        check!(vm, ops::store_slice(value, container, start, stop));
        vm.sp = vm.sp.sub(4);
        save!(vm);
        for word in [value, container, start, stop] {
            word.close();
        }
        next!(vm, 0);
    }
}
