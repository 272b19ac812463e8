//! The instructions: one function for each, which does its work and says where to go on.
//!
//! Problem: in one large `match`, the compiler keeps the instruction and stack pointers in memory, since
//! every arm competes for registers with all others. Idea: each instruction is a function of five words
//! that arrive in registers ([`Vm`]) and give two back ([`Next`]); [`TABLE`] has one for each opcode.
//!
//! Invariants: `vm.frame` is the thread's current frame; before anything that can look at frames or run
//! Python code, `save!` stores the instruction and stack pointers in it; an instruction that raises has
//! taken off the stack what it has used up. The common case stands in sight here, everything else is a
//! function of [`crate::ops`] with a telling name.

use crate::adaptive;
use crate::code::Code;
use crate::frame::{self, ENTRY, Frame, INIT};
use crate::function::Function;
use crate::generator;
use crate::interp::exact_float;
use crate::ops;
use crate::quick;
use crate::specialize as sp;
use crate::stackref::StackRef;
use crate::unwind;
use taipan_abi::*;
use taipan_bytecode::op;
use taipan_object::descr::MethodDescr;
use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::protocol;
use taipan_object::singletons::{bool_object, none};
use taipan_object::state::ThreadState;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, Ref, Type, callable, refcount};

/// What an instruction works on.
///
/// One that keeps nothing in memory while it calls something ends in a jump to the next ([`Vm`]). All others are a
/// [`STEP`](Step): the compiler would make a call of that jump, and a module of a hundred thousand lines would need
/// as many frames of the machine's stack. `cargo dev tail-calls` looks at the program whether any such call is left.
#[derive(Clone, Copy)]
pub struct Words<const STEP: bool> {
    /// The instruction being run.
    pub ip: *mut u16,
    /// One above the top of the operand stack.
    pub sp: *mut StackRef,
    pub frame: *mut Frame,
    pub thread: *mut ThreadState,
    /// The argument, prefixes included.
    pub oparg: usize,
}

/// The words of an instruction that goes on to the next itself.
pub type Vm = Words<false>;
/// The words of an instruction that goes on by way of the loop.
pub type Step = Words<true>;

/// Where to go on. An instruction pointer that is a small number says how the loop is left instead, and
/// `sp` is then the result or the exception.
#[derive(Clone, Copy)]
pub struct Next {
    pub ip: *mut u16,
    pub sp: *mut StackRef,
}

/// How the loop is left: with a result, …
pub const VALUE: usize = 0;
/// … with an exception, to whose traceback the frame is added, …
pub const RAISED: usize = 1;
/// … or with one whose traceback is right already.
pub const RAISED_AGAIN: usize = 2;
/// The loop is not left, but runs the frame's instruction under another opcode: `sp` is the opcode and, from its
/// ninth bit on, the argument.
pub const RUN_AS: usize = 3;
/// The first number that is an address.
pub const EXITS: usize = 4;

/// An instruction: instruction pointer, stack pointer, frame, thread and argument.
pub type Handler = fn(*mut u16, *mut StackRef, *mut Frame, *mut ThreadState, usize) -> Next;

impl Next {
    fn leave(how: usize, with: *mut PyObject) -> Next {
        Next { ip: core::ptr::without_provenance_mut(how), sp: with.cast() }
    }

    /// Leaves the loop with a result.
    pub fn value(value: Ref) -> Next {
        Next::leave(VALUE, value.into_ptr())
    }
}

impl<const STEP: bool> Words<STEP> {
    /// Goes on with the instruction at `ip`.
    ///
    /// Called last, this is a jump when the compiler optimises, and nothing is left on the stack. That is not
    /// promised: so the instructions that go back or to another frame return to the loop in any case, and all of
    /// them do without optimisation.
    ///
    /// # Safety
    /// The words are those of the current frame.
    #[inline(always)]
    unsafe fn dispatch(self, ip: *mut u16) -> Next {
        if STEP || cfg!(debug_assertions) {
            return Next { ip, sp: self.sp };
        }
        // SAFETY: by contract.
        let word = unsafe { *ip };
        TABLE[usize::from(word as u8)](ip, self.sp, self.frame, self.thread, usize::from(word >> 8))
    }

    /// Runs the same instruction as if it had another opcode.
    ///
    /// # Safety
    /// The words on the stack are those that the other opcode expects.
    #[inline(always)]
    unsafe fn run_as(self, opcode: u8) -> Next {
        if STEP {
            // SAFETY: the words are those of the current frame.
            return unsafe {
                run_as_by_loop(self.ip, self.sp, self.frame, usize::from(opcode) | self.oparg << 8)
            };
        }
        TABLE[usize::from(opcode)](self.ip, self.sp, self.frame, self.thread, self.oparg)
    }
}

/// Has the loop run an instruction under another opcode.
///
/// # Safety
/// The frame is the current one, `ip` its instruction.
#[cold]
#[inline(never)]
unsafe fn run_as_by_loop(ip: *mut u16, sp: *mut StackRef, frame: *mut Frame, opcode_and_arg: usize) -> Next {
    // SAFETY: by contract.
    unsafe {
        (*frame).instr_ptr = ip;
        (*frame).stackpointer = sp;
    }
    Next {
        ip: core::ptr::without_provenance_mut(RUN_AS),
        sp: core::ptr::without_provenance_mut(opcode_and_arg),
    }
}

/// Leaves the loop with an exception. What the instruction has popped it has used up, so the frame's
/// stack ends where `sp` stands now.
///
/// # Safety
/// The frame is the current one, `ip` its instruction.
#[cold]
#[inline(never)]
unsafe fn leave_raised(ip: *mut u16, sp: *mut StackRef, frame: *mut Frame, error: PyErr) -> Next {
    // SAFETY: by contract.
    unsafe {
        (*frame).instr_ptr = ip;
        (*frame).stackpointer = sp;
    }
    Next::leave(RAISED, error.into_exception().into_ptr())
}

/// As [`leave_raised`] for an exception that is raised again, as from `raised_at` (unless that is null).
///
/// # Safety
/// As for `leave_raised`.
#[cold]
#[inline(never)]
unsafe fn leave_again<const STEP: bool>(vm: &Words<STEP>, error: PyErr, raised_at: *mut u16) -> Next {
    // SAFETY: by contract.
    unsafe {
        if !raised_at.is_null() {
            let unit = raised_at.offset_from(Frame::code(vm.frame).instructions());
            (*vm.frame).raised_at = unit as u32 + 1;
        }
        let mut next = leave_raised(vm.ip, vm.sp, vm.frame, error);
        next.ip = core::ptr::without_provenance_mut(RAISED_AGAIN);
        next
    }
}

/// Gives up two words when an instruction is done otherwise, and goes on at `next`.
///
/// # Safety
/// The frame is the current one, `ip` its instruction; the words are owned or NULL.
#[inline(never)]
unsafe fn release(
    ip: *mut u16,
    sp: *mut StackRef,
    frame: *mut Frame,
    next: *mut u16,
    first: StackRef,
    second: StackRef,
) -> Next {
    // SAFETY: by contract.
    unsafe {
        (*frame).instr_ptr = ip;
        (*frame).stackpointer = sp;
    }
    first.close();
    second.close();
    Next { ip: next, sp }
}

/// The instructions of a module: function and opcodes. The functions that the table holds are made from
/// those that take a [`Vm`], with the same names.
macro_rules! instructions {
    ($($function:ident: $($opcode:ident),+;)+) => {
        mod handlers {
            use super::*;
            $(
                pub fn $function(
                    ip: *mut u16,
                    sp: *mut StackRef,
                    frame: *mut Frame,
                    thread: *mut ThreadState,
                    oparg: usize,
                ) -> Next {
                    // SAFETY: the loop calls instructions with the words that belong to them.
                    unsafe { super::$function(Words { ip, sp, frame, thread, oparg }) }
                }
            )+
        }
        pub(super) const ALL: &[(&[u8], Handler)] = &[$((&[$(op::$opcode),+], handlers::$function)),+];
    };
}
macro_rules! push {
    ($vm:ident, $value:expr) => {{
        let value: StackRef = $value;
        $vm.sp.write(value);
        $vm.sp = $vm.sp.add(1);
    }};
}
macro_rules! pop {
    ($vm:ident) => {{
        $vm.sp = $vm.sp.sub(1);
        $vm.sp.read()
    }};
}
/// The word `n` below the top; 1 is the top.
macro_rules! peek {
    ($vm:ident, $n:expr) => {
        (*$vm.sp.sub($n))
    };
}
macro_rules! save {
    ($vm:ident) => {{
        (*$vm.frame).instr_ptr = $vm.ip;
        (*$vm.frame).stackpointer = $vm.sp;
    }};
}
macro_rules! raise {
    ($vm:ident, $error:expr) => {
        return leave_raised($vm.ip, $vm.sp, $vm.frame, $error)
    };
}
macro_rules! check {
    ($vm:ident, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => raise!($vm, error),
        }
    };
}
/// Goes on at `vm.ip`, by way of the loop.
macro_rules! go {
    ($vm:ident) => {
        return Next { ip: $vm.ip, sp: $vm.sp }
    };
}
/// Goes to the next instruction, over `caches` units of inline cache.
macro_rules! next {
    ($vm:ident, $caches:expr) => {
        return $vm.dispatch($vm.ip.add(1 + $caches))
    };
}
/// Gives up one or two words and goes to the next instruction. Nothing is called where nothing is freed, so
/// that an instruction which ends so needs no registers to be saved.
macro_rules! done {
    ($vm:ident, $caches:expr, $first:expr) => {
        done!($vm, $caches, $first, StackRef::NULL)
    };
    ($vm:ident, $caches:expr, $first:expr, $second:expr) => {{
        let (mut first, mut second): (StackRef, StackRef) = ($first, $second);
        if first.close_if_shared() {
            first = StackRef::NULL;
        }
        if second.close_if_shared() {
            second = StackRef::NULL;
        }
        let next = $vm.ip.add(1 + $caches);
        if first.is_null() && second.is_null() {
            return $vm.dispatch(next);
        }
        return release($vm.ip, $vm.sp, $vm.frame, next, first, second);
    }};
}
macro_rules! local {
    ($vm:ident, $index:expr) => {
        Frame::locals($vm.frame).add($index)
    };
}
/// The guard of a specialised form has failed: its general form runs instead.
macro_rules! deopt {
    ($vm:ident, $general:expr) => {
        return $vm.run_as($general)
    };
}
/// Makes a frame the current one.
macro_rules! load_frame {
    ($vm:ident, $new:expr) => {{
        $vm.frame = $new;
        (*$vm.thread).base.current_frame = $vm.frame.cast();
        $vm.ip = (*$vm.frame).instr_ptr;
        $vm.sp = (*$vm.frame).stackpointer;
    }};
}
/// Enters a new frame; the call returns behind this instruction and its caches.
macro_rules! enter {
    ($vm:ident, $new:expr, $caches:expr) => {{
        let new: *mut Frame = $new;
        save!($vm);
        (*$vm.frame).return_offset = 1 + $caches;
        if let Err(error) = frame::enter_recursion($vm.thread) {
            frame::leave_recursion($vm.thread);
            unwind::leave_frame($vm.thread, new);
            raise!($vm, error);
        }
        load_frame!($vm, new);
        go!($vm);
    }};
}
/// Jumps forward from `$vm.ip` or falls through, past the mark of a jump not taken.
macro_rules! jump_if {
    ($vm:ident, $condition:expr, $distance:expr) => {{
        if $condition {
            $vm.ip = $vm.ip.add($distance);
        } else {
            $vm.ip = $vm.ip.add(usize::from(*$vm.ip as u8 == op::NOT_TAKEN));
        }
        return $vm.dispatch($vm.ip);
    }};
}
/// Ends an instruction whose result is a truth value: does the jump behind it as well.
macro_rules! truth {
    ($vm:ident, $truth:expr, $caches:expr) => {{
        let truth: bool = $truth;
        let follower = *$vm.ip.add(1 + $caches);
        if follower as u8 == op::POP_JUMP_IF_FALSE {
            $vm.ip = $vm.ip.add(3 + $caches);
            jump_if!($vm, !truth, usize::from(follower >> 8));
        }
        if follower as u8 == op::POP_JUMP_IF_TRUE {
            $vm.ip = $vm.ip.add(3 + $caches);
            jump_if!($vm, truth, usize::from(follower >> 8));
        }
        push!($vm, StackRef::borrowed(bool_object(truth)));
        next!($vm, $caches);
    }};
}
/// Ends a `FOR_ITER` with an item: stores it as well where that comes next.
macro_rules! iterated {
    ($vm:ident, $item:expr) => {{
        let item: StackRef = $item;
        let follower = *$vm.ip.add(2);
        if follower as u8 == op::STORE_FAST {
            $vm.ip = $vm.ip.add(2);
            let old = local!($vm, usize::from(follower >> 8)).replace(item);
            done!($vm, 0, old);
        }
        push!($vm, item);
        next!($vm, 1);
    }};
}
/// Binary operations on ints, with or without objects.
macro_rules! int_arm {
    ($vm:ident, $words:expr, $values:expr) => {{
        let (left, right) = (peek!($vm, 2), peek!($vm, 1));
        if left.both_int(right) {
            if let Some(result) = $words(left, right) {
                $vm.sp = $vm.sp.sub(1);
                peek!($vm, 1) = result;
                next!($vm, 5);
            }
        } else if let Some(result) = quick::long_ints(left, right, $values) {
            $vm.sp = $vm.sp.sub(1);
            peek!($vm, 1) = result;
            done!($vm, 5, left, right);
        }
        deopt!($vm, op::BINARY_OP);
    }};
}
/// Binary operations on floats.
macro_rules! float_arm {
    ($vm:ident, $values:expr) => {{
        let (left, right) = (peek!($vm, 2), peek!($vm, 1));
        if let (Some(a), Some(b)) = (exact_float(left), exact_float(right)) {
            $vm.sp = $vm.sp.sub(1);
            peek!($vm, 1) = quick::float_in_place($values(a, b), left, right);
            next!($vm, 5);
        }
        deopt!($vm, op::BINARY_OP);
    }};
}
/// Attribute look-ups that give a value.
macro_rules! attr_arm {
    ($vm:ident, $cached:expr) => {{
        let owner = peek!($vm, 1);
        if let Some(value) = $cached(owner, $vm.ip.add(1)) {
            peek!($vm, 1) = value;
            if $vm.oparg & 1 != 0 {
                push!($vm, StackRef::NULL);
            }
            done!($vm, 9, owner);
        }
        deopt!($vm, op::LOAD_ATTR);
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
    ($vm:ident, $base:expr, $result:expr) => {{
        let result: StackRef = $result;
        while $vm.sp > $base {
            $vm.sp = $vm.sp.sub(1);
            let word = $vm.sp.replace(StackRef::NULL);
            if word.is_owned() {
                (*$vm.frame).stackpointer = $vm.sp;
                word.close();
            }
        }
        push!($vm, result);
        if (*$vm.thread).eval_breaker.load(core::sync::atomic::Ordering::Relaxed) != 0 {
            save!($vm);
            check!($vm, ops::handle_breaker($vm.thread));
        }
        next!($vm, 3);
    }};
}
/// Pops a word and gives its truth.
macro_rules! bool_word {
    ($word:expr) => {{
        let word: StackRef = $word;
        word.ptr() == bool_object(true).as_ptr()
    }};
}

mod basic;
mod calls;
mod control;
mod data;
mod instrumented;
mod names;
mod operators;

/// A number that is no instruction, or one that only marks.
#[cold]
#[inline(never)]
fn unknown(
    ip: *mut u16,
    sp: *mut StackRef,
    frame: *mut Frame,
    thread: *mut ThreadState,
    oparg: usize,
) -> Next {
    let vm = Vm { ip, sp, frame, thread, oparg };
    // SAFETY: as every instruction.
    unsafe {
        save!(vm);
        raise!(vm, ops::unknown_opcode(*ip as u8));
    }
}

/// The instructions by opcode.
pub static TABLE: [Handler; 256] = {
    let mut table: [Handler; 256] = [unknown; 256];
    let modules =
        [basic::ALL, calls::ALL, control::ALL, data::ALL, names::ALL, operators::ALL, instrumented::ALL];
    let mut module = 0;
    while module < modules.len() {
        let mut row = 0;
        while row < modules[module].len() {
            let (opcodes, handler) = modules[module][row];
            let mut index = 0;
            while index < opcodes.len() {
                table[opcodes[index] as usize] = handler;
                index += 1;
            }
            row += 1;
        }
        module += 1;
    }
    table
};
