//! The loop: one `match` over the opcodes of CPython 3.14.
//!
//! Each arm does the common case in sight and leaves everything else to a function of [`crate::ops`]
//! with a telling name. A call of a Python function pushes a frame and goes on in this same loop;
//! only native code that calls back enters it anew.
//!
//! Invariants: `frame` is the thread's current frame; before anything that can look at frames or run
//! Python code, `save!` stores the instruction and stack pointers in it; a raised exception leaves
//! the inner loop with its words still on the stack, and the outer one unwinds.

use crate::adaptive;
use crate::code::Code;
use crate::frame::{self, ENTRY, Frame, INIT};
use crate::function::Function;
use crate::generator;
use crate::ops;
use crate::specialize as sp;
use crate::stackref::StackRef;
use crate::unwind::{self, Unwound};
use taipan_abi::*;
use taipan_bytecode::op;
use taipan_object::descr::MethodDescr;
use taipan_object::dict::Dict;
use taipan_object::float::Float;
use taipan_object::list::List;
use taipan_object::native::CompareOp;
use taipan_object::protocol::{self, BinaryOp};
use taipan_object::singletons::{bool_object, none};
use taipan_object::state::ThreadState;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Type, callable, refcount};

/// Runs a frame (and the frames it calls) to its end: gives what it returned or yielded.
///
/// # Safety
/// `first` is the newest frame of `thread`, the current one; it is popped, or suspended if it belongs
/// to a generator.
/// # Errors
/// What the code raises.
pub unsafe fn run_frame(thread: *mut ThreadState, first: *mut Frame) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        if taipan_object::state::stack_is_low(thread) {
            let error = protocol::too_deep("");
            unwind::leave_frame(thread, first);
            return Err(error);
        }
        if let Err(error) = frame::enter_recursion(thread) {
            frame::leave_recursion(thread);
            unwind::leave_frame(thread, first);
            return Err(error);
        }
        (*first).flags |= ENTRY;
        (*thread).base.current_frame = first.cast();
        run(thread, first)
    }
}

/// Raises an exception in a suspended generator's frame and runs it on.
///
/// # Safety
/// As [`run_frame`]; the frame belongs to a generator.
/// # Errors
/// What the code raises, at least the exception itself when nothing catches it.
pub unsafe fn throw_into(thread: *mut ThreadState, first: *mut Frame, error: PyErr) -> PyResult {
    // SAFETY: by contract.
    unsafe {
        if let Err(error) = frame::enter_recursion(thread) {
            frame::leave_recursion(thread);
            unwind::leave_frame(thread, first);
            return Err(error);
        }
        (*first).flags |= ENTRY;
        (*thread).base.current_frame = first.cast();
        // Suspended frames point behind their yield: the exception belongs to the yield itself.
        if (*first).instr_ptr > Frame::code(first).instructions() {
            (*first).instr_ptr = (*first).instr_ptr.sub(1);
        }
        crate::traceback::add_here(&error, first);
        match unwind::find_handler(first, error) {
            Unwound::Handler => run(thread, first),
            Unwound::None(error) => {
                frame::leave_recursion(thread);
                (*thread).base.current_frame = (*first).previous.cast();
                unwind::finish_frame(thread, first);
                Err(error)
            }
        }
    }
}

/// Why the inner loop was left.
pub(crate) enum Exit {
    /// An exception; `true` when this frame is to be added to its traceback.
    Raise(PyErr, bool),
    /// An exception raised again; the frame is to stand where it came from first (unless null), but its
    /// handler is looked for from here.
    Again(PyErr, *mut u16),
}

#[inline(never)]
unsafe fn run(thread: *mut ThreadState, first: *mut Frame) -> PyResult {
    // SAFETY: see the module's invariants; each arm pops what its opcode's effect says.
    unsafe {
        let mut frame = first;
        // The instruction being run: it moves on when that is done.
        let mut ip: *mut u16 = (*frame).instr_ptr;
        let mut sp: *mut StackRef = (*frame).stackpointer;

        macro_rules! load_frame {
            ($new:expr) => {{
                frame = $new;
                (*thread).base.current_frame = frame.cast();
                ip = (*frame).instr_ptr;
                sp = (*frame).stackpointer;
            }};
        }


        loop {
            // Opcode and argument of the instruction at `ip`: a prefix or a failed guard changes them.
            let word = *ip;
            let mut opcode = word as u8;
            let mut oparg = usize::from(word >> 8);
            let exit: Exit = 'run: loop {
                macro_rules! push {
                    ($value:expr) => {{
                        let value: StackRef = $value;
                        sp.write(value);
                        sp = sp.add(1);
                    }};
                }
                macro_rules! pop {
                    () => {{
                        sp = sp.sub(1);
                        sp.read()
                    }};
                }
                /// The word `n` below the top; 1 is the top.
                macro_rules! peek {
                    ($n:expr) => {
                        (*sp.sub($n))
                    };
                }
                macro_rules! save {
                    () => {{
                        (*frame).instr_ptr = ip;
                        (*frame).stackpointer = sp;
                    }};
                }
                macro_rules! raise {
                    ($error:expr) => {
                        break 'run Exit::Raise($error, true)
                    };
                }
                macro_rules! check {
                    ($result:expr) => {
                        match $result {
                            Ok(value) => value,
                            Err(error) => raise!(error),
                        }
                    };
                }
                /// Goes to the next instruction, over `caches` units of inline cache.
                macro_rules! next {
                    ($caches:expr) => {{
                        ip = ip.add(1 + $caches);
                        go!();
                    }};
                }
                /// Goes on at `ip`.
                macro_rules! go {
                    () => {{
                        let word = *ip;
                        opcode = word as u8;
                        oparg = usize::from(word >> 8);
                        continue 'run;
                    }};
                }
                macro_rules! local {
                    ($index:expr) => {
                        Frame::locals(frame).add($index)
                    };
                }
                /// The guard of a specialised form has failed: its general form runs instead.
                macro_rules! deopt {
                    ($general:expr) => {{
                        opcode = $general;
                        continue 'run;
                    }};
                }
                /// Enters a new frame; the call returns behind this instruction and its caches.
                macro_rules! enter {
                    ($new:expr, $caches:expr) => {{
                        let new: *mut Frame = $new;
                        (*frame).instr_ptr = ip;
                        (*frame).stackpointer = sp;
                        (*frame).return_offset = 1 + $caches;
                        if let Err(error) = frame::enter_recursion(thread) {
                            frame::leave_recursion(thread);
                            unwind::leave_frame(thread, new);
                            raise!(error);
                        }
                        load_frame!(new);
                        go!();
                    }};
                }
                /// Jumps forward from `ip` or falls through, past the mark of a jump not taken.
                macro_rules! jump_if {
                    ($condition:expr, $distance:expr) => {{
                        if $condition {
                            ip = ip.add($distance);
                        } else {
                            ip = ip.add(usize::from(*ip as u8 == op::NOT_TAKEN));
                        }
                        go!()
                    }};
                }
                /// Ends an instruction whose result is a truth value: does the jump behind it as well.
                macro_rules! truth {
                    ($truth:expr, $caches:expr) => {{
                        let truth: bool = $truth;
                        let follower = *ip.add(1 + $caches);
                        if follower as u8 == op::POP_JUMP_IF_FALSE {
                            ip = ip.add(3 + $caches);
                            jump_if!(!truth, usize::from(follower >> 8));
                        }
                        if follower as u8 == op::POP_JUMP_IF_TRUE {
                            ip = ip.add(3 + $caches);
                            jump_if!(truth, usize::from(follower >> 8));
                        }
                        push!(StackRef::borrowed(bool_object(truth)));
                        next!($caches);
                    }};
                }
                /// Ends a `FOR_ITER` with an item: stores it as well where that comes next.
                macro_rules! iterated {
                    ($item:expr) => {{
                        let item: StackRef = $item;
                        let follower = *ip.add(2);
                        if follower as u8 == op::STORE_FAST {
                            ip = ip.add(2);
                            let old = local!(usize::from(follower >> 8)).replace(item);
                            if old.is_owned() {
                                save!();
                                old.close();
                            }
                            next!(0);
                        }
                        push!(item);
                        next!(1);
                    }};
                }
                /// Binary operations on ints, with or without objects.
                macro_rules! int_arm {
                    ($words:expr, $values:expr) => {{
                        let (left, right) = (peek!(2), peek!(1));
                        if left.both_int(right) {
                            if let Some(result) = $words(left, right) {
                                sp = sp.sub(1);
                                peek!(1) = result;
                                next!(5);
                            }
                        } else if let (Some(a), Some(b)) = (left.as_compact_int(), right.as_compact_int())
                            && let Some(result) = $values(a, b).and_then(StackRef::try_int)
                        {
                            sp = sp.sub(1);
                            peek!(1) = result;
                            left.close();
                            right.close();
                            next!(5);
                        }
                        deopt!(op::BINARY_OP);
                    }};
                }
                /// Binary operations on floats.
                macro_rules! float_arm {
                    ($values:expr) => {{
                        let (left, right) = (peek!(2), peek!(1));
                        if let (Some(a), Some(b)) = (exact_float(left), exact_float(right)) {
                            sp = sp.sub(1);
                            peek!(1) = sp::float_in_place($values(a, b), left, right);
                            next!(5);
                        }
                        deopt!(op::BINARY_OP);
                    }};
                }
                /// Attribute look-ups that give a value.
                macro_rules! attr_arm {
                    ($cached:expr) => {{
                        let owner = peek!(1);
                        if let Some(value) = $cached(owner, ip.add(1)) {
                            peek!(1) = value;
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            if owner.is_owned() {
                                save!();
                                owner.close();
                            }
                            next!(9);
                        }
                        deopt!(op::LOAD_ATTR);
                    }};
                }
                /// Puts function and instance of a bound method into the two words of a callable.
                macro_rules! unpack_method {
                    ($base:expr, $target:expr) => {{
                        let method: &callable::Method = $target.object().cast();
                        $base.add(1).write(StackRef::owned(method.self_object().new_ref()));
                        $base.write(StackRef::owned(method.function().new_ref()));
                        $target.close();
                    }};
                }
                /// Ends a call of something native: releases the words of the call, pushes the result.
                macro_rules! called {
                    ($base:expr, $result:expr) => {{
                        let result: StackRef = $result;
                        while sp > $base {
                            sp = sp.sub(1);
                            let word = sp.replace(StackRef::NULL);
                            if word.is_owned() {
                                (*frame).stackpointer = sp;
                                word.close();
                            }
                        }
                        push!(result);
                        if (*thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 {
                            save!();
                            check!(ops::handle_breaker(thread));
                        }
                        next!(3);
                    }};
                }
                /// Pops a word and gives its truth.
                macro_rules! bool_word {
                    ($word:expr) => {{
                        let word: StackRef = $word;
                        word.ptr() == bool_object(true).as_ptr()
                    }};
                }

                match opcode {
                    op::NOP | op::NOT_TAKEN => next!(0),
                    op::RESUME | op::RESUME_CHECK => {
                        if (*thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0
                            && oparg & 3 < 2
                        {
                            save!();
                            check!(ops::handle_breaker(thread));
                        }
                        next!(0);
                    }
                    op::EXTENDED_ARG => {
                        ip = ip.add(1);
                        let word = *ip;
                        opcode = word as u8;
                        oparg = oparg << 8 | usize::from(word >> 8);
                        continue 'run;
                    }

                    // ---- loads and stores of locals and constants -------------------------
                    op::LOAD_FAST => {
                        push!((*local!(oparg)).dup());
                        next!(0);
                    }
                    op::LOAD_FAST_BORROW => {
                        push!((*local!(oparg)).borrow());
                        next!(0);
                    }
                    op::LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                        push!((*local!(oparg >> 4)).borrow());
                        push!((*local!(oparg & 15)).borrow());
                        next!(0);
                    }
                    op::LOAD_FAST_LOAD_FAST => {
                        push!((*local!(oparg >> 4)).dup());
                        push!((*local!(oparg & 15)).dup());
                        next!(0);
                    }
                    op::LOAD_FAST_CHECK => {
                        let value = *local!(oparg);
                        if value.is_null() {
                            save!();
                            raise!(ops::unbound_local(frame, oparg));
                        }
                        push!(value.dup());
                        next!(0);
                    }
                    op::LOAD_FAST_AND_CLEAR => {
                        push!(local!(oparg).replace(StackRef::NULL));
                        next!(0);
                    }
                    op::LOAD_CONST | op::LOAD_CONST_IMMORTAL | op::LOAD_CONST_MORTAL => {
                        push!(StackRef::borrowed(Object::borrow(*Frame::code(frame).consts().items_ptr().add(oparg))));
                        next!(0);
                    }
                    op::LOAD_SMALL_INT => {
                        push!(StackRef::int(oparg as i64));
                        next!(0);
                    }
                    op::STORE_FAST => {
                        let value = pop!().heap_safe();
                        let old = local!(oparg).replace(value);
                        if old.is_owned() {
                            save!();
                            old.close();
                        }
                        next!(0);
                    }
                    op::STORE_FAST_LOAD_FAST => {
                        let value = pop!().heap_safe();
                        let old = local!(oparg >> 4).replace(value);
                        if old.is_owned() {
                            save!();
                            old.close();
                        }
                        push!((*local!(oparg & 15)).dup());
                        next!(0);
                    }
                    op::STORE_FAST_STORE_FAST => {
                        let first = pop!().heap_safe();
                        let second = pop!().heap_safe();
                        let old_first = local!(oparg >> 4).replace(first);
                        let old_second = local!(oparg & 15).replace(second);
                        if old_first.is_owned() || old_second.is_owned() {
                            save!();
                            old_first.close();
                            old_second.close();
                        }
                        next!(0);
                    }
                    op::DELETE_FAST => {
                        let old = local!(oparg).replace(StackRef::NULL);
                        save!();
                        if old.is_null() {
                            raise!(ops::unbound_local(frame, oparg));
                        }
                        old.close();
                        next!(0);
                    }

                    // ---- the operand stack ------------------------------------------------
                    op::POP_TOP | op::POP_ITER | op::END_FOR => {
                        let value = pop!();
                        if value.is_owned() {
                            save!();
                            value.close();
                        }
                        next!(0);
                    }
                    op::PUSH_NULL => {
                        push!(StackRef::NULL);
                        next!(0);
                    }
                    op::COPY => {
                        push!(peek!(oparg).dup());
                        next!(0);
                    }
                    op::SWAP => {
                        core::ptr::swap(sp.sub(1), sp.sub(oparg));
                        next!(0);
                    }
                    op::END_SEND => {
                        let value = pop!();
                        let receiver = pop!();
                        push!(value);
                        save!();
                        receiver.close();
                        next!(0);
                    }

                    // ---- jumps ------------------------------------------------------------
                    op::JUMP_FORWARD => {
                        next!(oparg);
                    }
                    op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_JIT | op::JUMP_BACKWARD_JIT => {
                        if (*thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 {
                            save!();
                            check!(ops::handle_breaker(thread));
                        }
                        ip = ip.sub(oparg);
                        next!(1);
                    }
                    op::JUMP_BACKWARD_NO_INTERRUPT => {
                        ip = ip.sub(oparg);
                        next!(0);
                    }
                    op::POP_JUMP_IF_FALSE => {
                        let truth = bool_word!(pop!());
                        ip = ip.add(2);
                        jump_if!(!truth, oparg);
                    }
                    op::POP_JUMP_IF_TRUE => {
                        let truth = bool_word!(pop!());
                        ip = ip.add(2);
                        jump_if!(truth, oparg);
                    }
                    op::POP_JUMP_IF_NONE => {
                        let value = pop!();
                        let is_none = !value.is_int() && value.ptr() == none().as_ptr();
                        if value.is_owned() {
                            save!();
                            value.close();
                        }
                        ip = ip.add(2);
                        jump_if!(is_none, oparg);
                    }
                    op::POP_JUMP_IF_NOT_NONE => {
                        let value = pop!();
                        let is_none = !value.is_int() && value.ptr() == none().as_ptr();
                        if value.is_owned() {
                            save!();
                            value.close();
                        }
                        ip = ip.add(2);
                        jump_if!(!is_none, oparg);
                    }

                    // ---- truth ------------------------------------------------------------
                    op::TO_BOOL
                    | op::TO_BOOL_BOOL
                    | op::TO_BOOL_INT
                    | op::TO_BOOL_LIST
                    | op::TO_BOOL_NONE
                    | op::TO_BOOL_STR
                    | op::TO_BOOL_ALWAYS_TRUE => {
                        let value = peek!(1);
                        if let Some(truth) = sp::quick_truth(value) {
                            sp = sp.sub(1);
                            if value.is_owned() {
                                save!();
                                value.close();
                            }
                            truth!(truth, 3);
                        }
                        save!();
                        let truth = check!(value.object().is_true());
                        sp = sp.sub(1);
                        save!();
                        value.close();
                        truth!(truth, 3);
                    }
                    op::UNARY_NOT => {
                        let value = pop!();
                        truth!(!bool_word!(value), 0);
                    }

                    // ---- arithmetic -------------------------------------------------------
                    op::BINARY_OP | op::BINARY_OP_SUBSCR_GETITEM | op::BINARY_OP_SUBSCR_LIST_SLICE => {
                        let (left, right) = (peek!(2), peek!(1));
                        if adaptive::due(ip.add(1)) {
                            adaptive::binary_op(ip, left, right, oparg);
                        }
                        save!();
                        if let Some(result) = sp::quick_binary(left, right, oparg) {
                            sp = sp.sub(2);
                            push!(result);
                            left.close();
                            right.close();
                            next!(5);
                        }
                        if oparg == 26
                            && let Some(function) = sp::python_getitem(left)
                        {
                            sp = sp.sub(2);
                            let mut words = [left, right];
                            let called = crate::call::push_call(
                                thread,
                                StackRef::owned(function),
                                words.as_mut_ptr(),
                                2,
                                None,
                                frame,
                            );
                            let new = check!(called);
                            enter!(new, 5);
                        }
                        let result = check!(ops::binary_op(left, right, oparg));
                        sp = sp.sub(2);
                        push!(result);
                        left.close();
                        right.close();
                        next!(5);
                    }
                    op::BINARY_OP_ADD_INT => {
                        int_arm!(StackRef::add_ints, |a: i64, b: i64| Some(a + b));
                    }
                    op::BINARY_OP_SUBTRACT_INT => {
                        int_arm!(StackRef::sub_ints, |a: i64, b: i64| Some(a - b));
                    }
                    op::BINARY_OP_MULTIPLY_INT => {
                        int_arm!(StackRef::mul_ints, i64::checked_mul);
                    }
                    op::BINARY_OP_ADD_FLOAT => float_arm!(|a: f64, b: f64| a + b),
                    op::BINARY_OP_SUBTRACT_FLOAT => float_arm!(|a: f64, b: f64| a - b),
                    op::BINARY_OP_MULTIPLY_FLOAT => float_arm!(|a: f64, b: f64| a * b),
                    op::BINARY_OP_EXTEND => {
                        let (left, right) = (peek!(2), peek!(1));
                        if let Some(result) = sp::extended_binary(left, right, oparg) {
                            sp = sp.sub(1);
                            peek!(1) = result;
                            next!(5);
                        }
                        deopt!(op::BINARY_OP);
                    }
                    op::BINARY_OP_ADD_UNICODE => {
                        let (left, right) = (peek!(2), peek!(1));
                        if left.is_exact(&PyUnicode_Type) && right.is_exact(&PyUnicode_Type) {
                            let text = check!(sp::concat(left.object(), right.object()));
                            sp = sp.sub(2);
                            push!(StackRef::owned(text));
                            left.close();
                            right.close();
                            next!(5);
                        }
                        deopt!(op::BINARY_OP);
                    }
                    op::BINARY_OP_INPLACE_ADD_UNICODE => {
                        let (left, right) = (peek!(2), peek!(1));
                        if sp::append_in_place(left, right, local!(0), *ip.add(6)) {
                            sp = sp.sub(2);
                            right.close();
                            // The local holds the longer string already: its STORE_FAST is done.
                            next!(6);
                        }
                        deopt!(op::BINARY_OP);
                    }
                    op::BINARY_OP_SUBSCR_LIST_INT => {
                        let (container, key) = (peek!(2), peek!(1));
                        if container.is_exact(&PyList_Type)
                            && let Some(item) = sp::list_item(container, key)
                        {
                            sp = sp.sub(1);
                            peek!(1) = item;
                            key.close();
                            if container.is_owned() {
                                save!();
                                container.close();
                            }
                            next!(5);
                        }
                        deopt!(op::BINARY_OP);
                    }
                    op::BINARY_OP_SUBSCR_TUPLE_INT => {
                        let (container, key) = (peek!(2), peek!(1));
                        if container.is_exact(&PyTuple_Type)
                            && let Some(item) = sp::tuple_item(container, key)
                        {
                            sp = sp.sub(1);
                            peek!(1) = item;
                            key.close();
                            if container.is_owned() {
                                save!();
                                container.close();
                            }
                            next!(5);
                        }
                        deopt!(op::BINARY_OP);
                    }
                    op::BINARY_OP_SUBSCR_STR_INT => {
                        let (container, key) = (peek!(2), peek!(1));
                        if let Some(item) = sp::str_item(container, key) {
                            sp = sp.sub(1);
                            peek!(1) = item;
                            key.close();
                            container.close();
                            next!(5);
                        }
                        deopt!(op::BINARY_OP);
                    }
                    op::BINARY_OP_SUBSCR_DICT => {
                        let (container, key) = (peek!(2), peek!(1));
                        if container.is_exact(&PyDict_Type) {
                            save!();
                            let dict: &Dict = container.object().cast();
                            let look = key.look();
                            let found = check!(dict.get(&look));
                            drop(look);
                            if let Some(item) = found {
                                sp = sp.sub(1);
                                peek!(1) = StackRef::owned(item);
                                save!();
                                key.close();
                                container.close();
                                next!(5);
                            }
                        }
                        deopt!(op::BINARY_OP);
                    }
                    op::UNARY_NEGATIVE => {
                        let value = peek!(1);
                        if value.is_int() {
                            peek!(1) = StackRef::from_i64(-value.int_value());
                            next!(0);
                        }
                        save!();
                        let result = check!(protocol::unary(value.object(), Py_nb_negative));
                        peek!(1) = StackRef::owned(result);
                        value.close();
                        next!(0);
                    }
                    op::UNARY_INVERT => {
                        let value = peek!(1);
                        if value.is_int() {
                            peek!(1) = StackRef::from_i64(!value.int_value());
                            next!(0);
                        }
                        save!();
                        let result = check!(protocol::unary(value.object(), Py_nb_invert));
                        peek!(1) = StackRef::owned(result);
                        value.close();
                        next!(0);
                    }
                    op::COMPARE_OP => {
                        let (left, right) = (peek!(2), peek!(1));
                        if adaptive::due(ip.add(1)) {
                            adaptive::compare_op(ip, left, right);
                        }
                        save!();
                        if let Some(result) = sp::quick_compare(left, right, oparg) {
                            sp = sp.sub(2);
                            left.close();
                            right.close();
                            truth!(result, 1);
                        }
                        let result = check!(ops::compare_op(left, right, oparg));
                        sp = sp.sub(2);
                        push!(StackRef::owned(result));
                        save!();
                        left.close();
                        right.close();
                        next!(1);
                    }
                    op::COMPARE_OP_INT => {
                        let (left, right) = (peek!(2), peek!(1));
                        if left.both_int(right) {
                            sp = sp.sub(2);
                            truth!(sp::holds(left.int_value(), right.int_value(), oparg), 1);
                        }
                        if let (Some(a), Some(b)) = (left.as_compact_int(), right.as_compact_int()) {
                            sp = sp.sub(2);
                            left.close();
                            right.close();
                            truth!(sp::holds(a, b, oparg), 1);
                        }
                        deopt!(op::COMPARE_OP);
                    }
                    op::COMPARE_OP_FLOAT => {
                        let (left, right) = (peek!(2), peek!(1));
                        if let (Some(a), Some(b)) = (exact_float(left), exact_float(right)) {
                            sp = sp.sub(2);
                            left.close();
                            right.close();
                            truth!(sp::holds(a, b, oparg), 1);
                        }
                        deopt!(op::COMPARE_OP);
                    }
                    op::COMPARE_OP_STR => {
                        let (left, right) = (peek!(2), peek!(1));
                        if left.is_exact(&PyUnicode_Type)
                            && right.is_exact(&PyUnicode_Type)
                            && let Some(result) = sp::quick_compare(left, right, oparg)
                        {
                            sp = sp.sub(2);
                            left.close();
                            right.close();
                            truth!(result, 1);
                        }
                        deopt!(op::COMPARE_OP);
                    }
                    op::IS_OP => {
                        let (right, left) = (pop!(), pop!());
                        let same = left.is(right) != (oparg == 1);
                        save!();
                        left.close();
                        right.close();
                        truth!(same, 0);
                    }
                    op::CONTAINS_OP | op::CONTAINS_OP_DICT | op::CONTAINS_OP_SET => {
                        save!();
                        let (item, container) = (peek!(2), peek!(1));
                        let found = match sp::quick_contains(container, item) {
                            Some(found) => found,
                            None => check!(protocol::contains(&container.look(), &item.look())),
                        };
                        sp = sp.sub(2);
                        save!();
                        item.close();
                        container.close();
                        truth!(found != (oparg == 1), 1);
                    }

                    // ---- subscriptions ----------------------------------------------------
                    op::STORE_SUBSCR => {
                        let (value, container, key) = (peek!(3), peek!(2), peek!(1));
                        if adaptive::due(ip.add(1)) {
                            adaptive::store_subscr(ip, container, key);
                        }
                        save!();
                        check!(protocol::set_item(&container.look(), &key.look(), &value.look()));
                        sp = sp.sub(3);
                        save!();
                        value.close();
                        container.close();
                        key.close();
                        next!(1);
                    }
                    op::STORE_SUBSCR_LIST_INT => {
                        let (value, container, key) = (peek!(3), peek!(2), peek!(1));
                        if container.is_exact(&PyList_Type)
                            && let Some(place) = sp::list_place(container, key)
                        {
                            sp = sp.sub(3);
                            let old = place.replace(value.into_ref().into_ptr());
                            save!();
                            refcount::decref(old);
                            container.close();
                            key.close();
                            next!(1);
                        }
                        deopt!(op::STORE_SUBSCR);
                    }
                    op::STORE_SUBSCR_DICT => {
                        let (value, container, key) = (peek!(3), peek!(2), peek!(1));
                        if container.is_exact(&PyDict_Type) {
                            save!();
                            let dict: &Dict = container.object().cast();
                            check!(dict.set(&key.look(), &value.look()));
                            sp = sp.sub(3);
                            save!();
                            value.close();
                            container.close();
                            key.close();
                            next!(1);
                        }
                        deopt!(op::STORE_SUBSCR);
                    }
                    op::DELETE_SUBSCR => {
                        save!();
                        let (container, key) = (peek!(2), peek!(1));
                        check!(protocol::delete_item(&container.look(), &key.look()));
                        sp = sp.sub(2);
                        save!();
                        container.close();
                        key.close();
                        next!(0);
                    }
                    op::BINARY_SLICE => {
                        save!();
                        let (container, start, stop) = (peek!(3), peek!(2), peek!(1));
                        let result = check!(ops::binary_slice(container, start, stop));
                        sp = sp.sub(3);
                        push!(StackRef::owned(result));
                        save!();
                        container.close();
                        start.close();
                        stop.close();
                        next!(0);
                    }
                    op::STORE_SLICE => {
                        save!();
                        let (value, container, start, stop) = (peek!(4), peek!(3), peek!(2), peek!(1));
                        check!(ops::store_slice(value, container, start, stop));
                        sp = sp.sub(4);
                        save!();
                        for word in [value, container, start, stop] {
                            word.close();
                        }
                        next!(0);
                    }

                    // ---- globals and names ------------------------------------------------
                    op::LOAD_GLOBAL => {
                        save!();
                        let value = check!(sp::load_global(frame, ip, oparg >> 1));
                        push!(StackRef::owned(value));
                        if oparg & 1 != 0 {
                            push!(StackRef::NULL);
                        }
                        next!(4);
                    }
                    op::LOAD_GLOBAL_MODULE => {
                        let globals: &Dict = Object::borrow((*frame).f_globals).cast();
                        if let Some(value) =
                            globals.cached_value(u32::from(*ip.add(3)), usize::from(*ip.add(2)))
                        {
                            push!(StackRef::owned(value.new_ref()));
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            next!(4);
                        }
                        deopt!(op::LOAD_GLOBAL);
                    }
                    op::LOAD_GLOBAL_BUILTIN => {
                        let globals: &Dict = Object::borrow((*frame).f_globals).cast();
                        let builtins: &Dict = Object::borrow((*frame).f_builtins).cast();
                        if globals.has_keys_version(u32::from(*ip.add(3)))
                            && let Some(value) =
                                builtins.cached_value(u32::from(*ip.add(4)), usize::from(*ip.add(2)))
                        {
                            push!(StackRef::owned(value.new_ref()));
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            next!(4);
                        }
                        deopt!(op::LOAD_GLOBAL);
                    }
                    op::LOAD_NAME => {
                        save!();
                        let value = check!(ops::load_name(frame, oparg));
                        push!(StackRef::owned(value));
                        next!(0);
                    }
                    op::LOAD_FROM_DICT_OR_GLOBALS => {
                        save!();
                        let mapping = peek!(1);
                        let value = check!(ops::load_from_dict_or_globals(frame, &mapping.look(), oparg));
                        peek!(1) = StackRef::owned(value);
                        mapping.close();
                        next!(0);
                    }
                    op::STORE_NAME => {
                        save!();
                        let value = peek!(1);
                        check!(ops::store_name(frame, oparg, Some(&value.look())));
                        sp = sp.sub(1);
                        value.close();
                        next!(0);
                    }
                    op::DELETE_NAME => {
                        save!();
                        check!(ops::store_name(frame, oparg, None));
                        next!(0);
                    }
                    op::STORE_GLOBAL => {
                        save!();
                        let value = peek!(1);
                        let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                        check!(Frame::globals(frame).set_str(name, &value.look()));
                        sp = sp.sub(1);
                        value.close();
                        next!(0);
                    }
                    op::DELETE_GLOBAL => {
                        save!();
                        check!(ops::delete_global(frame, oparg));
                        next!(0);
                    }
                    op::LOAD_LOCALS => {
                        save!();
                        let found = check!(ops::load_locals(frame));
                        push!(StackRef::owned(found));
                        next!(0);
                    }
                    op::LOAD_BUILD_CLASS => {
                        save!();
                        let found = check!(ops::load_build_class(frame));
                        push!(StackRef::owned(found));
                        next!(0);
                    }
                    op::LOAD_COMMON_CONSTANT => {
                        push!(StackRef::owned(check!(ops::common_constant(oparg))));
                        next!(0);
                    }

                    // ---- cells ------------------------------------------------------------
                    op::MAKE_CELL => {
                        save!();
                        let initial = local!(oparg).replace(StackRef::NULL);
                        let cell = check!(ops::new_cell(initial.into_ref_opt()));
                        local!(oparg).write(StackRef::owned(cell));
                        next!(0);
                    }
                    op::COPY_FREE_VARS => {
                        let function: &Function = (*frame).f_funcobj.object().cast();
                        if let Some(closure) = function.closure() {
                            let start = Frame::code(frame).nlocalsplus() - oparg;
                            for (index, cell) in closure.items().iter().enumerate().take(oparg) {
                                local!(start + index).write(StackRef::owned(cell.new_ref()));
                            }
                        }
                        next!(0);
                    }
                    op::LOAD_DEREF => {
                        let cell = (*local!(oparg)).ptr().cast::<PyCellObject>();
                        match Object::borrow_opt((*cell).ob_ref) {
                            Some(value) => push!(StackRef::owned(value.new_ref())),
                            None => {
                                save!();
                                raise!(ops::unbound_deref(frame, oparg));
                            }
                        }
                        next!(0);
                    }
                    op::STORE_DEREF => {
                        let value = pop!().into_ref();
                        save!();
                        let cell = (*local!(oparg)).ptr().cast::<PyCellObject>();
                        taipan_object::handle::set_field(&raw mut (*cell).ob_ref, Some(value));
                        next!(0);
                    }
                    op::DELETE_DEREF => {
                        save!();
                        let cell = (*local!(oparg)).ptr().cast::<PyCellObject>();
                        if (*cell).ob_ref.is_null() {
                            raise!(ops::unbound_deref(frame, oparg));
                        }
                        taipan_object::handle::clear_field(&raw mut (*cell).ob_ref);
                        next!(0);
                    }
                    op::LOAD_FROM_DICT_OR_DEREF => {
                        save!();
                        let mapping = peek!(1);
                        let value = check!(ops::load_from_dict_or_deref(frame, &mapping.look(), oparg));
                        peek!(1) = StackRef::owned(value);
                        mapping.close();
                        next!(0);
                    }

                    // ---- attributes -------------------------------------------------------
                    op::LOAD_ATTR
                    | op::LOAD_ATTR_WITH_HINT
                    | op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK
                    | op::LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN
                    | op::LOAD_ATTR_METHOD_LAZY_DICT => {
                        let owner = peek!(1);
                        save!();
                        let name: &Str = Frame::code(frame).names().items()[oparg >> 1].cast();
                        let look = owner.look();
                        let (value, bound) = check!(sp::load_attr(&look, name, oparg & 1 != 0, ip));
                        drop(look);
                        peek!(1) = StackRef::owned(value);
                        if bound {
                            push!(owner);
                        } else {
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            save!();
                            owner.close();
                        }
                        next!(9);
                    }
                    op::LOAD_ATTR_INSTANCE_VALUE => attr_arm!(sp::instance_value),
                    op::LOAD_ATTR_SLOT => attr_arm!(sp::slot_value),
                    op::LOAD_ATTR_CLASS => attr_arm!(sp::class_value),
                    op::LOAD_ATTR_MODULE => attr_arm!(sp::module_value),
                    op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT => attr_arm!(sp::type_value),
                    op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES => attr_arm!(sp::type_value_unhidden),
                    op::LOAD_ATTR_METHOD_NO_DICT => {
                        let owner = peek!(1);
                        if let Some(method) = sp::type_value(owner, ip.add(1)) {
                            peek!(1) = method;
                            push!(owner);
                            next!(9);
                        }
                        deopt!(op::LOAD_ATTR);
                    }
                    op::LOAD_ATTR_METHOD_WITH_VALUES => {
                        let owner = peek!(1);
                        if let Some(method) = sp::type_value_unhidden(owner, ip.add(1)) {
                            peek!(1) = method;
                            push!(owner);
                            next!(9);
                        }
                        deopt!(op::LOAD_ATTR);
                    }
                    op::LOAD_ATTR_PROPERTY => {
                        let owner = peek!(1);
                        if let Some(getter) = sp::property_getter(owner, ip.add(1)) {
                            let function: &Function = getter.object().cast();
                            sp = sp.sub(1);
                            let mut words = [owner];
                            save!();
                            if let Some(new) = crate::call::push_exact(
                                thread,
                                getter,
                                function.code(),
                                words.as_mut_ptr(),
                                1,
                                frame,
                            ) {
                                enter!(new, 9);
                            }
                            getter.close();
                            sp = sp.add(1);
                        }
                        deopt!(op::LOAD_ATTR);
                    }
                    op::STORE_ATTR | op::STORE_ATTR_WITH_HINT => {
                        let (value, owner) = (peek!(2), peek!(1));
                        save!();
                        let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                        let look = owner.look();
                        check!(look.setattr(name, Some(&value.look())));
                        sp::specialize_store_attr(&look, name, ip);
                        drop(look);
                        sp = sp.sub(2);
                        save!();
                        value.close();
                        owner.close();
                        next!(4);
                    }
                    op::STORE_ATTR_INSTANCE_VALUE => {
                        let (value, owner) = (peek!(2), peek!(1));
                        if let Some((values, position)) = sp::instance_place(owner, ip.add(1)) {
                            sp = sp.sub(2);
                            save!();
                            taipan_object::instance::store_inline(values, position, value.into_ref());
                            owner.close();
                            next!(4);
                        }
                        deopt!(op::STORE_ATTR);
                    }
                    op::STORE_ATTR_SLOT => {
                        let (value, owner) = (peek!(2), peek!(1));
                        if let Some(place) = sp::slot_place(owner, ip.add(1)) {
                            sp = sp.sub(2);
                            save!();
                            taipan_object::handle::set_field(place, Some(value.into_ref()));
                            owner.close();
                            next!(4);
                        }
                        deopt!(op::STORE_ATTR);
                    }
                    op::DELETE_ATTR => {
                        save!();
                        let owner = peek!(1);
                        let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                        check!(owner.look().setattr(name, None));
                        sp = sp.sub(1);
                        owner.close();
                        next!(0);
                    }
                    op::LOAD_SUPER_ATTR | op::LOAD_SUPER_ATTR_ATTR | op::LOAD_SUPER_ATTR_METHOD => {
                        save!();
                        let (super_type, class, object) = (peek!(3), peek!(2), peek!(1));
                        let (value, bound) =
                            check!(ops::load_super_attr(frame, super_type, class, object, oparg));
                        sp = sp.sub(3);
                        push!(StackRef::owned(value));
                        if bound {
                            push!(object);
                        } else if oparg & 1 != 0 {
                            push!(StackRef::NULL);
                        }
                        save!();
                        super_type.close();
                        class.close();
                        if !bound {
                            object.close();
                        }
                        next!(1);
                    }
                    op::LOAD_SPECIAL => {
                        save!();
                        let owner = peek!(1);
                        let (method, bound) = check!(ops::load_special(&owner.look(), oparg));
                        peek!(1) = StackRef::owned(method);
                        if bound {
                            push!(owner);
                        } else {
                            push!(StackRef::NULL);
                            owner.close();
                        }
                        next!(0);
                    }

                    // ---- building ---------------------------------------------------------
                    op::BUILD_TUPLE => {
                        let tuple = check!(ops::build_tuple(sp.sub(oparg), oparg));
                        sp = sp.sub(oparg);
                        push!(StackRef::owned(tuple));
                        next!(0);
                    }
                    op::BUILD_LIST => {
                        let list = check!(ops::build_list(sp.sub(oparg), oparg));
                        sp = sp.sub(oparg);
                        push!(StackRef::owned(list));
                        next!(0);
                    }
                    op::BUILD_MAP => {
                        save!();
                        let dict = check!(ops::build_map(sp.sub(2 * oparg), oparg));
                        for _ in 0..2 * oparg {
                            pop!().close();
                        }
                        push!(StackRef::owned(dict));
                        next!(0);
                    }
                    op::BUILD_SET => {
                        save!();
                        let set = check!(ops::build_set(sp.sub(oparg), oparg));
                        for _ in 0..oparg {
                            pop!().close();
                        }
                        push!(StackRef::owned(set));
                        next!(0);
                    }
                    op::BUILD_STRING => {
                        save!();
                        let text = check!(ops::build_string(sp.sub(oparg), oparg));
                        for _ in 0..oparg {
                            pop!().close();
                        }
                        push!(StackRef::owned(text));
                        next!(0);
                    }
                    op::BUILD_SLICE => {
                        save!();
                        let slice = check!(ops::build_slice(sp.sub(oparg), oparg));
                        for _ in 0..oparg {
                            pop!().close();
                        }
                        push!(StackRef::owned(slice));
                        next!(0);
                    }
                    op::BUILD_TEMPLATE => {
                        save!();
                        let template = check!(ops::build_template(peek!(2), peek!(1)));
                        pop!().close();
                        pop!().close();
                        push!(StackRef::owned(template));
                        next!(0);
                    }
                    op::BUILD_INTERPOLATION => {
                        save!();
                        let words = 2 + (oparg & 1);
                        let made = check!(ops::build_interpolation(sp.sub(words), oparg));
                        for _ in 0..words {
                            pop!().close();
                        }
                        push!(StackRef::owned(made));
                        next!(0);
                    }
                    op::LIST_APPEND => {
                        let value = pop!().into_ref();
                        let list: &List = peek!(oparg).object().cast();
                        check!(list.append(value));
                        next!(0);
                    }
                    op::SET_ADD => {
                        save!();
                        let value = peek!(1);
                        check!(ops::set_add(peek!(oparg + 1).object(), &value.look()));
                        sp = sp.sub(1);
                        value.close();
                        next!(0);
                    }
                    op::MAP_ADD => {
                        save!();
                        let (key, value) = (peek!(2), peek!(1));
                        let dict: &Dict = peek!(oparg + 2).object().cast();
                        check!(dict.set(&key.look(), &value.look()));
                        sp = sp.sub(2);
                        key.close();
                        value.close();
                        next!(0);
                    }
                    op::LIST_EXTEND => {
                        save!();
                        let iterable = peek!(1);
                        check!(ops::list_extend(peek!(oparg + 1).object().cast(), &iterable.look()));
                        sp = sp.sub(1);
                        iterable.close();
                        next!(0);
                    }
                    op::SET_UPDATE => {
                        save!();
                        let iterable = peek!(1);
                        check!(ops::set_update(peek!(oparg + 1).object(), &iterable.look()));
                        sp = sp.sub(1);
                        iterable.close();
                        next!(0);
                    }
                    op::DICT_UPDATE => {
                        save!();
                        let other = peek!(1);
                        check!(ops::dict_update(peek!(oparg + 1).object(), &other.look()));
                        sp = sp.sub(1);
                        other.close();
                        next!(0);
                    }
                    op::DICT_MERGE => {
                        save!();
                        let other = peek!(1);
                        // The function stands below the dict, NULL and the positional arguments.
                        let function = peek!(oparg + 4);
                        check!(ops::dict_merge(peek!(oparg + 1).object(), &other.look(), &function.look()));
                        sp = sp.sub(1);
                        other.close();
                        next!(0);
                    }
                    op::SETUP_ANNOTATIONS => {
                        save!();
                        check!(ops::setup_annotations(frame));
                        next!(0);
                    }

                    // ---- formatting -------------------------------------------------------
                    op::FORMAT_SIMPLE => {
                        let value = peek!(1);
                        if !value.is_exact(&PyUnicode_Type) {
                            save!();
                            let text = check!(ops::format_value(&value.look(), None));
                            peek!(1) = StackRef::owned(text);
                            value.close();
                        }
                        next!(0);
                    }
                    op::FORMAT_WITH_SPEC => {
                        save!();
                        let (value, spec) = (peek!(2), peek!(1));
                        let text = check!(ops::format_value(&value.look(), Some(&spec.look())));
                        sp = sp.sub(2);
                        push!(StackRef::owned(text));
                        value.close();
                        spec.close();
                        next!(0);
                    }
                    op::CONVERT_VALUE => {
                        save!();
                        let value = peek!(1);
                        let text = check!(ops::convert_value(&value.look(), oparg));
                        peek!(1) = StackRef::owned(text);
                        value.close();
                        next!(0);
                    }

                    // ---- unpacking --------------------------------------------------------
                    // One form does for all: telling a tuple from a list costs less than a failed guard.
                    op::UNPACK_SEQUENCE
                    | op::UNPACK_SEQUENCE_TWO_TUPLE
                    | op::UNPACK_SEQUENCE_TUPLE
                    | op::UNPACK_SEQUENCE_LIST => {
                        let sequence = peek!(1);
                        if let Some(items) = sp::items_of(sequence, oparg) {
                            sp = sp.sub(1);
                            for index in (0..oparg).rev() {
                                push!(StackRef::owned(Object::borrow(items.add(index).read()).new_ref()));
                            }
                            if sequence.is_owned() {
                                save!();
                                sequence.close();
                            }
                            next!(1);
                        }
                        save!();
                        let items = check!(ops::unpack(&sequence.look(), oparg));
                        sp = sp.sub(1);
                        for item in items.into_iter().rev() {
                            push!(StackRef::owned(item));
                        }
                        save!();
                        sequence.close();
                        next!(1);
                    }
                    op::UNPACK_EX => {
                        save!();
                        let sequence = peek!(1);
                        let items = check!(ops::unpack_ex(&sequence.look(), oparg & 0xFF, oparg >> 8));
                        sp = sp.sub(1);
                        for item in items.into_iter().rev() {
                            push!(StackRef::owned(item));
                        }
                        sequence.close();
                        next!(0);
                    }

                    // ---- iteration --------------------------------------------------------
                    op::GET_ITER => {
                        save!();
                        let iterable = peek!(1);
                        let iterator = check!(iterable.look().iter());
                        peek!(1) = StackRef::owned(iterator);
                        iterable.close();
                        next!(0);
                    }
                    op::FOR_ITER => {
                        if adaptive::due(ip.add(1)) {
                            adaptive::for_iter(ip, peek!(1));
                        }
                        save!();
                        match check!(protocol::iter_next(peek!(1).object())) {
                            Some(item) => iterated!(StackRef::owned(item)),
                            // Over END_FOR, to the POP_ITER behind it.
                            None => next!(oparg + 2),
                        }
                    }
                    op::FOR_ITER_RANGE => {
                        let iterator = peek!(1);
                        if iterator.is_exact(&PyRangeIter_Type) {
                            let item = sp::next_of_range(iterator.ptr());
                            if item.is_null() {
                                next!(oparg + 2);
                            }
                            iterated!(item);
                        }
                        deopt!(op::FOR_ITER);
                    }
                    op::FOR_ITER_LIST => {
                        let iterator = peek!(1);
                        if iterator.is_exact(&PyListIter_Type) {
                            let item = sp::next_of_list(iterator.ptr());
                            if item.is_null() {
                                next!(oparg + 2);
                            }
                            iterated!(item);
                        }
                        deopt!(op::FOR_ITER);
                    }
                    op::FOR_ITER_TUPLE => {
                        let iterator = peek!(1);
                        if iterator.is_exact(&PyTupleIter_Type) {
                            let item = sp::next_of_tuple(iterator.ptr());
                            if item.is_null() {
                                next!(oparg + 2);
                            }
                            iterated!(item);
                        }
                        deopt!(op::FOR_ITER);
                    }
                    op::FOR_ITER_GEN => {
                        let iterator = peek!(1);
                        if iterator.is_exact(&PyGen_Type)
                            && let Some(new) = generator::start_next(thread, iterator.ptr(), frame)
                        {
                            save!();
                            // The end of the generator lands on END_FOR, which drops its result.
                            (*frame).return_offset = (oparg + 2) as u16;
                            if let Err(error) = frame::enter_recursion(thread) {
                                frame::leave_recursion(thread);
                                generator::abort_start(thread, new);
                                raise!(error);
                            }
                            load_frame!(new);
                            go!();
                        }
                        deopt!(op::FOR_ITER);
                    }
                    op::GET_LEN => {
                        save!();
                        let length = check!(peek!(1).look().len());
                        push!(StackRef::from_i64(length as i64));
                        next!(0);
                    }
                    op::GET_YIELD_FROM_ITER => {
                        save!();
                        let iterable = peek!(1);
                        let iterator = check!(ops::yield_from_iter(frame, &iterable.look()));
                        if let Some(iterator) = iterator {
                            peek!(1) = StackRef::owned(iterator);
                            iterable.close();
                        }
                        next!(0);
                    }

                    // ---- calls ------------------------------------------------------------
                    op::CALL
                    | op::CALL_NON_PY_GENERAL
                    | op::CALL_PY_GENERAL
                    | op::CALL_BOUND_METHOD_GENERAL
                    | op::CALL_BUILTIN_CLASS
                    | op::CALL_STR_1
                    | op::CALL_TUPLE_1 => {
                        let base = sp.sub(oparg + 2);
                        let mut count = oparg;
                        let mut target = *base;
                        let has_self = !(*base.add(1)).is_null();
                        if adaptive::due(ip.add(1)) {
                            adaptive::call(ip, target, has_self, oparg + usize::from(has_self));
                        }
                        if has_self {
                            count += 1;
                        } else if target.is_exact(&PyMethod_Type) {
                            // Unpack the bound method: function and instance in its two places.
                            unpack_method!(base, target);
                            target = *base;
                            count += 1;
                        }
                        let args = sp.sub(count);
                        if target.is_exact(&PyFunction_Type) {
                            // The function word goes into the frame; the arguments into its locals.
                            let function = target.heap_safe();
                            sp = base;
                            save!();
                            let new =
                                check!(crate::call::push_call(thread, function, args, count, None, frame));
                            enter!(new, 3);
                        }
                        save!();
                        if !has_self
                            && target.is_exact(&PyType_Type)
                            && let Some((function, instance)) = check!(ops::inlined_init(target))
                        {
                            // `Class(...)` with a Python `__init__`: its frame is entered directly and the instance
                            // stands where the result goes.
                            base.write(StackRef::owned(instance.clone()));
                            base.add(1).write(StackRef::owned(instance));
                            sp = base.add(1);
                            save!();
                            target.close();
                            let function = StackRef::owned(function);
                            let pushed = crate::call::push_call(thread, function, sp, count + 1, None, frame);
                            let new = check!(pushed);
                            (*new).flags |= INIT;
                            enter!(new, 3);
                        }
                        let result = check!(ops::call_words(target, args, count, None));
                        called!(base, StackRef::owned(result));
                    }
                    op::CALL_PY_EXACT_ARGS => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        let count = oparg + usize::from(!(*base.add(1)).is_null());
                        if target.is_exact(&PyFunction_Type) {
                            let function: &Function = target.object().cast();
                            if function.has_version(sp::read_u32(ip.add(2)))
                                && function.code().argcount() == count
                            {
                                let args = sp.sub(count);
                                let pushed = crate::call::push_exact(
                                    thread,
                                    target.heap_safe(),
                                    function.code(),
                                    args,
                                    count,
                                    frame,
                                );
                                if let Some(new) = pushed {
                                    sp = base;
                                    enter!(new, 3);
                                }
                                raise!(taipan_object::alloc::no_memory());
                            }
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_BOUND_METHOD_EXACT_ARGS => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        if (*base.add(1)).is_null() && target.is_exact(&PyMethod_Type) {
                            let method: &callable::Method = target.object().cast();
                            if method.function().is_exact(&PyFunction_Type) {
                                let function: &Function = method.function().cast();
                                if function.has_version(sp::read_u32(ip.add(2)))
                                    && function.code().argcount() == oparg + 1
                                {
                                    unpack_method!(base, target);
                                    // The words are those of the exact call of a function now.
                                    opcode = op::CALL_PY_EXACT_ARGS;
                                    continue 'run;
                                }
                            }
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_ALLOC_AND_ENTER_INIT => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        if (*base.add(1)).is_null() && target.is_exact(&PyType_Type) {
                            let class: &Type = target.object().cast();
                            if class.version() == sp::read_u32(ip.add(2))
                                && let Some(init) = sp::known_init(class, oparg + 1)
                            {
                                save!();
                                let instance = check!(ops::new_instance(class));
                                let function: &Function = init.object().cast();
                                base.write(StackRef::owned(instance.clone()));
                                base.add(1).write(StackRef::owned(instance));
                                sp = base.add(1);
                                let code = function.code();
                                let pushed =
                                    crate::call::push_exact(thread, init, code, sp, oparg + 1, frame);
                                let Some(new) = pushed else {
                                    sp = base.add(oparg + 2);
                                    raise!(taipan_object::alloc::no_memory());
                                };
                                target.close();
                                (*new).flags |= INIT;
                                enter!(new, 3);
                            }
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_TYPE_1 => {
                        let base = sp.sub(3);
                        let target = *base;
                        if oparg == 1
                            && (*base.add(1)).is_null()
                            && !target.is_int()
                            && target.ptr() == PyType_Type.as_ptr()
                        {
                            let value = peek!(1);
                            let ty = StackRef::owned(value.ty().new_ref().upcast());
                            called!(base, ty);
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_LEN => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        if oparg + usize::from(!(*base.add(1)).is_null()) == 1
                            && target.is_exact(&PyCFunction_Type)
                            && taipan_object::state::interp().callables.is_len(target.object().cast())
                        {
                            save!();
                            let length = match sp::quick_len(peek!(1)) {
                                Some(length) => length,
                                None => check!(peek!(1).look().len()),
                            };
                            called!(base, StackRef::from_i64(length as i64));
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_ISINSTANCE => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        if oparg + usize::from(!(*base.add(1)).is_null()) == 2
                            && target.is_exact(&PyCFunction_Type)
                            && taipan_object::state::interp().callables.is_isinstance(target.object().cast())
                        {
                            let (object, class) = (peek!(2), peek!(1));
                            if let Some(is) = sp::quick_isinstance(object, class) {
                                save!();
                                called!(base, StackRef::borrowed(bool_object(is)));
                            }
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_BUILTIN_O | op::CALL_BUILTIN_FAST | op::CALL_BUILTIN_FAST_WITH_KEYWORDS => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        let count = oparg + usize::from(!(*base.add(1)).is_null());
                        if target.is_exact(&PyCFunction_Type) {
                            save!();
                            let function: &callable::CFunction = target.object().cast();
                            if let Some(result) =
                                sp::call_native(function.def_ptr(), function.raw_self(), sp.sub(count), count)
                            {
                                let result = check!(result);
                                called!(base, StackRef::owned(result));
                            }
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_LIST_APPEND => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        let owner = *base.add(1);
                        if oparg == 1 && owner.is_exact(&PyList_Type) && target.is_exact(&PyMethodDescr_Type)
                        {
                            let method: &MethodDescr = target.object().cast();
                            if adaptive::is_append(method) {
                                let value = pop!().into_ref();
                                let list: &List = owner.object().cast();
                                check!(list.append(value));
                                called!(base, StackRef::borrowed(none()));
                            }
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_METHOD_DESCRIPTOR_O
                    | op::CALL_METHOD_DESCRIPTOR_NOARGS
                    | op::CALL_METHOD_DESCRIPTOR_FAST
                    | op::CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS => {
                        let base = sp.sub(oparg + 2);
                        let target = *base;
                        let count = oparg + usize::from(!(*base.add(1)).is_null());
                        if count >= 1 && target.is_exact(&PyMethodDescr_Type) {
                            let method: &MethodDescr = target.object().cast();
                            let args = sp.sub(count);
                            if (*args).ty().is_subtype(method.as_descr().owner()) {
                                save!();
                                let object = StackRef::materialize(&mut *args);
                                if let Some(result) =
                                    sp::call_native(method.def(), object, args.add(1), count - 1)
                                {
                                    let result = check!(result);
                                    called!(base, StackRef::owned(result));
                                }
                            }
                        }
                        deopt!(op::CALL);
                    }
                    op::CALL_KW | op::CALL_KW_PY | op::CALL_KW_BOUND_METHOD | op::CALL_KW_NON_PY => {
                        let names_word = pop!();
                        let names: &Tuple = names_word.object().cast();
                        let base = sp.sub(oparg + 2);
                        let mut count = oparg;
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
                        let args = sp.sub(count);
                        if target.is_exact(&PyFunction_Type) {
                            let function = target.heap_safe();
                            sp = base;
                            (*frame).instr_ptr = ip;
                            (*frame).stackpointer = sp;
                            let pushed = crate::call::push_call(
                                thread,
                                function,
                                args,
                                count - names.len(),
                                Some(names),
                                frame,
                            );
                            let new = check!(pushed);
                            names_word.close();
                            enter!(new, 3);
                        }
                        save!();
                        let result = ops::call_words(target, args, count, Some(names));
                        let result = check!(result);
                        names_word.close();
                        while sp > base {
                            sp = sp.sub(1);
                            sp.replace(StackRef::NULL).close();
                        }
                        push!(StackRef::owned(result));
                        next!(3);
                    }
                    op::CALL_FUNCTION_EX => {
                        save!();
                        let (target, args, kwargs) = (peek!(4), peek!(2), peek!(1));
                        let result = check!(ops::call_function_ex(&target.look(), &args.look(), kwargs));
                        for _ in 0..4 {
                            pop!().close();
                        }
                        push!(StackRef::owned(result));
                        next!(0);
                    }
                    op::CALL_INTRINSIC_1 => {
                        save!();
                        let value = peek!(1);
                        let result = check!(ops::intrinsic_1(frame, oparg, &value.look()));
                        peek!(1) = StackRef::owned(result);
                        value.close();
                        next!(0);
                    }
                    op::CALL_INTRINSIC_2 => {
                        save!();
                        let (first, second) = (peek!(2), peek!(1));
                        let result = check!(ops::intrinsic_2(oparg, &first.look(), &second.look()));
                        sp = sp.sub(2);
                        push!(StackRef::owned(result));
                        first.close();
                        second.close();
                        next!(0);
                    }
                    op::MAKE_FUNCTION => {
                        save!();
                        let code = pop!();
                        let made = Function::new(code.object().cast::<Code>(), Frame::globals(frame), None);
                        code.close();
                        push!(StackRef::owned(check!(made).upcast()));
                        next!(0);
                    }
                    op::SET_FUNCTION_ATTRIBUTE => {
                        let function = pop!();
                        let value = pop!().into_ref();
                        ops::set_function_attribute(function.object().cast(), oparg, value);
                        push!(function);
                        next!(0);
                    }

                    // ---- returning and yielding -------------------------------------------
                    op::RETURN_VALUE => {
                        let mut value = pop!().heap_safe();
                        (*frame).stackpointer = sp;
                        let done = frame;
                        let flags = (*done).flags;
                        if flags & INIT != 0 && (value.is_int() || value.ptr() != none().as_ptr()) {
                            save!();
                            let error = ops::init_returned(&value.look());
                            value.close();
                            raise!(error);
                        }
                        frame::leave_recursion(thread);
                        let previous = (*done).previous;
                        (*thread).base.current_frame = previous.cast();
                        unwind::finish_frame(thread, done);
                        if flags & ENTRY != 0 {
                            return Ok(value.into_ref());
                        }
                        frame = previous;
                        ip = (*frame).instr_ptr.add(usize::from((*frame).return_offset));
                        sp = (*frame).stackpointer;
                        if flags & INIT != 0 {
                            // The instance is on the stack already.
                            value = StackRef::NULL;
                            let _ = value;
                            go!();
                        }
                        push!(value);
                        go!();
                    }
                    op::RETURN_GENERATOR => {
                        save!();
                        let made = check!(generator::from_frame(frame, ip.add(1)));
                        frame::leave_recursion(thread);
                        let (flags, previous) = ((*frame).flags, (*frame).previous);
                        (*thread).base.current_frame = previous.cast();
                        // The words live on in the generator: only the memory is given back.
                        frame::pop_words(thread, frame.cast());
                        if flags & ENTRY != 0 {
                            return Ok(made);
                        }
                        frame = previous;
                        ip = (*frame).instr_ptr.add(usize::from((*frame).return_offset));
                        sp = (*frame).stackpointer;
                        push!(StackRef::owned(made));
                        go!();
                    }
                    op::YIELD_VALUE => {
                        let value = pop!().heap_safe();
                        // Execution goes on behind this instruction.
                        (*frame).instr_ptr = ip.add(1);
                        (*frame).stackpointer = sp;
                        frame::leave_recursion(thread);
                        let flags = (*frame).flags;
                        let previous = (*frame).previous;
                        generator::suspend(thread, frame, oparg);
                        (*thread).base.current_frame = previous.cast();
                        if flags & ENTRY != 0 {
                            return Ok(value.into_ref());
                        }
                        frame = previous;
                        // The caller is a SEND or FOR_ITER: one cache unit each.
                        ip = (*frame).instr_ptr.add(2);
                        sp = (*frame).stackpointer;
                        push!(value);
                        go!();
                    }
                    op::SEND | op::SEND_GEN => {
                        let (receiver, value) = (peek!(2), peek!(1));
                        if let Some(new) = generator::start_send(thread, receiver, value, frame) {
                            sp = sp.sub(1);
                            (*frame).instr_ptr = ip;
                            (*frame).stackpointer = sp;
                            (*frame).return_offset = (oparg + 2) as u16;
                            if let Err(error) = frame::enter_recursion(thread) {
                                frame::leave_recursion(thread);
                                generator::abort_start(thread, new);
                                raise!(error);
                            }
                            load_frame!(new);
                            go!();
                        }
                        save!();
                        let (result, finished) =
                            check!(generator::send_any(receiver.object(), &value.look()));
                        if finished {
                            ip = ip.add(oparg);
                        }
                        peek!(1) = StackRef::owned(result);
                        value.close();
                        next!(1);
                    }
                    op::GET_AWAITABLE => {
                        save!();
                        let value = peek!(1);
                        let iterator = check!(ops::get_awaitable(&value.look(), oparg));
                        peek!(1) = StackRef::owned(iterator);
                        value.close();
                        next!(0);
                    }
                    op::GET_AITER => {
                        save!();
                        let value = peek!(1);
                        let iterator = check!(ops::get_aiter(&value.look()));
                        peek!(1) = StackRef::owned(iterator);
                        value.close();
                        next!(0);
                    }
                    op::GET_ANEXT => {
                        save!();
                        let awaitable = check!(ops::get_anext(&peek!(1).look()));
                        push!(StackRef::owned(awaitable));
                        next!(0);
                    }
                    op::END_ASYNC_FOR => {
                        save!();
                        let error = peek!(1);
                        if error.look().ty().is_subtype(&PyExc_StopAsyncIteration) {
                            let (error, iterator) = (pop!(), pop!());
                            error.close();
                            iterator.close();
                            next!(0);
                        }
                        let error = pop!().into_ref();
                        break 'run ops::reraise(error, core::ptr::null_mut());
                    }
                    op::CLEANUP_THROW => {
                        save!();
                        let error = peek!(1);
                        match ops::cleanup_throw(&error.look()) {
                            Some(value) => {
                                for _ in 0..3 {
                                    pop!().close();
                                }
                                push!(StackRef::borrowed(none()));
                                push!(StackRef::owned(value));
                                next!(0);
                            }
                            None => {
                                let error = pop!().into_ref();
                                break 'run ops::reraise(error, core::ptr::null_mut());
                            }
                        }
                    }

                    // ---- exceptions -------------------------------------------------------
                    op::RAISE_VARARGS => {
                        save!();
                        let cause = if oparg == 2 { Some(pop!().into_ref()) } else { None };
                        let value = if oparg >= 1 { Some(pop!().into_ref()) } else { None };
                        match ops::raise(value, cause) {
                            Ok(again) => break 'run Exit::Again(again, core::ptr::null_mut()),
                            Err(error) => raise!(error),
                        }
                    }
                    op::RERAISE => {
                        let error = pop!().into_ref();
                        let mut raised_at = core::ptr::null_mut();
                        if oparg > 0 {
                            // The offset of the instruction that raised first stands below. The frame
                            // is to stand there, but the handler is looked for from here.
                            let lasti = peek!(oparg);
                            if lasti.is_int() {
                                let code = Frame::code(frame);
                                raised_at = code.instructions().add(lasti.int_value() as usize);
                            }
                        }
                        break 'run ops::reraise(error, raised_at);
                    }
                    op::PUSH_EXC_INFO => {
                        let new = pop!().into_ref();
                        let info = (*thread).base.exc_info;
                        let old = (*info).exc_value;
                        push!(if old.is_null() {
                            StackRef::borrowed(none())
                        } else {
                            StackRef::from_ptr(old)
                        });
                        (*info).exc_value = new.new_ref().into_ptr();
                        push!(StackRef::owned(new));
                        next!(0);
                    }
                    op::POP_EXCEPT => {
                        let old = pop!();
                        let info = (*thread).base.exc_info;
                        let value = if old.ptr() == none().as_ptr() {
                            core::ptr::null_mut()
                        } else {
                            old.into_ref().into_ptr()
                        };
                        let handled = core::mem::replace(&mut (*info).exc_value, value);
                        save!();
                        refcount::xdecref(handled);
                        next!(0);
                    }
                    op::CHECK_EXC_MATCH => {
                        save!();
                        let matches = check!(ops::exception_matches(&peek!(2).look(), &peek!(1).look()));
                        pop!().close();
                        push!(StackRef::borrowed(bool_object(matches)));
                        next!(0);
                    }
                    op::CHECK_EG_MATCH => {
                        save!();
                        let (value, kind) = (peek!(2), peek!(1));
                        let (rest, matched) = check!(ops::exception_group_match(&value.look(), &kind.look()));
                        sp = sp.sub(2);
                        push!(StackRef::owned(rest));
                        push!(StackRef::owned(matched));
                        value.close();
                        kind.close();
                        next!(0);
                    }
                    op::WITH_EXCEPT_START => {
                        save!();
                        let result = check!(ops::with_except_start(peek!(5), peek!(4), &peek!(1).look()));
                        push!(StackRef::owned(result));
                        next!(0);
                    }

                    // ---- imports ----------------------------------------------------------
                    op::IMPORT_NAME => {
                        save!();
                        let (level, from) = (peek!(2), peek!(1));
                        let module = check!(ops::import_name(frame, oparg, &level.look(), &from.look()));
                        sp = sp.sub(2);
                        push!(StackRef::owned(module));
                        level.close();
                        from.close();
                        next!(0);
                    }
                    op::IMPORT_FROM => {
                        save!();
                        let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                        let value = check!(ops::import_from(&peek!(1).look(), name));
                        push!(StackRef::owned(value));
                        next!(0);
                    }

                    // ---- pattern matching -------------------------------------------------
                    op::MATCH_MAPPING => {
                        let is = peek!(1).ty().has_flag(Py_TPFLAGS_MAPPING);
                        push!(StackRef::borrowed(bool_object(is)));
                        next!(0);
                    }
                    op::MATCH_SEQUENCE => {
                        let is = peek!(1).ty().has_flag(Py_TPFLAGS_SEQUENCE);
                        push!(StackRef::borrowed(bool_object(is)));
                        next!(0);
                    }
                    op::MATCH_KEYS => {
                        save!();
                        let values = check!(ops::match_keys(&peek!(2).look(), &peek!(1).look()));
                        push!(StackRef::owned(values));
                        next!(0);
                    }
                    op::MATCH_CLASS => {
                        save!();
                        let (subject, class, names) = (peek!(3), peek!(2), peek!(1));
                        let result =
                            check!(ops::match_class(&subject.look(), &class.look(), &names.look(), oparg));
                        sp = sp.sub(3);
                        push!(StackRef::owned(result));
                        subject.close();
                        class.close();
                        names.close();
                        next!(0);
                    }
                    // The last number is named so that the cases span all bytes: no range check.
                    op::EXIT_INIT_CHECK | op::INTERPRETER_EXIT | op::CACHE | op::RESERVED | 255 => {
                        save!();
                        raise!(taipan_object::err::system_error("this instruction cannot be run"));
                    }
                    _ => {
                        save!();
                        raise!(ops::unknown_opcode(opcode));
                    }
                }
            };

            // An exception: find a handler here or in the callers. What the instruction has popped it has
            // used up, so the frame's stack ends where `sp` stands now.
            (*frame).instr_ptr = ip;
            (*frame).stackpointer = sp;
            let (mut error, mut add, mut raised_at) = match exit {
                Exit::Raise(error, add) => (error, add, core::ptr::null_mut()),
                Exit::Again(error, raised_at) => (error, false, raised_at),
            };
            loop {
                if add {
                    crate::traceback::add_here(&error, frame);
                }
                match unwind::find_handler(frame, error) {
                    Unwound::Handler => {
                        load_frame!(frame);
                        break;
                    }
                    Unwound::None(again) => {
                        error = again;
                        if !raised_at.is_null() {
                            (*frame).instr_ptr = core::mem::replace(&mut raised_at, core::ptr::null_mut());
                        }
                        let (flags, previous) = ((*frame).flags, (*frame).previous);
                        frame::leave_recursion(thread);
                        (*thread).base.current_frame = previous.cast();
                        unwind::finish_frame(thread, frame);
                        if flags & ENTRY != 0 {
                            return Err(error);
                        }
                        frame = previous;
                        add = true;
                    }
                }
            }
        }
    }
}

/// The operators of `BINARY_OP` below the in-place ones.
pub(crate) fn operator(oparg: usize) -> (Option<BinaryOp>, bool) {
    if oparg < 13 {
        (BinaryOp::from_raw(oparg as u8), false)
    } else {
        (BinaryOp::from_raw((oparg - 13) as u8), true)
    }
}

/// The comparison of `COMPARE_OP`'s argument.
pub(crate) fn comparison(oparg: usize) -> Option<CompareOp> {
    CompareOp::from_raw((oparg >> 5) as i32)
}

/// Whether a float is exact.
pub(crate) fn exact_float(word: StackRef) -> Option<f64> {
    if word.is_exact(&PyFloat_Type) {
        // SAFETY: an exact float.
        return Some(unsafe { word.object().cast::<Float>() }.value());
    }
    None
}
