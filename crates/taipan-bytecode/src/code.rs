//! A code object as plain data, and the constants that it may hold.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

pub use taipan_text::{PyStr, PyStrBuilder};

/// Kind bits of a fast local ([`Code::localspluskinds`]): may be passed by position.
pub const CO_FAST_ARG_POS: u8 = 0x02;
/// May be passed by keyword.
pub const CO_FAST_ARG_KW: u8 = 0x04;
/// Is `*args` or `**kwargs`.
pub const CO_FAST_ARG_VAR: u8 = 0x08;
/// Belongs to an inlined comprehension only.
pub const CO_FAST_HIDDEN: u8 = 0x10;
/// Is a local.
pub const CO_FAST_LOCAL: u8 = 0x20;
/// Is a cell shared with inner functions.
pub const CO_FAST_CELL: u8 = 0x40;
/// Comes from an outer function.
pub const CO_FAST_FREE: u8 = 0x80;

/// An integer that does not fit `i64`: sign and digits in base 2³⁰, least significant first, no leading zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BigInt {
    /// Whether the value is below zero.
    pub negative: bool,
    /// Digits below 2³⁰.
    pub digits: Box<[u32]>,
}

/// A constant of a code object. Cloning shares everything that is not a small value.
#[derive(Clone, Debug)]
pub enum Constant {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// `...`
    Ellipsis,
    /// An integer that fits.
    Int(i64),
    /// Any other integer.
    BigInt(Rc<BigInt>),
    /// A float.
    Float(f64),
    /// A complex number: real and imaginary part.
    Complex(f64, f64),
    /// A string.
    Str(PyStr),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A tuple.
    Tuple(Rc<[Constant]>),
    /// A frozen set; the order is that of first insertion.
    FrozenSet(Rc<[Constant]>),
    /// A slice: start, stop, step.
    Slice(Rc<[Constant; 3]>),
    /// A nested code object.
    Code(Rc<Code>),
}

impl Constant {
    /// Name of the Python type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Constant::None => "NoneType",
            Constant::Bool(_) => "bool",
            Constant::Ellipsis => "ellipsis",
            Constant::Int(_) | Constant::BigInt(_) => "int",
            Constant::Float(_) => "float",
            Constant::Complex(..) => "complex",
            Constant::Str(_) => "str",
            Constant::Bytes(_) => "bytes",
            Constant::Tuple(_) => "tuple",
            Constant::FrozenSet(_) => "frozenset",
            Constant::Slice(_) => "slice",
            Constant::Code(_) => "code",
        }
    }
}

/// Equality of constants that may be merged into one: same type and same value, where floats compare by bits (so 0.0
/// and -0.0 differ) and code objects by what they do.
impl PartialEq for Constant {
    fn eq(&self, other: &Constant) -> bool {
        use Constant::*;
        match (self, other) {
            (None, None) | (Ellipsis, Ellipsis) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) => a == b,
            (BigInt(a), BigInt(b)) => a == b,
            (Float(a), Float(b)) => a.to_bits() == b.to_bits(),
            (Complex(a, b), Complex(c, d)) => a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits(),
            (Str(a), Str(b)) => a == b,
            (Bytes(a), Bytes(b)) => a == b,
            (Tuple(a), Tuple(b)) => a == b,
            (FrozenSet(a), FrozenSet(b)) => {
                a.len() == b.len() && a.iter().all(|item| b.iter().any(|other| item == other))
            }
            (Slice(a), Slice(b)) => a == b,
            (Code(a), Code(b)) => Rc::ptr_eq(a, b) || a.same_behaviour(b),
            _ => false,
        }
    }
}

impl Eq for Constant {}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Constant::None | Constant::Ellipsis => {}
            Constant::Bool(value) => value.hash(state),
            Constant::Int(value) => value.hash(state),
            Constant::BigInt(value) => value.hash(state),
            Constant::Float(value) => value.to_bits().hash(state),
            Constant::Complex(real, imag) => (real.to_bits(), imag.to_bits()).hash(state),
            Constant::Str(value) => value.hash(state),
            Constant::Bytes(value) => value.hash(state),
            Constant::Tuple(items) => items.hash(state),
            Constant::FrozenSet(items) => items.len().hash(state),
            Constant::Slice(parts) => parts.hash(state),
            Constant::Code(code) => {
                // Code on the same line stands in other columns, which the last locations name.
                let tail = code.linetable.len().saturating_sub(24);
                (code.firstlineno, code.code.len(), &code.linetable[tail..]).hash(state);
            }
        }
    }
}

/// Everything that a CPython 3.14 code object consists of.
#[derive(Clone, Debug)]
pub struct Code {
    /// Positional parameters, positional-only ones included.
    pub argcount: u32,
    /// Positional-only parameters.
    pub posonlyargcount: u32,
    /// Keyword-only parameters.
    pub kwonlyargcount: u32,
    /// Deepest value stack.
    pub stacksize: u32,
    /// `CO_*` bits.
    pub flags: u32,
    /// Instructions, two bytes each, caches zero.
    pub code: Box<[u8]>,
    /// Constants.
    pub consts: Rc<[Constant]>,
    /// Names of globals, attributes and imports.
    pub names: Rc<[PyStr]>,
    /// Names of locals, cells and free variables in the order of the frame.
    pub localsplusnames: Rc<[PyStr]>,
    /// A `CO_FAST_*` byte for each of them.
    pub localspluskinds: Box<[u8]>,
    /// File name.
    pub filename: PyStr,
    /// Name of the function, class or `<module>`.
    pub name: PyStr,
    /// Name with its path.
    pub qualname: PyStr,
    /// Line of the definition.
    pub firstlineno: i32,
    /// Location table.
    pub linetable: Box<[u8]>,
    /// Exception table.
    pub exceptiontable: Box<[u8]>,
}

/// Nested code is dropped in a loop: functions can be nested deeper than the stack would bear.
impl Drop for Code {
    fn drop(&mut self) {
        let mut nested = Vec::new();
        take_code(&mut self.consts, &mut nested);
        while let Some(mut code) = nested.pop() {
            if let Some(code) = Rc::get_mut(&mut code) {
                take_code(&mut code.consts, &mut nested);
            }
        }
    }
}

fn take_code(consts: &mut Rc<[Constant]>, nested: &mut Vec<Rc<Code>>) {
    for constant in Rc::get_mut(consts).into_iter().flatten() {
        if matches!(constant, Constant::Code(_))
            && let Constant::Code(code) = std::mem::replace(constant, Constant::None)
        {
            nested.push(code);
        }
    }
}

impl Code {
    fn names_of_kind(&self, kind: u8) -> impl Iterator<Item = &PyStr> {
        self.localsplusnames
            .iter()
            .zip(self.localspluskinds.iter())
            .filter(move |(_, kinds)| **kinds & kind != 0)
            .map(|(name, _)| name)
    }

    /// `co_varnames`
    pub fn varnames(&self) -> Vec<PyStr> {
        self.names_of_kind(CO_FAST_LOCAL).cloned().collect()
    }

    /// `co_cellvars`
    pub fn cellvars(&self) -> Vec<PyStr> {
        self.names_of_kind(CO_FAST_CELL).cloned().collect()
    }

    /// `co_freevars`
    pub fn freevars(&self) -> Vec<PyStr> {
        self.names_of_kind(CO_FAST_FREE).cloned().collect()
    }

    /// `==` of code objects: all but file name and qualified name.
    pub fn same_behaviour(&self, other: &Code) -> bool {
        self.firstlineno == other.firstlineno
            && self.code == other.code
            && self.linetable == other.linetable
            && self.name == other.name
            && self.argcount == other.argcount
            && self.posonlyargcount == other.posonlyargcount
            && self.kwonlyargcount == other.kwonlyargcount
            && self.flags == other.flags
            && self.names == other.names
            && self.localsplusnames == other.localsplusnames
            && self.exceptiontable == other.exceptiontable
            && self.consts == other.consts
    }
}
