//! Instructions that tell tools what they do. They stand in code only while some tool wants to hear of it
//! ([`crate::monitor`]), and then do what the plain instruction does.
//!
//! Invariant: before a tool is told anything, the frame's pointers are saved; a tool may set the frame's
//! line, so after telling of a line or a jump the frame says where to go on.

use super::*;
use crate::monitor::{self, events};
use core::sync::atomic::Ordering;
use taipan_object::monitoring::event;
use taipan_object::state::breaker;

instructions! {
    resume: INSTRUMENTED_RESUME;
    return_value: INSTRUMENTED_RETURN_VALUE;
    yield_value: INSTRUMENTED_YIELD_VALUE;
    call: INSTRUMENTED_CALL;
    call_kw: INSTRUMENTED_CALL_KW;
    call_function_ex: INSTRUMENTED_CALL_FUNCTION_EX;
    load_super_attr: INSTRUMENTED_LOAD_SUPER_ATTR;
    jump_forward: INSTRUMENTED_JUMP_FORWARD;
    jump_backward: INSTRUMENTED_JUMP_BACKWARD;
    pop_jump_if_true: INSTRUMENTED_POP_JUMP_IF_TRUE;
    pop_jump_if_false: INSTRUMENTED_POP_JUMP_IF_FALSE;
    pop_jump_if_none: INSTRUMENTED_POP_JUMP_IF_NONE;
    pop_jump_if_not_none: INSTRUMENTED_POP_JUMP_IF_NOT_NONE;
    not_taken: INSTRUMENTED_NOT_TAKEN;
    for_iter: INSTRUMENTED_FOR_ITER;
    pop_iter: INSTRUMENTED_POP_ITER;
    end_for: INSTRUMENTED_END_FOR;
    end_send: INSTRUMENTED_END_SEND;
    end_async_for: INSTRUMENTED_END_ASYNC_FOR;
    line: INSTRUMENTED_LINE;
    instruction: INSTRUMENTED_INSTRUCTION;
}

/// The offset of an instruction in the frame's code.
unsafe fn unit(frame: *mut Frame, ip: *mut u16) -> usize {
    // SAFETY: the pointer stands in the frame's code.
    unsafe { ip.offset_from(Frame::code(frame).instructions()) as usize }
}

/// `RESUME` when the eval breaker is set: brings the code up to date and does what else is asked for.
///
/// # Safety
/// As every instruction.
#[cold]
#[inline(never)]
pub(super) unsafe fn resume_attentively(
    ip: *mut u16,
    sp: *mut StackRef,
    frame: *mut Frame,
    thread: *mut ThreadState,
    oparg: usize,
) -> Next {
    let vm = Step { ip, sp, frame, thread, oparg };
    // SAFETY: as every instruction.
    unsafe {
        let bits = (*thread).eval_breaker.load(Ordering::Relaxed);
        if bits & breaker::MONITORING != 0 && monitor::update_frame(thread, frame) {
            save!(vm);
            go!(vm);
        }
        if (*thread).base.tracing == 0 && *ip as u8 == op::RESUME {
            // That it has been run decides whether the line behind it is news.
            *ip = *ip & 0xFF00 | u16::from(op::RESUME_CHECK);
        }
        if bits & !breaker::MONITORING != 0 && oparg & 3 < 2 {
            save!(vm);
            check!(vm, ops::handle_breaker(thread));
        }
        next!(vm, 0);
    }
}

/// `INSTRUMENTED_RESUME`.
unsafe fn resume(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        if monitor::update_frame(vm.thread, vm.frame) {
            go!(vm);
        }
        if (*vm.thread).eval_breaker.load(Ordering::Relaxed) != 0 && vm.oparg & 3 < 2 {
            check!(vm, ops::handle_breaker(vm.thread));
        }
        let what = if vm.oparg & 3 == 0 { event::PY_START } else { event::PY_RESUME };
        check!(vm, events::fire(vm.thread, vm.frame, what, unit(vm.frame, vm.ip), &[]));
        if (*vm.frame).instr_ptr != vm.ip {
            vm.ip = (*vm.frame).instr_ptr;
            vm.sp = (*vm.frame).stackpointer;
            go!(vm);
        }
        next!(vm, 0);
    }
}

/// `INSTRUMENTED_RETURN_VALUE`.
unsafe fn return_value(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        let at = unit(vm.frame, vm.ip);
        check!(vm, events::fire(vm.thread, vm.frame, event::PY_RETURN, at, &[&value.look()]));
        vm.run_as(op::RETURN_VALUE)
    }
}

/// `INSTRUMENTED_YIELD_VALUE`.
unsafe fn yield_value(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        let at = unit(vm.frame, vm.ip);
        check!(vm, events::fire(vm.thread, vm.frame, event::PY_YIELD, at, &[&value.look()]));
        if (*vm.frame).instr_ptr != vm.ip {
            vm.ip = (*vm.frame).instr_ptr;
            vm.sp = (*vm.frame).stackpointer;
            go!(vm);
        }
        vm.run_as(op::YIELD_VALUE)
    }
}

/// The first argument of a call as an object.
unsafe fn first_argument<'a>(args: *mut StackRef, count: usize) -> Option<&'a Object> {
    // SAFETY: `args` points to so many words, which stay where they are during the call.
    unsafe { if count == 0 { None } else { Some(Object::borrow(StackRef::materialize(&mut *args))) } }
}

/// `INSTRUMENTED_CALL`.
unsafe fn call(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let base = vm.sp.sub(vm.oparg + 2);
        let mut target = *base;
        if (*base.add(1)).is_null() && target.is_exact(&PyMethod_Type) {
            unpack_method!(base, target);
            target = *base;
        }
        let count = vm.oparg + usize::from(!(*base.add(1)).is_null());
        let args = vm.sp.sub(count);
        save!(vm);
        let at = unit(vm.frame, vm.ip);
        let first = first_argument(args, count);
        check!(vm, events::call(vm.thread, vm.frame, event::CALL, at, &target.look(), first));
        if target.is_exact(&PyFunction_Type) {
            let function = target.heap_safe();
            vm.sp = base;
            save!(vm);
            let new = check!(vm, crate::call::push_call(vm.thread, function, args, count, None, vm.frame));
            enter!(vm, new, 3);
        }
        let result = ops::call_words(target, args, count, None);
        let result = events::called(vm.thread, vm.frame, at, &target.look(), first, result);
        let result = check!(vm, result);
        called!(vm, base, StackRef::owned(result));
    }
}

/// `INSTRUMENTED_CALL_KW`.
unsafe fn call_kw(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let names_word = peek!(vm, 1);
        let names: &Tuple = names_word.object().cast();
        let end = vm.sp.sub(1);
        let base = end.sub(vm.oparg + 2);
        let mut target = *base;
        if (*base.add(1)).is_null() && target.is_exact(&PyMethod_Type) {
            unpack_method!(base, target);
            target = *base;
        }
        let count = vm.oparg + usize::from(!(*base.add(1)).is_null());
        let args = end.sub(count);
        save!(vm);
        let at = unit(vm.frame, vm.ip);
        let first = first_argument(args, count);
        check!(vm, events::call(vm.thread, vm.frame, event::CALL, at, &target.look(), first));
        if target.is_exact(&PyFunction_Type) {
            let function = target.heap_safe();
            vm.sp = base;
            save!(vm);
            let pushed =
                crate::call::push_call(vm.thread, function, args, count - names.len(), Some(names), vm.frame);
            let new = check!(vm, pushed);
            names_word.close();
            enter!(vm, new, 3);
        }
        let result = ops::call_words(target, args, count, Some(names));
        let result = events::called(vm.thread, vm.frame, at, &target.look(), first, result);
        let result = check!(vm, result);
        called!(vm, base, StackRef::owned(result));
    }
}

/// `INSTRUMENTED_CALL_FUNCTION_EX`.
unsafe fn call_function_ex(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (target, given) = (peek!(vm, 4), peek!(vm, 2));
        let args = check!(vm, ops::star_arguments(&target.look(), &given.look()));
        let first = args.items().first().map(|first| &**first);
        let at = unit(vm.frame, vm.ip);
        check!(vm, events::call(vm.thread, vm.frame, event::CALL, at, &target.look(), first));
        let mut result = ops::call_function_ex(&target.look(), &args, peek!(vm, 1));
        if !target.is_exact(&PyFunction_Type) && !target.is_exact(&PyMethod_Type) {
            result = events::called(vm.thread, vm.frame, at, &target.look(), first, result);
        }
        let result = check!(vm, result);
        for _ in 0..4 {
            let word = pop!(vm);
            save!(vm);
            word.close();
        }
        push!(vm, StackRef::owned(result));
        next!(vm, 0);
    }
}

/// `INSTRUMENTED_LOAD_SUPER_ATTR`.
unsafe fn load_super_attr(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (super_type, class, object) = (peek!(vm, 3), peek!(vm, 2), peek!(vm, 1));
        let at = unit(vm.frame, vm.ip);
        let look = class.look();
        let first = if vm.oparg & 2 != 0 { Some(&*look) } else { None };
        check!(vm, events::call(vm.thread, vm.frame, event::CALL, at, &super_type.look(), first));
        let made = ops::make_super(&super_type.look(), &class.look(), &object.look(), vm.oparg);
        let made = events::called(vm.thread, vm.frame, at, &super_type.look(), first, made);
        let made = check!(vm, made);
        let value = check!(vm, ops::attribute_named(vm.frame, &made, vm.oparg >> 2));
        for _ in 0..3 {
            let word = pop!(vm);
            save!(vm);
            word.close();
        }
        push!(vm, StackRef::owned(value));
        if vm.oparg & 1 != 0 {
            push!(vm, StackRef::NULL);
        }
        next!(vm, 1);
    }
}

/// Tells of a jump and makes it.
unsafe fn jump(vm: Step, what: usize, from: *mut u16, to: *mut u16) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let (at, source, target) = (unit(vm.frame, vm.ip), unit(vm.frame, from), unit(vm.frame, to));
        match events::jump(vm.thread, vm.frame, what, at, source, target) {
            Ok(()) if (*vm.frame).instr_ptr == vm.ip => Next { ip: to, sp: vm.sp },
            Ok(()) => Next { ip: (*vm.frame).instr_ptr, sp: (*vm.frame).stackpointer },
            Err(error) => {
                // It comes from here, but the handlers of the destination take it.
                (*vm.frame).raised_at = at as u32 + 1;
                leave_raised(to, vm.sp, vm.frame, error)
            }
        }
    }
}

/// `INSTRUMENTED_JUMP_FORWARD`.
unsafe fn jump_forward(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe { jump(vm, event::JUMP, vm.ip, vm.ip.add(1 + vm.oparg)) }
}

/// `INSTRUMENTED_JUMP_BACKWARD`.
unsafe fn jump_backward(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        if (*vm.thread).eval_breaker.load(Ordering::Relaxed) != 0 {
            save!(vm);
            check!(vm, ops::handle_breaker(vm.thread));
        }
        jump(vm, event::JUMP, vm.ip, vm.ip.add(2).sub(vm.oparg))
    }
}

/// A conditional jump whose word has been popped.
unsafe fn conditional(vm: Step, taken: bool) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        if taken {
            return jump(vm, event::BRANCH_RIGHT, vm.ip, vm.ip.add(2 + vm.oparg));
        }
        // What follows may ask which instruction was run last.
        save!(vm);
        next!(vm, 1);
    }
}

/// `INSTRUMENTED_POP_JUMP_IF_TRUE`.
unsafe fn pop_jump_if_true(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let truth = bool_word!(pop!(vm));
        conditional(vm, truth)
    }
}

/// `INSTRUMENTED_POP_JUMP_IF_FALSE`.
unsafe fn pop_jump_if_false(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let truth = bool_word!(pop!(vm));
        conditional(vm, !truth)
    }
}

/// `INSTRUMENTED_POP_JUMP_IF_NONE`.
unsafe fn pop_jump_if_none(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm);
        let is_none = !value.is_int() && value.ptr() == none().as_ptr();
        save!(vm);
        value.close();
        conditional(vm, is_none)
    }
}

/// `INSTRUMENTED_POP_JUMP_IF_NOT_NONE`.
unsafe fn pop_jump_if_not_none(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let value = pop!(vm);
        let is_none = !value.is_int() && value.ptr() == none().as_ptr();
        save!(vm);
        value.close();
        conditional(vm, !is_none)
    }
}

/// `INSTRUMENTED_NOT_TAKEN`.
unsafe fn not_taken(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        // It follows a conditional jump with its cache, or the END_SEND of an `async for`.
        let at = unit(vm.frame, vm.ip);
        let code = Frame::code(vm.frame);
        let conditional = at >= 2
            && matches!(
                monitor::base_opcode(code, at - 2),
                op::POP_JUMP_IF_TRUE
                    | op::POP_JUMP_IF_FALSE
                    | op::POP_JUMP_IF_NONE
                    | op::POP_JUMP_IF_NOT_NONE
            );
        let from = vm.ip.sub(if conditional { 2 } else { at.min(1) });
        jump(vm, event::BRANCH_LEFT, from, vm.ip.add(1))
    }
}

/// `INSTRUMENTED_FOR_ITER`.
unsafe fn for_iter(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        match check!(vm, ops::next_item(&peek!(vm, 1).look())) {
            Some(item) => {
                push!(vm, StackRef::owned(item));
                jump(vm, event::BRANCH_LEFT, vm.ip, vm.ip.add(2))
            }
            None => next!(vm, vm.oparg + 2),
        }
    }
}

/// `INSTRUMENTED_POP_ITER`.
unsafe fn pop_iter(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let code = Frame::code(vm.frame);
        let at = unit(vm.frame, vm.ip);
        let from = match monitor::loop_partner(code, at) {
            Some(head) => code.instructions().add(head),
            None => vm.ip,
        };
        loop_end(vm, from)
    }
}

/// Ends a loop that was left at `from`.
unsafe fn loop_end(mut vm: Step, from: *mut u16) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let iterator = pop!(vm);
        save!(vm);
        iterator.close();
        jump(vm, event::BRANCH_RIGHT, from, vm.ip.add(1))
    }
}

unsafe fn is_generator(word: StackRef) -> bool {
    word.is_exact(&PyGen_Type) || word.is_exact(&PyCoro_Type)
}

/// `INSTRUMENTED_END_FOR`.
unsafe fn end_for(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        if is_generator(peek!(vm, 2)) {
            let at = unit(vm.frame, vm.ip);
            check!(vm, events::stop_iteration(vm.thread, vm.frame, at, &value.look()));
        }
        let value = pop!(vm);
        save!(vm);
        value.close();
        next!(vm, 0);
    }
}

/// `INSTRUMENTED_END_SEND`.
unsafe fn end_send(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let value = peek!(vm, 1);
        if is_generator(peek!(vm, 2)) {
            let at = unit(vm.frame, vm.ip);
            check!(vm, events::stop_iteration(vm.thread, vm.frame, at, &value.look()));
        }
        vm.run_as(op::END_SEND)
    }
}

/// `INSTRUMENTED_END_ASYNC_FOR`.
unsafe fn end_async_for(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        // The branch is the END_SEND that the argument leads back to.
        let next = jump(vm, event::BRANCH_RIGHT, vm.ip.add(1).sub(vm.oparg), vm.ip.add(1));
        if next.ip != vm.ip.add(1) {
            return next;
        }
        vm.run_as(op::END_ASYNC_FOR)
    }
}

/// `INSTRUMENTED_LINE`.
unsafe fn line(mut vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        let from = Frame::lasti(vm.frame);
        save!(vm);
        let at = unit(vm.frame, vm.ip);
        let begins_line = monitor::begins_line(Frame::code(vm.frame), at);
        if (*vm.thread).base.tracing == 0 {
            check!(vm, events::line(vm.thread, vm.frame, at, from));
            vm.sp = (*vm.frame).stackpointer;
            if (*vm.frame).instr_ptr != vm.ip {
                vm.ip = (*vm.frame).instr_ptr;
                go!(vm);
            }
        }
        match monitor::below_line(Frame::code(vm.frame), at) {
            // The line has been reported since the branch that led here: this instruction is named instead.
            op::INSTRUMENTED_NOT_TAKEN if begins_line => jump(vm, event::BRANCH_LEFT, vm.ip, vm.ip.add(1)),
            opcode => vm.run_as(opcode),
        }
    }
}

/// `INSTRUMENTED_INSTRUCTION`.
unsafe fn instruction(vm: Step) -> Next {
    // SAFETY: see the invariants of the interpreter.
    unsafe {
        save!(vm);
        let at = unit(vm.frame, vm.ip);
        if (*vm.thread).base.tracing == 0 {
            check!(vm, events::instruction(vm.thread, vm.frame, at));
        }
        // The instruction itself has been reported since the branch that led here: it is named instead of it.
        match monitor::own_opcode(Frame::code(vm.frame), at) {
            op::INSTRUMENTED_NOT_TAKEN => jump(vm, event::BRANCH_LEFT, vm.ip, vm.ip.add(1)),
            op::INSTRUMENTED_POP_ITER => loop_end(vm, vm.ip),
            opcode => vm.run_as(opcode),
        }
    }
}
