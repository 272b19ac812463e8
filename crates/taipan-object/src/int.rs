//! The bare bones of `int`: layout, small values, conversion from and to machine integers.
//!
//! A `PyLongObject` holds its digit count and sign in `lv_tag` (count << 3, sign in the low two
//! bits: 0 positive, 1 zero, 2 negative; bit 2 marks the cached small ints) and 30-bit digits
//! behind it. The ints -5 to 256 are statically allocated: equal small values are one object.

use crate::alloc;
use crate::err::PyResult;
use crate::handle::{Layout, Object, Ref};
use crate::layout;
use crate::statics::{PyLong_Type, StaticInt};
use taipan_abi::{Py_TPFLAGS_LONG_SUBCLASS, PyLongObject};

layout!(
    /// An `int` or an instance of a subclass (so also a bool).
    Int, PyLongObject, "int", |o| o.ty().has_flag(Py_TPFLAGS_LONG_SUBCLASS)
);

/// Bits in a digit.
pub const SHIFT: u32 = 30;
/// The mask of a digit.
pub const MASK: u32 = (1 << SHIFT) - 1;
/// The cached values.
pub const SMALL_MIN: i64 = -5;
pub const SMALL_MAX: i64 = 256;

const SMALL_COUNT: usize = (SMALL_MAX - SMALL_MIN + 1) as usize;

static SMALL_INTS: [StaticInt; SMALL_COUNT] = {
    let mut all = [const { StaticInt::new(&raw const PyLong_Type, 5, 0) }; SMALL_COUNT];
    let mut index = 0;
    while index < SMALL_COUNT {
        let value = index as i64 + SMALL_MIN;
        let tag = match value {
            0 => 5,
            v if v < 0 => 0xe,
            _ => 0xc,
        };
        all[index] = StaticInt::new(&raw const PyLong_Type, tag, value.unsigned_abs() as u32);
        index += 1;
    }
    all
};

impl Int {
    /// The number of digits.
    #[inline(always)]
    pub fn digit_count(&self) -> usize {
        // SAFETY: the view guarantees the layout.
        unsafe { ((*self.raw()).long_value.lv_tag >> 3) as usize }
    }

    /// The digits of the absolute value, least significant first.
    #[inline]
    pub fn digits(&self) -> &[u32] {
        // SAFETY: `lv_tag` counts the digits behind it; an int never changes.
        unsafe {
            core::slice::from_raw_parts(
                (&raw const (*self.raw()).long_value.ob_digit).cast(),
                self.digit_count(),
            )
        }
    }

    #[inline(always)]
    fn sign_bits(&self) -> u64 {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).long_value.lv_tag & 3 }
    }

    #[inline(always)]
    pub fn is_negative(&self) -> bool {
        self.sign_bits() == 2
    }

    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.sign_bits() == 1
    }

    /// The value, if it has at most one digit.
    #[inline(always)]
    pub fn compact_value(&self) -> Option<i64> {
        // SAFETY: the view guarantees the layout; one digit always exists in memory.
        unsafe {
            let tag = (*self.raw()).long_value.lv_tag;
            if tag >= 2 << 3 {
                return None;
            }
            Some((1 - (tag & 3).cast_signed()) * i64::from((*self.raw()).long_value.ob_digit[0]))
        }
    }

    /// The value, if it fits.
    #[inline]
    pub fn to_i64(&self) -> Option<i64> {
        if let Some(value) = self.compact_value() {
            return Some(value);
        }
        let magnitude = i128::from(self.magnitude_u64()?);
        i64::try_from(if self.is_negative() { -magnitude } else { magnitude }).ok()
    }

    /// The value, if it is not negative and fits.
    pub fn to_u64(&self) -> Option<u64> {
        if self.is_negative() { None } else { self.magnitude_u64() }
    }

    /// The absolute value, if it fits.
    fn magnitude_u64(&self) -> Option<u64> {
        let digits = self.digits();
        if digits.len() > 3 {
            return None;
        }
        let wide = digits.iter().rev().fold(0u128, |sum, &digit| (sum << SHIFT) | u128::from(digit));
        u64::try_from(wide).ok()
    }

    /// A new int; small values come from the cache.
    #[inline]
    pub fn from_i64(value: i64) -> Ref<Int> {
        if (SMALL_MIN..=SMALL_MAX).contains(&value) {
            return Ref::of(small(value));
        }
        Self::from_i64_uncached(value)
    }

    /// A new int object outside the range of the cache.
    #[inline]
    fn from_i64_uncached(value: i64) -> Ref<Int> {
        let magnitude = value.unsigned_abs();
        if magnitude <= u64::from(MASK) {
            let sign = if value < 0 { 2 } else { 0 };
            // SAFETY: a block of the size of one int with one digit; the collector is not involved.
            unsafe {
                let ptr = alloc::small_alloc::<32>().cast::<PyLongObject>();
                if ptr.is_null() {
                    crate::err::fatal_no_memory();
                }
                alloc::init_object(ptr.cast(), &PyLong_Type);
                (*ptr).long_value.lv_tag = (1 << 3) | sign;
                (*ptr).long_value.ob_digit[0] = magnitude as u32;
                return Ref::steal(ptr.cast());
            }
        }
        Self::from_magnitude(value < 0, magnitude)
    }

    pub fn from_u64(value: u64) -> Ref<Int> {
        i64::try_from(value).map_or_else(|_| Self::from_magnitude(false, value), Self::from_i64)
    }

    pub fn from_usize(value: usize) -> Ref<Int> {
        Self::from_u64(value as u64)
    }

    pub fn from_isize(value: isize) -> Ref<Int> {
        Self::from_i64(value as i64)
    }

    fn from_magnitude(negative: bool, magnitude: u64) -> Ref<Int> {
        let digits =
            [magnitude as u32 & MASK, (magnitude >> SHIFT) as u32 & MASK, (magnitude >> (2 * SHIFT)) as u32];
        Self::from_digits(negative, &digits).unwrap_or_else(|_| crate::err::fatal_no_memory())
    }

    /// A new int of sign and digits (least significant first; leading zeros are dropped).
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_digits(negative: bool, digits: &[u32]) -> PyResult<Ref<Int>> {
        let count = digits.len() - digits.iter().rev().take_while(|&&digit| digit == 0).count();
        if count <= 1 {
            let value = i64::from(digits.first().copied().unwrap_or(0));
            return Ok(Self::from_i64(if negative { -value } else { value }));
        }
        let object = Self::alloc_exact(count)?;
        // SAFETY: memory for `count` digits, made just now and not yet shared.
        unsafe {
            let raw = object.raw();
            (*raw).long_value.lv_tag = ((count as u64) << 3) | if negative { 2 } else { 0 };
            core::ptr::copy_nonoverlapping(
                digits.as_ptr(),
                (&raw mut (*raw).long_value.ob_digit).cast(),
                count,
            );
        }
        Ok(object)
    }

    /// Memory for an exact int of `count` digits, which the caller fills in.
    fn alloc_exact(count: usize) -> PyResult<Ref<Int>> {
        let size = count.checked_mul(4).and_then(|n| n.checked_add(24)).ok_or_else(alloc::no_memory)?;
        let ptr = alloc::malloc(size.max(32));
        if ptr.is_null() {
            return Err(alloc::no_memory());
        }
        // SAFETY: fresh memory of the right size.
        unsafe {
            alloc::init_object(ptr.cast(), &PyLong_Type);
            Ok(Ref::steal(ptr.cast()))
        }
    }

    /// Writes a value into an instance of a subclass that was made with room for its digits.
    ///
    /// # Safety
    /// `self` is fresh, not shared, and has room for `digits`.
    pub unsafe fn fill(&self, negative: bool, digits: &[u32]) {
        // SAFETY: room and exclusiveness by contract.
        unsafe {
            let raw = self.raw();
            let sign = if digits.is_empty() {
                1
            } else if negative {
                2
            } else {
                0
            };
            (*raw).long_value.lv_tag = ((digits.len() as u64) << 3) | sign;
            (&raw mut (*raw).long_value.ob_digit).cast::<u32>().write(0);
            core::ptr::copy_nonoverlapping(
                digits.as_ptr(),
                (&raw mut (*raw).long_value.ob_digit).cast(),
                digits.len(),
            );
        }
    }
}

/// The cached object of a value from -5 to 256.
#[inline(always)]
pub fn small(value: i64) -> &'static Int {
    // SAFETY: the statics are ints and live for ever.
    unsafe { SMALL_INTS[(value - SMALL_MIN) as usize].cast() }
}

/// Python's `is`.
///
/// An exact int that fits a machine word has no identity apart from its value: the evaluator keeps
/// such ints without an object, so two of them are the same exactly when they are equal.
#[inline]
pub fn same_object(a: &Object, b: &Object) -> bool {
    a.is(b) || same_int(a, b)
}

#[inline]
fn same_int(a: &Object, b: &Object) -> bool {
    a.is_exact(&PyLong_Type)
        && b.is_exact(&PyLong_Type)
        // SAFETY: exact ints.
        && unsafe { identity_value(a.cast()).is_some_and(|value| identity_value(b.cast()) == Some(value)) }
}

/// The value of an exact int whose identity is its value (62 bits, as on the operand stack).
#[inline]
pub fn identity_value(int: &Int) -> Option<i64> {
    int.to_i64().filter(|value| (-(1 << 61)..1 << 61).contains(value))
}

/// Python's `id()`.
pub fn id(object: &Object) -> usize {
    if object.is_exact(&PyLong_Type) {
        // SAFETY: an exact int.
        if let Some(value) = identity_value(unsafe { object.cast() }) {
            // Addresses are multiples of 16, so these can never be one.
            return (value as usize) << 2 | 3;
        }
    }
    object.as_ptr().addr()
}

/// `tp_dealloc` of `int`.
///
/// # Safety
/// As every `tp_dealloc`: the last reference is gone.
pub unsafe extern "C" fn dealloc(ptr: *mut taipan_abi::PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        let object = Object::borrow(ptr);
        if object.is_exact(&PyLong_Type) {
            if object.cast::<Int>().digit_count() <= 1 {
                return alloc::small_free::<32>(ptr.cast());
            }
            return alloc::free(ptr.cast());
        }
        if let Some(free) = (*object.ty().raw()).tp_free {
            free(ptr.cast());
        }
    }
}
const _: () = assert!(size_of::<<Int as Layout>::Raw>() == 32);
