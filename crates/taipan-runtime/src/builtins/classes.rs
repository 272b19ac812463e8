//! Class statements and class checks.

use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::native::{Args, CallArgs};
use taipan_object::protocol;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type, intern, raise, typeobject};

type Module = Object;

pub(super) fn isinstance(_: &Module, args: &Args<'_>) -> PyResult<bool> {
    protocol::is_instance(args.required(0), args.required(1))
}

pub(super) fn issubclass(_: &Module, args: &Args<'_>) -> PyResult<bool> {
    protocol::is_subclass(args.required(0), args.required(1))
}

/// What a class statement does (language reference, 3.3.3): resolve the bases, find the metaclass,
/// prepare the namespace, run the body in it, call the metaclass.
pub(super) fn build_class(_: &Module, args: CallArgs<'_>) -> PyResult {
    let [function, name, bases @ ..] = args.positional() else {
        return Err(type_error("__build_class__: not enough arguments"));
    };
    let Some(function) = function.downcast::<taipan_eval::function::Function>() else {
        return Err(type_error("__build_class__: func must be a function"));
    };
    let Some(name) = name.downcast::<Str>() else {
        return Err(type_error("__build_class__: name is not a string"));
    };
    let original = Tuple::from_refs(bases)?;
    let bases = typeobject::resolve_bases(&original)?;
    let kwargs = match args.keywords_dict()? {
        Some(kwargs) => kwargs,
        None => Dict::new()?,
    };
    let explicit = kwargs.remove(intern!("metaclass"))?;
    let meta: Ref = match &explicit {
        Some(meta) => meta.clone(),
        None => match bases.get(0) {
            Some(base) => base.ty().new_ref(),
            None => PyType_Type.new_ref(),
        },
    };
    let meta = match meta.downcast::<Type>() {
        Some(class) => typeobject::winning_metatype(class, &bases)?.upcast(),
        None => meta,
    };
    let namespace = match meta.getattr_opt(intern!("__prepare__"))? {
        Some(prepare) => protocol::vectorcall_with_dict(&prepare, &[name, &bases], Some(&kwargs))?,
        None => Dict::new()?.upcast(),
    };
    if !is_mapping(&namespace) {
        let shown =
            meta.downcast::<Type>().map_or_else(|| "<metaclass>".to_owned(), |class| class.name().to_owned());
        return Err(raise!(
            PyExc_TypeError,
            "{shown}.__prepare__() must return a mapping, not {}",
            namespace.ty().message_name()
        ));
    }
    let cell = taipan_eval::call::run_function_in(function, Some(&namespace))?;
    if !bases.is(&original) {
        protocol::set_item(&namespace, intern!("__orig_bases__"), &original)?;
    }
    let class = protocol::vectorcall_with_dict(&meta, &[name, &bases, &namespace], Some(&kwargs))?;
    check_class_cell(&cell, &class, name)?;
    Ok(class)
}

fn is_mapping(object: &Object) -> bool {
    object.downcast::<Dict>().is_some() || object.ty().lookup(intern!("__getitem__")).is_some()
}

/// `type.__new__` must have put the class into the body's `__class__` cell.
fn check_class_cell(cell: &Object, class: &Object, name: &Str) -> PyResult<()> {
    if !cell.is_exact(&PyCell_Type) || class.downcast::<Type>().is_none() {
        return Ok(());
    }
    let found = cell.getattr_opt(intern!("cell_contents")).or_else(|error| error.allow(&PyExc_ValueError))?;
    match found {
        Some(found) if found.is(class) => Ok(()),
        Some(found) => Err(raise!(
            PyExc_TypeError,
            "__class__ set to {} defining {} as {}",
            found.repr_lossy(),
            name.repr_lossy(),
            class.repr_lossy()
        )),
        None => Err(raise!(
            PyExc_RuntimeError,
            "__class__ not set defining {} as {}. Was __classcell__ propagated to type.__new__?",
            name.repr_lossy(),
            class.repr_lossy()
        )),
    }
}
