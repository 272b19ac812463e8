//! The rows of definition tables: methods, attributes, members.

use super::GetSetRow;
use super::convert::{IntoPy, ret, ret_int};
use super::entry::Entry;
use super::slots::the;
use crate::err::PyResult;
use crate::handle::{Layout, Object};
use core::ffi::{CStr, c_int, c_void};
use core::ptr::null_mut;
use taipan_abi::*;

/// A `PyMethodDef` in a static table.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct MethodRow(pub PyMethodDef);
// SAFETY: rows are never written.
unsafe impl Sync for MethodRow {}

/// A `PyMemberDef` in a static table.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Member(pub PyMemberDef);
// SAFETY: rows are never written.
unsafe impl Sync for Member {}

impl Member {
    /// A field of the C struct: name, `Py_T_*` type, offset, `Py_READONLY` or 0, documentation.
    pub const fn new(name: &'static CStr, kind: i32, offset: usize, flags: i32, doc: &'static CStr) -> Self {
        Self(PyMemberDef {
            name: name.as_ptr(),
            r#type: kind,
            offset: offset.cast_signed(),
            flags,
            doc: doc.as_ptr(),
        })
    }
}

/// A row from its parts; `name` and `doc` are null-terminated, `flags` are added to the entry's.
pub const fn method_row(name: &'static str, entry: Entry, flags: i32, doc: &'static str) -> MethodRow {
    // SAFETY: `ml_meth` is stored untyped; readers cast it back by the flags.
    let function: Option<PyCFunction> = unsafe { core::mem::transmute(entry.function) };
    MethodRow(PyMethodDef {
        ml_name: name.as_ptr().cast(),
        ml_meth: function,
        ml_flags: entry.flags | flags,
        ml_doc: if doc.len() <= 1 { core::ptr::null() } else { doc.as_ptr().cast() },
    })
}

/// Declares a table of methods or of a module's functions.
///
/// Each row reads `KIND name "(signature)" = function, "Documentation.";` where KIND is
/// - `noargs`: `fn(&T) -> object`;
/// - `one`: `fn(&T, &Object) -> object`, a single positional-only argument;
/// - `args`: `fn(&T, &Args) -> object`, arguments bound by the signature;
/// - `many`: `fn(&T, &[&Object]) -> object`, positional arguments as they come;
/// - `keywords`: `fn(&T, CallArgs) -> object`, all arguments as they come;
///
/// with `class` or `static` in front for class and static methods. In a module's table `T` is
/// [`Object`](crate::Object), the module itself.
#[macro_export]
macro_rules! methods {
    ($(#[$meta:meta])* $vis:vis static $table:ident = { $($rows:tt)* }) => {
        $(#[$meta])*
        $vis static $table: &[$crate::native::MethodRow] = $crate::methods!(@list [] $($rows)*);
    };
    (@list [$($done:expr,)*]) => { &[$($done,)*] };
    (@list [$($done:expr,)*] class $kind:ident $name:literal $sig:literal = $function:expr, $doc:literal; $($rest:tt)*) => {
        $crate::methods!(@list [$($done,)* $crate::methods!(@row ($crate::abi::METH_CLASS) $kind $name $sig $function, $doc),] $($rest)*)
    };
    (@list [$($done:expr,)*] static $kind:ident $name:literal $sig:literal = $function:expr, $doc:literal; $($rest:tt)*) => {
        $crate::methods!(@list [$($done,)* $crate::methods!(@row ($crate::abi::METH_STATIC) $kind $name $sig $function, $doc),] $($rest)*)
    };
    (@list [$($done:expr,)*] coexist $kind:ident $name:literal $sig:literal = $function:expr, $doc:literal; $($rest:tt)*) => {
        $crate::methods!(@list [$($done,)* $crate::methods!(@row ($crate::abi::METH_COEXIST) $kind $name $sig $function, $doc),] $($rest)*)
    };
    (@list [$($done:expr,)*] $kind:ident $name:literal $sig:literal = $function:expr, $doc:literal; $($rest:tt)*) => {
        $crate::methods!(@list [$($done,)* $crate::methods!(@row (0) $kind $name $sig $function, $doc),] $($rest)*)
    };
    (@row ($extra:expr) args $name:literal $sig:literal $function:expr, $doc:literal) => {{
        struct Row;
        impl $crate::native::Signed for Row {
            fn signature() -> &'static $crate::native::Signature {
                static SIGNATURE: $crate::native::Signature = $crate::native::Signature::parse($name, $sig);
                &SIGNATURE
            }
        }
        $crate::methods!(@def $name $sig $doc, $crate::native::entry::args::<Row, _, _, _>($function), $extra)
    }};
    (@row ($extra:expr) $kind:ident $name:literal $sig:literal $function:expr, $doc:literal) => {
        $crate::methods!(@def $name $sig $doc, $crate::native::entry::$kind($function), $extra)
    };
    (@def $name:literal "" $doc:literal, $entry:expr, $flags:expr) => {
        $crate::native::method_row(concat!($name, "\0"), $entry, $flags, concat!($doc, "\0"))
    };
    (@def $name:literal $sig:literal $doc:literal, $entry:expr, $flags:expr) => {
        $crate::native::method_row(concat!($name, "\0"), $entry, $flags, if $sig.is_empty() { concat!($doc, "\0") } else { concat!($name, $sig, "\n--\n\n", $doc, "\0") })
    };
}

/// A computed attribute from a getter `fn(&T) -> object`.
pub const fn getset_row<T: Layout, R: IntoPy, G: Fn(&T) -> R + Copy>(
    name: &'static CStr,
    _getter: G,
    doc: &'static CStr,
) -> GetSetRow {
    unsafe extern "C" fn get<T: Layout, R: IntoPy, G: Fn(&T) -> R + Copy>(
        object: *mut PyObject,
        _: *mut c_void,
    ) -> *mut PyObject {
        // SAFETY: the descriptor has checked the type of the instance.
        ret(the::<G>()(unsafe { Object::borrow(object).cast() }))
    }
    GetSetRow(PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get::<T, R, G>),
        set: None,
        doc: doc.as_ptr(),
        closure: null_mut(),
    })
}

impl GetSetRow {
    /// The same attribute with a setter `fn(&T, value or None to delete) -> PyResult<()>`.
    pub const fn with_setter<T: Layout, S: Fn(&T, Option<&Object>) -> PyResult<()> + Copy>(
        mut self,
        _setter: S,
    ) -> Self {
        unsafe extern "C" fn set<T: Layout, S: Fn(&T, Option<&Object>) -> PyResult<()> + Copy>(
            object: *mut PyObject,
            value: *mut PyObject,
            _: *mut c_void,
        ) -> c_int {
            // SAFETY: the descriptor has checked the type of the instance.
            unsafe { ret_int(the::<S>()(Object::borrow(object).cast(), Object::borrow_opt(value))) }
        }
        self.0.set = Some(set::<T, S>);
        self
    }
}

/// The setter of attributes that CPython declares as members which cannot be set.
///
/// # Errors
/// Always `AttributeError`.
pub fn read_only(_: &Object, _: Option<&Object>) -> PyResult<()> {
    Err(crate::err::attribute_error("readonly attribute"))
}
