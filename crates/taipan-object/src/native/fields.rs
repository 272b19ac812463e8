//! What payloads of native classes share: fields that own references, and the macros that declare them.
//!
//! A payload is only ever seen through a shared reference, so what changes stands in cells; a value is
//! taken out before Python code runs and put back afterwards, and no code called on the way finds a
//! borrowed cell.

use super::Visitor;
use crate::module::Module;
use crate::native::TypeSpec;
use crate::typeobject::install;
use crate::{Layout, Object, PyResult, Ref, Type};
use core::cell::{Cell, RefCell};
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
    pub fn new(value: Option<Ref>) -> Self {
        Self(Cell::new(value))
    }

    pub fn of(value: &Object) -> Self {
        Self::new(Some(value.new_ref()))
    }

    /// A new reference to the value.
    pub fn get(&self) -> Option<Ref> {
        let value = self.0.take();
        let copy = value.clone();
        self.0.set(value);
        copy
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
    fn show(&self, visitor: &mut Visitor);
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

/// Declares a payload with its type object: `payload!(Chain, CHAIN, c"itertools.chain", GC_BASE, [source, active]);`
/// where the list names the fields that own references.
#[macro_export]
macro_rules! payload {
    ($payload:ident, $ty:ident, $python:literal, $flags:expr, [$($field:ident),*]) => {
        /// The type object.
        pub static $ty: $crate::statics::StaticType = $crate::statics::StaticType::native(
            $python,
            $crate::native::Native::<$payload>::SIZE,
            $flags,
        );

        impl $crate::native::Payload for $payload {
            const TYPE: &'static $crate::statics::StaticType = &$ty;
            fn traverse(&self, visitor: &mut $crate::native::Visitor) {
                let _ = &visitor;
                $($crate::native::Held::show(&self.$field, visitor);)*
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

/// Binds the arguments of a `tp_new` to the parameters of a signature, as `$bound`.
#[macro_export]
macro_rules! bind {
    ($bound:ident = $name:literal $text:literal, $args:expr, $kwargs:expr) => {
        static SIGNATURE: $crate::native::Signature = $crate::native::Signature::parse($name, $text);
        let mut storage = Vec::new();
        let mut names = None;
        let $bound = SIGNATURE.bind_tuple($args, $kwargs, &mut storage, &mut names)?;
    };
}

/// Makes a class ready, once per process, and adds it to its module.
///
/// # Errors
/// `MemoryError`.
pub fn add_type(module: &Module, name: &str, spec: &'static TypeSpec) -> PyResult<()> {
    make_ready(spec)?;
    let ty: &Type = spec.ty;
    module.add(name, ty)
}

/// Makes a class ready, once per process.
///
/// # Errors
/// `MemoryError`.
pub fn make_ready(spec: &'static TypeSpec) -> PyResult<()> {
    if spec.ty.has_flag(Py_TPFLAGS_READY) { Ok(()) } else { install(spec) }
}
