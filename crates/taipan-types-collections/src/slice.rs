//! `slice` as Python sees it; the arithmetic is in [`taipan_object::slice`].

use taipan_object::native::{raw_dealloc, raw_traverse};
use taipan_object::statics::PySlice_Type;
use taipan_object::{TypeSpec, slice};

/// `slice`.
pub static SPEC: TypeSpec = TypeSpec {
    slots: &[raw_dealloc(slice::dealloc), raw_traverse(slice::traverse)],
    ..TypeSpec::new(&PySlice_Type)
};
