//! Descriptors of native types: methods, computed attributes, fields, slot wrappers.

use crate::alloc;
use crate::callable::{call_def, new_cfunction, vectorcall_call, vectorcall_count};
use crate::dict::Dict;
use crate::err::{self, PyResult, type_error};
use crate::gc;
use crate::handle::{Object, Ref, Type};
use crate::intern;
use crate::layout;
use crate::native::{
    self, CompareOp, GetSetRow, IntoPy, Member, TypeSpec, from_c, from_c_int, getset_row, opt_ptr, raw_call,
    raw_dealloc, raw_getattro, raw_traverse, tp_call, tp_descr_get, tp_descr_set, tp_hash, tp_repr,
    tp_richcompare,
};
use crate::raise;
use crate::singletons::{none, not_implemented};
use crate::statics::*;
use crate::tuple::Tuple;
use crate::typeobject::SlotDef;
use crate::unicode::Str;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::offset_of;
use taipan_abi::*;

layout!(
    /// Any descriptor of a native type.
    Descr, PyDescrObject, "descriptor",
    |o| [&*PyMethodDescr_Type, &*PyGetSetDescr_Type, &*PyMemberDescr_Type, &*PyWrapperDescr_Type, &*PyClassMethodDescr_Type]
        .iter().any(|ty| o.is_exact(ty))
);
layout!(
    /// A method of a native type.
    MethodDescr, PyMethodDescrObject, "method_descriptor",
    |o| o.is_exact(&PyMethodDescr_Type) || o.is_exact(&PyClassMethodDescr_Type)
);
layout!(
    /// A computed attribute of a native type.
    GetSetDescr, PyGetSetDescrObject, "getset_descriptor", |o| o.is_exact(&PyGetSetDescr_Type)
);
layout!(
    /// A field of a native type, or a `__slots__` entry of a class.
    MemberDescr, PyMemberDescrObject, "member_descriptor", |o| o.is_exact(&PyMemberDescr_Type)
);
layout!(
    /// A special method of a native type: calls a slot.
    WrapperDescr, PyWrapperDescrObject, "wrapper_descriptor", |o| o.is_exact(&PyWrapperDescr_Type)
);
layout!(
    /// A slot wrapper bound to an instance.
    MethodWrapper, RawMethodWrapper, "method-wrapper", |o| o.is_exact(&_PyMethodWrapper_Type)
);

/// The memory of a `method-wrapper`.
#[repr(C)]
pub struct RawMethodWrapper {
    head: PyObject,
    descr: *mut PyObject,
    object: *mut PyObject,
}

/// The type of slot wrappers bound to an instance.
#[unsafe(no_mangle)]
pub static _PyMethodWrapper_Type: StaticType = StaticType::native(
    c"method-wrapper",
    size_of::<RawMethodWrapper>(),
    Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

/// # Safety
/// `text` is null-terminated.
unsafe fn c_text<'a>(text: *const c_char) -> &'a str {
    // SAFETY: by contract.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or("?")
}

fn new_descr(kind: &Type, owner: &Type, name: &str) -> PyResult<Ref<Descr>> {
    let descr = alloc::alloc_object(kind, 0)?;
    let name = crate::unicode::intern_immortal(Str::from_utf8(name)?);
    // SAFETY: fresh memory of this layout.
    unsafe {
        let raw = descr.raw_as::<PyDescrObject>();
        (*raw).d_type = owner.new_ref().into_ptr().cast();
        (*raw).d_name = name.into_ptr();
        gc::track(&descr);
        Ok(descr.cast_owned())
    }
}

/// What a row of methods becomes in its type's dict.
///
/// # Safety
/// `def` outlives the type.
/// # Errors
/// `MemoryError`.
pub unsafe fn method_from_def(ty: &Type, def: *mut PyMethodDef) -> PyResult {
    // SAFETY: live by contract.
    unsafe {
        let name = c_text((*def).ml_name);
        let flags = (*def).ml_flags;
        if flags & METH_STATIC != 0 {
            let function = new_cfunction(def, Some(ty), None, None)?;
            return crate::instance::new_staticmethod(&function);
        }
        let class_method = flags & METH_CLASS != 0;
        let kind: &Type = if class_method { &PyClassMethodDescr_Type } else { &PyMethodDescr_Type };
        let descr = new_descr(kind, ty, name)?;
        let raw = descr.raw().cast::<PyMethodDescrObject>();
        (*raw).d_method = def;
        (*raw).vectorcall = Some(if class_method { classmethod_vectorcall } else { method_vectorcall });
        Ok(descr.upcast())
    }
}

/// A computed attribute.
///
/// # Safety
/// `def` outlives the type.
/// # Errors
/// `MemoryError`.
pub unsafe fn new_getset(ty: &Type, def: *mut PyGetSetDef) -> PyResult<Ref<Descr>> {
    // SAFETY: live by contract.
    unsafe {
        let descr = new_descr(&PyGetSetDescr_Type, ty, c_text((*def).name))?;
        (*descr.raw().cast::<PyGetSetDescrObject>()).d_getset = def.cast();
        Ok(descr)
    }
}

/// A field.
///
/// # Safety
/// `def` outlives the type.
/// # Errors
/// `MemoryError`.
pub unsafe fn new_member(ty: &Type, def: *mut PyMemberDef) -> PyResult<Ref<Descr>> {
    // SAFETY: live by contract.
    unsafe {
        let descr = new_descr(&PyMemberDescr_Type, ty, c_text((*def).name))?;
        (*descr.raw().cast::<PyMemberDescrObject>()).d_member = def.cast();
        Ok(descr)
    }
}

/// The special method that calls `function`, a slot of `ty`.
///
/// # Errors
/// `MemoryError`.
pub fn new_wrapper(ty: &Type, def: &'static SlotDef, function: *mut c_void) -> PyResult<Ref<Descr>> {
    let descr = new_descr(&PyWrapperDescr_Type, ty, def.name)?;
    // SAFETY: fresh memory of this layout; `d_base` is ours to interpret.
    unsafe {
        let raw = descr.raw().cast::<PyWrapperDescrObject>();
        (*raw).d_base = core::ptr::from_ref(def).cast_mut().cast();
        (*raw).d_wrapped = function;
    }
    Ok(descr)
}

impl WrapperDescr {
    fn def(&self) -> &'static SlotDef {
        // SAFETY: set by `new_wrapper` to a row of the static table.
        unsafe { &*(*self.raw()).d_base.cast::<SlotDef>() }
    }

    fn function(&self) -> *mut c_void {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).d_wrapped }
    }
}

/// The slot function behind a wrapper, if it may stand in `ty`'s slot directly.
pub fn wrapped_slot(found: &Object, def: &'static SlotDef, ty: &Type) -> Option<*mut c_void> {
    let wrapper = found.downcast::<WrapperDescr>()?;
    // A number slot is called with its operands in either order, a sequence slot of the same name is not.
    let same = wrapper.def().name == def.name
        && wrapper.def().wrap == def.wrap
        && crate::typeobject::is_number_slot(wrapper.def().id) == crate::typeobject::is_number_slot(def.id);
    // SAFETY: a wrapper is a descriptor.
    (same && ty.is_subtype(unsafe { found.cast::<Descr>() }.owner())).then(|| wrapper.function())
}

/// Whether `found` is `object.__getattribute__` itself.
pub fn is_generic_getattribute(found: &Object) -> bool {
    found.downcast::<WrapperDescr>().is_some_and(|wrapper| {
        wrapper.def().name == "__getattribute__"
            && core::ptr::eq(
                wrapper.function(),
                crate::instance::PyObject_GenericGetAttr as getattrofunc as *const c_void,
            )
    })
}

impl Descr {
    /// The type that the descriptor belongs to.
    pub fn owner(&self) -> &Type {
        // SAFETY: set at creation.
        unsafe { Object::borrow((*self.raw()).d_type.cast()).cast() }
    }

    pub fn name(&self) -> &Str {
        // SAFETY: set at creation, always a str.
        unsafe { Object::borrow((*self.raw()).d_name).cast() }
    }

    /// The name, for messages.
    pub fn name_text(&self) -> String {
        self.name().to_lossy()
    }

    /// Checks that `object` is an instance of the owner.
    fn check(&self, object: &Object) -> PyResult<()> {
        if object.ty().is_subtype(self.owner()) {
            return Ok(());
        }
        Err(raise!(
            PyExc_TypeError,
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            self.name_text(),
            self.owner().message_name(),
            object.ty().message_name()
        ))
    }

    fn qualname(&self) -> PyResult {
        let owner = self.owner().getattr(intern!("__qualname__"))?;
        format!("{}.{}", owner.str_lossy(), self.name_text()).into_py()
    }
}

impl MethodDescr {
    /// The definition.
    pub fn def(&self) -> *mut PyMethodDef {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw()).d_method }
    }

    /// `type.name()`, for messages.
    pub fn message_name(&self) -> String {
        let common = self.as_descr();
        format!("{}.{}()", common.owner().name(), common.name_text())
    }

    /// The calling convention of the method.
    pub fn convention(&self) -> i32 {
        // SAFETY: the row outlives the type.
        unsafe { (*self.def()).ml_flags & crate::callable::CONVENTION }
    }

    /// The part that all descriptors share.
    #[inline(always)]
    pub fn as_descr(&self) -> &Descr {
        // SAFETY: a method descriptor begins with the common part.
        unsafe { self.cast() }
    }
}

unsafe fn method_call(
    descr: &MethodDescr,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> PyResult {
    let count = vectorcall_count(nargsf);
    let common = descr.as_descr();
    if count == 0 {
        return Err(raise!(
            PyExc_TypeError,
            "unbound method {}.{}() needs an argument",
            common.owner().name(),
            common.name_text()
        ));
    }
    // SAFETY: forwarded from the vectorcall.
    unsafe {
        let object = Object::borrow(*args);
        common.check(object)?;
        let describe = || descr.message_name();
        call_def(
            descr.def(),
            object.as_ptr(),
            common.owner().raw(),
            args.add(1),
            count - 1,
            kwnames,
            &describe,
        )
    }
}

unsafe extern "C" fn method_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe { native::ret(method_call(Object::borrow(callable).cast(), args, nargsf, kwnames)) }
}

unsafe extern "C" fn classmethod_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract.
    unsafe {
        let descr: &MethodDescr = Object::borrow(callable).cast();
        let common = descr.as_descr();
        let count = vectorcall_count(nargsf);
        if count == 0 {
            return native::ret(Err::<Ref, _>(raise!(
                PyExc_TypeError,
                "descriptor '{}' of '{}' object needs an argument",
                common.name_text(),
                common.owner().message_name()
            )));
        }
        let bound = classmethod_get(descr, None, Some(Object::borrow(*args)));
        match bound {
            Ok(bound) => {
                native::ret(crate::protocol::vectorcall_raw(&bound, args.add(1), count - 1, kwnames))
            }
            Err(error) => native::ret(Err::<Ref, _>(error)),
        }
    }
}

fn method_get(descr: &MethodDescr, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    let Some(instance) = instance else { return Ok(descr.new_ref()) };
    let common = descr.as_descr();
    common.check(instance)?;
    // SAFETY: the definition outlives the type.
    unsafe {
        let class = if (*descr.def()).ml_flags & METH_METHOD != 0 { Some(common.owner()) } else { None };
        Ok(new_cfunction(descr.def(), Some(instance), None, class)?.upcast())
    }
}

fn classmethod_get(descr: &MethodDescr, instance: Option<&Object>, owner: Option<&Object>) -> PyResult {
    let common = descr.as_descr();
    let ty = match (owner, instance) {
        (Some(owner), _) => owner.new_ref(),
        (None, Some(instance)) => instance.ty().new_ref(),
        (None, None) => {
            return Err(raise!(
                PyExc_TypeError,
                "descriptor '{}' for type '{}' needs either an object or a type",
                common.name_text(),
                common.owner().message_name()
            ));
        }
    };
    let Some(class) = ty.downcast::<Type>() else {
        return Err(raise!(
            PyExc_TypeError,
            "descriptor '{}' for type '{}' needs a type, not a '{}' as arg 2",
            common.name_text(),
            common.owner().message_name(),
            ty.ty().message_name()
        ));
    };
    if !class.is_subtype(common.owner()) {
        return Err(raise!(
            PyExc_TypeError,
            "descriptor '{}' requires a subtype of '{}' but received '{}'",
            common.name_text(),
            common.owner().message_name(),
            class.message_name()
        ));
    }
    // SAFETY: the definition outlives the type.
    unsafe {
        let defining = if (*descr.def()).ml_flags & METH_METHOD != 0 { Some(common.owner()) } else { None };
        Ok(new_cfunction(descr.def(), Some(&ty), None, defining)?.upcast())
    }
}

fn getset_get(descr: &GetSetDescr, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    let Some(instance) = instance else { return Ok(descr.new_ref()) };
    // SAFETY: a getset descriptor begins with the common part; its row outlives the type.
    unsafe {
        let common: &Descr = descr.cast();
        common.check(instance)?;
        let row = (*descr.raw()).d_getset.cast::<PyGetSetDef>();
        match (*row).get {
            Some(get) => from_c(get(instance.as_ptr(), (*row).closure)),
            None => Err(raise!(
                PyExc_AttributeError,
                "attribute '{}' of '{}' objects is not readable",
                common.name_text(),
                common.owner().message_name()
            )),
        }
    }
}

fn getset_set(descr: &GetSetDescr, instance: &Object, value: Option<&Object>) -> PyResult<()> {
    // SAFETY: as in `getset_get`.
    unsafe {
        let common: &Descr = descr.cast();
        check_set(common, instance)?;
        let row = (*descr.raw()).d_getset.cast::<PyGetSetDef>();
        match (*row).set {
            Some(set) => {
                from_c_int(set(instance.as_ptr(), opt_ptr(value), (*row).closure) as isize).map(|_| ())
            }
            None => Err(raise!(
                PyExc_AttributeError,
                "attribute '{}' of '{}' objects is not writable",
                common.name_text(),
                common.owner().message_name()
            )),
        }
    }
}

fn check_set(descr: &Descr, instance: &Object) -> PyResult<()> {
    if instance.ty().is_subtype(descr.owner()) {
        return Ok(());
    }
    Err(raise!(
        PyExc_TypeError,
        "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
        descr.name_text(),
        descr.owner().message_name(),
        instance.ty().message_name()
    ))
}

impl MemberDescr {
    /// The part that all descriptors share.
    pub fn as_descr(&self) -> &Descr {
        // SAFETY: a member descriptor begins with the common part.
        unsafe { self.cast() }
    }

    /// The field's definition.
    pub fn def(&self) -> &PyMemberDef {
        // SAFETY: the row outlives the type.
        unsafe { &*(*self.raw()).d_member.cast::<PyMemberDef>() }
    }
}

fn member_get(descr: &MemberDescr, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    let Some(instance) = instance else { return Ok(descr.new_ref()) };
    // SAFETY: a member descriptor begins with the common part; the instance was checked.
    unsafe {
        descr.cast::<Descr>().check(instance)?;
        read_member(instance, descr.def())
    }
}

fn member_set(descr: &MemberDescr, instance: &Object, value: Option<&Object>) -> PyResult<()> {
    // SAFETY: a member descriptor begins with the common part; the instance was checked.
    unsafe {
        check_set(descr.cast(), instance)?;
        write_member(instance, descr.def(), value)
    }
}

/// Reads a field of an object's C struct.
///
/// # Safety
/// The definition belongs to a type that `object` is an instance of.
/// # Errors
/// `AttributeError` for an unset object field.
pub unsafe fn read_member(object: &Object, def: &PyMemberDef) -> PyResult {
    // SAFETY: the field exists by contract.
    unsafe {
        let place = object.as_ptr().cast::<u8>().offset(def.offset);
        macro_rules! number {
            ($ty:ty) => {
                place.cast::<$ty>().read_unaligned()
            };
        }
        match def.r#type {
            Py_T_BOOL => (number!(u8) != 0).into_py(),
            Py_T_BYTE => i64::from(number!(i8)).into_py(),
            Py_T_UBYTE => i64::from(number!(u8)).into_py(),
            Py_T_SHORT => i64::from(number!(i16)).into_py(),
            Py_T_USHORT => i64::from(number!(u16)).into_py(),
            Py_T_INT => i64::from(number!(i32)).into_py(),
            Py_T_UINT => i64::from(number!(u32)).into_py(),
            Py_T_LONG | Py_T_LONGLONG | Py_T_PYSSIZET => number!(i64).into_py(),
            Py_T_ULONG | Py_T_ULONGLONG => number!(u64).into_py(),
            Py_T_FLOAT => f64::from(number!(f32)).into_py(),
            Py_T_DOUBLE => number!(f64).into_py(),
            Py_T_CHAR => Ok(crate::unicode::latin1_char(number!(u8)).new_ref()),
            Py_T_STRING => {
                let text = number!(*const c_char);
                if text.is_null() { ().into_py() } else { c_text(text).into_py() }
            }
            Py_T_STRING_INPLACE => c_text(place.cast()).into_py(),
            T_OBJECT => Ok(Object::borrow_opt(number!(*mut PyObject)).unwrap_or(none()).new_ref()),
            Py_T_OBJECT_EX => match Object::borrow_opt(number!(*mut PyObject)) {
                Some(value) => Ok(value.new_ref()),
                None => Err(err::attribute_error(&format!(
                    "'{}' object has no attribute '{}'",
                    object.ty().qualified_name(),
                    c_text(def.name)
                ))),
            },
            T_NONE => ().into_py(),
            _ => Err(err::system_error("bad memberdescr type")),
        }
    }
}

/// Writes (or with `None` deletes) a field of an object's C struct.
///
/// # Safety
/// As [`read_member`].
/// # Errors
/// `AttributeError` for a read-only field, `TypeError` for a value of the wrong type.
pub unsafe fn write_member(object: &Object, def: &PyMemberDef, value: Option<&Object>) -> PyResult<()> {
    if def.flags & Py_READONLY != 0 {
        return Err(err::attribute_error("readonly attribute"));
    }
    // SAFETY: the field exists by contract.
    unsafe {
        let place = object.as_ptr().cast::<u8>().offset(def.offset);
        if matches!(def.r#type, T_OBJECT | Py_T_OBJECT_EX) {
            let field = place.cast::<*mut PyObject>();
            if value.is_none() && def.r#type == Py_T_OBJECT_EX && (*field).is_null() {
                return Err(err::attribute_error(c_text(def.name)));
            }
            crate::handle::set_field(field, value.map(Object::new_ref));
            return Ok(());
        }
        let Some(value) = value else { return Err(type_error("can't delete numeric/char attribute")) };
        macro_rules! number {
            ($ty:ty) => {
                place.cast::<$ty>().write_unaligned(value.to_i64_wrapping()? as $ty)
            };
        }
        match def.r#type {
            Py_T_BOOL => match crate::singletons::as_bool(value) {
                Some(value) => place.write(u8::from(value)),
                None => return Err(type_error("attribute value type must be bool")),
            },
            Py_T_BYTE => number!(i8),
            Py_T_UBYTE => number!(u8),
            Py_T_SHORT => number!(i16),
            Py_T_USHORT => number!(u16),
            Py_T_INT => place.cast::<i32>().write_unaligned(value.to_i32()?),
            Py_T_UINT => number!(u32),
            Py_T_LONG | Py_T_LONGLONG | Py_T_ULONG | Py_T_ULONGLONG => number!(i64),
            Py_T_PYSSIZET => place.cast::<isize>().write_unaligned(value.to_isize()?),
            Py_T_FLOAT => place.cast::<f32>().write_unaligned(value.to_f64()? as f32),
            Py_T_DOUBLE => place.cast::<f64>().write_unaligned(value.to_f64()?),
            Py_T_CHAR => {
                match value.downcast::<Str>().filter(|text| text.len() == 1).map(|text| text.chars().at(0)) {
                    Some(c @ 0..=255) => place.write(c as u8),
                    _ => return Err(type_error("bad argument type for built-in operation")),
                }
            }
            Py_T_STRING | Py_T_STRING_INPLACE => return Err(type_error("readonly attribute")),
            _ => return Err(err::system_error("bad memberdescr type")),
        }
    }
    Ok(())
}

fn wrapper_call(descr: &WrapperDescr, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    // SAFETY: a wrapper begins with the common part.
    let common: &Descr = unsafe { descr.cast() };
    let Some(object) = args.get(0) else {
        return Err(raise!(
            PyExc_TypeError,
            "descriptor '{}' of '{}' object needs an argument",
            common.name_text(),
            common.owner().message_name()
        ));
    };
    if !object.ty().is_subtype(common.owner()) {
        return Err(raise!(
            PyExc_TypeError,
            "descriptor '{}' requires a '{}' object but received a '{}'",
            common.name_text(),
            common.owner().message_name(),
            object.ty().message_name()
        ));
    }
    // SAFETY: the function is a slot of the owner, of the shape that its row says.
    unsafe {
        crate::typeobject::invoke(descr.def().wrap, descr.function(), object, &args.items()[1..], kwargs)
    }
}

fn wrapper_get(descr: &WrapperDescr, instance: Option<&Object>, _: Option<&Object>) -> PyResult {
    let Some(instance) = instance else { return Ok(descr.new_ref()) };
    // SAFETY: a wrapper begins with the common part; fresh memory of the bound form's layout.
    unsafe {
        descr.cast::<Descr>().check(instance)?;
        let bound = alloc::alloc_object(&_PyMethodWrapper_Type, 0)?;
        let raw = bound.raw_as::<RawMethodWrapper>();
        (*raw).descr = descr.new_ref().into_ptr();
        (*raw).object = instance.new_ref().into_ptr();
        gc::track(&bound);
        Ok(bound)
    }
}

impl MethodWrapper {
    fn descr(&self) -> &WrapperDescr {
        // SAFETY: set at creation.
        unsafe { Object::borrow((*self.raw()).descr).cast() }
    }

    fn object(&self) -> &Object {
        // SAFETY: set at creation.
        unsafe { Object::borrow((*self.raw()).object) }
    }

    fn common(&self) -> &Descr {
        // SAFETY: a wrapper begins with the common part.
        unsafe { self.descr().cast() }
    }
}

crate::methods! { static METHOD_WRAPPER_METHODS = {
    noargs "__reduce__" "($self, /)" = |w: &MethodWrapper| -> PyResult {
        crate::protocol::getattr_pair(w.object(), &w.common().name().to_lossy())
    }, "Describe the method for pickling: how to get it from its instance.";
} }

fn method_wrapper_call(wrapper: &MethodWrapper, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    let descr = wrapper.descr();
    // SAFETY: the function is a slot of the owner, of the shape that its row says.
    unsafe {
        crate::typeobject::invoke(descr.def().wrap, descr.function(), wrapper.object(), args.items(), kwargs)
    }
}

unsafe extern "C" fn method_wrapper_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let raw = ptr.cast::<RawMethodWrapper>();
        crate::refcount::xdecref((*raw).descr);
        crate::refcount::xdecref((*raw).object);
        alloc::free_object(ptr);
    }
}

unsafe extern "C" fn method_wrapper_traverse(
    ptr: *mut PyObject,
    visit: visitproc,
    arg: *mut c_void,
) -> c_int {
    // SAFETY: a live wrapper.
    unsafe {
        let raw = ptr.cast::<RawMethodWrapper>();
        crate::instance::visit_all(&[(*raw).descr, (*raw).object], visit, arg)
    }
}

fn method_wrapper_compare(wrapper: &MethodWrapper, other: &Object, op: CompareOp) -> PyResult {
    let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast::<MethodWrapper>()) else {
        return Ok(not_implemented().new_ref());
    };
    let same = wrapper.object().is(other.object()) && wrapper.descr().is(other.descr());
    (same == (op == CompareOp::Eq)).into_py()
}

fn method_wrapper_hash(wrapper: &MethodWrapper) -> PyResult<isize> {
    let (a, b) = (wrapper.object().as_ptr().addr(), wrapper.descr().as_ptr().addr());
    let hash = taipan_num::hash::pointer(a) ^ taipan_num::hash::pointer(b);
    Ok(if hash == -1 { -2 } else { hash as isize })
}

unsafe extern "C" fn descr_dealloc(ptr: *mut PyObject) {
    // SAFETY: dead by contract.
    unsafe {
        gc::untrack_ptr(ptr);
        let raw = ptr.cast::<PyDescrObject>();
        crate::refcount::xdecref((*raw).d_type.cast());
        crate::refcount::xdecref((*raw).d_name);
        crate::refcount::xdecref((*raw).d_qualname);
        alloc::free_object(ptr);
    }
}

unsafe extern "C" fn descr_traverse(ptr: *mut PyObject, visit: visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: a live descriptor.
    unsafe { crate::instance::visit_all(&[(*ptr.cast::<PyDescrObject>()).d_type.cast()], visit, arg) }
}

/// The signature in a documentation text `name(...)\n--\n\n…`, without the name.
pub fn text_signature<'a>(name: &str, doc: &'a str) -> Option<&'a str> {
    let start = signature_start(name, doc)?;
    let end = doc.find(")\n--\n\n")?;
    doc.get(start..=end)
}

fn signature_start(name: &str, doc: &str) -> Option<usize> {
    let short = name.rsplit('.').next().unwrap_or(name);
    doc.starts_with(short).then_some(short.len()).filter(|&end| doc[end..].starts_with('('))
}

/// A documentation text without the signature that may stand in front.
pub fn doc_without_signature<'a>(name: &str, doc: &'a str) -> &'a str {
    match (signature_start(name, doc), doc.find(")\n--\n\n")) {
        (Some(_), Some(end)) => &doc[end + 6..],
        _ => doc,
    }
}

fn optional_text(text: *const c_char) -> Option<String> {
    // SAFETY: null or null-terminated.
    (!text.is_null()).then(|| unsafe { c_text(text) }.to_owned())
}

fn method_doc(descr: &MethodDescr) -> Option<String> {
    // SAFETY: the definition outlives the type.
    let text = optional_text(unsafe { (*descr.def()).ml_doc })?;
    Some(doc_without_signature(&descr.as_descr().name_text(), &text).to_owned())
}

fn method_text_signature(descr: &MethodDescr) -> Option<String> {
    // SAFETY: the definition outlives the type.
    let text = optional_text(unsafe { (*descr.def()).ml_doc })?;
    text_signature(&descr.as_descr().name_text(), &text).map(str::to_owned)
}

fn descr_reduce(descr: &Descr) -> PyResult {
    crate::protocol::getattr_pair(descr.owner(), &descr.name_text())
}

crate::methods! { static DESCR_METHODS = {
    noargs "__reduce__" "($self, /)" = descr_reduce,
        "Describe the descriptor for pickling: how to get it from its type.";
} }

static DESCR_MEMBERS: &[Member] = &[
    Member::new(c"__objclass__", T_OBJECT, offset_of!(PyDescrObject, d_type), Py_READONLY, c""),
    Member::new(c"__name__", T_OBJECT, offset_of!(PyDescrObject, d_name), Py_READONLY, c""),
];

fn repr_of(kind: &str, descr: &Descr) -> PyResult {
    format!("<{kind} '{}' of '{}' objects>", descr.name_text(), descr.owner().message_name()).into_py()
}

const QUALNAME: GetSetRow = getset_row(c"__qualname__", Descr::qualname, c"");

/// `method_descriptor`, `classmethod_descriptor`, `getset_descriptor`, `member_descriptor`,
/// `wrapper_descriptor`, `method-wrapper`.
pub static SPECS: [TypeSpec; 6] = [
    TypeSpec {
        slots: &[
            raw_dealloc(descr_dealloc),
            raw_traverse(descr_traverse),
            raw_getattro(crate::instance::PyObject_GenericGetAttr),
            raw_call(vectorcall_call),
            tp_repr(|d: &Descr| repr_of("method", d)),
            tp_descr_get(method_get),
        ],
        methods: DESCR_METHODS,
        members: DESCR_MEMBERS,
        getset: &[
            getset_row(c"__doc__", method_doc, c""),
            QUALNAME,
            getset_row(c"__text_signature__", method_text_signature, c""),
        ],
        ..TypeSpec::new(&PyMethodDescr_Type)
    },
    TypeSpec {
        slots: &[
            raw_dealloc(descr_dealloc),
            raw_traverse(descr_traverse),
            raw_getattro(crate::instance::PyObject_GenericGetAttr),
            tp_call(|d: &MethodDescr, args: &Tuple, kwargs: Option<&Dict>| -> PyResult {
                let names = kwargs.map(dict_names).transpose()?;
                let mut all: Vec<Ref> = args.items().iter().map(|arg| arg.new_ref()).collect();
                all.extend(kwargs.into_iter().flat_map(Dict::items_vec).map(|(_, value)| value));
                let refs: Vec<&Object> = all.iter().map(|arg| &**arg).collect();
                // SAFETY: the arguments live during the call.
                unsafe {
                    from_c(classmethod_vectorcall(
                        d.as_ptr(),
                        refs.as_ptr().cast(),
                        args.len(),
                        opt_ptr(names.as_ref().map(|n| &***n)),
                    ))
                }
            }),
            tp_repr(|d: &Descr| repr_of("method", d)),
            tp_descr_get(classmethod_get),
        ],
        members: DESCR_MEMBERS,
        getset: &[
            getset_row(c"__doc__", method_doc, c""),
            QUALNAME,
            getset_row(c"__text_signature__", method_text_signature, c""),
        ],
        ..TypeSpec::new(&PyClassMethodDescr_Type)
    },
    TypeSpec {
        slots: &[
            raw_dealloc(descr_dealloc),
            raw_traverse(descr_traverse),
            raw_getattro(crate::instance::PyObject_GenericGetAttr),
            tp_repr(|d: &Descr| repr_of("attribute", d)),
            tp_descr_get(getset_get),
            tp_descr_set(getset_set),
        ],
        members: DESCR_MEMBERS,
        getset: &[
            getset_row(
                c"__doc__",
                // SAFETY: the row outlives the type.
                |d: &GetSetDescr| unsafe { optional_text((*(*d.raw()).d_getset.cast::<PyGetSetDef>()).doc) },
                c"",
            ),
            QUALNAME,
        ],
        ..TypeSpec::new(&PyGetSetDescr_Type)
    },
    TypeSpec {
        slots: &[
            raw_dealloc(descr_dealloc),
            raw_traverse(descr_traverse),
            raw_getattro(crate::instance::PyObject_GenericGetAttr),
            tp_repr(|d: &Descr| repr_of("member", d)),
            tp_descr_get(member_get),
            tp_descr_set(member_set),
        ],
        methods: DESCR_METHODS,
        members: DESCR_MEMBERS,
        getset: &[getset_row(c"__doc__", |d: &MemberDescr| optional_text(d.def().doc), c""), QUALNAME],
        ..TypeSpec::new(&PyMemberDescr_Type)
    },
    TypeSpec {
        slots: &[
            raw_dealloc(descr_dealloc),
            raw_traverse(descr_traverse),
            raw_getattro(crate::instance::PyObject_GenericGetAttr),
            tp_call(wrapper_call),
            tp_repr(|d: &Descr| repr_of("slot wrapper", d)),
            tp_descr_get(wrapper_get),
        ],
        methods: DESCR_METHODS,
        members: DESCR_MEMBERS,
        getset: &[
            getset_row(
                c"__doc__",
                |d: &WrapperDescr| doc_without_signature(d.def().name, d.def().doc).to_owned(),
                c"",
            ),
            QUALNAME,
            getset_row(
                c"__text_signature__",
                |d: &WrapperDescr| text_signature(d.def().name, d.def().doc).map(str::to_owned),
                c"",
            ),
        ],
        ..TypeSpec::new(&PyWrapperDescr_Type)
    },
    TypeSpec {
        slots: &[
            raw_dealloc(method_wrapper_dealloc),
            raw_traverse(method_wrapper_traverse),
            raw_getattro(crate::instance::PyObject_GenericGetAttr),
            tp_call(method_wrapper_call),
            tp_hash(method_wrapper_hash),
            tp_richcompare(method_wrapper_compare),
            tp_repr(|w: &MethodWrapper| {
                format!(
                    "<method-wrapper '{}' of {} object at {:#x}>",
                    w.common().name_text(),
                    w.object().ty().message_name(),
                    w.object().as_ptr().addr()
                )
            }),
        ],
        getset: &[
            getset_row(
                c"__doc__",
                |w: &MethodWrapper| {
                    doc_without_signature(w.descr().def().name, w.descr().def().doc).to_owned()
                },
                c"",
            ),
            getset_row(c"__name__", |w: &MethodWrapper| Ref::of(w.common().name()), c""),
            getset_row(c"__objclass__", |w: &MethodWrapper| Ref::of(w.common().owner()), c""),
            getset_row(c"__qualname__", |w: &MethodWrapper| w.common().qualname(), c""),
            getset_row(c"__self__", |w: &MethodWrapper| w.object().new_ref(), c""),
            getset_row(
                c"__text_signature__",
                |w: &MethodWrapper| {
                    text_signature(w.descr().def().name, w.descr().def().doc).map(str::to_owned)
                },
                c"",
            ),
        ],
        methods: METHOD_WRAPPER_METHODS,
        ..TypeSpec::new(&_PyMethodWrapper_Type)
    },
];

/// The keys of a keyword dict, checked to be strs.
///
/// # Errors
/// `TypeError: keywords must be strings`.
pub fn dict_names(kwargs: &Dict) -> PyResult<Ref<Tuple>> {
    let mut names = Vec::with_capacity(kwargs.len());
    let mut position = 0;
    while let Some((name, _, _)) = kwargs.next_borrowed(&mut position) {
        if name.downcast::<Str>().is_none() {
            return Err(type_error("keywords must be strings"));
        }
        names.push(name.new_ref());
    }
    Tuple::from_vec(names)
}
