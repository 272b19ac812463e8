//! Locals, constants, the operand stack, jumps and truth.

use super::*;

/// The instructions of this module.
pub(super) const ALL: &[(&[u8], Handler)] = &[
    (&[op::NOP, op::NOT_TAKEN], entry!(nop)),
    (&[op::RESUME, op::RESUME_CHECK], entry!(resume)),
    (&[op::EXTENDED_ARG], entry!(extended_arg)),
    (&[op::LOAD_FAST], entry!(load_fast)),
    (&[op::LOAD_FAST_BORROW], entry!(load_fast_borrow)),
    (&[op::LOAD_FAST_BORROW_LOAD_FAST_BORROW], entry!(load_fast_borrow_load_fast_borrow)),
    (&[op::LOAD_FAST_LOAD_FAST], entry!(load_fast_load_fast)),
    (&[op::LOAD_FAST_CHECK], entry!(load_fast_check)),
    (&[op::LOAD_FAST_AND_CLEAR], entry!(load_fast_and_clear)),
    (&[op::LOAD_CONST, op::LOAD_CONST_IMMORTAL, op::LOAD_CONST_MORTAL], entry!(load_const)),
    (&[op::LOAD_SMALL_INT], entry!(load_small_int)),
    (&[op::STORE_FAST], entry!(store_fast)),
    (&[op::STORE_FAST_LOAD_FAST], entry!(store_fast_load_fast)),
    (&[op::STORE_FAST_STORE_FAST], entry!(store_fast_store_fast)),
    (&[op::DELETE_FAST], entry!(delete_fast)),
    (&[op::POP_TOP, op::POP_ITER, op::END_FOR], entry!(pop_top)),
    (&[op::PUSH_NULL], entry!(push_null)),
    (&[op::COPY], entry!(copy)),
    (&[op::SWAP], entry!(swap)),
    (&[op::END_SEND], entry!(end_send)),
    (&[op::JUMP_FORWARD], entry!(jump_forward)),
    (&[op::JUMP_BACKWARD, op::JUMP_BACKWARD_NO_JIT, op::JUMP_BACKWARD_JIT], entry!(jump_backward)),
    (&[op::JUMP_BACKWARD_NO_INTERRUPT], entry!(jump_backward_no_interrupt)),
    (&[op::POP_JUMP_IF_FALSE], entry!(pop_jump_if_false)),
    (&[op::POP_JUMP_IF_TRUE], entry!(pop_jump_if_true)),
    (&[op::POP_JUMP_IF_NONE], entry!(pop_jump_if_none)),
    (&[op::POP_JUMP_IF_NOT_NONE], entry!(pop_jump_if_not_none)),
    (
        &[
            op::TO_BOOL,
            op::TO_BOOL_BOOL,
            op::TO_BOOL_INT,
            op::TO_BOOL_LIST,
            op::TO_BOOL_NONE,
            op::TO_BOOL_STR,
            op::TO_BOOL_ALWAYS_TRUE,
        ],
        entry!(to_bool),
    ),
    (&[op::UNARY_NOT], entry!(unary_not)),
];

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
        if (*vm.thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 && vm.oparg & 3 < 2 {
            save!(vm);
            check!(vm, ops::handle_breaker(vm.thread));
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
        return vm.run_as(word as u8);
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
unsafe fn load_fast_check(mut vm: Vm) -> Next {
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
        if old.is_owned() {
            save!(vm);
            old.close();
        }
        next!(vm, 0);
    }
}

/// `STORE_FAST_LOAD_FAST`.
#[inline(always)]
unsafe fn store_fast_load_fast(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm).heap_safe();
        let old = local!(vm, vm.oparg >> 4).replace(value);
        if old.is_owned() {
            save!(vm);
            old.close();
        }
        push!(vm, (*local!(vm, vm.oparg & 15)).dup());
        next!(vm, 0);
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
        if old_first.is_owned() || old_second.is_owned() {
            save!(vm);
            old_first.close();
            old_second.close();
        }
        next!(vm, 0);
    }
}

/// `DELETE_FAST`.
#[inline(always)]
unsafe fn delete_fast(vm: Vm) -> Next {
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
        if value.is_owned() {
            save!(vm);
            value.close();
        }
        next!(vm, 0);
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
        vm.ip = vm.ip.sub(vm.oparg);
        next!(vm, 1);
    }
}

/// `JUMP_BACKWARD_NO_INTERRUPT`.
#[inline(always)]
unsafe fn jump_backward_no_interrupt(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        vm.ip = vm.ip.sub(vm.oparg);
        next!(vm, 0);
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
unsafe fn to_bool(mut vm: Vm) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = peek!(vm, 1);
        if let Some(truth) = sp::quick_truth(value) {
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
