//! Payload fields that own references, and the declaration of a payload with its type object.
//!
//! Problem: each native class has to tell the collector what it holds, drop it when asked to, and
//! never hand out a borrow of a cell that Python code could enter again. Idea: a [`Field`] is taken
//! out, copied and put back; [`payload!`](crate::payload) names the fields once and makes traversal
//! and clearing from the list.

use super::Visitor;
use crate::err::PyResult;
use crate::handle::{Layout, Object, Ref, Type};
use crate::module::Module;
use crate::native::TypeSpec;
use core::cell::{Cell, RefCell};
use core::ffi::CStr;
use std::collections::VecDeque;
use taipan_abi::{Py_TPFLAGS_BASETYPE, Py_TPFLAGS_HAVE_GC, Py_TPFLAGS_READY};

/// A collectable class without subclasses in Python.
pub const GC: u64 = Py_TPFLAGS_HAVE_GC;
/// A collectable class that Python code may derive from.
pub const GC_BASE: u64 = Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE;

/// A field that owns a reference or nothing.
#[derive(Default)]
pub struct Field(Cell<Option<Ref>>);

impl Field {
    pub const fn empty() -> Self {
        Self(Cell::new(None))
    }

    pub fn new(value: Option<Ref>) -> Self {
        Self(Cell::new(value))
    }

    pub fn of(value: &Object) -> Self {
        Self::new(Some(value.new_ref()))
    }

    /// A new reference to the value.
    #[inline]
    pub fn get(&self) -> Option<Ref> {
        let value = self.0.take();
        let copy = value.clone();
        self.0.set(value);
        copy
    }

    /// Whether there is a value.
    pub fn is_set(&self) -> bool {
        let value = self.0.take();
        let set = value.is_some();
        self.0.set(value);
        set
    }

    /// Replaces the value; the old one is released after the store.
    pub fn set(&self, value: Option<Ref>) {
        drop(self.0.replace(value));
    }

    pub fn take(&self) -> Option<Ref> {
        self.0.take()
    }
}

/// Something in a payload that owns references.
pub trait Held {
    /// Shows the collector what is owned.
    fn show(&self, visitor: &mut Visitor);
    /// Gives up what is owned.
    fn release(&self);
}

impl Held for Field {
    fn show(&self, visitor: &mut Visitor) {
        let value = self.0.take();
        visitor.visit_opt(value.as_ref());
        self.0.set(value);
    }

    fn release(&self) {
        self.set(None);
    }
}

impl<T: Layout> Held for Ref<T> {
    fn show(&self, visitor: &mut Visitor) {
        visitor.visit(self);
    }

    /// What never changes is released with its owner: cycles are broken elsewhere.
    fn release(&self) {}
}

impl Held for Vec<Ref> {
    fn show(&self, visitor: &mut Visitor) {
        self.iter().for_each(|item| visitor.visit(item));
    }

    /// As for a plain reference.
    fn release(&self) {}
}

impl Held for RefCell<Vec<Ref>> {
    fn show(&self, visitor: &mut Visitor) {
        for item in self.borrow().iter() {
            visitor.visit(item);
        }
    }

    fn release(&self) {
        let items = self.take();
        drop(items);
    }
}

impl Held for RefCell<VecDeque<Ref>> {
    fn show(&self, visitor: &mut Visitor) {
        for item in self.borrow().iter() {
            visitor.visit(item);
        }
    }

    fn release(&self) {
        let items = self.take();
        drop(items);
    }
}

impl Held for RefCell<Vec<Option<Ref>>> {
    fn show(&self, visitor: &mut Visitor) {
        for item in self.borrow().iter() {
            visitor.visit_opt(item.as_ref());
        }
    }

    fn release(&self) {
        let items = self.take();
        drop(items);
    }
}

/// Makes a class ready, once per process.
///
/// # Errors
/// `MemoryError`.
pub fn make_ready(spec: &'static TypeSpec) -> PyResult<()> {
    if spec.ty.has_flag(Py_TPFLAGS_READY) { Ok(()) } else { crate::typeobject::install(spec) }
}

/// Makes a class ready and adds it to its module.
///
/// # Errors
/// `MemoryError`.
pub fn add_type(module: &Module, spec: &'static TypeSpec) -> PyResult<()> {
    make_ready(spec)?;
    let ty: &Type = spec.ty;
    module.add(ty.name(), ty)
}

/// What [`payload!`](crate::payload) hands to [`crate::statics::StaticType::new`].
pub const fn type_init(
    name: &'static CStr,
    size: usize,
    flags: u64,
    base: *const crate::statics::StaticType,
) -> crate::statics::StaticTypeInit {
    crate::statics::StaticTypeInit {
        name,
        basicsize: size.cast_signed(),
        itemsize: 0,
        dictoffset: if flags & taipan_abi::Py_TPFLAGS_MANAGED_DICT != 0 { -1 } else { 0 },
        weaklistoffset: if flags & taipan_abi::Py_TPFLAGS_MANAGED_WEAKREF != 0 { -32 } else { 0 },
        vectorcall_offset: 0,
        flags: flags | taipan_abi::Py_TPFLAGS_IMMUTABLETYPE,
        base,
    }
}

/// Declares a payload with its type object:
/// `payload!(Chain, CHAIN, c"itertools.chain", FLAGS, PyBaseObject_Type, [source, active]);`
/// where the list names the fields that own references; without a base it is `object`.
#[macro_export]
macro_rules! payload {
    ($payload:ident, $ty:ident, $python:literal, $flags:expr, [$($field:ident),*]) => {
        $crate::payload!(
            $payload,
            $ty,
            $python,
            $flags,
            $crate::statics::PyBaseObject_Type,
            [$($field),*]
        );
    };
    ($payload:ident, $ty:ident, $python:literal, $flags:expr, $base:expr, [$($field:ident),*]) => {
        /// The type object.
        pub static $ty: $crate::statics::StaticType =
            $crate::statics::StaticType::new($crate::native::type_init(
                $python,
                $crate::native::Native::<$payload>::SIZE,
                $flags,
                &raw const $base,
            ));

        impl $crate::native::Payload for $payload {
            const TYPE: &'static $crate::statics::StaticType = &$ty;
            fn traverse(&self, _visitor: &mut $crate::native::Visitor) {
                $($crate::native::Held::show(&self.$field, _visitor);)*
            }
            fn clear(&self) {
                $($crate::native::Held::release(&self.$field);)*
            }
        }
    };
}

/// Declares a payload whose instances can be called: as `payload!`, for [`$crate::native::Called`].
#[macro_export]
macro_rules! called {
    ($payload:ident, $ty:ident, $python:literal, $flags:expr, [$($field:ident),*]) => {
        /// The type object.
        pub static $ty: $crate::statics::StaticType = $crate::statics::StaticType::called(
            $python,
            $crate::native::Native::<$crate::native::Called<$payload>>::SIZE,
            $crate::native::Called::<$payload>::OFFSET,
            $flags,
        );

        impl $crate::native::CalledPayload for $payload {
            const TYPE: &'static $crate::statics::StaticType = &$ty;
            fn traverse(&self, visitor: &mut $crate::native::Visitor) {
                $($crate::native::Held::show(&self.$field, visitor);)*
            }
            fn clear(&self) {
                $($crate::native::Held::release(&self.$field);)*
            }
        }
    };
}

/// Binds the arguments of a `tp_new` or `tp_init` to the parameters of a signature, as `$bound`.
#[macro_export]
macro_rules! bind {
    ($bound:ident = $name:literal $text:literal, $args:expr, $kwargs:expr) => {
        static SIGNATURE: $crate::native::Signature = $crate::native::Signature::parse($name, $text);
        let mut storage = Vec::new();
        let mut names = None;
        let $bound = SIGNATURE.bind_tuple($args, $kwargs, &mut storage, &mut names)?;
    };
}
