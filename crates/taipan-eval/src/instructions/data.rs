//! Building, formatting, unpacking and iterating.

use super::*;

instructions! {
    build_tuple: BUILD_TUPLE;
    build_list: BUILD_LIST;
    build_map: BUILD_MAP;
    build_set: BUILD_SET;
    build_string: BUILD_STRING;
    build_slice: BUILD_SLICE;
    build_template: BUILD_TEMPLATE;
    build_interpolation: BUILD_INTERPOLATION;
    list_append: LIST_APPEND;
    set_add: SET_ADD;
    map_add: MAP_ADD;
    list_extend: LIST_EXTEND;
    set_update: SET_UPDATE;
    dict_update: DICT_UPDATE;
    dict_merge: DICT_MERGE;
    setup_annotations: SETUP_ANNOTATIONS;
    format_simple: FORMAT_SIMPLE;
    format_with_spec: FORMAT_WITH_SPEC;
    convert_value: CONVERT_VALUE;
    unpack_sequence: UNPACK_SEQUENCE, UNPACK_SEQUENCE_TWO_TUPLE, UNPACK_SEQUENCE_TUPLE,
        UNPACK_SEQUENCE_LIST;
    unpack_ex: UNPACK_EX;
    get_iter: GET_ITER;
    for_iter: FOR_ITER;
    for_iter_range: FOR_ITER_RANGE;
    for_iter_list: FOR_ITER_LIST;
    for_iter_tuple: FOR_ITER_TUPLE;
    for_iter_gen: FOR_ITER_GEN;
    get_len: GET_LEN;
    get_yield_from_iter: GET_YIELD_FROM_ITER;
}

/// `BUILD_TUPLE`.
#[inline(always)]
unsafe fn build_tuple(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let tuple = check!(vm, ops::build_tuple(vm.sp.sub(vm.oparg), vm.oparg));
        vm.sp = vm.sp.sub(vm.oparg);
        push!(vm, StackRef::owned(tuple));
        next!(vm, 0);
    }
}

/// `BUILD_LIST`.
#[inline(always)]
unsafe fn build_list(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let list = check!(vm, ops::build_list(vm.sp.sub(vm.oparg), vm.oparg));
        vm.sp = vm.sp.sub(vm.oparg);
        push!(vm, StackRef::owned(list));
        next!(vm, 0);
    }
}

/// `BUILD_MAP`.
#[inline(always)]
unsafe fn build_map(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let dict = check!(vm, ops::build_map(vm.sp.sub(2 * vm.oparg), vm.oparg));
        for _ in 0..2 * vm.oparg {
            pop!(vm).close();
        }
        push!(vm, StackRef::owned(dict));
        next!(vm, 0);
    }
}

/// `BUILD_SET`.
#[inline(always)]
unsafe fn build_set(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let set = check!(vm, ops::build_set(vm.sp.sub(vm.oparg), vm.oparg));
        for _ in 0..vm.oparg {
            pop!(vm).close();
        }
        push!(vm, StackRef::owned(set));
        next!(vm, 0);
    }
}

/// `BUILD_STRING`.
#[inline(always)]
unsafe fn build_string(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let text = check!(vm, ops::build_string(vm.sp.sub(vm.oparg), vm.oparg));
        for _ in 0..vm.oparg {
            pop!(vm).close();
        }
        push!(vm, StackRef::owned(text));
        next!(vm, 0);
    }
}

/// `BUILD_SLICE`.
#[inline(always)]
unsafe fn build_slice(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let slice = check!(vm, ops::build_slice(vm.sp.sub(vm.oparg), vm.oparg));
        for _ in 0..vm.oparg {
            pop!(vm).close();
        }
        push!(vm, StackRef::owned(slice));
        next!(vm, 0);
    }
}

/// `BUILD_TEMPLATE`.
#[inline(always)]
unsafe fn build_template(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let template = check!(vm, ops::build_template(peek!(vm, 2), peek!(vm, 1)));
        pop!(vm).close();
        pop!(vm).close();
        push!(vm, StackRef::owned(template));
        next!(vm, 0);
    }
}

/// `BUILD_INTERPOLATION`.
#[inline(always)]
unsafe fn build_interpolation(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let words = 2 + (vm.oparg & 1);
        let made = check!(vm, ops::build_interpolation(vm.sp.sub(words), vm.oparg));
        for _ in 0..words {
            pop!(vm).close();
        }
        push!(vm, StackRef::owned(made));
        next!(vm, 0);
    }
}

/// `LIST_APPEND`.
#[inline(always)]
unsafe fn list_append(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm).into_ref();
        let list: &List = peek!(vm, vm.oparg).object().cast();
        check!(vm, list.append(value));
        next!(vm, 0);
    }
}

/// `SET_ADD`.
#[inline(always)]
unsafe fn set_add(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        check!(vm, ops::set_add(peek!(vm, vm.oparg + 1).object(), &value.look()));
        vm.sp = vm.sp.sub(1);
        value.close();
        next!(vm, 0);
    }
}

/// `MAP_ADD`.
#[inline(always)]
unsafe fn map_add(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (key, value) = (peek!(vm, 2), peek!(vm, 1));
        let dict: &Dict = peek!(vm, vm.oparg + 2).object().cast();
        check!(vm, dict.set(&key.look(), &value.look()));
        vm.sp = vm.sp.sub(2);
        key.close();
        value.close();
        next!(vm, 0);
    }
}

/// `LIST_EXTEND`.
#[inline(always)]
unsafe fn list_extend(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let iterable = peek!(vm, 1);
        check!(vm, ops::list_extend(peek!(vm, vm.oparg + 1).object().cast(), &iterable.look()));
        vm.sp = vm.sp.sub(1);
        iterable.close();
        next!(vm, 0);
    }
}

/// `SET_UPDATE`.
#[inline(always)]
unsafe fn set_update(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let iterable = peek!(vm, 1);
        check!(vm, ops::set_update(peek!(vm, vm.oparg + 1).object(), &iterable.look()));
        vm.sp = vm.sp.sub(1);
        iterable.close();
        next!(vm, 0);
    }
}

/// `DICT_UPDATE`.
#[inline(always)]
unsafe fn dict_update(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let other = peek!(vm, 1);
        check!(vm, ops::dict_update(peek!(vm, vm.oparg + 1).object(), &other.look()));
        vm.sp = vm.sp.sub(1);
        other.close();
        next!(vm, 0);
    }
}

/// `DICT_MERGE`.
#[inline(always)]
unsafe fn dict_merge(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let other = peek!(vm, 1);
        // The function stands below the dict, NULL and the positional arguments.
        let function = peek!(vm, vm.oparg + 4);
        check!(vm, ops::dict_merge(peek!(vm, vm.oparg + 1).object(), &other.look(), &function.look()));
        vm.sp = vm.sp.sub(1);
        other.close();
        next!(vm, 0);
    }
}

/// `SETUP_ANNOTATIONS`.
#[inline(always)]
unsafe fn setup_annotations(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        check!(vm, ops::setup_annotations(vm.frame));
        next!(vm, 0);
    }
}

/// `FORMAT_SIMPLE`.
#[inline(always)]
unsafe fn format_simple(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = peek!(vm, 1);
        if !value.is_exact(&PyUnicode_Type) {
            save!(vm);
            let text = check!(vm, ops::format_value(&value.look(), None));
            peek!(vm, 1) = StackRef::owned(text);
            value.close();
        }
        next!(vm, 0);
    }
}

/// `FORMAT_WITH_SPEC`.
#[inline(always)]
unsafe fn format_with_spec(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (value, spec) = (peek!(vm, 2), peek!(vm, 1));
        let text = check!(vm, ops::format_value(&value.look(), Some(&spec.look())));
        vm.sp = vm.sp.sub(2);
        push!(vm, StackRef::owned(text));
        value.close();
        spec.close();
        next!(vm, 0);
    }
}

/// `CONVERT_VALUE`.
#[inline(always)]
unsafe fn convert_value(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        let text = check!(vm, ops::convert_value(&value.look(), vm.oparg));
        peek!(vm, 1) = StackRef::owned(text);
        value.close();
        next!(vm, 0);
    }
}

/// `UNPACK_SEQUENCE`, `UNPACK_SEQUENCE_TWO_TUPLE`, `UNPACK_SEQUENCE_TUPLE`, `UNPACK_SEQUENCE_LIST`.
#[inline(always)]
unsafe fn unpack_sequence(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        // One form does for all: telling a tuple from a list costs less than a failed guard.

        let sequence = peek!(vm, 1);
        if let Some(items) = quick::items_of(sequence, vm.oparg) {
            vm.sp = vm.sp.sub(1);
            for index in (0..vm.oparg).rev() {
                push!(vm, StackRef::owned(Object::borrow(items.add(index).read()).new_ref()));
            }
            done!(vm, 1, sequence);
        }
        save!(vm);
        let items = check!(vm, ops::unpack(&sequence.look(), vm.oparg));
        vm.sp = vm.sp.sub(1);
        for item in items.into_iter().rev() {
            push!(vm, StackRef::owned(item));
        }
        save!(vm);
        sequence.close();
        next!(vm, 1);
    }
}

/// `UNPACK_EX`.
#[inline(always)]
unsafe fn unpack_ex(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let sequence = peek!(vm, 1);
        let items = check!(vm, ops::unpack_ex(&sequence.look(), vm.oparg & 0xFF, vm.oparg >> 8));
        vm.sp = vm.sp.sub(1);
        for item in items.into_iter().rev() {
            push!(vm, StackRef::owned(item));
        }
        sequence.close();
        next!(vm, 0);
    }
}

/// `GET_ITER`.
#[inline(always)]
unsafe fn get_iter(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let iterable = peek!(vm, 1);
        let iterator = check!(vm, iterable.look().iter());
        peek!(vm, 1) = StackRef::owned(iterator);
        iterable.close();
        next!(vm, 0);
    }
}

/// `FOR_ITER`.
#[inline(always)]
unsafe fn for_iter(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        if adaptive::due(vm.ip.add(1)) {
            adaptive::for_iter(vm.ip, peek!(vm, 1));
        }
        save!(vm);
        match check!(vm, ops::next_item(&peek!(vm, 1).look())) {
            Some(item) => iterated!(vm, StackRef::owned(item)),
            // Over END_FOR, to the POP_ITER behind it.
            None => next!(vm, vm.oparg + 2),
        }
    }
}

/// `FOR_ITER_RANGE`.
#[inline(always)]
unsafe fn for_iter_range(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let iterator = peek!(vm, 1);
        if iterator.is_exact(&PyRangeIter_Type) {
            let item = quick::next_of_range(iterator.ptr());
            if item.is_null() {
                next!(vm, vm.oparg + 2);
            }
            iterated!(vm, item);
        }
        deopt!(vm, op::FOR_ITER);
    }
}

/// `FOR_ITER_LIST`.
#[inline(always)]
unsafe fn for_iter_list(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let iterator = peek!(vm, 1);
        if iterator.is_exact(&PyListIter_Type) {
            let item = quick::next_of_list(iterator.ptr());
            if item.is_null() {
                next!(vm, vm.oparg + 2);
            }
            iterated!(vm, item);
        }
        deopt!(vm, op::FOR_ITER);
    }
}

/// `FOR_ITER_TUPLE`.
#[inline(always)]
unsafe fn for_iter_tuple(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let iterator = peek!(vm, 1);
        if iterator.is_exact(&PyTupleIter_Type) {
            let item = quick::next_of_tuple(iterator.ptr());
            if item.is_null() {
                next!(vm, vm.oparg + 2);
            }
            iterated!(vm, item);
        }
        deopt!(vm, op::FOR_ITER);
    }
}

/// `FOR_ITER_GEN`.
#[inline(always)]
unsafe fn for_iter_gen(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let iterator = peek!(vm, 1);
        if iterator.is_exact(&PyGen_Type)
            && let Some(new) = generator::start_next(vm.thread, iterator.ptr(), vm.frame)
        {
            save!(vm);
            // The end of the generator lands on END_FOR, which drops its result.
            (*vm.frame).return_offset = (vm.oparg + 2) as u16;
            if let Err(error) = frame::enter_recursion(vm.thread) {
                frame::leave_recursion(vm.thread);
                generator::abort_start(vm.thread, new);
                raise!(vm, error);
            }
            load_frame!(vm, new);
            go!(vm);
        }
        deopt!(vm, op::FOR_ITER);
    }
}

/// `GET_LEN`.
#[inline(always)]
unsafe fn get_len(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let length = check!(vm, peek!(vm, 1).look().len());
        push!(vm, StackRef::from_i64(length as i64));
        next!(vm, 0);
    }
}

/// `GET_YIELD_FROM_ITER`.
#[inline(always)]
unsafe fn get_yield_from_iter(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let iterable = peek!(vm, 1);
        let iterator = check!(vm, ops::yield_from_iter(vm.frame, &iterable.look()));
        if let Some(iterator) = iterator {
            peek!(vm, 1) = StackRef::owned(iterator);
            iterable.close();
        }
        next!(vm, 0);
    }
}
