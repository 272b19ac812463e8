//! `object.h`: any object. Comparison, attributes, text forms, calling, reference counts.

use crate::border::{Obj, arg, attribute_name, export, export_plain, name, ty};
use core::ffi::{c_char, c_int, c_void};
use taipan_abi::*;
use taipan_object::err::{self, PyResult, type_error};
use taipan_object::native::CompareOp;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, Type, alloc, gc, instance, intern, protocol, raise, refcount, weakref};

fn compare_op(op: c_int) -> PyResult<CompareOp> {
    CompareOp::from_raw(op).ok_or_else(crate::border::bad_call)
}

/// What the three-valued look-ups of attributes answer: found, not found, failed.
fn found(result: PyResult<Option<Ref>>, place: *mut Obj) -> PyResult<bool> {
    // SAFETY: the callers' `place` is a valid out parameter.
    unsafe {
        place.write(core::ptr::null_mut());
        Ok(match result? {
            Some(value) => {
                place.write(value.into_ptr());
                true
            }
            None => false,
        })
    }
}

unsafe fn set_attribute(object: Obj, name: &Str, value: Obj) -> PyResult<()> {
    // SAFETY: live objects by the callers' contract.
    unsafe { arg(object)?.setattr(name, Object::borrow_opt(value)) }
}

/// `hasattr` without a way to fail: anything but an `AttributeError` is reported.
fn has(result: PyResult<Option<Ref>>) -> c_int {
    c_int::from(crate::border::ignoring(result.map(|found| found.is_some()), false))
}

unsafe fn text_form(object: Obj, form: impl FnOnce(&Object) -> PyResult<Ref<Str>>) -> PyResult<Ref<Str>> {
    // SAFETY: null or a live object.
    match unsafe { Object::borrow_opt(object) } {
        Some(object) => form(object),
        None => Str::from_utf8("<NULL>"),
    }
}

/// `ascii(object)`.
pub fn ascii(object: &Object) -> PyResult<Ref<Str>> {
    taipan_types_text::str::ascii_of(&*object.repr()?)
}

export! {
    fn PyObject_Repr(object: Obj) -> Obj {
        text_form(object, Object::repr)
    }

    fn PyObject_Str(object: Obj) -> Obj {
        text_form(object, Object::str)
    }

    fn PyObject_ASCII(object: Obj) -> Obj {
        text_form(object, ascii)
    }

    fn PyObject_Bytes(object: Obj) -> Obj {
        match Object::borrow_opt(object) {
            Some(object) => taipan_object::buffer::object_bytes(object),
            None => taipan_object::bytes::Bytes::new(b"<NULL>"),
        }
    }

    fn PyObject_Format(object: Obj, spec: Obj) -> Obj {
        let spec = match Object::borrow_opt(spec) {
            Some(spec) => match spec.downcast::<Str>() {
                Some(spec) => Some(spec),
                None => return Err(raise!(
                    PyExc_SystemError,
                    "Format specifier must be a string, not {}",
                    spec.ty().message_name()
                )),
            },
            None => None,
        };
        taipan_types_text::str::format_value(arg(object)?, spec)
    }

    fn PyObject_RichCompare(a: Obj, b: Obj, op: c_int) -> Obj {
        protocol::richcompare(arg(a)?, arg(b)?, compare_op(op)?)
    }

    fn PyObject_RichCompareBool(a: Obj, b: Obj, op: c_int) -> c_int {
        protocol::richcompare_bool(arg(a)?, arg(b)?, compare_op(op)?)
    }

    fn PyObject_Hash(object: Obj) -> isize {
        arg(object)?.hash()
    }

    fn PyObject_IsTrue(object: Obj) -> c_int {
        arg(object)?.is_true()
    }

    fn PyObject_Not(object: Obj) -> c_int {
        Ok(!arg(object)?.is_true()?)
    }

    fn PyObject_GetAttr(object: Obj, name: Obj) -> Obj {
        arg(object)?.getattr(attribute_name(name)?)
    }

    fn PyObject_GetAttrString(object: Obj, key: *const c_char) -> Obj {
        arg(object)?.getattr(&*name(key)?)
    }

    fn PyObject_GetOptionalAttr(object: Obj, name: Obj, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        found(arg(object)?.getattr_opt(attribute_name(name)?), place)
    }

    fn PyObject_GetOptionalAttrString(object: Obj, key: *const c_char, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        found(arg(object)?.getattr_opt(&*name(key)?), place)
    }

    fn PyObject_SetAttr(object: Obj, name: Obj, value: Obj) -> c_int {
        set_attribute(object, attribute_name(name)?, value)
    }

    fn PyObject_SetAttrString(object: Obj, key: *const c_char, value: Obj) -> c_int {
        set_attribute(object, &*name(key)?, value)
    }

    fn PyObject_DelAttr(object: Obj, name: Obj) -> c_int {
        arg(object)?.setattr(attribute_name(name)?, None)
    }

    fn PyObject_DelAttrString(object: Obj, key: *const c_char) -> c_int {
        arg(object)?.setattr(&*name(key)?, None)
    }

    fn PyObject_HasAttrWithError(object: Obj, name: Obj) -> c_int {
        Ok(arg(object)?.getattr_opt(attribute_name(name)?)?.is_some())
    }

    fn PyObject_HasAttrStringWithError(object: Obj, key: *const c_char) -> c_int {
        Ok(arg(object)?.getattr_opt(&*name(key)?)?.is_some())
    }

    fn PyObject_HasAttr(object: Obj, name: Obj) -> c_int {
        Ok(has(arg(object)?.getattr_opt(attribute_name(name)?)))
    }

    fn PyObject_HasAttrString(object: Obj, key: *const c_char) -> c_int {
        Ok(has(arg(object)?.getattr_opt(&*name(key)?)))
    }

    fn PyObject_Dir(object: Obj) -> Obj {
        let builtins = taipan_runtime::import_module("builtins")?.getattr(intern!("dir"))?;
        match Object::borrow_opt(object) {
            Some(object) => builtins.call(&[object]),
            None => builtins.call(&[]),
        }
    }

    fn PyObject_Type(object: Obj) -> Obj {
        Ok(Ref::of(arg(object)?.ty()))
    }

    fn PyObject_IsInstance(object: Obj, class: Obj) -> c_int {
        protocol::is_instance(arg(object)?, arg(class)?)
    }

    fn PyObject_IsSubclass(object: Obj, class: Obj) -> c_int {
        protocol::is_subclass(arg(object)?, arg(class)?)
    }

    fn _PyObject_RealIsInstance(object: Obj, class: Obj) -> c_int {
        protocol::real_is_instance(arg(object)?, arg(class)?)
    }

    fn _PyObject_RealIsSubclass(object: Obj, class: Obj) -> c_int {
        protocol::real_is_subclass(arg(object)?, arg(class)?)
    }

    fn PyObject_AsFileDescriptor(object: Obj) -> c_int {
        taipan_object::system::descriptor(arg(object)?)
    }

    fn PyObject_GenericGetDict(object: Obj, _closure: *mut c_void) -> Obj {
        let object = arg(object)?;
        match instance::dict_of(object)? {
            Some(dict) => Ok(dict),
            None => Err(err::attribute_error("This object has no __dict__")),
        }
    }

    fn PyObject_GenericSetDict(object: Obj, value: Obj, _closure: *mut c_void) -> c_int {
        let object = arg(object)?;
        let Some(value) = Object::borrow_opt(value) else {
            return Err(type_error("cannot delete __dict__"));
        };
        let Some(dict) = value.downcast::<taipan_object::dict::Dict>() else {
            return Err(raise!(
                PyExc_TypeError,
                "__dict__ must be set to a dictionary, not a '{}'",
                value.ty().message_name()
            ));
        };
        if instance::set_dict(object, Some(dict))? {
            Ok(())
        } else {
            Err(err::attribute_error("This object has no __dict__"))
        }
    }

    fn _PyObject_GetAttrId(object: Obj, key: *const c_char) -> Obj {
        arg(object)?.getattr(&*name(key)?)
    }

    fn PyObject_Init(object: Obj, class: *mut PyTypeObject) -> Obj {
        if object.is_null() {
            return Err(err::memory_error());
        }
        alloc::init_object(object, ty(class)?);
        Ok(object)
    }

    fn PyObject_InitVar(object: *mut PyVarObject, class: *mut PyTypeObject, size: isize) -> Obj {
        if object.is_null() {
            return Err(err::memory_error());
        }
        alloc::init_object(object.cast(), ty(class)?);
        (*object).ob_size = size;
        Ok(object.cast::<PyObject>())
    }

    fn _PyObject_New(class: *mut PyTypeObject) -> Obj {
        new_object(ty(class)?, 0)
    }

    fn _PyObject_NewVar(class: *mut PyTypeObject, items: isize) -> Obj {
        let made = new_object(ty(class)?, items)?;
        (*made.cast::<PyVarObject>()).ob_size = items;
        Ok(made)
    }

    fn _PyObject_GC_New(class: *mut PyTypeObject) -> Obj {
        alloc::alloc_object(ty(class)?, 0)
    }

    fn _PyObject_GC_NewVar(class: *mut PyTypeObject, items: isize) -> Obj {
        if items < 0 {
            return Err(crate::border::bad_call());
        }
        let made = alloc::alloc_object(ty(class)?, items)?;
        (*made.raw_as::<PyVarObject>()).ob_size = items;
        Ok(made)
    }

    fn PyUnstable_Object_GC_NewWithExtraData(class: *mut PyTypeObject, extra: usize) -> Obj {
        let class = ty(class)?;
        let (basic, header) = ((*class.raw()).tp_basicsize as usize, alloc::header_size(class));
        let Some(size) = basic.checked_add(extra).and_then(|size| size.checked_add(header)) else {
            return Err(err::memory_error());
        };
        let block = alloc::calloc(size);
        if block.is_null() {
            return Err(err::memory_error());
        }
        let made: Obj = block.add(header).cast();
        alloc::init_object(made, class);
        Ok(made)
    }

    /// Changes the number of items of an untracked object.
    fn _PyObject_GC_Resize(object: *mut PyVarObject, items: isize) -> *mut c_void {
        let view = arg(object.cast())?;
        if gc::is_tracked(view) {
            return Err(crate::border::bad_call());
        }
        let class = view.ty();
        let (basic, item) = ((*class.raw()).tp_basicsize as usize, (*class.raw()).tp_itemsize as usize);
        let header = alloc::header_size(class);
        let size = usize::try_from(items).ok()
            .and_then(|items| items.checked_mul(item))
            .and_then(|size| size.checked_add(basic + header));
        let Some(size) = size else { return Err(err::memory_error()) };
        let block = alloc::realloc(object.cast::<u8>().sub(header), size);
        if block.is_null() {
            return Err(err::memory_error());
        }
        let moved: *mut PyVarObject = block.add(header).cast();
        (*moved).ob_size = items;
        Ok(moved.cast::<c_void>())
    }

    fn PyObject_CallFinalizer(object: Obj) {
        let object = arg(object)?;
        if let Some(finalize) = (*object.ty().raw()).tp_finalize
            && !gc::is_finalized(object)
        {
            finalize(object.as_ptr());
            if gc::is_gc(object) {
                gc::set_finalized(object);
            }
        }
        Ok(())
    }

    fn PyObject_ClearWeakRefs(object: Obj) {
        weakref::clear_on_dealloc(arg(object)?);
        Ok(())
    }

    fn PyObject_ClearManagedDict(object: Obj) {
        instance::clear_managed_dict(arg(object)?);
        Ok(())
    }

    fn _PyObject_ClearManagedDict(object: Obj) {
        instance::clear_managed_dict(arg(object)?);
        Ok(())
    }

    fn PyObject_GetTypeData(object: Obj, class: *mut PyTypeObject) -> *mut c_void {
        let class = ty(class)?;
        let base = class.base().map_or(16, |base| (*base.raw()).tp_basicsize as usize);
        let _ = arg(object)?;
        Ok(object.cast::<u8>().add(base.next_multiple_of(16)).cast::<c_void>())
    }

    fn PyObject_GetItemData(object: Obj) -> *mut c_void {
        let class = arg(object)?.ty();
        if !class.has_flag(Py_TPFLAGS_ITEMS_AT_END) {
            return Err(raise!(
                PyExc_TypeError,
                "type '{}' does not have Py_TPFLAGS_ITEMS_AT_END",
                class.message_name()
            ));
        }
        Ok(object.cast::<u8>().offset((*class.raw()).tp_basicsize).cast::<c_void>())
    }

    fn Py_GetConstant(number: u32) -> Obj {
        constant(number)
    }

    fn Py_GetConstantBorrowed(number: u32) -> Obj {
        // All of them are immortal or kept by the interpreter.
        Ok(constant(number)?.as_ptr())
    }

    fn _PyObject_Dump(object: Obj) {
        match Object::borrow_opt(object) {
            Some(object) => taipan_runtime::to_stderr(&format!(
                "object address  : {:p}\nobject refcount : {}\nobject type     : {:p}\nobject type name: {}\nobject repr     : {}\n",
                object.as_ptr(),
                object.refcount(),
                object.ty().as_ptr(),
                object.ty().name(),
                object.repr_lossy()
            )),
            None => taipan_runtime::to_stderr("<object at NULL>\n"),
        }
        Ok(())
    }
}

/// The numbers of `Py_GetConstant`.
fn constant(number: u32) -> PyResult<Ref> {
    use taipan_object::singletons::{bool_object, ellipsis, none, not_implemented};
    Ok(match number {
        0 => none().new_ref(),
        1 => bool_object(false).new_ref(),
        2 => bool_object(true).new_ref(),
        3 => ellipsis().new_ref(),
        4 => not_implemented().new_ref(),
        5 => taipan_object::int::small(0).new_ref(),
        6 => taipan_object::int::small(1).new_ref(),
        7 => taipan_object::unicode::empty().new_ref(),
        8 => empty_bytes()?,
        9 => taipan_object::tuple::Tuple::empty().upcast(),
        _ => return Err(crate::border::bad_call()),
    })
}

/// The one empty bytes object that borrowed references point to.
fn empty_bytes() -> PyResult<Ref> {
    /// One per interpreter.
    struct Empty(Ref<taipan_object::bytes::Bytes>);
    let made = taipan_object::bytes::Bytes::new(b"")?;
    let kept: &'static Empty = taipan_object::state::interp().extension(|| Empty(made));
    Ok(kept.0.new_ref())
}

/// An object without the collector's header, as `PyObject_New` makes it.
fn new_object(class: &Type, items: isize) -> PyResult<Obj> {
    // SAFETY: a live type; the block is large enough for the object.
    unsafe {
        let (basic, item) = ((*class.raw()).tp_basicsize as usize, (*class.raw()).tp_itemsize as usize);
        let size = item.checked_mul(items.max(0).cast_unsigned()).and_then(|n| n.checked_add(basic));
        let block = size.map_or(core::ptr::null_mut(), alloc::calloc);
        if block.is_null() {
            return Err(err::memory_error());
        }
        alloc::init_object(block.cast(), class);
        Ok(block.cast())
    }
}

export_plain! {
    fn _Py_Dealloc(object: Obj) {
        taipan_object::dealloc::dealloc(object);
    }

    fn Py_IncRef(object: Obj) {
        refcount::xincref(object);
    }

    fn Py_DecRef(object: Obj) {
        refcount::xdecref(object);
    }

    fn _Py_IncRef(object: Obj) {
        refcount::incref(object);
    }

    fn _Py_DecRef(object: Obj) {
        refcount::decref(object);
    }

    fn Py_NewRef(object: Obj) -> Obj {
        refcount::incref(object);
        object
    }

    fn Py_XNewRef(object: Obj) -> Obj {
        refcount::xincref(object);
        object
    }

    fn Py_REFCNT(object: Obj) -> isize {
        (*object).ob_refcnt as isize
    }

    fn _Py_SetRefcnt(object: Obj, count: isize) {
        // Immortal objects keep their count.
        if (*object).ob_refcnt < IMMORTAL_MINIMUM {
            (*object).ob_refcnt = count as u32;
        }
    }

    fn Py_TYPE(object: Obj) -> *mut PyTypeObject {
        (*object).ob_type
    }

    fn Py_Is(a: Obj, b: Obj) -> c_int {
        c_int::from(a == b)
    }

    fn Py_IsNone(a: Obj) -> c_int {
        c_int::from(a == _Py_NoneStruct.as_ptr())
    }

    fn Py_IsTrue(a: Obj) -> c_int {
        c_int::from(a == _Py_TrueStruct.as_ptr())
    }

    fn Py_IsFalse(a: Obj) -> c_int {
        c_int::from(a == _Py_FalseStruct.as_ptr())
    }

    fn _Py_NewReference(object: Obj) {
        (*object).ob_refcnt = 1;
        (*object).ob_overflow = 0;
        (*object).ob_flags = 0;
    }

    fn PyCallable_Check(object: Obj) -> c_int {
        c_int::from(Object::borrow_opt(object).is_some_and(Object::is_callable))
    }

    fn PyObject_SelfIter(object: Obj) -> Obj {
        refcount::incref(object);
        object
    }

    /// The answer of a `tp_iternext` that is there only so that the slot is not empty.
    fn _PyObject_NextNotImplemented(object: Obj) -> Obj {
        let name = Object::borrow(object).ty().message_name().to_owned();
        err::restore(raise!(PyExc_TypeError, "'{name}' object is not iterable"));
        core::ptr::null_mut()
    }

    fn PyObject_GC_Track(object: *mut c_void) {
        let object: Obj = object.cast();
        if !gc::is_tracked(Object::borrow(object)) {
            gc::track_ptr(object);
        }
    }

    fn PyObject_GC_UnTrack(object: *mut c_void) {
        let object: Obj = object.cast();
        if gc::is_gc(Object::borrow(object)) {
            gc::untrack_ptr(object);
        }
    }

    fn PyObject_GC_IsTracked(object: Obj) -> c_int {
        let object = Object::borrow(object);
        c_int::from(gc::is_gc(object) && gc::is_tracked(object))
    }

    fn PyObject_GC_IsFinalized(object: Obj) -> c_int {
        let object = Object::borrow(object);
        c_int::from(gc::is_gc(object) && gc::is_finalized(object))
    }

    fn PyObject_IS_GC(object: Obj) -> c_int {
        c_int::from(gc::is_gc(Object::borrow(object)))
    }

    /// 0: the object lives on; -1: the finaliser brought it back.
    fn PyObject_CallFinalizerFromDealloc(object: Obj) -> c_int {
        crate::border::keeping_error(|| -c_int::from(instance::finalize_on_dealloc(Object::borrow(object))))
    }

    fn _PyObject_GetDictPtr(object: Obj) -> *mut Obj {
        let object = Object::borrow(object);
        // The dict of inline values is made first, so that C finds one that it may take away.
        if instance::inline_values(object).is_some() {
            crate::border::ignoring(instance::unshare_dict(object), ());
        }
        instance::dict_place(object).unwrap_or(core::ptr::null_mut())
    }

    fn PyObject_VisitManagedDict(object: Obj, visit: visitproc, argument: *mut c_void) -> c_int {
        instance::visit_managed_dict(Object::borrow(object), visit, argument)
    }

    fn _PyObject_VisitManagedDict(object: Obj, visit: visitproc, argument: *mut c_void) -> c_int {
        instance::visit_managed_dict(Object::borrow(object), visit, argument)
    }

    fn PyUnstable_Object_EnableDeferredRefcount(_object: Obj) -> c_int {
        0
    }

    fn PyUnstable_Object_IsUniquelyReferenced(object: Obj) -> c_int {
        c_int::from((*object).ob_refcnt == 1)
    }

    /// Whether nobody but the caller's value stack holds the object: values borrowed by the stack
    /// are kept by a local, so the count tells.
    fn PyUnstable_Object_IsUniqueReferencedTemporary(object: Obj) -> c_int {
        c_int::from((*object).ob_refcnt == 1 && is_temporary(object))
    }

    fn PyUnstable_IsImmortal(object: Obj) -> c_int {
        c_int::from((*object).ob_refcnt >= IMMORTAL_MINIMUM)
    }

    fn PyUnstable_EnableTryIncRef(_object: Obj) {}

    fn PyUnstable_TryIncRef(object: Obj) -> c_int {
        if (*object).ob_refcnt == 0 {
            return 0;
        }
        refcount::incref(object);
        1
    }

    fn PyGC_Collect() -> isize {
        collect()
    }

    fn _Py_HashPointer(pointer: *const c_void) -> isize {
        let address = pointer.addr();
        let hash = address.rotate_right(4).cast_signed();
        if hash == -1 { -2 } else { hash }
    }

    fn Py_HashPointer(pointer: *const c_void) -> isize {
        _Py_HashPointer(pointer)
    }

    fn Py_HashBuffer(data: *const c_void, len: isize) -> isize {
        if len == 0 {
            return 0;
        }
        taipan_object::unicode::hash_bytes(core::slice::from_raw_parts(data.cast(), len.cast_unsigned()))
    }

    fn _Py_HashBytes(data: *const c_void, len: isize) -> isize {
        Py_HashBuffer(data, len)
    }

    fn PyObject_GenericHash(object: Obj) -> isize {
        _Py_HashPointer(object.cast())
    }

    fn Py_ReprEnter(object: Obj) -> c_int {
        repr_enter(object)
    }

    fn Py_ReprLeave(object: Obj) {
        let running = &raw mut (*taipan_object::state::current()).repr_running;
        (*running).retain(|&other| other != object);
    }
}

/// The value stack of the running frame holds a temporary as an owned word.
fn is_temporary(object: Obj) -> bool {
    // SAFETY: attached, and the object is live.
    unsafe {
        let frame = taipan_eval::frame::current_frame();
        if frame.is_null() {
            return true;
        }
        let locals = taipan_eval::frame::Frame::locals(frame);
        let count = taipan_eval::frame::Frame::code(frame).nlocalsplus();
        (0..count).all(|index| {
            let value = locals.add(index).read();
            let same = !value.is_null() && !value.is_int() && value.ptr() == object;
            !same
        })
    }
}

fn collect() -> isize {
    if gc::is_collecting() {
        return 0;
    }
    crate::border::keeping_error(|| gc::collect(2).cast_signed())
}

unsafe fn repr_enter(object: Obj) -> c_int {
    // SAFETY: attached; nobody else looks at the list meanwhile.
    unsafe {
        let running = &raw mut (*taipan_object::state::current()).repr_running;
        if (*running).contains(&object) {
            return 1;
        }
        (*running).push(object);
        0
    }
}

/// `Py_HashDouble` and the old names of hash helpers.
fn hash_float(object: Obj, value: f64) -> isize {
    if value.is_nan() && !object.is_null() {
        // SAFETY: the address alone is used.
        return unsafe { _Py_HashPointer(object.cast()) };
    }
    crate::border::ignoring(taipan_object::float::Float::new(value).hash(), 0)
}

export_plain! {
    fn _Py_HashDouble(object: Obj, value: f64) -> isize {
        hash_float(object, value)
    }

    fn Py_HashDouble(value: f64) -> isize {
        hash_float(core::ptr::null_mut(), value)
    }
}

export! {
    /// `print(object, file=…)` to a C stream cannot work without that stream; only text forms can.
    fn PyObject_LengthHint(object: Obj, default: isize) -> isize {
        protocol::length_hint(arg(object)?, default.max(0).cast_unsigned())
    }

    fn PyObject_GetAIter(object: Obj) -> Obj {
        let object = arg(object)?;
        let table = (*object.ty().raw()).tp_as_async;
        let function = if table.is_null() { None } else { (*table).am_aiter };
        let Some(function) = function else {
            return Err(raise!(PyExc_TypeError, "'{}' object is not an async iterable", object.ty().message_name()));
        };
        taipan_object::native::from_c(function(object.as_ptr()))
    }

    fn _PyType_Lookup(class: *mut PyTypeObject, name: Obj) -> Obj {
        Ok(ty(class)?.lookup_ptr(attribute_name(name)?))
    }

    fn _PyType_LookupRef(class: *mut PyTypeObject, name: Obj) -> Obj {
        Ok(ty(class)?.lookup(attribute_name(name)?))
    }

    fn _PyObject_LookupSpecial(object: Obj, name: Obj) -> Obj {
        let object = arg(object)?;
        match object.ty().lookup(attribute_name(name)?) {
            Some(found) => Ok(Some(instance::bind_descriptor(&found, object, object.ty())?)),
            None => Ok(None),
        }
    }
}
