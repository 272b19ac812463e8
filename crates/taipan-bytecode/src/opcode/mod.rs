//! Opcodes: the enum, plain `u8` constants, and the tables derived from the one table in `table.rs`.
//!
//! Pseudo instructions have numbers above 255 and never reach a finished code object, so a byte of bytecode is
//! always one of [`op`]'s constants (or a number that CPython leaves free; [`Opcode::from_u8`] tells).

mod codes;
mod table;

pub use codes::*;

use crate::for_each_op;

/// What sort of instruction a row of the table is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Kind {
    /// Written by the compiler.
    Real,
    /// Put in the place of its family's head by the specialising interpreter.
    Specialized,
    /// Stands in for another instruction while events (or machine code) are wanted there.
    Instrumented,
    /// Known to the compiler only.
    Pseudo,
}

/// Bits of [`Opcode::flags`].
pub mod flag {
    /// Has an argument.
    pub const ARG: u16 = 1;
    /// The argument is an index into the constants.
    pub const CONST: u16 = 2;
    /// The argument is (or holds) an index into the names.
    pub const NAME: u16 = 4;
    /// The argument is a jump distance.
    pub const JUMP: u16 = 8;
    /// The argument is a cell or free variable.
    pub const FREE: u16 = 16;
    /// The argument is a local variable.
    pub const LOCAL: u16 = 32;
    /// Looks for signals and other pending work.
    pub const EVAL_BREAK: u16 = 64;
    /// May fall back to its family's head.
    pub const DEOPT: u16 = 128;
    /// May raise.
    pub const ERROR: u16 = 256;
    /// May run arbitrary Python code.
    pub const ESCAPES: u16 = 512;
    /// May leave machine code by a side exit.
    pub const EXIT: u16 = 1024;
    /// Has no effect besides its stack results.
    pub const PURE: u16 = 2048;
    /// May raise with its operands still on the stack.
    pub const ERROR_NO_POP: u16 = 16384;
    /// Keeps the instruction pointer of the instruction before.
    pub const NO_SAVE_IP: u16 = 32768;
}

macro_rules! define_opcodes {
    ($($name:ident = $number:literal, $kind:ident, $family:ident, $caches:literal,
       |$pa:tt| $pops:expr, |$qa:tt| $pushes:expr, [$($flag:ident),*], $doc:literal;)*) => {
        /// An instruction of Python 3.14, pseudo instructions included. The names are CPython's.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "CPython's names")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        #[repr(u16)]
        pub enum Opcode {
            $(#[doc = $doc] $name = $number,)*
        }

        impl Opcode {
            /// Every opcode, by number.
            pub const ALL: &'static [Opcode] = &[$(Opcode::$name),*];

            /// CPython's name.
            pub const fn name(self) -> &'static str {
                match self { $(Opcode::$name => stringify!($name),)* }
            }

            /// One line about what it does.
            pub const fn doc(self) -> &'static str {
                match self { $(Opcode::$name => $doc,)* }
            }

            /// What sort of instruction it is.
            pub const fn kind(self) -> Kind {
                match self { $(Opcode::$name => Kind::$kind,)* }
            }

            /// The adaptive instruction that it is a specialisation of; itself when it is none.
            pub const fn family(self) -> Opcode {
                match self { $(Opcode::$name => Opcode::$family,)* }
            }

            const fn caches_of_row(self) -> usize {
                match self { $(Opcode::$name => $caches,)* }
            }

            const fn flags_of_row(self) -> u16 {
                match self { $(Opcode::$name => 0 $(| flag::$flag)*,)* }
            }

            #[allow(clippy::identity_op, reason = "the effects are written as the table has them")]
            const fn pops_of_row(self, oparg: u32) -> i64 {
                let a = oparg as i64;
                let _ = a;
                match self { $(Opcode::$name => define_opcodes!(@effect $pa a, $pops),)* }
            }

            #[allow(clippy::identity_op, reason = "the effects are written as the table has them")]
            const fn pushes_of_row(self, oparg: u32) -> i64 {
                let a = oparg as i64;
                let _ = a;
                match self { $(Opcode::$name => define_opcodes!(@effect $qa a, $pushes),)* }
            }

            const fn from_number(number: u16) -> Option<Opcode> {
                match number { $($number => Some(Opcode::$name),)* _ => None }
            }
        }
    };
    (@effect _ $arg:ident, $effect:expr) => { $effect };
    (@effect $a:ident $arg:ident, $effect:expr) => {{ let $a = $arg; $effect }};
}

for_each_op!(define_opcodes);

macro_rules! define_numbers {
    ($($name:ident = $number:literal, $kind:ident, $family:ident, $caches:literal,
       |$pa:tt| $pops:expr, |$qa:tt| $pushes:expr, [$($flag:ident),*], $doc:literal;)*) => {
        $(define_numbers!(@one $kind $name $number $doc);)*
    };
    (@one Pseudo $name:ident $number:literal $doc:literal) => {};
    (@one $kind:ident $name:ident $number:literal $doc:literal) => {
        #[doc = $doc]
        pub const $name: u8 = $number;
    };
}

/// The opcodes as bytes, for those who match on raw bytecode.
pub mod op {
    crate::for_each_op!(define_numbers);
}

/// Opcodes from this one on have an argument that matters.
pub const HAVE_ARGUMENT: u8 = 43;
/// The first specialised opcode.
pub const MIN_SPECIALIZED_OPCODE: u8 = 129;
/// The first instrumented opcode.
pub const MIN_INSTRUMENTED_OPCODE: u8 = 234;
/// The first pseudo opcode.
pub const MIN_PSEUDO_OPCODE: u16 = 256;

const fn table_of_opcodes() -> [Option<Opcode>; 256] {
    let mut table = [None; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = Opcode::from_number(i as u16);
        i += 1;
    }
    table
}

const OPCODES: [Option<Opcode>; 256] = table_of_opcodes();

/// Inline cache units behind each opcode byte; 0 for specialised ones' own rows too, see [`DEOPT`].
pub static CACHES: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        if let Some(opcode) = OPCODES[i] {
            table[i] = opcode.caches_of_row() as u8;
        }
        i += 1;
    }
    table
};

/// The family head of each opcode byte; free numbers map to themselves.
pub static DEOPT: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = match OPCODES[i] {
            Some(opcode) => opcode.family() as u16 as u8,
            None => i as u8,
        };
        i += 1;
    }
    table
};

const COUNT: usize = Opcode::ALL[Opcode::ALL.len() - 1] as usize + 1;

/// As [`CACHES`], for pseudo instructions as well.
static CACHES_OF: [u8; COUNT] = {
    let mut table = [0; COUNT];
    let mut i = 0;
    while i < Opcode::ALL.len() {
        if !Opcode::ALL[i].is_pseudo() {
            table[Opcode::ALL[i] as usize] = Opcode::ALL[i].caches_of_row() as u8;
        }
        i += 1;
    }
    table
};

static FLAGS: [u16; COUNT] = {
    let mut table = [0; COUNT];
    let mut i = 0;
    while i < Opcode::ALL.len() {
        table[Opcode::ALL[i] as usize] = Opcode::ALL[i].flags_of_row();
        i += 1;
    }
    table
};

/// Arguments with every bit on and off that an effect looks at.
const SAMPLES: [u32; 10] = [0, 1, 2, 3, 4, 5, 0xff, 0x100, 0x0101, 0xffff];

/// Values taken from and put on the stack by each opcode, [`VARIES`] where that depends on the argument.
static EFFECTS: [(u8, u8); COUNT] = {
    let mut table = [(VARIES, VARIES); COUNT];
    let mut i = 0;
    while i < Opcode::ALL.len() {
        let op = Opcode::ALL[i];
        let (pops, pushes) = (op.pops_of_row(0), op.pushes_of_row(0));
        let mut fixed = (pops as u8, pushes as u8);
        let mut j = 0;
        while j < SAMPLES.len() {
            if op.pops_of_row(SAMPLES[j]) != pops {
                fixed.0 = VARIES;
            }
            if op.pushes_of_row(SAMPLES[j]) != pushes {
                fixed.1 = VARIES;
            }
            j += 1;
        }
        table[op as usize] = fixed;
        i += 1;
    }
    table
};

const VARIES: u8 = u8::MAX;

/// Stack effects of falling through, for even arguments and for odd ones, or [`UNFIXED`] where they depend on more of
/// the argument or are none.
static FALLING_EFFECTS: [[i8; 2]; COUNT] = {
    let mut table = [[UNFIXED; 2]; COUNT];
    let mut i = 0;
    while i < Opcode::ALL.len() {
        let op = Opcode::ALL[i];
        let mut j = 0;
        while j < SAMPLES.len() {
            let entry = &mut table[op as usize][SAMPLES[j] as usize & 1];
            let effect = match stack_effect_by_row(op, SAMPLES[j], false) {
                Some(effect) if effect > UNFIXED as i64 && effect <= i8::MAX as i64 => effect as i8,
                _ => UNFIXED,
            };
            // The first two samples are 0 and 1.
            *entry = if j < 2 || *entry == effect { effect } else { UNFIXED };
            j += 1;
        }
        i += 1;
    }
    table
};

const UNFIXED: i8 = i8::MIN;

/// One more than the highest number of an opcode, for tables by number.
pub const OPCODE_COUNT: usize = COUNT;

impl Opcode {
    /// Number of values taken from the stack.
    #[inline]
    pub const fn pops(self, oparg: u32) -> i64 {
        match EFFECTS[self as usize].0 {
            VARIES => self.pops_of_row(oparg),
            fixed => fixed as i64,
        }
    }

    /// Number of values put on the stack.
    #[inline]
    pub const fn pushes(self, oparg: u32) -> i64 {
        match EFFECTS[self as usize].1 {
            VARIES => self.pushes_of_row(oparg),
            fixed => fixed as i64,
        }
    }

    /// Properties as bits of [`flag`].
    #[inline]
    pub const fn flags(self) -> u16 {
        FLAGS[self as usize]
    }

    /// Code units of inline cache that follow it.
    #[inline]
    pub const fn caches(self) -> usize {
        CACHES_OF[self as usize] as usize
    }

    /// The opcode of a byte of bytecode, if that number is in use.
    #[inline]
    pub const fn from_u8(number: u8) -> Option<Opcode> {
        OPCODES[number as usize]
    }

    /// The opcode of that number, pseudo instructions included.
    pub const fn from_u16(number: u16) -> Option<Opcode> {
        if number < 256 { OPCODES[number as usize] } else { Opcode::from_number(number) }
    }

    /// The opcode with that name.
    pub fn from_name(name: &str) -> Option<Opcode> {
        Opcode::ALL.iter().copied().find(|opcode| opcode.name() == name)
    }

    /// The number.
    #[inline]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// True for what never stands in finished bytecode.
    #[inline]
    pub const fn is_pseudo(self) -> bool {
        self as u16 >= MIN_PSEUDO_OPCODE
    }

    /// Has it any of these [`flag`] bits?
    #[inline]
    pub const fn has(self, flags: u16) -> bool {
        self.flags() & flags != 0
    }

    /// `SETUP_FINALLY` and its kin: the argument is a handler.
    #[inline]
    pub const fn is_block_push(self) -> bool {
        matches!(self, Opcode::SETUP_FINALLY | Opcode::SETUP_CLEANUP | Opcode::SETUP_WITH)
    }

    /// Has it a jump target or handler?
    #[inline]
    pub const fn has_target(self) -> bool {
        self.has_jump() || self.is_block_push()
    }

    /// Does its argument say where to jump?
    #[inline]
    pub const fn has_jump(self) -> bool {
        self.has(flag::JUMP)
    }

    /// Names and widths (in code units) of the cache fields of an adaptive family, as `dis` shows them.
    pub const fn cache_fields(self) -> &'static [(&'static str, u8)] {
        match self.family() {
            Opcode::LOAD_GLOBAL => {
                &[("counter", 1), ("index", 1), ("module_keys_version", 1), ("builtin_keys_version", 1)]
            }
            Opcode::BINARY_OP => &[("counter", 1), ("descr", 4)],
            Opcode::LOAD_ATTR => &[("counter", 1), ("version", 2), ("keys_version", 2), ("descr", 4)],
            Opcode::STORE_ATTR => &[("counter", 1), ("version", 2), ("index", 1)],
            Opcode::CALL | Opcode::CALL_KW => &[("counter", 1), ("func_version", 2)],
            Opcode::TO_BOOL => &[("counter", 1), ("version", 2)],
            Opcode::UNPACK_SEQUENCE
            | Opcode::COMPARE_OP
            | Opcode::CONTAINS_OP
            | Opcode::FOR_ITER
            | Opcode::LOAD_SUPER_ATTR
            | Opcode::STORE_SUBSCR
            | Opcode::SEND
            | Opcode::JUMP_BACKWARD
            | Opcode::POP_JUMP_IF_TRUE
            | Opcode::POP_JUMP_IF_FALSE
            | Opcode::POP_JUMP_IF_NONE
            | Opcode::POP_JUMP_IF_NOT_NONE => &[("counter", 1)],
            _ => &[],
        }
    }
}

/// How the stack depth changes. `jump` asks for the path to the target: only the block openers differ there, since
/// their handler starts with what the unwinder pushed. None for what has no effect of its own (specialised forms).
#[inline]
pub const fn stack_effect(opcode: Opcode, oparg: u32, jump: bool) -> Option<i64> {
    match FALLING_EFFECTS[opcode as usize][oparg as usize & 1] {
        UNFIXED => stack_effect_by_row(opcode, oparg, jump),
        _ if jump && opcode.is_block_push() => stack_effect_by_row(opcode, oparg, jump),
        effect => Some(effect as i64),
    }
}

#[inline(never)]
const fn stack_effect_by_row(opcode: Opcode, oparg: u32, jump: bool) -> Option<i64> {
    if (opcode as u16) < 256 && DEOPT[opcode as usize] as u16 != opcode as u16 {
        return None;
    }
    if opcode.is_block_push() && !jump {
        return Some(0);
    }
    Some(opcode.pushes_of_row(oparg) - opcode.pops_of_row(oparg))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_by_table_are_those_by_row() {
        for op in Opcode::ALL {
            for arg in (0..0x400).chain([0x1234, 0xffff, 0x1_0000]) {
                assert_eq!(op.pops(arg), op.pops_of_row(arg), "{} {arg}", op.name());
                assert_eq!(op.pushes(arg), op.pushes_of_row(arg), "{} {arg}", op.name());
                for jump in [false, true] {
                    let effect = stack_effect_by_row(*op, arg, jump);
                    assert_eq!(stack_effect(*op, arg, jump), effect, "{} {arg}", op.name());
                }
            }
        }
    }
}
