//! Instances: attribute storage, generic attribute access, deallocation of classes' instances.
//!
//! Attributes of Python classes' instances stand in a vector behind the fields, or in a dict; `dict/split.rs` tells
//! how the two go together. Here is what attribute access, the collector and deallocation make of that.

use crate::alloc;
use crate::dict::Dict;
use crate::dict::split::{self, capacity, inline_position_or_new, visit_values};
pub use crate::dict::split::{InlineValues, free_shared_names, inline_position};
use crate::err::{self, PyErr, PyResult};
use crate::gc;
use crate::handle::{Object, Ref, Type, clear_field, into_ptr_opt, set_field};
use crate::intern;
use crate::native::{from_c, from_c_int, opt_ptr, ret};
use crate::raise;
use crate::refcount;
use crate::statics::*;
use crate::unicode::Str;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use taipan_abi::*;

/// Bytes that a new instance needs for its values.
#[inline]
pub fn inline_values_size(ty: &Type) -> usize {
    if !ty.has_flag(Py_TPFLAGS_INLINE_VALUES) {
        return 0;
    }
    InlineValues::bytes(capacity(ty))
}

/// The bytes that the values of this instance take.
///
/// # Safety
/// The memory of the instance is still there.
#[inline]
pub unsafe fn own_values_size(object: &Object) -> usize {
    let ty = object.ty();
    if !ty.has_flag(Py_TPFLAGS_INLINE_VALUES) {
        return 0;
    }
    // SAFETY: such instances carry their values right behind the fields.
    let capacity = unsafe {
        let values = object.as_ptr().cast::<u8>().add(inline_offset(ty)).cast::<InlineValues>();
        usize::from((*values).capacity)
    };
    InlineValues::bytes(capacity)
}

/// Sets up the values of a fresh, zeroed instance, `body` bytes behind its address.
///
/// # Safety
/// `ptr` is a fresh instance allocated with `inline_values_size` extra bytes.
#[inline]
pub unsafe fn init_inline_values(ptr: *mut PyObject, ty: &Type, body: usize) {
    // SAFETY: room by contract.
    unsafe { split::init_values(ptr.cast::<u8>().add(body).cast(), ty) }
}

/// The inline values of an instance, if its class has them and they are still in use.
#[inline(always)]
pub fn inline_values(object: &Object) -> Option<*mut InlineValues> {
    let ty = object.ty();
    if !ty.has_flag(Py_TPFLAGS_INLINE_VALUES) {
        return None;
    }
    // SAFETY: such instances carry their values right behind the fields.
    unsafe {
        let values = object.as_ptr().cast::<u8>().add(inline_offset(ty)).cast::<InlineValues>();
        if (*values).valid != 0 { Some(values) } else { None }
    }
}

/// Where the values of a class's instances begin.
#[inline(always)]
pub fn inline_offset(ty: &Type) -> usize {
    // SAFETY: a live type.
    unsafe { ((*ty.raw()).tp_basicsize as usize).next_multiple_of(8) }
}

/// The place of the managed dict pointer, for types that have one.
#[inline(always)]
pub fn managed_dict(object: &Object) -> Option<*mut *mut PyObject> {
    if !object.ty().has_flag(Py_TPFLAGS_MANAGED_DICT) {
        return None;
    }
    // SAFETY: the word stands three pointers before the object.
    Some(unsafe { object.as_ptr().cast::<*mut PyObject>().sub(3) })
}

/// The place of an instance's dict pointer at `tp_dictoffset`, if its type has one there.
pub fn dict_place(object: &Object) -> Option<*mut *mut PyObject> {
    if let Some(place) = managed_dict(object) {
        return Some(place);
    }
    // SAFETY: a live object; variable-sized types count the offset from the end.
    unsafe {
        let raw = object.ty().raw();
        let mut offset = (*raw).tp_dictoffset;
        if offset == 0 {
            return None;
        }
        if offset < 0 {
            let items = (*object.raw_as::<PyVarObject>()).ob_size.unsigned_abs();
            let size = (*raw).tp_basicsize as usize + items * (*raw).tp_itemsize as usize;
            offset += size.next_multiple_of(8).cast_signed();
        }
        Some(object.as_ptr().cast::<u8>().offset(offset).cast())
    }
}

/// The instance's dict, if it has been made.
pub fn existing_dict(object: &Object) -> Option<&Dict> {
    let place = dict_place(object)?;
    // SAFETY: null or a dict.
    unsafe { Object::borrow_opt(*place).and_then(|dict| dict.downcast::<Dict>()) }
}

/// The instance's dict, made now if need be; `None` if its type has no place for one.
///
/// # Errors
/// `MemoryError`.
pub fn dict_of(object: &Object) -> PyResult<Option<Ref<Dict>>> {
    let Some(place) = dict_place(object) else { return Ok(None) };
    // SAFETY: the place belongs to the live object.
    unsafe {
        if let Some(dict) = Object::borrow_opt(*place) {
            return Ok(dict.downcast::<Dict>().map(Ref::of));
        }
        let dict = match inline_values(object) {
            Some(values) => Dict::borrowing(object.ty(), values)?,
            None => Dict::new()?,
        };
        *place = dict.clone().into_ptr();
        Ok(Some(dict))
    }
}

/// Makes sure that the instance has a dict, and one with a table of its own.
///
/// # Errors
/// `MemoryError`.
pub fn unshare_dict(object: &Object) -> PyResult<()> {
    match dict_of(object)? {
        Some(dict) => dict.unshare(),
        None => Ok(()),
    }
}

/// Ends the sharing of values between an instance and its dict, whose reference the caller has taken: a dict that
/// others know takes the values along, otherwise they stay with the instance.
///
/// # Errors
/// `MemoryError`; nothing has changed then.
unsafe fn part(dict: *mut PyObject, values: *mut InlineValues) -> PyResult<()> {
    // SAFETY: null or a dict.
    if let Some(dict) = unsafe { Object::borrow_opt(dict) }
        && let Some(dict) = dict.downcast::<Dict>()
        && dict.borrows(values)
    {
        if dict.refcount() > 1 {
            return dict.unshare();
        }
        dict.abandon();
    }
    Ok(())
}

/// Replaces the instance's dict (`obj.__dict__ = d`); false if there is no place for one.
///
/// # Errors
/// `MemoryError`.
pub fn set_dict(object: &Object, dict: Option<&Dict>) -> PyResult<bool> {
    let Some(place) = dict_place(object) else { return Ok(false) };
    // SAFETY: the place belongs to the live object; the values are no longer in use when they are released.
    unsafe {
        let values = inline_values(object);
        if let Some(values) = values {
            part(*place, values)?;
            (*values).valid = 0;
        }
        let old = place.replace(into_ptr_opt(dict.map(|dict| dict.new_ref().upcast())));
        if let Some(values) = values {
            InlineValues::clear(values);
        }
        refcount::xdecref(old);
    }
    Ok(true)
}

/// Releases the managed dict or inline values of a dying instance.
pub fn clear_managed_dict(object: &Object) {
    let Some(place) = managed_dict(object) else { return };
    // SAFETY: dying, so nobody else looks; a dict that others hold lives on with a table of its own.
    unsafe {
        let dict = place.replace(null_mut());
        if let Some(values) = inline_values(object) {
            if let Err(error) = part(dict, values) {
                err::write_unraisable_text(error, "Exception ignored while clearing an object managed dict");
                if let Some(dict) = Object::borrow_opt(dict).and_then(|dict| dict.downcast::<Dict>()) {
                    dict.abandon();
                }
            }
            (*values).valid = 0;
            InlineValues::clear(values);
        }
        refcount::xdecref(dict);
    }
}

/// Shows the collector what an instance's dict or values hold.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe fn visit_managed_dict(object: &Object, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live object. A dict shows the values itself, so that they are seen once, and stay as long as
    // it is reachable.
    unsafe {
        let Some(place) = managed_dict(object) else { return 0 };
        if !(*place).is_null() {
            return visit(*place, arg);
        }
        inline_values(object).map_or(0, |values| visit_values(values, visit, arg))
    }
}

/// Shows the collector some fields; null ones are skipped.
///
/// # Safety
/// The fields are null or live objects; `visit` and `arg` come from the collector.
#[inline]
pub unsafe fn visit_all(fields: &[*mut PyObject], visit: visitproc, arg: *mut c_void) -> c_int {
    for &field in fields {
        if !field.is_null() {
            // SAFETY: by contract.
            let result = unsafe { visit(field, arg) };
            if result != 0 {
                return result;
            }
        }
    }
    0
}

/// The value of an attribute that the instance itself holds.
///
/// # Errors
/// What comparing odd keys raises.
#[inline]
pub fn own_attribute(object: &Object, name: &Str) -> PyResult<Option<Ref>> {
    if let Some(values) = inline_values(object) {
        let Some(position) = inline_position(object.ty(), name) else { return Ok(None) };
        // SAFETY: the position is checked against this instance's capacity.
        unsafe {
            if position >= usize::from((*values).capacity) {
                return Ok(None);
            }
            return Ok(
                Object::borrow_opt(InlineValues::values(values).add(position).read()).map(Object::new_ref)
            );
        }
    }
    match existing_dict(object) {
        Some(dict) => dict.get_str(name),
        None => Ok(None),
    }
}

/// Sets an attribute that the instance itself holds; `false` if there is no place for it.
///
/// # Errors
/// `MemoryError`, what comparing odd keys raises.
pub fn set_own_attribute(object: &Object, name: &Str, value: &Object) -> PyResult<bool> {
    if let Some(values) = inline_values(object)
        && set_inline(object, values, name, value)
    {
        return Ok(true);
    }
    let Some(dict) = dict_of(object)? else { return Ok(false) };
    dict.set_str(name, value)?;
    Ok(true)
}

/// Sets an inline value; `false` when the name does not fit.
fn set_inline(object: &Object, values: *mut InlineValues, name: &Str, value: &Object) -> bool {
    let Some(position) = inline_position_or_new(object.ty(), name) else { return false };
    // SAFETY: the position is checked against this instance's capacity.
    unsafe {
        if position >= usize::from((*values).capacity) {
            return false;
        }
        store_inline(object, values, position, value.new_ref());
    }
    true
}

/// Stores a value at a position below the capacity.
///
/// # Safety
/// `values` are the object's, in use, and `position` is below their capacity.
#[inline]
pub unsafe fn store_inline(object: &Object, values: *mut InlineValues, position: usize, value: Ref) {
    // SAFETY: by contract.
    unsafe {
        let old = InlineValues::put(values, position, value);
        if old.is_null() {
            recount_dict(object);
        } else {
            refcount::decref(old);
        }
    }
}

/// Tells the dict that borrows an instance's values, if there is one, that their number has changed.
///
/// # Safety
/// The values of `object` are in use.
#[inline(always)]
unsafe fn recount_dict(object: &Object) {
    // SAFETY: a class with inline values has a managed dict, which borrows the values in use.
    unsafe {
        let dict = object.as_ptr().cast::<*mut PyObject>().sub(3).read();
        if !dict.is_null() {
            Object::borrow(dict).cast::<Dict>().recount();
        }
    }
}

/// Deletes an attribute that the instance itself holds; `false` if it has none of that name.
///
/// # Errors
/// What comparing odd keys raises.
pub fn delete_own_attribute(object: &Object, name: &Str) -> PyResult<bool> {
    if let Some(values) = inline_values(object) {
        let Some(position) = inline_position(object.ty(), name) else { return Ok(false) };
        // SAFETY: the position is checked against this instance's capacity.
        unsafe {
            if position >= usize::from((*values).capacity) {
                return Ok(false);
            }
            let old = InlineValues::take(values, position);
            if old.is_null() {
                return Ok(false);
            }
            recount_dict(object);
            refcount::decref(old);
        }
        return Ok(true);
    }
    match existing_dict(object).map(Ref::of) {
        Some(dict) => Ok(dict.remove(name)?.is_some()),
        None => Ok(false),
    }
}

/// Whether a descriptor takes precedence over the instance's own attributes.
#[inline]
pub fn is_data_descriptor(descr: &Object) -> bool {
    // SAFETY: a live type.
    unsafe { (*descr.ty().raw()).tp_descr_set.is_some() }
}

/// Whether a class attribute has `__get__`: a data descriptor that only sets leaves reading to the instance.
#[inline(always)]
pub fn gives_values(descr: &Object) -> bool {
    // SAFETY: a live type.
    unsafe { (*descr.ty().raw()).tp_descr_get.is_some() }
}

/// What a class attribute gives for an instance: `descr.__get__`, or the attribute itself.
///
/// # Errors
/// What `__get__` raises.
#[inline]
pub fn bind_descriptor(descr: &Object, instance: &Object, owner: &Type) -> PyResult {
    // SAFETY: slot contract.
    unsafe {
        match (*descr.ty().raw()).tp_descr_get {
            Some(get) => from_c(get(descr.as_ptr(), instance.as_ptr(), owner.as_ptr())),
            None => Ok(descr.new_ref()),
        }
    }
}

fn name_str(name: &Object) -> PyResult<&Str> {
    name.downcast::<Str>().ok_or_else(|| {
        raise!(PyExc_TypeError, "attribute name must be string, not '{}'", name.ty().message_name())
    })
}

/// `object.__getattribute__`: data descriptors of the class, then the instance's own attributes,
/// then everything else of the class. `None` when there is no such attribute.
///
/// # Errors
/// What descriptors raise, except an `AttributeError` of theirs, which counts as missing.
pub fn generic_getattr_opt(object: &Object, name: &Object) -> PyResult<Option<Ref>> {
    match generic_lookup(object, name) {
        Ok(found) => Ok(found),
        Err(error) => error.allow(&PyExc_AttributeError),
    }
}

fn generic_lookup(object: &Object, name: &Object) -> PyResult<Option<Ref>> {
    let name = name_str(name)?;
    let ty = object.ty();
    let found = ty.lookup(name);
    if let Some(descr) = &found
        && is_data_descriptor(descr)
        && gives_values(descr)
    {
        return bind_descriptor(descr, object, ty).map(Some);
    }
    if let Some(value) = own_attribute(object, name)? {
        return Ok(Some(value));
    }
    match found {
        Some(descr) => bind_descriptor(&descr, object, ty).map(Some),
        None => Ok(None),
    }
}

/// `object.__getattribute__`.
///
/// # Errors
/// `AttributeError`; what descriptors raise.
pub fn generic_getattr(object: &Object, name: &Object) -> PyResult {
    generic_lookup(object, name)?.ok_or_else(|| {
        let text = name.downcast::<Str>().map(Str::to_lossy).unwrap_or_default();
        attribute_error(object, &text)
    })
}

/// The `AttributeError` of a missing attribute, with name and object for the suggestions.
#[cold]
pub fn attribute_error(object: &Object, name: &str) -> PyErr {
    let message = format!("'{}' object has no attribute '{name}'", object.ty().message_name());
    attribute_error_with(object, name, &message)
}

/// An `AttributeError` with this message that knows name and object.
#[cold]
pub fn attribute_error_with(object: &Object, name: &str, message: &str) -> PyErr {
    let error = err::attribute_error(message);
    if error.is(&PyExc_AttributeError)
        && let Ok(name) = Str::from_utf8(name)
    {
        // SAFETY: instances of AttributeError have these fields.
        unsafe {
            let raw = error.exception().as_ptr().cast::<PyAttributeErrorObject>();
            set_field(&raw mut (*raw).name, Some(name.upcast()));
            set_field(&raw mut (*raw).obj, Some(object.new_ref()));
        }
    }
    error
}

/// `object.__setattr__` and, with `None`, `object.__delattr__`.
///
/// # Errors
/// `AttributeError`; what descriptors raise.
pub fn generic_setattr(object: &Object, name: &Object, value: Option<&Object>) -> PyResult<()> {
    let name = name_str(name)?;
    let ty = object.ty();
    let descr = ty.lookup(name);
    if let Some(descr) = &descr {
        // SAFETY: slot contract.
        unsafe {
            if let Some(set) = (*descr.ty().raw()).tp_descr_set {
                return from_c_int(set(descr.as_ptr(), object.as_ptr(), opt_ptr(value)) as isize).map(|_| ());
            }
        }
    }
    let stored = match value {
        Some(value) => set_own_attribute(object, name, value)?,
        None => delete_own_attribute(object, name)?,
    };
    if stored {
        return Ok(());
    }
    let text = name.to_lossy();
    if dict_place(object).is_some() {
        return Err(attribute_error(object, &text));
    }
    let message = match &descr {
        Some(_) => format!("'{}' object attribute '{text}' is read-only", ty.message_name()),
        None if ty.lookup_ptr(intern!("__slots__")).is_null()
            && core::ptr::eq(ty.raw(), PyBaseObject_Type.raw()) =>
        {
            format!(
                "'{}' object has no attribute '{text}' and no __dict__ for setting new attributes",
                ty.message_name()
            )
        }
        None => format!(
            "'{}' object has no attribute '{text}' and no __dict__ for setting new attributes",
            ty.message_name()
        ),
    };
    Err(attribute_error_with(object, &text, &message))
}

/// `tp_getattro` of ordinary objects.
///
/// # Safety
/// As every `tp_getattro`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GenericGetAttr(
    object: *mut PyObject,
    name: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe { ret(generic_getattr(Object::borrow(object), Object::borrow(name))) }
}

/// `tp_setattro` of ordinary objects.
///
/// # Safety
/// As every `tp_setattro`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyObject_GenericSetAttr(
    object: *mut PyObject,
    name: *mut PyObject,
    value: *mut PyObject,
) -> c_int {
    // SAFETY: slot contract.
    unsafe {
        crate::native::ret_int(generic_setattr(
            Object::borrow(object),
            Object::borrow(name),
            Object::borrow_opt(value),
        ))
    }
}

/// `tp_free` of objects without a header, and of any other block (`PyObject_Free`).
///
/// # Safety
/// As every `tp_free`; types whose instances have a header use [`object_gc_del`].
#[unsafe(export_name = "PyObject_Free")]
pub unsafe extern "C" fn object_free(ptr: *mut c_void) {
    // SAFETY: without a header the object's address is the block's.
    unsafe { alloc::free(ptr.cast()) }
}

/// `tp_free` of collectable objects (`PyObject_GC_Del`).
///
/// # Safety
/// As every `tp_free`.
#[unsafe(export_name = "PyObject_GC_Del")]
pub unsafe extern "C" fn object_gc_del(ptr: *mut c_void) {
    // SAFETY: slot contract.
    unsafe {
        gc::untrack_ptr(ptr.cast());
        alloc::free_object(ptr.cast());
    }
}

/// `tp_alloc` of ordinary types.
///
/// # Safety
/// As every `tp_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PyType_GenericAlloc(ty: *mut PyTypeObject, items: isize) -> *mut PyObject {
    // SAFETY: a live type.
    unsafe { ret(alloc::generic_alloc(Object::borrow(ty.cast()).cast(), items)) }
}

/// `tp_dealloc` of `object`: frees the memory.
///
/// # Safety
/// As every `tp_dealloc`.
pub unsafe extern "C" fn native_object_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        if let Some(free) = (*(*ptr).ob_type).tp_free {
            free(ptr.cast());
        }
    }
}

/// Calls `tp_finalize` of a dying object once; true if that brought it back to life.
pub fn finalize_on_dealloc(object: &Object) -> bool {
    // SAFETY: the object is complete; its count is raised while Python code may look at it.
    unsafe {
        let Some(finalize) = (*object.ty().raw()).tp_finalize else { return false };
        if gc::is_finalized(object) {
            return false;
        }
        let head = object.as_ptr();
        (*head).ob_refcnt = 1;
        finalize(head);
        gc::set_finalized(object);
        (*head).ob_refcnt -= 1;
        (*head).ob_refcnt != 0
    }
}

/// The nearest base that is not a class made at run time: it knows how its part is torn down.
fn native_base(ty: &Type) -> &Type {
    let own: destructor = subtype_dealloc;
    let mut current = ty;
    // SAFETY: live types; function addresses are compared as CPython compares them.
    unsafe {
        while (*current.raw()).tp_dealloc.is_some_and(|f| f as usize == own as usize) {
            let Some(base) = current.base() else { break };
            current = base;
        }
    }
    current
}

/// `tp_dealloc` of classes made at run time.
///
/// # Safety
/// As every `tp_dealloc`.
pub unsafe extern "C" fn subtype_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract; steps in the order of PEP 442: finalise, clear weak references,
    // release slots and dict, then the native part frees the memory.
    unsafe {
        let object = Object::borrow(ptr);
        if finalize_on_dealloc(object) {
            return;
        }
        // Only now: a finaliser may give the object another class.
        let ty = Ref::of(object.ty());
        let gc_type = ty.has_flag(Py_TPFLAGS_HAVE_GC);
        if gc_type {
            gc::untrack_ptr(ptr);
        }
        let base = native_base(&ty);
        // The base's own list of weak references is cleared by the base.
        if (*ty.raw()).tp_weaklistoffset != 0 && (*base.raw()).tp_weaklistoffset == 0
            || ty.has_flag(Py_TPFLAGS_MANAGED_WEAKREF)
        {
            crate::weakref::clear_on_dealloc(object);
        }
        clear_slots(object, &ty);
        if ty.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            clear_managed_dict(object);
        } else if (*ty.raw()).tp_dictoffset != 0
            && (*base.raw()).tp_dictoffset == 0
            && let Some(place) = dict_place(object)
        {
            clear_field(place);
        }
        // Bases that are collectable expect a tracked object.
        if gc_type && base.has_flag(Py_TPFLAGS_HAVE_GC) {
            gc::track_ptr(ptr);
        }
        let base_is_heap = base.has_flag(Py_TPFLAGS_HEAPTYPE);
        if let Some(dealloc) = (*base.raw()).tp_dealloc {
            dealloc(ptr);
        }
        // A native heap type releases the instance's type itself.
        if !base_is_heap {
            refcount::decref(ty.as_ptr());
        }
    }
}

/// Releases the `__slots__` of every class between the instance's and its native base.
fn clear_slots(object: &Object, ty: &Type) {
    let base = native_base(ty);
    let mut current = Some(ty);
    while let Some(class) = current {
        if class.is(base) {
            break;
        }
        for offset in class_slots(class) {
            // SAFETY: a slot of the class is a field of its instances.
            unsafe { clear_field(object.as_ptr().cast::<u8>().add(offset).cast::<*mut PyObject>()) };
        }
        current = class.base();
    }
}

/// The offsets of a class's own `__slots__`.
pub fn class_slots(ty: &Type) -> Vec<usize> {
    if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) {
        return Vec::new();
    }
    // SAFETY: the member definitions of a class stand in its own table, ended by a null name.
    unsafe {
        let mut offsets = Vec::new();
        let mut def = (*ty.raw()).tp_members;
        while !def.is_null() && !(*def).name.is_null() {
            if (*def).r#type == Py_T_OBJECT_EX {
                offsets.push((*def).offset as usize);
            }
            def = def.add(1);
        }
        offsets
    }
}

/// `tp_traverse` of classes made at run time.
///
/// # Safety
/// As every `tp_traverse`.
pub unsafe extern "C" fn subtype_traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live instance.
    unsafe {
        let object = Object::borrow(ptr);
        let ty = object.ty();
        let own: traverseproc = subtype_traverse;
        let mut current = ty;
        while (*current.raw()).tp_traverse.is_some_and(|f| f as usize == own as usize) {
            for offset in class_slots(current) {
                let value = ptr.cast::<u8>().add(offset).cast::<*mut PyObject>().read();
                let result = visit_all(&[value], visit, arg);
                if result != 0 {
                    return result;
                }
            }
            let Some(base) = current.base() else { break };
            current = base;
        }
        let mut result = 0;
        if ty.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            result = visit_managed_dict(object, visit, arg);
        } else if (*ty.raw()).tp_dictoffset != (*current.raw()).tp_dictoffset
            && let Some(place) = dict_place(object)
        {
            result = visit_all(&[*place], visit, arg);
        }
        if result == 0 {
            result = visit(ty.as_ptr(), arg);
        }
        if result == 0
            && let Some(traverse) = (*current.raw()).tp_traverse
        {
            result = traverse(ptr, visit, arg);
        }
        result
    }
}

/// `tp_clear` of classes made at run time.
///
/// # Safety
/// As every `tp_clear`.
pub unsafe extern "C" fn subtype_clear(ptr: *mut PyObject) -> c_int {
    // SAFETY: a live instance.
    unsafe {
        let object = Object::borrow(ptr);
        let ty = Ref::of(object.ty());
        clear_slots(object, &ty);
        if ty.has_flag(Py_TPFLAGS_MANAGED_DICT) {
            clear_managed_dict(object);
        }
        let base = native_base(&ty);
        match (*base.raw()).tp_clear {
            Some(clear) => clear(ptr),
            None => 0,
        }
    }
}

/// A `staticmethod` around a callable, made by the room that owns that type.
///
/// # Errors
/// `MemoryError`.
pub fn new_staticmethod(function: &Object) -> PyResult {
    let object = alloc::alloc_object(&PyStaticMethod_Type, 0)?;
    // SAFETY: fresh memory of `RawWrapperMethod`'s layout.
    unsafe {
        (*object.raw_as::<RawWrapperMethod>()).callable = function.new_ref().into_ptr();
        gc::track(&object);
    }
    Ok(object)
}

/// The memory of `staticmethod` and `classmethod` objects.
#[repr(C)]
pub struct RawWrapperMethod {
    pub head: PyObject,
    pub callable: *mut PyObject,
    pub dict: *mut PyObject,
}
const _: () = assert!(size_of::<RawWrapperMethod>() == 32);
