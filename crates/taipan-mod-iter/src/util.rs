//! What the classes share: fields that own references, payload and argument shorthands.

use taipan_object::dict::Dict;
use taipan_object::native::Payload;
use taipan_object::statics::{Py_GenericAliasType, PyExc_TypeError};
use taipan_object::{Object, PyResult, Ref, Type, intern, raise};

pub use taipan_object::native::{Field, GC, GC_BASE, Held, add_type, make_ready};

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
