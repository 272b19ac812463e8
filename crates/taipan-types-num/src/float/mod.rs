//! `float`: `ops` arithmetic, `methods` construction and the rest.

mod methods;
mod ops;

pub use methods::{float_from_object, int_of, number as number_of};
pub use ops::*;

use taipan_object::native::*;
use taipan_object::statics::PyFloat_Type;

/// `float`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"float(x=0, /)\n--\n\nThe floating-point number that a number or a text stands for."),
    slots: &[
        raw_dealloc(taipan_object::float::dealloc),
        tp_new(methods::new),
        tp_vectorcall(methods::vectorcall),
        tp_repr(methods::repr),
        tp_hash(methods::hash_slot),
        tp_richcompare(compare_slot),
        nb_add(add_slot),
        nb_subtract(sub_slot),
        nb_multiply(mul_slot),
        nb_remainder(modulo_slot),
        nb_divmod(divmod_slot),
        nb_power(pow_slot),
        nb_negative(neg),
        nb_positive(methods::exact),
        nb_absolute(abs),
        nb_bool(methods::truth),
        nb_int(methods::trunc),
        nb_float(methods::exact),
        nb_floor_divide(floor_div_slot),
        nb_true_divide(div_slot),
    ],
    methods: methods::TABLE,
    getset: &methods::GETSET,
    ..TypeSpec::new(&PyFloat_Type)
};
