//! `_json`: reading and writing JSON.

mod encode;
mod scan;
mod text;

use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::{PyResult, Type, methods};

methods! {
    static METHODS = {
        one "encode_basestring" "($module, object, /)" = encode::encode_basestring, "A JSON string for a str.";
        one "encode_basestring_ascii" "($module, object, /)" = encode::encode_basestring_ascii, "A JSON string of ASCII characters for a str.";
        many "scanstring" "" = text::scanstring_function,
            "scanstring(string, end, strict=True) -> (string, end)\n\nRead the JSON string whose opening quote stands before end. With strict, control\ncharacters are refused.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    for (name, spec) in [("make_scanner", &scan::SPEC), ("make_encoder", &encode::SPEC)] {
        make_ready(spec)?;
        let ty: &Type = spec.ty;
        module.add(name, ty)?;
    }
    Ok(())
}

/// `_json`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_json", doc: "What makes the module json fast.", methods: METHODS, init };
