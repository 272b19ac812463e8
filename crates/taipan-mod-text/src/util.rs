//! What the modules share: exception classes of their own, and arguments.

use core::cell::OnceCell;
use taipan_object::dict::Dict;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyExc_TypeError, PyType_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, err, intern, raise, state};

/// An exception class that a module makes; each interpreter has its own.
pub trait ModuleError: Default + 'static {
    const MODULE: &'static str;
    const NAME: &'static str;
    fn base() -> &'static Type;
    fn place(&self) -> &OnceCell<Ref<Type>>;

    /// The class.
    fn class() -> PyResult<&'static Type> {
        let place = state::interp().extension(Self::default).place();
        if place.get().is_none() {
            let made = new_class(Self::MODULE, Self::NAME, Self::base())?;
            // Whoever came first while the class was made is as good.
            let _ = place.set(made);
        }
        Ok(place.get().unwrap_or_else(|| unreachable!("set just now")))
    }

    /// An exception with a message.
    fn error(message: &str) -> PyErr {
        Self::class().map_or_else(|error| error, |class| PyErr::new(class, message))
    }
}

fn new_class(module: &str, name: &str, base: &Type) -> PyResult<Ref<Type>> {
    let bases = Tuple::from_array([base.new_ref()])?;
    let namespace = Dict::new()?;
    namespace.set_str(intern!("__module__"), &*Str::from_utf8(module)?)?;
    let name = Str::from_utf8(name)?;
    PyType_Type
        .call(&[&name, &bases, &namespace])?
        .downcast_owned()
        .map_err(|_| err::system_error("type() gave no type"))
}

/// Declares a [`ModuleError`].
macro_rules! module_error {
    ($name:ident, $module:literal, $python:literal, $base:ident) => {
        #[derive(Default)]
        pub struct $name(core::cell::OnceCell<taipan_object::Ref<taipan_object::Type>>);
        impl $crate::util::ModuleError for $name {
            const MODULE: &'static str = $module;
            const NAME: &'static str = $python;
            fn base() -> &'static taipan_object::Type {
                &taipan_object::statics::$base
            }
            fn place(&self) -> &core::cell::OnceCell<taipan_object::Ref<taipan_object::Type>> {
                &self.0
            }
        }
    };
}
pub(crate) use module_error;

/// How messages about arguments name an object's type.
pub fn argument_name(object: &Object) -> &str {
    if is_none(object) { "None" } else { object.ty().message_name() }
}

/// A str argument; `place` is empty or a number with a space in front.
pub fn str_arg<'a>(object: &'a Object, function: &str, place: &str) -> PyResult<&'a Str> {
    object.downcast::<Str>().ok_or_else(|| {
        raise!(PyExc_TypeError, "{function}() argument{place} must be str, not {}", argument_name(object))
    })
}
