//! `BaseException`, and what all exceptions share: their memory, arguments, chaining and notes.
//!
//! Every exception's memory begins with `PyBaseExceptionObject`; a [`Fields`] names the further
//! fields that own objects, from which deallocation, traversal and clearing follow.

use crate::util::{self, INSTANCE_DICT};
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;
use taipan_object::callable::vectorcall_count;
use taipan_object::dict::Dict;
use taipan_object::err::{Exception, PyResult, exception_args, type_error};
use taipan_object::handle::{clear_field, set_field};
use taipan_object::list::List;
use taipan_object::native::{self, GetSetRow, IntoPy, Member, Slot, TypeSpec, getset_row, ret};
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, alloc, gc, instance, intern, protocol, raise};

/// The fields of an exception layout that own objects, besides those of `BaseException`.
pub(super) trait Fields: 'static {
    const OFFSETS: &'static [usize];
}

/// Declares the owning fields of a layout.
macro_rules! fields {
    ($name:ident, $raw:ident, [$($field:ident),*]) => {
        pub(super) struct $name;
        impl super::base::Fields for $name {
            const OFFSETS: &'static [usize] = &[$(core::mem::offset_of!($raw, $field)),*];
        }
    };
}
pub(super) use fields;

/// An exception without further fields.
pub(super) struct NoFields;
impl Fields for NoFields {
    const OFFSETS: &'static [usize] = &[];
}

const COMMON: [usize; 6] = [
    offset_of!(PyBaseExceptionObject, dict),
    offset_of!(PyBaseExceptionObject, args),
    offset_of!(PyBaseExceptionObject, notes),
    offset_of!(PyBaseExceptionObject, traceback),
    offset_of!(PyBaseExceptionObject, context),
    offset_of!(PyBaseExceptionObject, cause),
];

/// # Safety
/// `ptr` is an exception whose layout has a field at `offset`.
unsafe fn place(ptr: *mut PyObject, offset: usize) -> *mut *mut PyObject {
    // SAFETY: by contract.
    unsafe { ptr.cast::<u8>().add(offset).cast() }
}

/// # Safety
/// As every `tp_dealloc`.
pub(super) unsafe extern "C" fn dealloc<F: Fields>(ptr: *mut PyObject) {
    // SAFETY: dead by contract; long chains of contexts are put off near the end of the stack by the
    // caller, which is why the object is untracked first.
    unsafe {
        gc::untrack_ptr(ptr);
        clear::<F>(ptr);
        match (*(*ptr).ob_type).tp_free {
            Some(free) => free(ptr.cast()),
            None => alloc::free_object(ptr),
        }
    }
}

/// # Safety
/// As every `tp_traverse`.
pub(super) unsafe extern "C" fn traverse<F: Fields>(
    ptr: *mut PyObject,
    visit: visitproc,
    arg: *mut c_void,
) -> c_int {
    for &offset in COMMON.iter().chain(F::OFFSETS) {
        // SAFETY: a live exception of this layout.
        let result = unsafe { instance::visit_all(&[*place(ptr, offset)], visit, arg) };
        if result != 0 {
            return result;
        }
    }
    0
}

/// # Safety
/// As every `tp_clear`.
pub(super) unsafe extern "C" fn clear<F: Fields>(ptr: *mut PyObject) -> c_int {
    for &offset in F::OFFSETS.iter().chain(&COMMON) {
        // SAFETY: a live exception of this layout; fields own what they hold.
        unsafe { clear_field(place(ptr, offset)) };
    }
    0
}

/// The three slots of an exception's memory.
pub(super) const fn lifetime<F: Fields>() -> [Slot; 3] {
    [native::raw_dealloc(dealloc::<F>), native::raw_traverse(traverse::<F>), native::raw_clear(clear::<F>)]
}

const LIFETIME: [Slot; 3] = lifetime::<NoFields>();

/// The slots of exceptions that add nothing to their base.
pub(super) const PLAIN_SLOTS: [Slot; 5] = [
    LIFETIME[0],
    LIFETIME[1],
    LIFETIME[2],
    native::raw_vectorcall(exception_vectorcall),
    native::tp_new(new),
];

/// `BaseException.__new__`: keeps the arguments, whatever they are.
pub(super) fn new(ty: &Type, args: &Tuple, _: Option<&Dict>) -> PyResult {
    let exception = util::allocate(ty)?;
    // SAFETY: fresh, zeroed memory that begins with the common layout.
    unsafe { set_field(&raw mut (*exception.raw_as::<PyBaseExceptionObject>()).args, Some(args.new_ref())) };
    Ok(exception)
}

/// `BaseException.__init__`.
pub(super) fn init(exception: &Exception, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<()> {
    util::no_keywords(exception.ty().message_name(), kwargs)?;
    exception.set_args(Some(args.new_ref()));
    Ok(())
}

/// The vectorcall of exceptions without `__init__` of their own.
unsafe extern "C" fn exception_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract: an exception type, the arguments, and a tuple or null.
    unsafe {
        let ty: &Type = Object::borrow(callable).cast();
        let names: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
        if names.is_some_and(|names| !names.is_empty()) {
            return ret(Err::<Ref, _>(raise!(
                PyExc_TypeError,
                "{}() takes no keyword arguments",
                ty.message_name()
            )));
        }
        let count = vectorcall_count(nargsf);
        let all: &[&Object] = if count == 0 { &[] } else { core::slice::from_raw_parts(args.cast(), count) };
        ret(Tuple::from_refs(all).and_then(|args| new(ty, &args, None)))
    }
}

/// `BaseException.__str__`.
pub(super) fn str(exception: &Exception) -> PyResult {
    let args = exception_args(exception);
    match args.items() {
        [] => Ok(taipan_object::unicode::empty().new_ref()),
        [only] => only.str().into_py(),
        _ => args.str().into_py(),
    }
}

/// `BaseException.__repr__`.
pub(super) fn repr(exception: &Exception) -> PyResult {
    let name = exception.ty().name();
    let args = exception_args(exception);
    let text = match args.items() {
        [only] => format!("({})", only.repr()?.to_lossy()),
        _ => args.repr()?.to_lossy(),
    };
    format!("{name}{text}").into_py()
}

/// The instance's dict, if it has one that is not empty enough to matter.
pub(super) fn own_dict(exception: &Exception) -> Option<Ref> {
    // SAFETY: the view guarantees the layout.
    unsafe { util::field(&raw mut (*exception.raw()).dict) }
}

/// `BaseException.__reduce__`.
fn reduce(exception: &Exception) -> PyResult {
    reduce_with(exception, exception_args(exception), own_dict(exception))
}

/// `(type, args)` or `(type, args, state)`.
pub(super) fn reduce_with(exception: &Exception, args: Ref<Tuple>, state: Option<Ref>) -> PyResult {
    let ty = exception.ty().new_ref();
    match state {
        Some(state) => Tuple::from_array([ty, args.upcast(), state])?.into_py(),
        None => Tuple::from_array([ty, args.upcast()])?.into_py(),
    }
}

fn set_state(exception: &Exception, state: &Object) -> PyResult<()> {
    if is_none(state) {
        return Ok(());
    }
    let Some(state) = state.downcast::<Dict>() else { return Err(type_error("state is not a dictionary")) };
    for (name, value) in state.items_vec() {
        let Some(name) = name.downcast::<Str>() else {
            return Err(raise!(
                PyExc_TypeError,
                "attribute name must be string, not '{}'",
                name.ty().message_name()
            ));
        };
        exception.setattr(name, Some(&value))?;
    }
    Ok(())
}

fn with_traceback(exception: &Exception, traceback: &Object) -> PyResult {
    set_traceback(exception, Some(traceback))?;
    Ok(exception.new_ref())
}

fn add_note(exception: &Exception, note: &Object) -> PyResult<()> {
    if note.downcast::<Str>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "add_note() argument must be str, not {}",
            crate::arguments::type_name(note)
        ));
    }
    let name = intern!("__notes__");
    let notes = match exception.getattr_opt(name)? {
        Some(notes) => notes,
        None => {
            let notes = List::new()?.upcast();
            exception.setattr(name, Some(&notes))?;
            notes
        }
    };
    match notes.downcast::<List>() {
        Some(notes) => notes.append(note.new_ref()),
        None => Err(type_error("Cannot add note: __notes__ is not a list")),
    }
}

fn set_args(exception: &Exception, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error("args may not be deleted")) };
    let args = match value.downcast::<Tuple>().filter(|_| value.is_exact(&PyTuple_Type)) {
        Some(args) => Ref::of(args),
        None => Tuple::from_vec(protocol::to_vec(value)?)?,
    };
    exception.set_args(Some(args.upcast()));
    Ok(())
}

fn set_traceback(exception: &Exception, value: Option<&Object>) -> PyResult<()> {
    let Some(value) = value else { return Err(type_error("__traceback__ may not be deleted")) };
    if is_none(value) {
        exception.set_traceback(None);
    } else if value.is_exact(&PyTraceBack_Type) {
        exception.set_traceback(Some(value.new_ref()));
    } else {
        return Err(type_error("__traceback__ must be a traceback or None"));
    }
    Ok(())
}

/// A value for `__context__` or `__cause__`: an exception or `None`.
fn linked(value: Option<&Object>, attribute: &str, noun: &str) -> PyResult<Option<Ref>> {
    let Some(value) = value else { return Err(type_error(&format!("{attribute} may not be deleted"))) };
    if is_none(value) {
        return Ok(None);
    }
    if value.downcast::<Exception>().is_none() {
        return Err(type_error(&format!("exception {noun} must be None or derive from BaseException")));
    }
    Ok(Some(value.new_ref()))
}

taipan_object::methods! { static METHODS = {
    noargs "__reduce__" "($self, /)" = reduce,
        "Describe the exception for pickling: its class, arguments and attributes.";
    one "__setstate__" "($self, state, /)" = set_state,
        "Set the attributes that a dictionary names.";
    one "with_traceback" "($self, tb, /)" = with_traceback,
        "Set __traceback__ to tb and give the exception back.";
    one "add_note" "($self, note, /)" = add_note,
        "Add a note, which is shown after the exception's message.";
} }

const GETSET: &[GetSetRow] = &[
    INSTANCE_DICT,
    getset_row(c"args", |e: &Exception| exception_args(e), c"").with_setter(set_args),
    getset_row(c"__traceback__", Exception::traceback, c"").with_setter(set_traceback),
    getset_row(c"__context__", Exception::context, c"").with_setter(
        |e: &Exception, value: Option<&Object>| {
            e.set_context(linked(value, "__context__", "context")?);
            Ok(())
        },
    ),
    getset_row(c"__cause__", Exception::cause, c"").with_setter(|e: &Exception, value: Option<&Object>| {
        e.set_cause(linked(value, "__cause__", "cause")?);
        Ok(())
    }),
];

const MEMBERS: &[Member] = &[Member::new(
    c"__suppress_context__",
    Py_T_BOOL,
    offset_of!(PyBaseExceptionObject, suppress_context),
    0,
    c"",
)];

/// `BaseException`.
pub(super) const SPEC: TypeSpec = TypeSpec {
    doc: Some(c"The base of all exceptions."),
    slots: &[
        LIFETIME[0],
        LIFETIME[1],
        LIFETIME[2],
        native::raw_vectorcall(exception_vectorcall),
        native::raw_getattro(instance::PyObject_GenericGetAttr),
        native::raw_setattro(instance::PyObject_GenericSetAttr),
        native::tp_new(new),
        native::tp_init(init),
        native::tp_str(str),
        native::tp_repr(repr),
    ],
    methods: METHODS,
    getset: GETSET,
    members: MEMBERS,
    ..TypeSpec::new(&_PyExc_BaseException)
};
