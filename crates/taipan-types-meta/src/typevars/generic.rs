//! `Generic`, whose behaviour is in `typing.py`.

use super::typevartuple::{TypeVarTuple, unpack};
use super::*;
use taipan_object::protocol::vectorcall as call;

/// No state.
pub struct Generic;
payload!(Generic, GENERIC, c"typing.Generic", taipan_abi::Py_TPFLAGS_BASETYPE, []);

/// `Generic[params]` for a class with a parameter list (`INTRINSIC_SUBSCRIPT_GENERIC`).
///
/// # Errors
/// What `typing` raises.
pub fn subscript_generic(parameters: &Object) -> PyResult {
    let items = parameters.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
    let unpacked: PyResult<Vec<Ref>> = items
        .iter()
        .map(|item| {
            if item.downcast::<Native<TypeVarTuple>>().is_some() { unpack(item) } else { Ok(item.new_ref()) }
        })
        .collect();
    let generic: &Type = &GENERIC;
    call_typing("_GenericAlias", &[generic, &*Tuple::from_vec(unpacked?)?])
}

/// Hands a class method over to a function of `typing` that takes the class first.
fn forward(class: &Object, name: &str, args: CallArgs<'_>) -> PyResult {
    let typing = (state::interp().hooks.get().import_module)("typing")?;
    let function = typing.getattr(&*Str::from_utf8(name)?)?;
    let mut all = vec![class];
    all.extend_from_slice(args.all);
    call(&function, &all, args.kwnames)
}

taipan_object::methods! { static METHODS = {
    class keywords "__class_getitem__" "" = |class: &Object, args: CallArgs<'_>| forward(class, "_generic_class_getitem", args), "A generic class with its parameters replaced.";
    class keywords "__init_subclass__" "" = |class: &Object, args: CallArgs<'_>| forward(class, "_generic_init_subclass", args), "Work out the parameters of a new class.";
} }

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"The base of generic classes.\n\n`class Stack[T]` derives from it implicitly, `class Stack(Generic[T])` in the older way.",
    ),
    slots: &[],
    methods: METHODS,
    ..TypeSpec::new(&GENERIC)
};
