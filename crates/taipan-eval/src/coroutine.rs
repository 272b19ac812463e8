//! Coroutines as Python sees them, and what `__await__` of one gives. They are [generators](crate::generator) in all
//! but the names.

use crate::generator::{
    Generator, NO_NAME, NO_QUALNAME, RawGenerator, class_getitem, clear, close, code_attribute, dealloc,
    delegate, finalize, frame_attribute, name_row, next_slot, repr, running, send_method, send_slot,
    size_of_generator, suspended, throw_method, traverse,
};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::err::type_error;
use taipan_object::handle::set_field;
use taipan_object::native::{
    GetSetRow, Member, Native, Payload, TypeSpec, Visitor, am_await, am_send, getset_row, native_new,
    raw_clear, raw_dealloc, raw_traverse, tp_finalize, tp_iter, tp_iternext, tp_repr,
};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref};

const COROUTINE_NAME: GetSetRow = name_row!(c"__name__", name, NO_NAME, c"The name of the coroutine.");
const COROUTINE_QUALNAME: GetSetRow =
    name_row!(c"__qualname__", qualname, NO_QUALNAME, c"The qualified name of the coroutine.");

taipan_object::methods! { static COROUTINE_METHODS = {
    one "send" "($self, value, /)" = send_method, "Send a value into coroutine: it goes on up to the next await that suspends.";
    many "throw" "" = throw_method, "throw(value)\nthrow(type[,value[,traceback]])\n\nRaise an exception in coroutine, where it is suspended.";
    noargs "close" "($self, /)" = close, "Raise GeneratorExit inside coroutine, where it is suspended.";
    noargs "__sizeof__" "($self, /)" = size_of_generator, "The bytes that the coroutine takes.";
    class one "__class_getitem__" "($type, object, /)" = class_getitem, "The class with type parameters.";
} }

/// The memory of what `coroutine.__await__` gives.
struct Wrapper {
    coroutine: Ref<Generator>,
}

pub(crate) static WRAPPER_TYPE: StaticType = StaticType::native(
    c"coroutine_wrapper",
    Native::<Wrapper>::SIZE,
    Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for Wrapper {
    const TYPE: &'static StaticType = &WRAPPER_TYPE;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.coroutine);
    }
}

type WrapperView = Native<Wrapper>;

taipan_object::methods! { static WRAPPER_METHODS = {
    one "send" "($self, value, /)" = |w: &WrapperView, value: &Object| send_method(&w.coroutine, value),
        "Go on with a value, up to the next await that suspends.";
    many "throw" "" = |w: &WrapperView, args: &[&Object]| throw_method(&w.coroutine, args),
        "throw(value)\n\nRaise an exception where the coroutine is suspended.";
    noargs "close" "($self, /)" = |w: &WrapperView| close(&w.coroutine),
        "Raise GeneratorExit where the coroutine is suspended.";
} }

/// `coroutine_wrapper`.
pub static COROUTINE_WRAPPER: TypeSpec = TypeSpec {
    slots: &[
        WrapperView::DEALLOC,
        WrapperView::TRAVERSE,
        tp_iter(|w: &WrapperView| w.object().new_ref()),
        tp_iternext(|w: &WrapperView| next_slot(&w.coroutine)),
    ],
    methods: WRAPPER_METHODS,
    ..TypeSpec::new(&WRAPPER_TYPE)
};

fn coroutine_await(generator: &Generator) -> PyResult {
    Ok(native_new(&WRAPPER_TYPE, Wrapper { coroutine: Ref::of(generator) })?.upcast())
}

/// `coroutine`.
pub static COROUTINE: TypeSpec = TypeSpec {
    slots: &[
        raw_dealloc(dealloc),
        raw_traverse(traverse),
        raw_clear(clear),
        tp_repr(repr),
        tp_finalize(finalize),
        am_send(send_slot),
        am_await(coroutine_await),
    ],
    methods: COROUTINE_METHODS,
    getset: &[
        COROUTINE_NAME,
        COROUTINE_QUALNAME,
        getset_row(c"cr_await", delegate, c"what the coroutine awaits, or None"),
        getset_row(c"cr_running", running, c""),
        getset_row(c"cr_suspended", suspended, c""),
        getset_row(c"cr_frame", frame_attribute, c""),
        getset_row(c"cr_code", code_attribute, c""),
    ],
    members: &[Member::new(
        c"cr_origin",
        T_OBJECT,
        offset_of!(RawGenerator, origin_or_finalizer),
        Py_READONLY,
        c"",
    )],
    ..TypeSpec::new(&PyCoro_Type)
};
