//! Slots: `const` functions that make a type's C slot from a Rust function.
//!
//! The Rust function is a zero-sized value of its own type, so the C function made for it carries it
//! in its type parameters: no table, no allocation, one direct call that can be inlined.

use super::convert::{IntoPy, ret, ret_int, ret_len};
use crate::err::PyResult;
use crate::handle::{Layout, Object, Type};
use crate::tuple::Tuple;
use core::ffi::{c_int, c_void};
use taipan_abi::*;

/// A slot number with its C function, as in `PyType_Slot`.
#[derive(Clone, Copy)]
pub struct Slot {
    pub id: i32,
    pub function: *mut c_void,
}
// SAFETY: the address of a function.
unsafe impl Sync for Slot {}

/// The value of a function type without fields.
#[inline(always)]
pub(super) fn the<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "slots take plain functions, not closures with state") };
    // SAFETY: a function item has no bytes, and the caller was given one of this type.
    unsafe { core::ptr::dangling::<F>().read() }
}

/// # Safety
/// As for every slot: `object` is a live instance of the type it is the slot of.
#[inline(always)]
unsafe fn view<'a, T: Layout>(object: *mut PyObject) -> &'a T {
    // SAFETY: forwarded contract.
    unsafe { Object::borrow(object).cast() }
}

macro_rules! object_slots {
    ($($(#[$doc:meta])* $name:ident = $id:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`: from `fn(&self) -> object`.")]
        pub const fn $name<T: Layout, R: IntoPy, F: Fn(&T) -> R + Copy>(_function: F) -> Slot {
            unsafe extern "C" fn entry<T: Layout, R: IntoPy, F: Fn(&T) -> R + Copy>(object: *mut PyObject) -> *mut PyObject {
                // SAFETY: slot contract.
                ret(the::<F>()(unsafe { view::<T>(object) }))
            }
            Slot { id: $id, function: entry::<T, R, F> as unaryfunc as *mut c_void }
        }
    )*};
}

object_slots! {
    tp_repr = Py_tp_repr;
    tp_str = Py_tp_str;
    tp_iter = Py_tp_iter;
    nb_negative = Py_nb_negative;
    nb_positive = Py_nb_positive;
    nb_absolute = Py_nb_absolute;
    nb_invert = Py_nb_invert;
    nb_int = Py_nb_int;
    nb_float = Py_nb_float;
    nb_index = Py_nb_index;
    am_await = Py_am_await;
    am_aiter = Py_am_aiter;
    am_anext = Py_am_anext;
}

/// `tp_iternext`: from `fn(&self) -> PyResult<Option<Ref>>`, where `None` ends the iteration.
pub const fn tp_iternext<T: Layout, F: Fn(&T) -> PyResult<Option<crate::Ref>> + Copy>(_function: F) -> Slot {
    unsafe extern "C" fn entry<T: Layout, F: Fn(&T) -> PyResult<Option<crate::Ref>> + Copy>(
        object: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: slot contract.
        match the::<F>()(unsafe { view::<T>(object) }) {
            Ok(item) => crate::handle::into_ptr_opt(item),
            Err(error) => {
                crate::err::restore(error);
                core::ptr::null_mut()
            }
        }
    }
    Slot { id: Py_tp_iternext, function: entry::<T, F> as unaryfunc as *mut c_void }
}

macro_rules! binary_slots {
    ($($name:ident = $id:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`: from `fn(left, right) -> object`; either operand may be the instance.")]
        pub const fn $name<R: IntoPy, F: Fn(&Object, &Object) -> R + Copy>(_function: F) -> Slot {
            Slot { id: $id, function: binary_entry::<Object, R, F> as binaryfunc as *mut c_void }
        }
    )*};
}

unsafe extern "C" fn binary_entry<T: Layout, R: IntoPy, F: Fn(&T, &Object) -> R + Copy>(
    left: *mut PyObject,
    right: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    ret(the::<F>()(unsafe { view::<T>(left) }, unsafe { view(right) }))
}

binary_slots! {
    nb_add = Py_nb_add;
    nb_subtract = Py_nb_subtract;
    nb_multiply = Py_nb_multiply;
    nb_remainder = Py_nb_remainder;
    nb_divmod = Py_nb_divmod;
    nb_lshift = Py_nb_lshift;
    nb_rshift = Py_nb_rshift;
    nb_and = Py_nb_and;
    nb_xor = Py_nb_xor;
    nb_or = Py_nb_or;
    nb_floor_divide = Py_nb_floor_divide;
    nb_true_divide = Py_nb_true_divide;
    nb_matrix_multiply = Py_nb_matrix_multiply;
    nb_inplace_add = Py_nb_inplace_add;
    nb_inplace_subtract = Py_nb_inplace_subtract;
    nb_inplace_multiply = Py_nb_inplace_multiply;
    nb_inplace_and = Py_nb_inplace_and;
    nb_inplace_or = Py_nb_inplace_or;
    nb_inplace_xor = Py_nb_inplace_xor;
}

macro_rules! self_binary_slots {
    ($($name:ident = $id:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`: from `fn(&self, other) -> object`.")]
        pub const fn $name<T: Layout, R: IntoPy, F: Fn(&T, &Object) -> R + Copy>(_function: F) -> Slot {
            Slot { id: $id, function: binary_entry::<T, R, F> as binaryfunc as *mut c_void }
        }
    )*};
}

self_binary_slots! {
    tp_getattro = Py_tp_getattro;
    mp_subscript = Py_mp_subscript;
    sq_concat = Py_sq_concat;
    sq_inplace_concat = Py_sq_inplace_concat;
}

/// `nb_power`: from `fn(base, exponent, modulus or None) -> object`.
pub const fn nb_power<R: IntoPy, F: Fn(&Object, &Object, &Object) -> R + Copy>(_function: F) -> Slot {
    unsafe extern "C" fn entry<R: IntoPy, F: Fn(&Object, &Object, &Object) -> R + Copy>(
        a: *mut PyObject,
        b: *mut PyObject,
        c: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: slot contract.
        unsafe { ret(the::<F>()(view(a), view(b), view(c))) }
    }
    Slot { id: Py_nb_power, function: entry::<R, F> as ternaryfunc as *mut c_void }
}

/// `nb_bool`: from `fn(&self) -> PyResult<bool>`.
pub const fn nb_bool<T: Layout, F: Fn(&T) -> PyResult<bool> + Copy>(_function: F) -> Slot {
    unsafe extern "C" fn entry<T: Layout, F: Fn(&T) -> PyResult<bool> + Copy>(
        object: *mut PyObject,
    ) -> c_int {
        // SAFETY: slot contract.
        ret_len(the::<F>()(unsafe { view::<T>(object) }).map(isize::from)) as c_int
    }
    Slot { id: Py_nb_bool, function: entry::<T, F> as inquiry as *mut c_void }
}

macro_rules! length_slots {
    ($($name:ident = $id:ident, $what:literal;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`: from `fn(&self) -> PyResult<isize>`, ", $what, ".")]
        pub const fn $name<T: Layout, F: Fn(&T) -> PyResult<isize> + Copy>(_function: F) -> Slot {
            unsafe extern "C" fn entry<T: Layout, F: Fn(&T) -> PyResult<isize> + Copy>(object: *mut PyObject) -> isize {
                // SAFETY: slot contract.
                ret_len(the::<F>()(unsafe { view::<T>(object) }))
            }
            Slot { id: $id, function: entry::<T, F> as lenfunc as *mut c_void }
        }
    )*};
}

length_slots! {
    tp_hash = Py_tp_hash, "never -1";
    sq_length = Py_sq_length, "the number of items";
    mp_length = Py_mp_length, "the number of items";
}

macro_rules! index_slots {
    ($($name:ident = $id:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`: from `fn(&self, isize) -> object`.")]
        pub const fn $name<T: Layout, R: IntoPy, F: Fn(&T, isize) -> R + Copy>(_function: F) -> Slot {
            unsafe extern "C" fn entry<T: Layout, R: IntoPy, F: Fn(&T, isize) -> R + Copy>(
                object: *mut PyObject,
                index: isize,
            ) -> *mut PyObject {
                // SAFETY: slot contract.
                ret(the::<F>()(unsafe { view::<T>(object) }, index))
            }
            Slot { id: $id, function: entry::<T, R, F> as ssizeargfunc as *mut c_void }
        }
    )*};
}

index_slots! {
    sq_item = Py_sq_item;
    sq_repeat = Py_sq_repeat;
    sq_inplace_repeat = Py_sq_inplace_repeat;
}

/// `sq_ass_item`: from `fn(&self, index, value or None to delete)`.
pub const fn sq_ass_item<T: Layout, F: Fn(&T, isize, Option<&Object>) -> PyResult<()> + Copy>(
    _function: F,
) -> Slot {
    unsafe extern "C" fn entry<T: Layout, F: Fn(&T, isize, Option<&Object>) -> PyResult<()> + Copy>(
        object: *mut PyObject,
        index: isize,
        value: *mut PyObject,
    ) -> c_int {
        // SAFETY: slot contract.
        unsafe { ret_int(the::<F>()(view::<T>(object), index, Object::borrow_opt(value))) }
    }
    Slot { id: Py_sq_ass_item, function: entry::<T, F> as ssizeobjargproc as *mut c_void }
}

macro_rules! store_slots {
    ($($name:ident = $id:ident, $key:literal;)*) => {$(
        #[doc = concat!("`", stringify!($name), "`: from `fn(&self, ", $key, ", value or None to delete)`.")]
        pub const fn $name<T: Layout, F: Fn(&T, &Object, Option<&Object>) -> PyResult<()> + Copy>(_function: F) -> Slot {
            unsafe extern "C" fn entry<T: Layout, F: Fn(&T, &Object, Option<&Object>) -> PyResult<()> + Copy>(
                object: *mut PyObject,
                key: *mut PyObject,
                value: *mut PyObject,
            ) -> c_int {
                // SAFETY: slot contract.
                unsafe { ret_int(the::<F>()(view::<T>(object), view(key), Object::borrow_opt(value))) }
            }
            Slot { id: $id, function: entry::<T, F> as objobjargproc as *mut c_void }
        }
    )*};
}

store_slots! {
    mp_ass_subscript = Py_mp_ass_subscript, "key";
    tp_setattro = Py_tp_setattro, "name";
    tp_descr_set = Py_tp_descr_set, "instance";
}

/// `sq_contains`: from `fn(&self, item) -> PyResult<bool>`.
pub const fn sq_contains<T: Layout, F: Fn(&T, &Object) -> PyResult<bool> + Copy>(_function: F) -> Slot {
    unsafe extern "C" fn entry<T: Layout, F: Fn(&T, &Object) -> PyResult<bool> + Copy>(
        object: *mut PyObject,
        item: *mut PyObject,
    ) -> c_int {
        // SAFETY: slot contract.
        unsafe { ret_len(the::<F>()(view::<T>(object), view(item)).map(isize::from)) as c_int }
    }
    Slot { id: Py_sq_contains, function: entry::<T, F> as objobjproc as *mut c_void }
}

/// The six comparisons, with CPython's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum CompareOp {
    Lt = 0,
    Le = 1,
    Eq = 2,
    Ne = 3,
    Gt = 4,
    Ge = 5,
}

impl CompareOp {
    /// The operator of a number from 0 to 5.
    pub fn from_raw(op: c_int) -> Option<Self> {
        [Self::Lt, Self::Le, Self::Eq, Self::Ne, Self::Gt, Self::Ge].get(usize::try_from(op).ok()?).copied()
    }

    /// The operator with its operands exchanged.
    pub fn swapped(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same => same,
        }
    }

    /// What the operator says of two values in this order.
    pub fn holds(self, order: core::cmp::Ordering) -> bool {
        match self {
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }

    pub fn symbol(self) -> &'static str {
        ["<", "<=", "==", "!=", ">", ">="][self as usize]
    }
}

/// `tp_richcompare`: from `fn(&self, other, op) -> object` (`NotImplemented` where it does not know).
pub const fn tp_richcompare<T: Layout, R: IntoPy, F: Fn(&T, &Object, CompareOp) -> R + Copy>(
    _function: F,
) -> Slot {
    unsafe extern "C" fn entry<T: Layout, R: IntoPy, F: Fn(&T, &Object, CompareOp) -> R + Copy>(
        object: *mut PyObject,
        other: *mut PyObject,
        op: c_int,
    ) -> *mut PyObject {
        let Some(op) = CompareOp::from_raw(op) else {
            return ret(crate::singletons::not_implemented().new_ref());
        };
        // SAFETY: slot contract.
        unsafe { ret(the::<F>()(view::<T>(object), view(other), op)) }
    }
    Slot { id: Py_tp_richcompare, function: entry::<T, R, F> as richcmpfunc as *mut c_void }
}

/// `tp_call`: from `fn(&self, args, kwargs) -> object`.
pub const fn tp_call<T: Layout, R: IntoPy, F: Fn(&T, &Tuple, Option<&crate::dict::Dict>) -> R + Copy>(
    _function: F,
) -> Slot {
    unsafe extern "C" fn entry<
        T: Layout,
        R: IntoPy,
        F: Fn(&T, &Tuple, Option<&crate::dict::Dict>) -> R + Copy,
    >(
        object: *mut PyObject,
        args: *mut PyObject,
        kwargs: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: slot contract: a tuple, and a dict or null.
        unsafe {
            ret(the::<F>()(view::<T>(object), view(args), Object::borrow_opt(kwargs).map(|k| k.cast())))
        }
    }
    Slot { id: Py_tp_call, function: entry::<T, R, F> as ternaryfunc as *mut c_void }
}

/// `tp_descr_get`: from `fn(&self, instance, owner) -> object`.
pub const fn tp_descr_get<T: Layout, R: IntoPy, F: Fn(&T, Option<&Object>, Option<&Object>) -> R + Copy>(
    _function: F,
) -> Slot {
    unsafe extern "C" fn entry<
        T: Layout,
        R: IntoPy,
        F: Fn(&T, Option<&Object>, Option<&Object>) -> R + Copy,
    >(
        object: *mut PyObject,
        instance: *mut PyObject,
        owner: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: slot contract.
        unsafe { ret(the::<F>()(view::<T>(object), Object::borrow_opt(instance), Object::borrow_opt(owner))) }
    }
    Slot { id: Py_tp_descr_get, function: entry::<T, R, F> as descrgetfunc as *mut c_void }
}

/// `tp_new`: from `fn(type, args, kwargs) -> object`.
pub const fn tp_new<R: IntoPy, F: Fn(&Type, &Tuple, Option<&crate::dict::Dict>) -> R + Copy>(
    _function: F,
) -> Slot {
    unsafe extern "C" fn entry<R: IntoPy, F: Fn(&Type, &Tuple, Option<&crate::dict::Dict>) -> R + Copy>(
        ty: *mut PyTypeObject,
        args: *mut PyObject,
        kwargs: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: slot contract: a type, a tuple, and a dict or null.
        unsafe { ret(the::<F>()(view(ty.cast()), view(args), Object::borrow_opt(kwargs).map(|k| k.cast()))) }
    }
    Slot { id: Py_tp_new, function: entry::<R, F> as newfunc as *mut c_void }
}

/// `tp_vectorcall` of a type: from `fn(type, CallArgs) -> object`.
pub const fn tp_vectorcall<R: IntoPy, F: Fn(&Type, super::CallArgs<'_>) -> R + Copy>(_function: F) -> Slot {
    unsafe extern "C" fn entry<R: IntoPy, F: Fn(&Type, super::CallArgs<'_>) -> R + Copy>(
        ty: *mut PyObject,
        args: *const *mut PyObject,
        nargsf: usize,
        kwnames: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: slot contract: a type, the arguments, and a tuple of names or null.
        unsafe {
            let kwnames: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
            let count = crate::callable::vectorcall_count(nargsf) + kwnames.map_or(0, Tuple::len);
            let all: &[&Object] =
                if count == 0 { &[] } else { core::slice::from_raw_parts(args.cast(), count) };
            ret(the::<F>()(view(ty), super::CallArgs { all, kwnames }))
        }
    }
    Slot { id: Py_tp_vectorcall, function: entry::<R, F> as vectorcallfunc as *mut c_void }
}

/// `tp_init`: from `fn(&self, args, kwargs)`.
pub const fn tp_init<T: Layout, F: Fn(&T, &Tuple, Option<&crate::dict::Dict>) -> PyResult<()> + Copy>(
    _function: F,
) -> Slot {
    unsafe extern "C" fn entry<
        T: Layout,
        F: Fn(&T, &Tuple, Option<&crate::dict::Dict>) -> PyResult<()> + Copy,
    >(
        object: *mut PyObject,
        args: *mut PyObject,
        kwargs: *mut PyObject,
    ) -> c_int {
        // SAFETY: slot contract: a tuple, and a dict or null.
        unsafe {
            ret_int(the::<F>()(view::<T>(object), view(args), Object::borrow_opt(kwargs).map(|k| k.cast())))
        }
    }
    Slot { id: Py_tp_init, function: entry::<T, F> as initproc as *mut c_void }
}

/// `tp_finalize`: from `fn(&self)`; errors are reported as unraisable by the function itself.
pub const fn tp_finalize<T: Layout, F: Fn(&T) + Copy>(_function: F) -> Slot {
    unsafe extern "C" fn entry<T: Layout, F: Fn(&T) + Copy>(object: *mut PyObject) {
        let pending = crate::err::fetch_opt();
        // SAFETY: slot contract.
        the::<F>()(unsafe { view::<T>(object) });
        if let Some(error) = pending {
            crate::err::restore(error);
        }
    }
    Slot { id: Py_tp_finalize, function: entry::<T, F> as destructor as *mut c_void }
}

/// What a `send` gave: a value that was yielded, or the one that was returned.
pub enum Sent {
    Yielded(crate::Ref),
    Returned(crate::Ref),
}

/// `am_send`: from `fn(&self, value) -> PyResult<Sent>`.
pub const fn am_send<T: Layout, F: Fn(&T, &Object) -> PyResult<Sent> + Copy>(_function: F) -> Slot {
    unsafe extern "C" fn entry<T: Layout, F: Fn(&T, &Object) -> PyResult<Sent> + Copy>(
        object: *mut PyObject,
        value: *mut PyObject,
        result: *mut *mut PyObject,
    ) -> c_int {
        // SAFETY: slot contract; `result` is the caller's to be filled.
        unsafe {
            let (status, out) = match the::<F>()(view::<T>(object), view(value)) {
                Ok(Sent::Returned(value)) => (0, value.into_ptr()),
                Ok(Sent::Yielded(value)) => (1, value.into_ptr()),
                Err(error) => {
                    crate::err::restore(error);
                    (-1, core::ptr::null_mut())
                }
            };
            *result = out;
            status
        }
    }
    Slot { id: Py_am_send, function: entry::<T, F> as sendfunc as *mut c_void }
}

macro_rules! raw_slots {
    ($($name:ident: $ty:ty = $id:ident;)*) => {$(
        #[doc = concat!("`", stringify!($name), "` given as a C function.")]
        pub const fn $name(function: $ty) -> Slot {
            Slot { id: $id, function: function as *mut c_void }
        }
    )*};
}

raw_slots! {
    raw_dealloc: destructor = Py_tp_dealloc;
    raw_traverse: traverseproc = Py_tp_traverse;
    raw_clear: inquiry = Py_tp_clear;
    raw_free: freefunc = Py_tp_free;
    raw_alloc: allocfunc = Py_tp_alloc;
    raw_is_gc: inquiry = Py_tp_is_gc;
    raw_getattro: getattrofunc = Py_tp_getattro;
    raw_setattro: setattrofunc = Py_tp_setattro;
    raw_new: newfunc = Py_tp_new;
    raw_init: initproc = Py_tp_init;
    raw_call: ternaryfunc = Py_tp_call;
    raw_iter: getiterfunc = Py_tp_iter;
    raw_iternext: iternextfunc = Py_tp_iternext;
    raw_hash: hashfunc = Py_tp_hash;
    raw_vectorcall: vectorcallfunc = Py_tp_vectorcall;
    raw_getbuffer: getbufferproc = Py_bf_getbuffer;
    raw_releasebuffer: releasebufferproc = Py_bf_releasebuffer;
}
