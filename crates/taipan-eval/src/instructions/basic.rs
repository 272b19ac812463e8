//! Locals, constants, the operand stack, jumps and truth.

use super::*;

instructions! {
    nop: NOP, NOT_TAKEN;
    resume: RESUME, RESUME_CHECK;
    extended_arg: EXTENDED_ARG;
    load_fast: LOAD_FAST;
    load_fast_borrow: LOAD_FAST_BORROW;
    load_fast_borrow_load_fast_borrow: LOAD_FAST_BORROW_LOAD_FAST_BORROW;
    load_fast_load_fast: LOAD_FAST_LOAD_FAST;
    load_fast_check: LOAD_FAST_CHECK;
    load_fast_and_clear: LOAD_FAST_AND_CLEAR;
    load_const: LOAD_CONST, LOAD_CONST_IMMORTAL, LOAD_CONST_MORTAL;
    load_small_int: LOAD_SMALL_INT;
    store_fast: STORE_FAST;
    store_fast_load_fast: STORE_FAST_LOAD_FAST;
    store_fast_store_fast: STORE_FAST_STORE_FAST;
    delete_fast: DELETE_FAST;
    pop_top: POP_TOP, POP_ITER, END_FOR;
    push_null: PUSH_NULL;
    copy: COPY;
    swap: SWAP;
    end_send: END_SEND;
    jump_forward: JUMP_FORWARD;
    jump_backward: JUMP_BACKWARD, JUMP_BACKWARD_NO_JIT, JUMP_BACKWARD_JIT;
    jump_backward_no_interrupt: JUMP_BACKWARD_NO_INTERRUPT;
    pop_jump_if_false: POP_JUMP_IF_FALSE;
    pop_jump_if_true: POP_JUMP_IF_TRUE;
    pop_jump_if_none: POP_JUMP_IF_NONE;
    pop_jump_if_not_none: POP_JUMP_IF_NOT_NONE;
    to_bool: TO_BOOL, TO_BOOL_BOOL, TO_BOOL_INT, TO_BOOL_LIST, TO_BOOL_NONE, TO_BOOL_STR,
        TO_BOOL_ALWAYS_TRUE;
    unary_not: UNARY_NOT;
}

/// `NOP`, `NOT_TAKEN`.
#[inline(always)]
unsafe fn nop(vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        next!(vm, 0);
    }
}

/// `RESUME`, `RESUME_CHECK`.
#[inline(always)]
unsafe fn resume(vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        if (*vm.thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 {
            return instrumented::resume_attentively(vm.ip, vm.sp, vm.frame, vm.thread, vm.oparg);
        }
        next!(vm, 0);
    }
}

/// `EXTENDED_ARG`.
#[inline(always)]
unsafe fn extended_arg(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        vm.ip = vm.ip.add(1);
        let word = *vm.ip;
        vm.oparg = vm.oparg << 8 | usize::from(word >> 8);
        vm.run_as(word as u8)
    }
}

/// `LOAD_FAST`.
#[inline(always)]
unsafe fn load_fast(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, (*local!(vm, vm.oparg)).dup());
        next!(vm, 0);
    }
}

/// `LOAD_FAST_BORROW`.
#[inline(always)]
unsafe fn load_fast_borrow(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, (*local!(vm, vm.oparg)).borrow());
        next!(vm, 0);
    }
}

/// `LOAD_FAST_BORROW_LOAD_FAST_BORROW`.
#[inline(always)]
unsafe fn load_fast_borrow_load_fast_borrow(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, (*local!(vm, vm.oparg >> 4)).borrow());
        push!(vm, (*local!(vm, vm.oparg & 15)).borrow());
        next!(vm, 0);
    }
}

/// `LOAD_FAST_LOAD_FAST`.
#[inline(always)]
unsafe fn load_fast_load_fast(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, (*local!(vm, vm.oparg >> 4)).dup());
        push!(vm, (*local!(vm, vm.oparg & 15)).dup());
        next!(vm, 0);
    }
}

/// `LOAD_FAST_CHECK`.
#[inline(always)]
unsafe fn load_fast_check(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = *local!(vm, vm.oparg);
        if value.is_null() {
            save!(vm);
            raise!(vm, ops::unbound_local(vm.frame, vm.oparg));
        }
        push!(vm, value.dup());
        next!(vm, 0);
    }
}

/// `LOAD_FAST_AND_CLEAR`.
#[inline(always)]
unsafe fn load_fast_and_clear(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, local!(vm, vm.oparg).replace(StackRef::NULL));
        next!(vm, 0);
    }
}

/// `LOAD_CONST`, `LOAD_CONST_IMMORTAL`, `LOAD_CONST_MORTAL`.
#[inline(always)]
unsafe fn load_const(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(
            vm,
            StackRef::borrowed(Object::borrow(*Frame::code(vm.frame).consts().items_ptr().add(vm.oparg)))
        );
        next!(vm, 0);
    }
}

/// `LOAD_SMALL_INT`.
#[inline(always)]
unsafe fn load_small_int(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, StackRef::int(vm.oparg as i64));
        next!(vm, 0);
    }
}

/// `STORE_FAST`.
#[inline(always)]
unsafe fn store_fast(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm).heap_safe();
        let old = local!(vm, vm.oparg).replace(value);
        done!(vm, 0, old);
    }
}

/// `STORE_FAST_LOAD_FAST`.
#[inline(always)]
unsafe fn store_fast_load_fast(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm).heap_safe();
        let old = local!(vm, vm.oparg >> 4).replace(value);
        push!(vm, (*local!(vm, vm.oparg & 15)).dup());
        done!(vm, 0, old);
    }
}

/// `STORE_FAST_STORE_FAST`.
#[inline(always)]
unsafe fn store_fast_store_fast(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let first = pop!(vm).heap_safe();
        let second = pop!(vm).heap_safe();
        let old_first = local!(vm, vm.oparg >> 4).replace(first);
        let old_second = local!(vm, vm.oparg & 15).replace(second);
        done!(vm, 0, old_first, old_second);
    }
}

/// `DELETE_FAST`.
#[inline(always)]
unsafe fn delete_fast(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let old = local!(vm, vm.oparg).replace(StackRef::NULL);
        save!(vm);
        if old.is_null() {
            raise!(vm, ops::unbound_local(vm.frame, vm.oparg));
        }
        old.close();
        next!(vm, 0);
    }
}

/// `POP_TOP`, `POP_ITER`, `END_FOR`.
#[inline(always)]
unsafe fn pop_top(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm);
        done!(vm, 0, value);
    }
}

/// `PUSH_NULL`.
#[inline(always)]
unsafe fn push_null(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, StackRef::NULL);
        next!(vm, 0);
    }
}

/// `COPY`.
#[inline(always)]
unsafe fn copy(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        push!(vm, peek!(vm, vm.oparg).dup());
        next!(vm, 0);
    }
}

/// `SWAP`.
#[inline(always)]
unsafe fn swap(vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        core::ptr::swap(vm.sp.sub(1), vm.sp.sub(vm.oparg));
        next!(vm, 0);
    }
}

/// `END_SEND`.
#[inline(always)]
unsafe fn end_send(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm);
        let receiver = pop!(vm);
        push!(vm, value);
        save!(vm);
        receiver.close();
        next!(vm, 0);
    }
}

/// `JUMP_FORWARD`.
#[inline(always)]
unsafe fn jump_forward(vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        next!(vm, vm.oparg);
    }
}

/// `JUMP_BACKWARD`, `JUMP_BACKWARD_NO_JIT`, `JUMP_BACKWARD_JIT`.
#[inline(always)]
unsafe fn jump_backward(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        if (*vm.thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 {
            save!(vm);
            check!(vm, ops::handle_breaker(vm.thread));
        }
        vm.ip = vm.ip.add(2).sub(vm.oparg);
        go!(vm);
    }
}

/// `JUMP_BACKWARD_NO_INTERRUPT`.
#[inline(always)]
unsafe fn jump_backward_no_interrupt(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        vm.ip = vm.ip.add(1).sub(vm.oparg);
        go!(vm);
    }
}

/// `POP_JUMP_IF_FALSE`.
#[inline(always)]
unsafe fn pop_jump_if_false(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let truth = bool_word!(pop!(vm));
        vm.ip = vm.ip.add(2);
        jump_if!(vm, !truth, vm.oparg);
    }
}

/// `POP_JUMP_IF_TRUE`.
#[inline(always)]
unsafe fn pop_jump_if_true(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let truth = bool_word!(pop!(vm));
        vm.ip = vm.ip.add(2);
        jump_if!(vm, truth, vm.oparg);
    }
}

/// `POP_JUMP_IF_NONE`.
#[inline(always)]
unsafe fn pop_jump_if_none(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm);
        let is_none = !value.is_int() && value.ptr() == none().as_ptr();
        if value.is_owned() {
            save!(vm);
            value.close();
        }
        vm.ip = vm.ip.add(2);
        jump_if!(vm, is_none, vm.oparg);
    }
}

/// `POP_JUMP_IF_NOT_NONE`.
#[inline(always)]
unsafe fn pop_jump_if_not_none(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm);
        let is_none = !value.is_int() && value.ptr() == none().as_ptr();
        if value.is_owned() {
            save!(vm);
            value.close();
        }
        vm.ip = vm.ip.add(2);
        jump_if!(vm, !is_none, vm.oparg);
    }
}

/// `TO_BOOL`, `TO_BOOL_BOOL`, `TO_BOOL_INT`, `TO_BOOL_LIST`, `TO_BOOL_NONE`, `TO_BOOL_STR`,
/// `TO_BOOL_ALWAYS_TRUE`.
#[inline(always)]
unsafe fn to_bool(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = peek!(vm, 1);
        if let Some(truth) = quick::quick_truth(value) {
            vm.sp = vm.sp.sub(1);
            if value.is_owned() {
                save!(vm);
                value.close();
            }
            truth!(vm, truth, 3);
        }
        save!(vm);
        let truth = check!(vm, value.object().is_true());
        vm.sp = vm.sp.sub(1);
        save!(vm);
        value.close();
        truth!(vm, truth, 3);
    }
}

/// `UNARY_NOT`.
#[inline(always)]
unsafe fn unary_not(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm);
        truth!(vm, !bool_word!(value), 0);
    }
}
