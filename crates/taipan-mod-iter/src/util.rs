//! What the classes share: fields that own references, payload and argument shorthands.

use core::cell::{Cell, RefCell};
use taipan_object::dict::Dict;
use taipan_object::module::Module;
use taipan_object::native::{Payload, Visitor};
use taipan_object::statics::{Py_GenericAliasType, PyExc_TypeError};
use taipan_object::typeobject::install;
use taipan_object::{Layout, Object, PyResult, Ref, Type, TypeSpec, abi, intern, raise};

/// A collectable class without subclasses in Python.
pub const GC: u64 = abi::Py_TPFLAGS_HAVE_GC;
/// A collectable class that Python code may derive from.
pub const GC_BASE: u64 = abi::Py_TPFLAGS_HAVE_GC | abi::Py_TPFLAGS_BASETYPE;

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
macro_rules! payload {
    ($payload:ident, $ty:ident, $python:literal, $flags:expr, [$($field:ident),*]) => {
        /// The type object.
        pub static $ty: taipan_object::statics::StaticType = taipan_object::statics::StaticType::native(
            $python,
            taipan_object::native::Native::<$payload>::SIZE,
            $flags,
        );

        impl taipan_object::native::Payload for $payload {
            const TYPE: &'static taipan_object::statics::StaticType = &$ty;
            fn traverse(&self, visitor: &mut taipan_object::native::Visitor) {
                let _ = &visitor;
                $($crate::util::Held::show(&self.$field, visitor);)*
            }
            fn clear(&self) {
                $($crate::util::Held::release(&self.$field);)*
            }
        }
    };
}

/// Declares a payload whose instances can be called: as `payload!`, for [`taipan_object::native::Called`].
macro_rules! called {
    ($payload:ident, $ty:ident, $python:literal, $flags:expr, [$($field:ident),*]) => {
        /// The type object.
        pub static $ty: taipan_object::statics::StaticType = taipan_object::statics::StaticType::called(
            $python,
            taipan_object::native::Native::<taipan_object::native::Called<$payload>>::SIZE,
            taipan_object::native::Called::<$payload>::OFFSET,
            $flags,
        );

        impl taipan_object::native::CalledPayload for $payload {
            const TYPE: &'static taipan_object::statics::StaticType = &$ty;
            fn traverse(&self, visitor: &mut taipan_object::native::Visitor) {
                $($crate::util::Held::show(&self.$field, visitor);)*
            }
            fn clear(&self) {
                $($crate::util::Held::release(&self.$field);)*
            }
        }
    };
}

/// Declares the table of an iterator class: `iterator!(Chain, CHAIN, c"doc", new, next);`, with more
/// slots and methods after it.
macro_rules! iterator {
    ($spec:ident, $payload:ident, $ty:ident, $doc:literal, $new:expr, $next:expr $(, slots [$($slot:expr),*])? $(, methods $methods:expr)?) => {
        pub(super) static $spec: taipan_object::TypeSpec = taipan_object::TypeSpec {
            doc: Some($doc),
            slots: &[
                taipan_object::native::tp_new($new),
                taipan_object::native::tp_iter($crate::util::itself),
                taipan_object::native::tp_iternext($next),
                taipan_object::native::Native::<$payload>::DEALLOC,
                taipan_object::native::Native::<$payload>::TRAVERSE,
                taipan_object::native::Native::<$payload>::CLEAR,
                $($($slot,)*)?
            ],
            $(methods: $methods,)?
            ..taipan_object::TypeSpec::new(&$ty)
        };
    };
}

/// Binds the arguments of a `tp_new` to the parameters of a signature, as `$bound`.
macro_rules! bind {
    ($bound:ident = $name:literal $text:literal, $args:expr, $kwargs:expr) => {
        static SIGNATURE: taipan_object::native::Signature =
            taipan_object::native::Signature::parse($name, $text);
        let mut storage = Vec::new();
        let mut names = None;
        let $bound = SIGNATURE.bind_tuple($args, $kwargs, &mut storage, &mut names)?;
    };
}

/// `tp_iter` of iterators.
pub fn itself(object: &Object) -> Ref {
    object.new_ref()
}

/// The keywords of a constructor that takes none: they pass when a subclass has an `__init__` of its
/// own that may want them.
pub fn own_keywords<'a, P: Payload>(ty: &Type, kwargs: Option<&'a Dict>) -> Option<&'a Dict> {
    let kwargs = kwargs.filter(|kwargs| !kwargs.is_empty())?;
    let name = intern!("__init__");
    let base: &Type = P::TYPE;
    if !ty.is(base) && !same(ty.lookup(name), base.lookup(name)) {
        return None;
    }
    Some(kwargs)
}

fn same(a: Option<Ref>, b: Option<Ref>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.is(&b),
        (None, None) => true,
        _ => false,
    }
}

/// Checks that a constructor got no keywords.
///
/// # Errors
/// `TypeError`.
pub fn no_keywords<P: Payload>(ty: &Type, name: &str, kwargs: Option<&Dict>) -> PyResult<()> {
    match own_keywords::<P>(ty, kwargs) {
        None => Ok(()),
        Some(_) => Err(raise!(PyExc_TypeError, "{name}() takes no keyword arguments")),
    }
}

/// `cls[item]` of classes that only take type parameters.
pub fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
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
    if spec.ty.has_flag(abi::Py_TPFLAGS_READY) { Ok(()) } else { install(spec) }
}
