//! `_typing`: the native part of `typing`.

use taipan_object::module::{Module, ModuleSpec};
use taipan_object::statics::{_PyUnion_Type, StaticType};
use taipan_object::{Object, PyResult, Type, methods};
use taipan_types_meta::typevars;

methods! {
    static METHODS = {
        one "_idfunc" "" = |_: &Object, x: &Object| x.new_ref(), "";
    }
}

fn init(module: &Module) -> PyResult<()> {
    let types: [(&str, &StaticType); 8] = [
        ("TypeVar", &typevars::TYPE_VAR),
        ("ParamSpec", &typevars::PARAM_SPEC),
        ("ParamSpecArgs", &typevars::PARAM_SPEC_ARGS),
        ("ParamSpecKwargs", &typevars::PARAM_SPEC_KWARGS),
        ("TypeVarTuple", &typevars::TYPE_VAR_TUPLE),
        ("TypeAliasType", &typevars::TYPE_ALIAS_TYPE),
        ("Generic", &typevars::GENERIC),
        ("Union", &_PyUnion_Type),
    ];
    for (name, ty) in types {
        let ty: &Type = ty;
        module.add(name, ty)?;
    }
    module.add("NoDefault", &*typevars::no_default()?)
}

/// `_typing`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_typing", doc: "The native part of typing.", methods: METHODS, init };
