//! One word on the operand stack or in a local variable.
//!
//! Problem: counting references and boxing ints at every push and pop is most of what an
//! interpreter does. Idea: a word is either an owned reference, a *borrowed* one (the object is
//! immortal, or a local variable keeps it alive), or a small integer that has no object at all.
//! An object is made only when the value leaves for the heap or for C.
//!
//! The low two bits tell: `00` owned pointer, `01` borrowed pointer (NULL without an address), `11` integer of
//! 62 bits.
//!
//! Invariants: a borrowed word never outlives the frame whose local it borrows from: whatever is
//! stored in a generator, returned or kept by a container is made owned first.

use core::mem::ManuallyDrop;
use taipan_abi::PyObject;
use taipan_object::int::Int;
use taipan_object::refcount;
use taipan_object::statics::PyLong_Type;
use taipan_object::{Object, Ref, Type};

/// A stack word. Copying it is up to its owner: the type has no `Drop`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct StackRef(usize);

const TAG_MASK: usize = 3;
const TAG_BORROWED: usize = 1;
const TAG_INT: usize = 3;

/// The integers that fit a word.
pub const INT_MIN: i64 = -(1 << 61);
pub const INT_MAX: i64 = (1 << 61) - 1;

impl StackRef {
    /// No value. It has the tag of a borrowed word, so that it needs no thought where words are given up.
    pub const NULL: StackRef = StackRef(TAG_BORROWED);

    #[inline(always)]
    pub fn is_null(self) -> bool {
        self.0 == TAG_BORROWED
    }

    /// Takes over an owned reference.
    #[inline(always)]
    pub fn owned(object: Ref) -> Self {
        Self(object.into_ptr().expose_provenance())
    }

    /// A reference that something else keeps alive.
    #[inline(always)]
    pub fn borrowed(object: &Object) -> Self {
        debug_assert!(!object.as_ptr().is_null());
        Self(object.as_ptr().expose_provenance() | TAG_BORROWED)
    }

    /// An owned or null pointer.
    ///
    /// # Safety
    /// The pointer is null or an owned reference.
    #[inline(always)]
    pub unsafe fn from_ptr(ptr: *mut PyObject) -> Self {
        if ptr.is_null() { Self::NULL } else { Self(ptr.expose_provenance()) }
    }

    /// A small integer. The value is between [`INT_MIN`] and [`INT_MAX`].
    #[inline(always)]
    pub fn int(value: i64) -> Self {
        debug_assert!((INT_MIN..=INT_MAX).contains(&value));
        Self((value << 2) as usize | TAG_INT)
    }

    /// A small integer, if the value fits a word.
    #[inline(always)]
    pub fn try_int(value: i64) -> Option<Self> {
        if (INT_MIN..=INT_MAX).contains(&value) { Some(Self::int(value)) } else { None }
    }

    /// The sum of two words that are both small integers, if it fits a word.
    #[inline(always)]
    pub fn add_ints(self, other: Self) -> Option<Self> {
        // One of the tags is taken off: the other stays.
        let sum = self.0.cast_signed().checked_add(other.0.cast_signed() - TAG_INT.cast_signed())?;
        Some(Self(sum.cast_unsigned()))
    }

    /// The difference of two words that are both small integers, if it fits a word.
    #[inline(always)]
    pub fn sub_ints(self, other: Self) -> Option<Self> {
        let difference = self.0.cast_signed().checked_sub(other.0.cast_signed() - TAG_INT.cast_signed())?;
        Some(Self(difference.cast_unsigned()))
    }

    /// The product of two words that are both small integers, if it fits a word.
    #[inline(always)]
    pub fn mul_ints(self, other: Self) -> Option<Self> {
        let product =
            (self.0.cast_signed() - TAG_INT.cast_signed()).checked_mul(other.int_value() as isize)?;
        Some(Self(product.cast_unsigned() | TAG_INT))
    }

    /// An integer of any size: without an object where it fits.
    #[inline(always)]
    pub fn from_i64(value: i64) -> Self {
        if (INT_MIN..=INT_MAX).contains(&value) {
            Self::int(value)
        } else {
            Self::owned(Int::from_i64(value).upcast())
        }
    }

    #[inline(always)]
    pub fn is_int(self) -> bool {
        self.0 & TAG_MASK == TAG_INT
    }

    /// The word owns a reference.
    #[inline(always)]
    pub fn is_owned(self) -> bool {
        self.0 & TAG_MASK == 0
    }

    /// Both are integers without objects.
    #[inline(always)]
    pub fn both_int(self, other: Self) -> bool {
        self.0 & other.0 & TAG_MASK == TAG_INT
    }

    /// The value of a word that [`is_int`](Self::is_int).
    #[inline(always)]
    pub fn int_value(self) -> i64 {
        (self.0 as i64) >> 2
    }

    /// The value, if the word is an exact int of one digit, with or without an object.
    #[inline(always)]
    pub fn as_compact_int(self) -> Option<i64> {
        if self.is_int() {
            return Some(self.int_value());
        }
        if self.is_null() {
            return None;
        }
        // SAFETY: a pointer word points to a live object.
        unsafe {
            let ptr = self.ptr();
            if (*ptr).ob_type != PyLong_Type.raw() {
                return None;
            }
            Object::borrow(ptr).cast::<Int>().compact_value()
        }
    }

    /// The pointer of a word that is no integer; null for NULL.
    #[inline(always)]
    pub fn ptr(self) -> *mut PyObject {
        debug_assert!(!self.is_int());
        core::ptr::with_exposed_provenance_mut(self.0 & !TAG_BORROWED)
    }

    /// The object of a word that is neither NULL nor an integer, borrowed from the word.
    ///
    /// # Safety
    /// The word stays where it is (and so keeps the object alive) during `'a`.
    #[inline(always)]
    pub unsafe fn object<'a>(self) -> &'a Object {
        // SAFETY: by contract.
        unsafe { Object::borrow(self.ptr()) }
    }

    /// The type of the value; the word is not NULL.
    #[inline(always)]
    pub fn ty(&self) -> &Type {
        if self.is_int() {
            return &PyLong_Type;
        }
        // SAFETY: a live object has a live type.
        unsafe { self.object() }.ty()
    }

    /// Whether the value's type is exactly `ty`.
    #[inline(always)]
    pub fn is_exact(self, ty: &Type) -> bool {
        // SAFETY: a pointer word points to a live object.
        !self.is_int() && unsafe { (*self.ptr()).ob_type == ty.raw() }
    }

    /// Another word for the same value, owned.
    #[inline(always)]
    pub fn dup(self) -> Self {
        if self.is_int() {
            return self;
        }
        let ptr = self.ptr();
        // SAFETY: a pointer word points to a live object.
        unsafe { refcount::incref(ptr) };
        Self(ptr.expose_provenance())
    }

    /// Another word that borrows from this one.
    #[inline(always)]
    pub fn borrow(self) -> Self {
        debug_assert!(!self.is_null());
        // For integers the bit is set already.
        Self(self.0 | TAG_BORROWED)
    }

    /// The same value in a word that depends on nothing else: borrowed references become owned.
    #[inline(always)]
    pub fn heap_safe(self) -> Self {
        if self.0 & TAG_MASK == TAG_BORROWED && !self.is_null() { self.dup() } else { self }
    }

    /// Gives up the word.
    #[inline(always)]
    pub fn close(self) {
        if self.0 & TAG_MASK == 0 {
            // SAFETY: an owned word owns one reference.
            unsafe { refcount::decref(self.ptr()) }
        }
    }

    /// Gives up the word if that frees nothing; `false`, and nothing happens, otherwise.
    #[inline(always)]
    pub fn close_if_shared(self) -> bool {
        if self.0 & TAG_MASK != 0 {
            return true;
        }
        // SAFETY: an owned word owns one reference; it is not the last one.
        unsafe {
            let count = (*self.ptr()).ob_refcnt;
            if count == 1 {
                return false;
            }
            if count.cast_signed() >= 0 {
                (*self.ptr()).ob_refcnt = count - 1;
            }
        }
        true
    }

    /// Turns the word into an owned reference; integers get their object now.
    #[inline(always)]
    pub fn into_ref(self) -> Ref {
        match self.0 & TAG_MASK {
            // SAFETY: an owned word owns one reference.
            0 => unsafe { Ref::steal(self.ptr()) },
            // SAFETY: borrowed from something alive.
            TAG_BORROWED => unsafe { self.object() }.new_ref(),
            _ => box_int(self.int_value()),
        }
    }

    /// As [`into_ref`](Self::into_ref); NULL gives `None`.
    #[inline(always)]
    pub fn into_ref_opt(self) -> Option<Ref> {
        if self.is_null() { None } else { Some(self.into_ref()) }
    }

    /// The object of the value for a short look; integers get one for that time.
    #[inline(always)]
    pub fn look(&self) -> Look {
        if self.is_int() {
            return Look { object: ManuallyDrop::new(box_int(self.int_value())), owned: true };
        }
        // SAFETY: the word keeps the object alive, and `Look` does not release what it does not own.
        Look { object: ManuallyDrop::new(unsafe { Ref::steal(self.ptr()) }), owned: false }
    }

    /// Replaces an integer word by one with an object, in place; afterwards the word has a pointer.
    #[inline(always)]
    pub fn materialize(this: &mut Self) -> *mut PyObject {
        if this.is_int() {
            *this = Self::owned(box_int(this.int_value()));
        }
        this.ptr()
    }

    /// Python's `is`.
    #[inline(always)]
    pub fn is(self, other: Self) -> bool {
        if !self.is_int() && !other.is_int() && self.ptr() == other.ptr() {
            return true;
        }
        if self.both_int(other) {
            return self == other;
        }
        if self.is_null() || other.is_null() {
            return false;
        }
        taipan_object::int::same_object(&self.look(), &other.look())
    }
}

#[inline(always)]
fn box_int(value: i64) -> Ref {
    Int::from_i64(value).upcast()
}

/// A value as an object, owned only if it had none.
pub struct Look {
    object: ManuallyDrop<Ref>,
    owned: bool,
}

impl core::ops::Deref for Look {
    type Target = Object;
    #[inline(always)]
    fn deref(&self) -> &Object {
        &self.object
    }
}

impl Drop for Look {
    #[inline(always)]
    fn drop(&mut self) {
        if self.owned {
            // SAFETY: dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.object) }
        }
    }
}
