//! The loop: one `match` over the opcodes of CPython 3.14.
//!
//! Each arm does the common case in sight and leaves everything else to a function of [`crate::ops`]
//! with a telling name. A call of a Python function pushes a frame and goes on in this same loop;
//! only native code that calls back enters it anew.
//!
//! Invariants: `frame` is the thread's current frame; before anything that can look at frames or run
//! Python code, `save!` stores the instruction and stack pointers in it; a raised exception leaves
//! the inner loop with its words still on the stack, and the outer one unwinds.

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
use taipan_object::{Object, PyErr, PyResult, callable, refcount};

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
}

#[inline(never)]
unsafe fn run(thread: *mut ThreadState, first: *mut Frame) -> PyResult {
    // SAFETY: see the module's invariants; each arm pops what its opcode's effect says.
    unsafe {
        let mut frame = first;
        let mut ip: *mut u16 = (*frame).instr_ptr;
        let mut sp: *mut StackRef = (*frame).stackpointer;
        let mut locals: *mut StackRef = Frame::locals(frame);
        let mut consts: *const *mut PyObject = Frame::code(frame).consts().items_ptr();

        macro_rules! load_frame {
            ($new:expr) => {{
                frame = $new;
                (*thread).base.current_frame = frame.cast();
                ip = (*frame).instr_ptr;
                sp = (*frame).stackpointer;
                locals = Frame::locals(frame);
                consts = Frame::code(frame).consts().items_ptr();
            }};
        }

        // The instruction being run.
        let mut this: *mut u16;
        // Where the exception that is raised again came from; null otherwise.
        let mut raised_at: *mut u16 = core::ptr::null_mut();

        loop {
            let exit: Exit = 'run: loop {
                this = ip;
                let word = *ip;
                let mut opcode = word as u8;
                let mut oparg = usize::from(word >> 8);
                ip = ip.add(1);

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
                        (*frame).instr_ptr = this;
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
                /// Skips the inline cache of the instruction.
                macro_rules! skip {
                    ($n:expr) => {
                        ip = ip.add($n)
                    };
                }
                macro_rules! next {
                    () => {
                        continue 'run
                    };
                }
                /// Enters a new frame; the call returns behind `units` code units from here.
                macro_rules! enter {
                    ($new:expr) => {{
                        (*frame).instr_ptr = this;
                        (*frame).stackpointer = sp;
                        (*frame).return_offset = ip.offset_from(this) as u16;
                        let new: *mut Frame = $new;
                        if let Err(error) = frame::enter_recursion(thread) {
                            frame::leave_recursion(thread);
                            unwind::leave_frame(thread, new);
                            raise!(error);
                        }
                        load_frame!(new);
                        next!();
                    }};
                }
                /// Pops a word and gives its truth.
                macro_rules! bool_word {
                    ($word:expr) => {{
                        let word: StackRef = $word;
                        word.ptr() == bool_object(true).as_ptr()
                    }};
                }

                'again: loop {
                    match opcode {
                        op::NOP | op::NOT_TAKEN => next!(),
                        op::RESUME | op::RESUME_CHECK => {
                            if (*thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0
                                && oparg & 3 < 2
                            {
                                save!();
                                check!(ops::handle_breaker(thread));
                            }
                            next!();
                        }
                        op::EXTENDED_ARG => {
                            let word = *ip;
                            opcode = word as u8;
                            oparg = oparg << 8 | usize::from(word >> 8);
                            this = ip;
                            ip = ip.add(1);
                            continue 'again;
                        }

                        // ---- loads and stores of locals and constants -------------------------
                        op::LOAD_FAST => {
                            push!((*locals.add(oparg)).dup());
                            next!();
                        }
                        op::LOAD_FAST_BORROW => {
                            push!((*locals.add(oparg)).borrow());
                            next!();
                        }
                        op::LOAD_FAST_BORROW_LOAD_FAST_BORROW => {
                            push!((*locals.add(oparg >> 4)).borrow());
                            push!((*locals.add(oparg & 15)).borrow());
                            next!();
                        }
                        op::LOAD_FAST_LOAD_FAST => {
                            push!((*locals.add(oparg >> 4)).dup());
                            push!((*locals.add(oparg & 15)).dup());
                            next!();
                        }
                        op::LOAD_FAST_CHECK => {
                            let value = *locals.add(oparg);
                            if value.is_null() {
                                save!();
                                raise!(ops::unbound_local(frame, oparg));
                            }
                            push!(value.dup());
                            next!();
                        }
                        op::LOAD_FAST_AND_CLEAR => {
                            push!(locals.add(oparg).replace(StackRef::NULL));
                            next!();
                        }
                        op::LOAD_CONST | op::LOAD_CONST_IMMORTAL | op::LOAD_CONST_MORTAL => {
                            push!(StackRef::borrowed(Object::borrow(*consts.add(oparg))));
                            next!();
                        }
                        op::LOAD_SMALL_INT => {
                            push!(StackRef::int(oparg as i64));
                            next!();
                        }
                        op::STORE_FAST => {
                            let value = pop!().heap_safe();
                            let old = locals.add(oparg).replace(value);
                            if old.is_owned() {
                                save!();
                                old.close();
                            }
                            next!();
                        }
                        op::STORE_FAST_LOAD_FAST => {
                            let value = pop!().heap_safe();
                            let old = locals.add(oparg >> 4).replace(value);
                            save!();
                            old.close();
                            push!((*locals.add(oparg & 15)).dup());
                            next!();
                        }
                        op::STORE_FAST_STORE_FAST => {
                            let first = pop!().heap_safe();
                            let second = pop!().heap_safe();
                            save!();
                            locals.add(oparg >> 4).replace(first).close();
                            locals.add(oparg & 15).replace(second).close();
                            next!();
                        }
                        op::DELETE_FAST => {
                            let old = locals.add(oparg).replace(StackRef::NULL);
                            save!();
                            if old.is_null() {
                                raise!(ops::unbound_local(frame, oparg));
                            }
                            old.close();
                            next!();
                        }

                        // ---- the operand stack ------------------------------------------------
                        op::POP_TOP | op::POP_ITER | op::END_FOR => {
                            let value = pop!();
                            if value.is_owned() {
                                save!();
                                value.close();
                            }
                            next!();
                        }
                        op::PUSH_NULL => {
                            push!(StackRef::NULL);
                            next!();
                        }
                        op::COPY => {
                            push!(peek!(oparg).dup());
                            next!();
                        }
                        op::SWAP => {
                            core::ptr::swap(sp.sub(1), sp.sub(oparg));
                            next!();
                        }
                        op::END_SEND => {
                            let value = pop!();
                            let receiver = pop!();
                            push!(value);
                            save!();
                            receiver.close();
                            next!();
                        }

                        // ---- jumps ------------------------------------------------------------
                        op::JUMP_FORWARD => {
                            ip = ip.add(oparg);
                            next!();
                        }
                        op::JUMP_BACKWARD | op::JUMP_BACKWARD_NO_JIT | op::JUMP_BACKWARD_JIT => {
                            skip!(1);
                            ip = ip.sub(oparg);
                            if (*thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 {
                                save!();
                                check!(ops::handle_breaker(thread));
                            }
                            next!();
                        }
                        op::JUMP_BACKWARD_NO_INTERRUPT => {
                            ip = ip.sub(oparg);
                            next!();
                        }
                        op::POP_JUMP_IF_FALSE => {
                            skip!(1);
                            if !bool_word!(pop!()) {
                                ip = ip.add(oparg);
                            }
                            next!();
                        }
                        op::POP_JUMP_IF_TRUE => {
                            skip!(1);
                            if bool_word!(pop!()) {
                                ip = ip.add(oparg);
                            }
                            next!();
                        }
                        op::POP_JUMP_IF_NONE => {
                            skip!(1);
                            let value = pop!();
                            if !value.is_int() && value.ptr() == none().as_ptr() {
                                ip = ip.add(oparg);
                            } else {
                                save!();
                                value.close();
                            }
                            next!();
                        }
                        op::POP_JUMP_IF_NOT_NONE => {
                            skip!(1);
                            let value = pop!();
                            if value.is_int() || value.ptr() != none().as_ptr() {
                                ip = ip.add(oparg);
                                save!();
                                value.close();
                            }
                            next!();
                        }

                        // ---- truth ------------------------------------------------------------
                        op::TO_BOOL
                        | op::TO_BOOL_BOOL
                        | op::TO_BOOL_INT
                        | op::TO_BOOL_LIST
                        | op::TO_BOOL_NONE
                        | op::TO_BOOL_STR
                        | op::TO_BOOL_ALWAYS_TRUE => {
                            skip!(3);
                            let value = peek!(1);
                            let truth = if value.is_int() {
                                value.int_value() != 0
                            } else {
                                let ptr = value.ptr();
                                if ptr == bool_object(true).as_ptr() || ptr == bool_object(false).as_ptr() {
                                    next!();
                                }
                                save!();
                                check!(value.object().is_true())
                            };
                            sp = sp.sub(1);
                            save!();
                            value.close();
                            push!(StackRef::borrowed(bool_object(truth)));
                            next!();
                        }
                        op::UNARY_NOT => {
                            let value = pop!();
                            push!(StackRef::borrowed(bool_object(
                                value.ptr() == bool_object(false).as_ptr()
                            )));
                            next!();
                        }

                        // ---- arithmetic -------------------------------------------------------
                        op::BINARY_OP
                        | op::BINARY_OP_ADD_INT
                        | op::BINARY_OP_SUBTRACT_INT
                        | op::BINARY_OP_MULTIPLY_INT
                        | op::BINARY_OP_ADD_FLOAT
                        | op::BINARY_OP_SUBTRACT_FLOAT
                        | op::BINARY_OP_MULTIPLY_FLOAT
                        | op::BINARY_OP_ADD_UNICODE
                        | op::BINARY_OP_EXTEND
                        | op::BINARY_OP_SUBSCR_LIST_INT
                        | op::BINARY_OP_SUBSCR_TUPLE_INT
                        | op::BINARY_OP_SUBSCR_STR_INT
                        | op::BINARY_OP_SUBSCR_DICT
                        | op::BINARY_OP_SUBSCR_GETITEM
                        | op::BINARY_OP_SUBSCR_LIST_SLICE
                        | op::BINARY_OP_INPLACE_ADD_UNICODE => {
                            skip!(5);
                            let (left, right) = (peek!(2), peek!(1));
                            if let Some(result) = sp::quick_binary(left, right, oparg) {
                                sp = sp.sub(2);
                                push!(result);
                                left.close();
                                right.close();
                                next!();
                            }
                            save!();
                            if oparg == 26
                                && let Some(function) = sp::python_getitem(left)
                            {
                                let args = sp.sub(2);
                                sp = args;
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
                                enter!(new);
                            }
                            if oparg == 13 && sp::append_in_place(left, right, locals, *ip) {
                                sp = sp.sub(2);
                                right.close();
                                // The local holds the longer string already: its STORE_FAST is done.
                                skip!(1);
                                next!();
                            }
                            let result = check!(ops::binary_op(left, right, oparg));
                            sp = sp.sub(2);
                            push!(result);
                            left.close();
                            right.close();
                            next!();
                        }
                        op::UNARY_NEGATIVE => {
                            let value = peek!(1);
                            if value.is_int() {
                                peek!(1) = StackRef::from_i64(-value.int_value());
                                next!();
                            }
                            save!();
                            let result = check!(protocol::unary(value.object(), Py_nb_negative));
                            peek!(1) = StackRef::owned(result);
                            value.close();
                            next!();
                        }
                        op::UNARY_INVERT => {
                            let value = peek!(1);
                            if value.is_int() {
                                peek!(1) = StackRef::from_i64(!value.int_value());
                                next!();
                            }
                            save!();
                            let result = check!(protocol::unary(value.object(), Py_nb_invert));
                            peek!(1) = StackRef::owned(result);
                            value.close();
                            next!();
                        }
                        op::COMPARE_OP | op::COMPARE_OP_INT | op::COMPARE_OP_FLOAT | op::COMPARE_OP_STR => {
                            skip!(1);
                            let (left, right) = (peek!(2), peek!(1));
                            if let Some(result) = sp::quick_compare(left, right, oparg) {
                                sp = sp.sub(2);
                                push!(StackRef::borrowed(bool_object(result)));
                                left.close();
                                right.close();
                                next!();
                            }
                            save!();
                            let result = check!(ops::compare_op(left, right, oparg));
                            sp = sp.sub(2);
                            push!(StackRef::owned(result));
                            left.close();
                            right.close();
                            next!();
                        }
                        op::IS_OP => {
                            let (right, left) = (pop!(), pop!());
                            let same = left.is(right) != (oparg == 1);
                            push!(StackRef::borrowed(bool_object(same)));
                            save!();
                            left.close();
                            right.close();
                            next!();
                        }
                        op::CONTAINS_OP | op::CONTAINS_OP_DICT | op::CONTAINS_OP_SET => {
                            skip!(1);
                            save!();
                            let (item, container) = (peek!(2), peek!(1));
                            let found = check!(protocol::contains(&container.look(), &item.look()));
                            sp = sp.sub(2);
                            push!(StackRef::borrowed(bool_object(found != (oparg == 1))));
                            save!();
                            item.close();
                            container.close();
                            next!();
                        }

                        // ---- subscriptions ----------------------------------------------------
                        op::STORE_SUBSCR | op::STORE_SUBSCR_LIST_INT | op::STORE_SUBSCR_DICT => {
                            skip!(1);
                            let (value, container, key) = (peek!(3), peek!(2), peek!(1));
                            if container.is_exact(&PyList_Type) && key.is_int() {
                                let list: &List = container.object().cast();
                                let index = key.int_value();
                                if index >= 0 && (index as usize) < list.len() {
                                    sp = sp.sub(3);
                                    let place = list.items_ptr().add(index as usize);
                                    let old = place.replace(value.into_ref().into_ptr());
                                    save!();
                                    refcount::decref(old);
                                    container.close();
                                    next!();
                                }
                            }
                            save!();
                            check!(protocol::set_item(&container.look(), &key.look(), &value.look()));
                            sp = sp.sub(3);
                            save!();
                            value.close();
                            container.close();
                            key.close();
                            next!();
                        }
                        op::DELETE_SUBSCR => {
                            save!();
                            let (container, key) = (peek!(2), peek!(1));
                            check!(protocol::delete_item(&container.look(), &key.look()));
                            sp = sp.sub(2);
                            save!();
                            container.close();
                            key.close();
                            next!();
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
                            next!();
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
                            next!();
                        }

                        // ---- globals and names ------------------------------------------------
                        op::LOAD_GLOBAL | op::LOAD_GLOBAL_MODULE | op::LOAD_GLOBAL_BUILTIN => {
                            let value = match sp::cached_global(frame, ip, opcode) {
                                Some(value) => value.new_ref(),
                                None => {
                                    save!();
                                    check!(sp::load_global(frame, this, oparg >> 1))
                                }
                            };
                            skip!(4);
                            push!(StackRef::owned(value));
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            next!();
                        }
                        op::LOAD_NAME => {
                            save!();
                            let value = check!(ops::load_name(frame, oparg));
                            push!(StackRef::owned(value));
                            next!();
                        }
                        op::LOAD_FROM_DICT_OR_GLOBALS => {
                            save!();
                            let mapping = peek!(1);
                            let value = check!(ops::load_from_dict_or_globals(frame, &mapping.look(), oparg));
                            peek!(1) = StackRef::owned(value);
                            mapping.close();
                            next!();
                        }
                        op::STORE_NAME => {
                            save!();
                            let value = peek!(1);
                            check!(ops::store_name(frame, oparg, Some(&value.look())));
                            sp = sp.sub(1);
                            value.close();
                            next!();
                        }
                        op::DELETE_NAME => {
                            save!();
                            check!(ops::store_name(frame, oparg, None));
                            next!();
                        }
                        op::STORE_GLOBAL => {
                            save!();
                            let value = peek!(1);
                            let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                            check!(Frame::globals(frame).set_str(name, &value.look()));
                            sp = sp.sub(1);
                            value.close();
                            next!();
                        }
                        op::DELETE_GLOBAL => {
                            save!();
                            check!(ops::delete_global(frame, oparg));
                            next!();
                        }
                        op::LOAD_LOCALS => {
                            save!();
                            let found = check!(ops::load_locals(frame));
                            push!(StackRef::owned(found));
                            next!();
                        }
                        op::LOAD_BUILD_CLASS => {
                            save!();
                            let found = check!(ops::load_build_class(frame));
                            push!(StackRef::owned(found));
                            next!();
                        }
                        op::LOAD_COMMON_CONSTANT => {
                            push!(StackRef::owned(check!(ops::common_constant(oparg))));
                            next!();
                        }

                        // ---- cells ------------------------------------------------------------
                        op::MAKE_CELL => {
                            save!();
                            let initial = locals.add(oparg).replace(StackRef::NULL);
                            let cell = check!(ops::new_cell(initial.into_ref_opt()));
                            locals.add(oparg).write(StackRef::owned(cell));
                            next!();
                        }
                        op::COPY_FREE_VARS => {
                            let function: &Function = (*frame).f_funcobj.object().cast();
                            if let Some(closure) = function.closure() {
                                let start = Frame::code(frame).nlocalsplus() - oparg;
                                for (index, cell) in closure.items().iter().enumerate().take(oparg) {
                                    locals.add(start + index).write(StackRef::owned(cell.new_ref()));
                                }
                            }
                            next!();
                        }
                        op::LOAD_DEREF => {
                            let cell = (*locals.add(oparg)).ptr().cast::<PyCellObject>();
                            match Object::borrow_opt((*cell).ob_ref) {
                                Some(value) => push!(StackRef::owned(value.new_ref())),
                                None => {
                                    save!();
                                    raise!(ops::unbound_deref(frame, oparg));
                                }
                            }
                            next!();
                        }
                        op::STORE_DEREF => {
                            let value = pop!().into_ref();
                            save!();
                            let cell = (*locals.add(oparg)).ptr().cast::<PyCellObject>();
                            taipan_object::handle::set_field(&raw mut (*cell).ob_ref, Some(value));
                            next!();
                        }
                        op::DELETE_DEREF => {
                            save!();
                            let cell = (*locals.add(oparg)).ptr().cast::<PyCellObject>();
                            if (*cell).ob_ref.is_null() {
                                raise!(ops::unbound_deref(frame, oparg));
                            }
                            taipan_object::handle::clear_field(&raw mut (*cell).ob_ref);
                            next!();
                        }
                        op::LOAD_FROM_DICT_OR_DEREF => {
                            save!();
                            let mapping = peek!(1);
                            let value = check!(ops::load_from_dict_or_deref(frame, &mapping.look(), oparg));
                            peek!(1) = StackRef::owned(value);
                            mapping.close();
                            next!();
                        }

                        // ---- attributes -------------------------------------------------------
                        op::LOAD_ATTR
                        | op::LOAD_ATTR_INSTANCE_VALUE
                        | op::LOAD_ATTR_METHOD_WITH_VALUES
                        | op::LOAD_ATTR_METHOD_NO_DICT
                        | op::LOAD_ATTR_SLOT
                        | op::LOAD_ATTR_CLASS
                        | op::LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES
                        | op::LOAD_ATTR_MODULE
                        | op::LOAD_ATTR_WITH_HINT
                        | op::LOAD_ATTR_PROPERTY
                        | op::LOAD_ATTR_CLASS_WITH_METACLASS_CHECK
                        | op::LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN
                        | op::LOAD_ATTR_METHOD_LAZY_DICT
                        | op::LOAD_ATTR_NONDESCRIPTOR_NO_DICT => {
                            let owner = peek!(1);
                            if let Some((value, bound)) = sp::cached_attr(owner, ip, opcode) {
                                skip!(9);
                                if bound {
                                    // A method: the function below, the instance as its first argument.
                                    peek!(1) = value;
                                    push!(owner);
                                } else {
                                    peek!(1) = value;
                                    if oparg & 1 != 0 {
                                        push!(StackRef::NULL);
                                    }
                                    if owner.is_owned() {
                                        save!();
                                        owner.close();
                                    }
                                }
                                next!();
                            }
                            save!();
                            let name: &Str = Frame::code(frame).names().items()[oparg >> 1].cast();
                            let look = owner.look();
                            let (value, bound) = check!(sp::load_attr(&look, name, oparg & 1 != 0, this));
                            drop(look);
                            skip!(9);
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
                            next!();
                        }
                        op::STORE_ATTR
                        | op::STORE_ATTR_INSTANCE_VALUE
                        | op::STORE_ATTR_SLOT
                        | op::STORE_ATTR_WITH_HINT => {
                            let (value, owner) = (peek!(2), peek!(1));
                            if sp::cached_store_attr(owner, value, ip, opcode) {
                                skip!(4);
                                sp = sp.sub(2);
                                if owner.is_owned() {
                                    save!();
                                    owner.close();
                                }
                                next!();
                            }
                            save!();
                            let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                            let look = owner.look();
                            check!(look.setattr(name, Some(&value.look())));
                            sp::specialize_store_attr(&look, name, this);
                            drop(look);
                            skip!(4);
                            sp = sp.sub(2);
                            save!();
                            value.close();
                            owner.close();
                            next!();
                        }
                        op::DELETE_ATTR => {
                            save!();
                            let owner = peek!(1);
                            let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                            check!(owner.look().setattr(name, None));
                            sp = sp.sub(1);
                            owner.close();
                            next!();
                        }
                        op::LOAD_SUPER_ATTR | op::LOAD_SUPER_ATTR_ATTR | op::LOAD_SUPER_ATTR_METHOD => {
                            skip!(1);
                            save!();
                            let (super_type, class, object) = (peek!(3), peek!(2), peek!(1));
                            let value = check!(ops::load_super_attr(frame, super_type, class, object, oparg));
                            sp = sp.sub(3);
                            push!(StackRef::owned(value));
                            if oparg & 1 != 0 {
                                push!(StackRef::NULL);
                            }
                            save!();
                            super_type.close();
                            class.close();
                            object.close();
                            next!();
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
                            next!();
                        }

                        // ---- building ---------------------------------------------------------
                        op::BUILD_TUPLE => {
                            let tuple = check!(ops::build_tuple(sp.sub(oparg), oparg));
                            sp = sp.sub(oparg);
                            push!(StackRef::owned(tuple));
                            next!();
                        }
                        op::BUILD_LIST => {
                            let list = check!(ops::build_list(sp.sub(oparg), oparg));
                            sp = sp.sub(oparg);
                            push!(StackRef::owned(list));
                            next!();
                        }
                        op::BUILD_MAP => {
                            save!();
                            let dict = check!(ops::build_map(sp.sub(2 * oparg), oparg));
                            for _ in 0..2 * oparg {
                                pop!().close();
                            }
                            push!(StackRef::owned(dict));
                            next!();
                        }
                        op::BUILD_SET => {
                            save!();
                            let set = check!(ops::build_set(sp.sub(oparg), oparg));
                            for _ in 0..oparg {
                                pop!().close();
                            }
                            push!(StackRef::owned(set));
                            next!();
                        }
                        op::BUILD_STRING => {
                            save!();
                            let text = check!(ops::build_string(sp.sub(oparg), oparg));
                            for _ in 0..oparg {
                                pop!().close();
                            }
                            push!(StackRef::owned(text));
                            next!();
                        }
                        op::BUILD_SLICE => {
                            save!();
                            let slice = check!(ops::build_slice(sp.sub(oparg), oparg));
                            for _ in 0..oparg {
                                pop!().close();
                            }
                            push!(StackRef::owned(slice));
                            next!();
                        }
                        op::BUILD_TEMPLATE => {
                            save!();
                            let template = check!(ops::build_template(peek!(2), peek!(1)));
                            pop!().close();
                            pop!().close();
                            push!(StackRef::owned(template));
                            next!();
                        }
                        op::BUILD_INTERPOLATION => {
                            save!();
                            let words = 2 + (oparg & 1);
                            let made = check!(ops::build_interpolation(sp.sub(words), oparg));
                            for _ in 0..words {
                                pop!().close();
                            }
                            push!(StackRef::owned(made));
                            next!();
                        }
                        op::LIST_APPEND => {
                            let value = pop!().into_ref();
                            let list: &List = peek!(oparg).object().cast();
                            check!(list.append(value));
                            next!();
                        }
                        op::SET_ADD => {
                            save!();
                            let value = peek!(1);
                            check!(ops::set_add(peek!(oparg + 1).object(), &value.look()));
                            sp = sp.sub(1);
                            value.close();
                            next!();
                        }
                        op::MAP_ADD => {
                            save!();
                            let (key, value) = (peek!(2), peek!(1));
                            let dict: &Dict = peek!(oparg + 2).object().cast();
                            check!(dict.set(&key.look(), &value.look()));
                            sp = sp.sub(2);
                            key.close();
                            value.close();
                            next!();
                        }
                        op::LIST_EXTEND => {
                            save!();
                            let iterable = peek!(1);
                            check!(ops::list_extend(peek!(oparg + 1).object().cast(), &iterable.look()));
                            sp = sp.sub(1);
                            iterable.close();
                            next!();
                        }
                        op::SET_UPDATE => {
                            save!();
                            let iterable = peek!(1);
                            check!(ops::set_update(peek!(oparg + 1).object(), &iterable.look()));
                            sp = sp.sub(1);
                            iterable.close();
                            next!();
                        }
                        op::DICT_UPDATE => {
                            save!();
                            let other = peek!(1);
                            check!(ops::dict_update(peek!(oparg + 1).object(), &other.look()));
                            sp = sp.sub(1);
                            other.close();
                            next!();
                        }
                        op::DICT_MERGE => {
                            save!();
                            let other = peek!(1);
                            // The function stands below the dict, NULL and the positional arguments.
                            let function = peek!(oparg + 4);
                            check!(ops::dict_merge(
                                peek!(oparg + 1).object(),
                                &other.look(),
                                &function.look()
                            ));
                            sp = sp.sub(1);
                            other.close();
                            next!();
                        }
                        op::SETUP_ANNOTATIONS => {
                            save!();
                            check!(ops::setup_annotations(frame));
                            next!();
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
                            next!();
                        }
                        op::FORMAT_WITH_SPEC => {
                            save!();
                            let (value, spec) = (peek!(2), peek!(1));
                            let text = check!(ops::format_value(&value.look(), Some(&spec.look())));
                            sp = sp.sub(2);
                            push!(StackRef::owned(text));
                            value.close();
                            spec.close();
                            next!();
                        }
                        op::CONVERT_VALUE => {
                            save!();
                            let value = peek!(1);
                            let text = check!(ops::convert_value(&value.look(), oparg));
                            peek!(1) = StackRef::owned(text);
                            value.close();
                            next!();
                        }

                        // ---- unpacking --------------------------------------------------------
                        op::UNPACK_SEQUENCE
                        | op::UNPACK_SEQUENCE_TUPLE
                        | op::UNPACK_SEQUENCE_TWO_TUPLE
                        | op::UNPACK_SEQUENCE_LIST => {
                            skip!(1);
                            let sequence = peek!(1);
                            if sequence.is_exact(&PyTuple_Type) {
                                let tuple: &Tuple = sequence.object().cast();
                                if tuple.len() == oparg {
                                    sp = sp.sub(1);
                                    for item in tuple.items().iter().rev() {
                                        push!(StackRef::owned(item.new_ref()));
                                    }
                                    sequence.close();
                                    next!();
                                }
                            }
                            save!();
                            let items = check!(ops::unpack(&sequence.look(), oparg));
                            sp = sp.sub(1);
                            for item in items.into_iter().rev() {
                                push!(StackRef::owned(item));
                            }
                            sequence.close();
                            next!();
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
                            next!();
                        }

                        // ---- iteration --------------------------------------------------------
                        op::GET_ITER => {
                            save!();
                            let iterable = peek!(1);
                            let iterator = check!(iterable.look().iter());
                            peek!(1) = StackRef::owned(iterator);
                            iterable.close();
                            next!();
                        }
                        op::FOR_ITER
                        | op::FOR_ITER_LIST
                        | op::FOR_ITER_TUPLE
                        | op::FOR_ITER_RANGE
                        | op::FOR_ITER_GEN => {
                            skip!(1);
                            if peek!(1).is_int() {
                                // The compiler takes care of iterators, but a generator's code can be
                                // given to another function.
                                save!();
                                raise!(ops::not_an_iterator(&peek!(1).look()));
                            }
                            let iterator = peek!(1).ptr();
                            let ty = (*iterator).ob_type;
                            let item = if ty == PyRangeIter_Type.raw() {
                                sp::next_of_range(iterator)
                            } else if ty == PyListIter_Type.raw() {
                                sp::next_of_list(iterator)
                            } else if ty == PyTupleIter_Type.raw() {
                                sp::next_of_tuple(iterator)
                            } else if ty == PyGen_Type.raw()
                                && let Some(new) = generator::start_next(thread, iterator, frame)
                            {
                                (*frame).instr_ptr = this;
                                (*frame).stackpointer = sp;
                                // The end of the generator lands on END_FOR, which drops its result.
                                (*frame).return_offset = (ip.offset_from(this) as usize + oparg) as u16;
                                if let Err(error) = frame::enter_recursion(thread) {
                                    frame::leave_recursion(thread);
                                    generator::abort_start(thread, new);
                                    raise!(error);
                                }
                                load_frame!(new);
                                next!();
                            } else {
                                save!();
                                match check!(protocol::iter_next(Object::borrow(iterator))) {
                                    Some(item) => StackRef::owned(item),
                                    None => StackRef::NULL,
                                }
                            };
                            if item.is_null() {
                                // Over END_FOR, to the POP_ITER behind it.
                                ip = ip.add(oparg + 1);
                            } else {
                                push!(item);
                            }
                            next!();
                        }
                        op::GET_LEN => {
                            save!();
                            let length = check!(peek!(1).look().len());
                            push!(StackRef::from_i64(length as i64));
                            next!();
                        }
                        op::GET_YIELD_FROM_ITER => {
                            save!();
                            let iterable = peek!(1);
                            let iterator = check!(ops::yield_from_iter(frame, &iterable.look()));
                            if let Some(iterator) = iterator {
                                peek!(1) = StackRef::owned(iterator);
                                iterable.close();
                            }
                            next!();
                        }

                        // ---- calls ------------------------------------------------------------
                        op::CALL
                        | op::CALL_PY_EXACT_ARGS
                        | op::CALL_PY_GENERAL
                        | op::CALL_BOUND_METHOD_EXACT_ARGS
                        | op::CALL_BOUND_METHOD_GENERAL
                        | op::CALL_BUILTIN_CLASS
                        | op::CALL_BUILTIN_FAST
                        | op::CALL_BUILTIN_FAST_WITH_KEYWORDS
                        | op::CALL_BUILTIN_O
                        | op::CALL_ISINSTANCE
                        | op::CALL_LEN
                        | op::CALL_LIST_APPEND
                        | op::CALL_METHOD_DESCRIPTOR_FAST
                        | op::CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS
                        | op::CALL_METHOD_DESCRIPTOR_NOARGS
                        | op::CALL_METHOD_DESCRIPTOR_O
                        | op::CALL_NON_PY_GENERAL
                        | op::CALL_STR_1
                        | op::CALL_TUPLE_1
                        | op::CALL_TYPE_1
                        | op::CALL_ALLOC_AND_ENTER_INIT => {
                            skip!(3);
                            let mut base = sp.sub(oparg + 2);
                            let mut count = oparg;
                            let mut target = *base;
                            if (*base.add(1)).is_null() {
                                if target.is_exact(&PyMethod_Type) {
                                    // Unpack the bound method: function and instance in its two places.
                                    let method: &callable::Method = target.object().cast();
                                    base.add(1).write(StackRef::owned(method.self_object().new_ref()));
                                    base.write(StackRef::owned(method.function().new_ref()));
                                    target.close();
                                    target = *base;
                                    count += 1;
                                }
                            } else {
                                count += 1;
                            }
                            let args = sp.sub(count);
                            if target.is_exact(&PyFunction_Type) {
                                // The function word goes into the frame; the arguments into its locals.
                                let function = target.heap_safe();
                                sp = base;
                                (*frame).instr_ptr = this;
                                (*frame).stackpointer = sp;
                                let new = check!(crate::call::push_call(
                                    thread, function, args, count, None, frame
                                ));
                                enter!(new);
                            }
                            if target.is_exact(&PyType_Type)
                                && let Some((function, instance)) = check!({
                                    save!();
                                    ops::inlined_init(target, count)
                                })
                            {
                                // `Class(...)` with a Python `__init__`: its frame is entered directly and
                                // the instance takes the place of the result.
                                let mut words: Vec<StackRef> = Vec::with_capacity(count + 1);
                                words.push(StackRef::owned(instance.clone()));
                                for index in 0..count {
                                    words.push(args.add(index).read());
                                }
                                sp = base;
                                target.close();
                                base.write(StackRef::owned(instance));
                                sp = sp.add(1);
                                (*frame).stackpointer = sp;
                                let pushed = crate::call::push_call(
                                    thread,
                                    StackRef::owned(function),
                                    words.as_mut_ptr(),
                                    count + 1,
                                    None,
                                    frame,
                                );
                                let new = check!(pushed);
                                (*new).flags |= INIT;
                                enter!(new);
                            }
                            save!();
                            let result = check!(ops::call_words(target, args, count, None));
                            while sp > base {
                                sp = sp.sub(1);
                                sp.replace(StackRef::NULL).close();
                            }
                            push!(StackRef::owned(result));
                            base = base.add(1);
                            let _ = base;
                            if (*thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 {
                                save!();
                                check!(ops::handle_breaker(thread));
                            }
                            next!();
                        }
                        op::CALL_KW | op::CALL_KW_PY | op::CALL_KW_BOUND_METHOD | op::CALL_KW_NON_PY => {
                            skip!(3);
                            let names_word = pop!();
                            let names: &Tuple = names_word.object().cast();
                            let base = sp.sub(oparg + 2);
                            let mut count = oparg;
                            let mut target = *base;
                            if (*base.add(1)).is_null() {
                                if target.is_exact(&PyMethod_Type) {
                                    let method: &callable::Method = target.object().cast();
                                    base.add(1).write(StackRef::owned(method.self_object().new_ref()));
                                    base.write(StackRef::owned(method.function().new_ref()));
                                    target.close();
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
                                (*frame).instr_ptr = this;
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
                                enter!(new);
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
                            next!();
                        }
                        op::CALL_FUNCTION_EX => {
                            save!();
                            let (target, args, kwargs) = (peek!(4), peek!(2), peek!(1));
                            let result = check!(ops::call_function_ex(&target.look(), &args.look(), kwargs));
                            for _ in 0..4 {
                                pop!().close();
                            }
                            push!(StackRef::owned(result));
                            next!();
                        }
                        op::CALL_INTRINSIC_1 => {
                            save!();
                            let value = peek!(1);
                            let result = check!(ops::intrinsic_1(frame, oparg, &value.look()));
                            peek!(1) = StackRef::owned(result);
                            value.close();
                            next!();
                        }
                        op::CALL_INTRINSIC_2 => {
                            save!();
                            let (first, second) = (peek!(2), peek!(1));
                            let result = check!(ops::intrinsic_2(oparg, &first.look(), &second.look()));
                            sp = sp.sub(2);
                            push!(StackRef::owned(result));
                            first.close();
                            second.close();
                            next!();
                        }
                        op::MAKE_FUNCTION => {
                            save!();
                            let code = pop!();
                            let made =
                                Function::new(code.object().cast::<Code>(), Frame::globals(frame), None);
                            code.close();
                            push!(StackRef::owned(check!(made).upcast()));
                            next!();
                        }
                        op::SET_FUNCTION_ATTRIBUTE => {
                            let function = pop!();
                            let value = pop!().into_ref();
                            ops::set_function_attribute(function.object().cast(), oparg, value);
                            push!(function);
                            next!();
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
                            locals = Frame::locals(frame);
                            consts = Frame::code(frame).consts().items_ptr();
                            if flags & INIT != 0 {
                                // The instance is on the stack already.
                                value = StackRef::NULL;
                                let _ = value;
                                next!();
                            }
                            push!(value);
                            next!();
                        }
                        op::RETURN_GENERATOR => {
                            save!();
                            let made = check!(generator::from_frame(frame, ip));
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
                            locals = Frame::locals(frame);
                            consts = Frame::code(frame).consts().items_ptr();
                            push!(StackRef::owned(made));
                            next!();
                        }
                        op::YIELD_VALUE => {
                            let value = pop!().heap_safe();
                            // Execution goes on behind this instruction.
                            (*frame).instr_ptr = ip;
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
                            locals = Frame::locals(frame);
                            consts = Frame::code(frame).consts().items_ptr();
                            push!(value);
                            next!();
                        }
                        op::SEND | op::SEND_GEN => {
                            skip!(1);
                            let (receiver, value) = (peek!(2), peek!(1));
                            if let Some(new) = generator::start_send(thread, receiver, value, frame) {
                                sp = sp.sub(1);
                                (*frame).instr_ptr = this;
                                (*frame).stackpointer = sp;
                                (*frame).return_offset = (ip.offset_from(this) as usize + oparg) as u16;
                                if let Err(error) = frame::enter_recursion(thread) {
                                    frame::leave_recursion(thread);
                                    generator::abort_start(thread, new);
                                    raise!(error);
                                }
                                load_frame!(new);
                                next!();
                            }
                            save!();
                            let (result, finished) =
                                check!(generator::send_any(receiver.object(), &value.look()));
                            if finished {
                                ip = ip.add(oparg);
                            }
                            peek!(1) = StackRef::owned(result);
                            value.close();
                            next!();
                        }
                        op::GET_AWAITABLE => {
                            save!();
                            let value = peek!(1);
                            let iterator = check!(ops::get_awaitable(&value.look(), oparg));
                            peek!(1) = StackRef::owned(iterator);
                            value.close();
                            next!();
                        }
                        op::GET_AITER => {
                            save!();
                            let value = peek!(1);
                            let iterator = check!(ops::get_aiter(&value.look()));
                            peek!(1) = StackRef::owned(iterator);
                            value.close();
                            next!();
                        }
                        op::GET_ANEXT => {
                            save!();
                            let awaitable = check!(ops::get_anext(&peek!(1).look()));
                            push!(StackRef::owned(awaitable));
                            next!();
                        }
                        op::END_ASYNC_FOR => {
                            save!();
                            let error = peek!(1);
                            if error.look().ty().is_subtype(&PyExc_StopAsyncIteration) {
                                let (error, iterator) = (pop!(), pop!());
                                error.close();
                                iterator.close();
                                next!();
                            }
                            let error = pop!().into_ref();
                            break 'run ops::reraise(error, false);
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
                                    next!();
                                }
                                None => {
                                    let error = pop!().into_ref();
                                    break 'run ops::reraise(error, false);
                                }
                            }
                        }

                        // ---- exceptions -------------------------------------------------------
                        op::RAISE_VARARGS => {
                            save!();
                            let cause = if oparg == 2 { Some(pop!().into_ref()) } else { None };
                            let value = if oparg >= 1 { Some(pop!().into_ref()) } else { None };
                            match ops::raise(value, cause) {
                                Ok(again) => break 'run Exit::Raise(again, false),
                                Err(error) => raise!(error),
                            }
                        }
                        op::RERAISE => {
                            let error = pop!().into_ref();
                            if oparg > 0 {
                                // The offset of the instruction that raised first stands below. The frame
                                // is to stand there, but the handler is looked for from here.
                                let lasti = peek!(oparg);
                                if lasti.is_int() {
                                    let code = Frame::code(frame);
                                    raised_at = code.instructions().add(lasti.int_value() as usize);
                                }
                            }
                            break 'run ops::reraise(error, false);
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
                            next!();
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
                            next!();
                        }
                        op::CHECK_EXC_MATCH => {
                            save!();
                            let matches = check!(ops::exception_matches(&peek!(2).look(), &peek!(1).look()));
                            pop!().close();
                            push!(StackRef::borrowed(bool_object(matches)));
                            next!();
                        }
                        op::CHECK_EG_MATCH => {
                            save!();
                            let (value, kind) = (peek!(2), peek!(1));
                            let (rest, matched) =
                                check!(ops::exception_group_match(&value.look(), &kind.look()));
                            sp = sp.sub(2);
                            push!(StackRef::owned(rest));
                            push!(StackRef::owned(matched));
                            value.close();
                            kind.close();
                            next!();
                        }
                        op::WITH_EXCEPT_START => {
                            save!();
                            let result = check!(ops::with_except_start(peek!(5), peek!(4), &peek!(1).look()));
                            push!(StackRef::owned(result));
                            next!();
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
                            next!();
                        }
                        op::IMPORT_FROM => {
                            save!();
                            let name: &Str = Frame::code(frame).names().items()[oparg].cast();
                            let value = check!(ops::import_from(&peek!(1).look(), name));
                            push!(StackRef::owned(value));
                            next!();
                        }

                        // ---- pattern matching -------------------------------------------------
                        op::MATCH_MAPPING => {
                            let is = peek!(1).ty().has_flag(Py_TPFLAGS_MAPPING);
                            push!(StackRef::borrowed(bool_object(is)));
                            next!();
                        }
                        op::MATCH_SEQUENCE => {
                            let is = peek!(1).ty().has_flag(Py_TPFLAGS_SEQUENCE);
                            push!(StackRef::borrowed(bool_object(is)));
                            next!();
                        }
                        op::MATCH_KEYS => {
                            save!();
                            let values = check!(ops::match_keys(&peek!(2).look(), &peek!(1).look()));
                            push!(StackRef::owned(values));
                            next!();
                        }
                        op::MATCH_CLASS => {
                            save!();
                            let (subject, class, names) = (peek!(3), peek!(2), peek!(1));
                            let result = check!(ops::match_class(
                                &subject.look(),
                                &class.look(),
                                &names.look(),
                                oparg
                            ));
                            sp = sp.sub(3);
                            push!(StackRef::owned(result));
                            subject.close();
                            class.close();
                            names.close();
                            next!();
                        }
                        op::EXIT_INIT_CHECK | op::INTERPRETER_EXIT | op::CACHE | op::RESERVED => {
                            save!();
                            raise!(taipan_object::err::system_error("this instruction cannot be run"));
                        }
                        _ => {
                            save!();
                            raise!(ops::unknown_opcode(opcode));
                        }
                    }
                }
            };

            // An exception: find a handler here or in the callers. What the instruction has popped it has
            // used up, so the frame's stack ends where `sp` stands now.
            (*frame).instr_ptr = this;
            (*frame).stackpointer = sp;
            let Exit::Raise(mut error, mut add) = exit;
            loop {
                if add {
                    crate::traceback::add_here(&error, frame);
                }
                match unwind::find_handler(frame, error) {
                    Unwound::Handler => {
                        raised_at = core::ptr::null_mut();
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
