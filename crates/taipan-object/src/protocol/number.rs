//! Arithmetic through the slots of both operands.

use crate::err::{self, PyErr, PyResult};
use crate::handle::{Object, Ref};
use crate::int::Int;
use crate::native::from_c;
use crate::raise;
use crate::singletons::{is_none, is_not_implemented, none};
use crate::statics::*;
use crate::typeobject::get_slot;
use taipan_abi::*;

/// The binary operators, with the numbers that the `BINARY_OP` instruction uses for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BinaryOp {
    Add = 0,
    And = 1,
    FloorDivide = 2,
    Lshift = 3,
    MatrixMultiply = 4,
    Multiply = 5,
    Remainder = 6,
    Or = 7,
    Power = 8,
    Rshift = 9,
    Subtract = 10,
    TrueDivide = 11,
    Xor = 12,
    /// Not an instruction: the builtin `divmod`.
    Divmod = 13,
}

impl BinaryOp {
    /// Slot, in-place slot, symbol for messages.
    const fn parts(self) -> (i32, i32, &'static str) {
        match self {
            Self::Add => (Py_nb_add, Py_nb_inplace_add, "+"),
            Self::And => (Py_nb_and, Py_nb_inplace_and, "&"),
            Self::FloorDivide => (Py_nb_floor_divide, Py_nb_inplace_floor_divide, "//"),
            Self::Lshift => (Py_nb_lshift, Py_nb_inplace_lshift, "<<"),
            Self::MatrixMultiply => (Py_nb_matrix_multiply, Py_nb_inplace_matrix_multiply, "@"),
            Self::Multiply => (Py_nb_multiply, Py_nb_inplace_multiply, "*"),
            Self::Remainder => (Py_nb_remainder, Py_nb_inplace_remainder, "%"),
            Self::Or => (Py_nb_or, Py_nb_inplace_or, "|"),
            Self::Power => (Py_nb_power, Py_nb_inplace_power, "** or pow()"),
            Self::Rshift => (Py_nb_rshift, Py_nb_inplace_rshift, ">>"),
            Self::Subtract => (Py_nb_subtract, Py_nb_inplace_subtract, "-"),
            Self::TrueDivide => (Py_nb_true_divide, Py_nb_inplace_true_divide, "/"),
            Self::Xor => (Py_nb_xor, Py_nb_inplace_xor, "^"),
            Self::Divmod => (Py_nb_divmod, 0, "divmod()"),
        }
    }

    /// The operator of a number from 0 to 12.
    pub fn from_raw(op: u8) -> Option<Self> {
        use BinaryOp::*;
        [
            Add,
            And,
            FloorDivide,
            Lshift,
            MatrixMultiply,
            Multiply,
            Remainder,
            Or,
            Power,
            Rshift,
            Subtract,
            TrueDivide,
            Xor,
        ]
        .get(usize::from(op))
        .copied()
    }
}

fn slot(object: &Object, id: i32) -> Option<binaryfunc> {
    // SAFETY: binary slots hold functions of this type, or null.
    unsafe { core::mem::transmute(get_slot(object.ty(), id)) }
}

fn ternary_slot(object: &Object, id: i32) -> Option<ternaryfunc> {
    // SAFETY: ternary slots hold functions of this type, or null.
    unsafe { core::mem::transmute(get_slot(object.ty(), id)) }
}

/// Asks the operands' slots in the order that the language prescribes; `None` when neither knows.
fn try_slots(a: &Object, b: &Object, id: i32) -> PyResult<Option<Ref>> {
    let first = slot(a, id);
    let mut second = if a.ty().is(b.ty()) { None } else { slot(b, id) };
    if let (Some(f), Some(g)) = (first, second)
        && f as usize == g as usize
    {
        second = None;
    }
    // SAFETY: slot contract.
    unsafe {
        if let Some(f) = first {
            if let Some(g) = second
                && b.ty().is_subtype(a.ty())
            {
                let result = super::recursive("", || from_c(g(a.as_ptr(), b.as_ptr())))?;
                if !is_not_implemented(&result) {
                    return Ok(Some(result));
                }
                second = None;
            }
            let result = super::recursive("", || from_c(f(a.as_ptr(), b.as_ptr())))?;
            if !is_not_implemented(&result) {
                return Ok(Some(result));
            }
        }
        if let Some(g) = second {
            let result = super::recursive("", || from_c(g(a.as_ptr(), b.as_ptr())))?;
            if !is_not_implemented(&result) {
                return Ok(Some(result));
            }
        }
    }
    Ok(None)
}

#[cold]
fn unsupported(a: &Object, b: &Object, symbol: &str) -> PyErr {
    raise!(
        PyExc_TypeError,
        "unsupported operand type(s) for {symbol}: '{}' and '{}'",
        a.ty().message_name(),
        b.ty().message_name()
    )
}

/// `a op b`.
///
/// # Errors
/// `TypeError` when neither operand knows the operator; what the operands raise.
pub fn binary_op(a: &Object, b: &Object, op: BinaryOp) -> PyResult {
    if op == BinaryOp::Power {
        return power(a, b, none());
    }
    let (id, _, symbol) = op.parts();
    if let Some(result) = try_slots(a, b, id)? {
        return Ok(result);
    }
    sequence_op(a, b, op, false)?.ok_or_else(|| binary_error(a, b, op, symbol))
}

#[cold]
fn binary_error(a: &Object, b: &Object, op: BinaryOp, symbol: &str) -> PyErr {
    if op == BinaryOp::Rshift
        && let Some(function) = a.downcast::<crate::callable::CFunction>()
        && function.name() == "print"
    {
        return raise!(
            PyExc_TypeError,
            "unsupported operand type(s) for >>: 'builtin_function_or_method' and '{}'. Did you mean \"print(<message>, file=<output_stream>)\"?",
            b.ty().message_name()
        );
    }
    unsupported(a, b, symbol)
}

/// Concatenation and repetition of sequences that have no number slots.
fn sequence_op(a: &Object, b: &Object, op: BinaryOp, in_place: bool) -> PyResult<Option<Ref>> {
    // SAFETY: slot contract.
    unsafe {
        let sequence = |object: &Object| (*object.ty().raw()).tp_as_sequence.as_ref();
        match op {
            BinaryOp::Add => {
                let Some(table) = sequence(a) else { return Ok(None) };
                let slot =
                    if in_place { table.sq_inplace_concat.or(table.sq_concat) } else { table.sq_concat };
                slot.map(|concat| from_c(concat(a.as_ptr(), b.as_ptr()))).transpose()
            }
            BinaryOp::Multiply => {
                if let Some(table) = sequence(a) {
                    let slot =
                        if in_place { table.sq_inplace_repeat.or(table.sq_repeat) } else { table.sq_repeat };
                    if let Some(repeat) = slot {
                        return from_c(repeat(a.as_ptr(), repeat_count(b)?)).map(Some);
                    }
                }
                if let Some(repeat) = sequence(b).and_then(|table| table.sq_repeat) {
                    return from_c(repeat(b.as_ptr(), repeat_count(a)?)).map(Some);
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

fn repeat_count(count: &Object) -> PyResult<isize> {
    if !super::item::has_index(count) {
        return Err(raise!(
            PyExc_TypeError,
            "can't multiply sequence by non-int of type '{}'",
            count.ty().message_name()
        ));
    }
    count.to_index_clamped(Some(&PyExc_OverflowError))
}

/// `a op= b`.
///
/// # Errors
/// As [`binary_op`].
pub fn inplace_op(a: &Object, b: &Object, op: BinaryOp) -> PyResult {
    let (_, id, symbol) = op.parts();
    if op == BinaryOp::Power {
        if let Some(f) = ternary_slot(a, id) {
            // SAFETY: slot contract.
            let result = unsafe { from_c(f(a.as_ptr(), b.as_ptr(), none().as_ptr()))? };
            if !is_not_implemented(&result) {
                return Ok(result);
            }
        }
        return power_named(a, b, none(), "**=");
    }
    if let Some(f) = slot(a, id) {
        // SAFETY: slot contract.
        let result = unsafe { super::recursive("", || from_c(f(a.as_ptr(), b.as_ptr())))? };
        if !is_not_implemented(&result) {
            return Ok(result);
        }
    }
    if let Some(result) = try_slots(a, b, op.parts().0)? {
        return Ok(result);
    }
    sequence_op(a, b, op, true)?.ok_or_else(|| unsupported(a, b, &format!("{symbol}=")))
}

/// `pow(a, b, modulus)`; a modulus of `None` means none.
///
/// # Errors
/// `TypeError` when no operand knows how; what the operands raise.
pub fn power(a: &Object, b: &Object, modulus: &Object) -> PyResult {
    power_named(a, b, modulus, "** or pow()")
}

fn power_named(a: &Object, b: &Object, modulus: &Object, symbol: &str) -> PyResult {
    let first = ternary_slot(a, Py_nb_power);
    let second = if a.ty().is(b.ty()) { None } else { ternary_slot(b, Py_nb_power) };
    let second = second.filter(|g| first.is_none_or(|f| f as usize != *g as usize));
    let third = if is_none(modulus) { None } else { ternary_slot(modulus, Py_nb_power) };
    let third = third.filter(|h| [first, second].iter().flatten().all(|f| *f as usize != *h as usize));
    let order = match (first, second) {
        (Some(f), Some(g)) if b.ty().is_subtype(a.ty()) => [Some(g), Some(f), third],
        _ => [first, second, third],
    };
    for f in order.into_iter().flatten() {
        // SAFETY: slot contract.
        let result = unsafe { from_c(f(a.as_ptr(), b.as_ptr(), modulus.as_ptr()))? };
        if !is_not_implemented(&result) {
            return Ok(result);
        }
    }
    if is_none(modulus) {
        return Err(unsupported(a, b, symbol));
    }
    Err(raise!(
        PyExc_TypeError,
        "unsupported operand type(s) for {symbol}: '{}', '{}', '{}'",
        a.ty().message_name(),
        b.ty().message_name(),
        modulus.ty().message_name()
    ))
}

/// A unary operator by its slot: `Py_nb_negative`, `Py_nb_positive`, `Py_nb_invert`, `Py_nb_absolute`.
///
/// # Errors
/// `TypeError` when the operand does not know it; what the operand raises.
pub fn unary(object: &Object, id: i32) -> PyResult {
    // SAFETY: unary slots hold functions of this type, or null.
    let slot: Option<unaryfunc> = unsafe { core::mem::transmute(get_slot(object.ty(), id)) };
    match slot {
        // SAFETY: slot contract.
        Some(f) => super::recursive("", || unsafe { from_c(f(object.as_ptr())) }),
        None => {
            let symbol = match id {
                Py_nb_negative => "unary -",
                Py_nb_positive => "unary +",
                Py_nb_invert => "unary ~",
                _ => "abs()",
            };
            Err(raise!(PyExc_TypeError, "bad operand type for {symbol}: '{}'", object.ty().message_name()))
        }
    }
}

/// `operator.index(object)`.
///
/// # Errors
/// `TypeError` when the object is no integer; what `__index__` raises.
pub fn index_of(object: &Object) -> PyResult<Ref<Int>> {
    if let Some(int) = object.downcast::<Int>() {
        return Ok(Ref::of(int));
    }
    // SAFETY: slot contract.
    unsafe {
        let slot = (*object.ty().raw()).tp_as_number.as_ref().and_then(|table| table.nb_index);
        let Some(slot) = slot else {
            return Err(raise!(
                PyExc_TypeError,
                "'{}' object cannot be interpreted as an integer",
                object.ty().message_name()
            ));
        };
        let result = from_c(slot(object.as_ptr()))?;
        if result.is_exact(&PyLong_Type) {
            return Ok(result.cast_owned());
        }
        let int = result.downcast_owned::<Int>().map_err(|other| {
            raise!(PyExc_TypeError, "__index__ returned non-int (type {})", other.ty().message_name())
        })?;
        let message = format!(
            "__index__ returned non-int (type {}).  The ability to return an instance of a strict subclass of int is deprecated, and may not be supported in a future version of Python.",
            int.ty().message_name()
        );
        (crate::state::interp().hooks.get().warn)(&PyExc_DeprecationWarning, &message, 1)?;
        Ok(int)
    }
}

/// `float(object)` for numbers.
pub(super) fn to_f64(object: &Object) -> PyResult<f64> {
    if let Some(float) = object.downcast::<crate::float::Float>() {
        return Ok(float.value());
    }
    // SAFETY: slot contract.
    unsafe {
        let table = (*object.ty().raw()).tp_as_number.as_ref();
        if let Some(slot) = table.and_then(|table| table.nb_float) {
            let result = from_c(slot(object.as_ptr()))?;
            let Some(float) = result.downcast::<crate::float::Float>() else {
                return Err(raise!(
                    PyExc_TypeError,
                    "{}.__float__ returned non-float (type {})",
                    object.ty().message_name(),
                    result.ty().message_name()
                ));
            };
            return Ok(float.value());
        }
        if table.is_some_and(|table| table.nb_index.is_some()) {
            let int = index_of(object)?;
            return taipan_num::int::to_f64(taipan_num::Int::new(int.is_negative(), int.digits()))
                .ok_or_else(|| err::overflow_error("int too large to convert to float"));
        }
    }
    Err(raise!(PyExc_TypeError, "must be real number, not {}", object.ty().message_name()))
}
