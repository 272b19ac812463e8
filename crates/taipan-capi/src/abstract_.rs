//! `abstract.h`: numbers, sequences, mappings and iterators by their protocols.

use crate::border::{Obj, arg, export, export_plain, name, text};
use core::ffi::{c_char, c_int, c_void};
use taipan_abi::*;
use taipan_object::err::{self, PyResult, index_error, type_error, value_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::protocol::{self, BinaryOp};
use taipan_object::singletons::none;
use taipan_object::slice::Slice;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::typeobject::get_slot;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, raise};

macro_rules! operators {
    ($($name:ident $inplace:ident $op:ident;)*) => {
        export! {$(
            fn $name(a: Obj, b: Obj) -> Obj {
                protocol::binary_op(arg(a)?, arg(b)?, BinaryOp::$op)
            }

            fn $inplace(a: Obj, b: Obj) -> Obj {
                protocol::inplace_op(arg(a)?, arg(b)?, BinaryOp::$op)
            }
        )*}
    };
}

operators! {
    PyNumber_Add PyNumber_InPlaceAdd Add;
    PyNumber_Subtract PyNumber_InPlaceSubtract Subtract;
    PyNumber_Multiply PyNumber_InPlaceMultiply Multiply;
    PyNumber_MatrixMultiply PyNumber_InPlaceMatrixMultiply MatrixMultiply;
    PyNumber_FloorDivide PyNumber_InPlaceFloorDivide FloorDivide;
    PyNumber_TrueDivide PyNumber_InPlaceTrueDivide TrueDivide;
    PyNumber_Remainder PyNumber_InPlaceRemainder Remainder;
    PyNumber_Lshift PyNumber_InPlaceLshift Lshift;
    PyNumber_Rshift PyNumber_InPlaceRshift Rshift;
    PyNumber_And PyNumber_InPlaceAnd And;
    PyNumber_Xor PyNumber_InPlaceXor Xor;
    PyNumber_Or PyNumber_InPlaceOr Or;
}

unsafe fn power(a: Obj, b: Obj, modulus: Obj, inplace: bool) -> PyResult {
    // SAFETY: live objects by the callers' contract.
    unsafe {
        let (a, b, modulus) = (arg(a)?, arg(b)?, arg(modulus)?);
        match (taipan_object::singletons::is_none(modulus), inplace) {
            (true, true) => protocol::inplace_op(a, b, BinaryOp::Power),
            (true, false) => protocol::binary_op(a, b, BinaryOp::Power),
            (false, _) => protocol::power(a, b, modulus),
        }
    }
}

/// The number that an index object stands for, with an error of the given type (or none: clamped).
unsafe fn as_ssize(object: Obj, overflow: Obj) -> PyResult<isize> {
    // SAFETY: live objects by the callers' contract.
    unsafe {
        let overflow = Object::borrow_opt(overflow).map(|class| class.cast());
        arg(object)?.to_index_clamped(overflow)
    }
}

/// A place in a sequence: negative ones count from the end for types that know their length.
unsafe fn sequence_item(object: Obj, index: isize) -> PyResult {
    // SAFETY: a live object by the callers' contract.
    let object = unsafe { arg(object)? };
    if get_slot(object.ty(), Py_sq_item).is_null() {
        let name = object.ty().message_name();
        return Err(if get_slot(object.ty(), Py_mp_subscript).is_null() {
            raise!(PyExc_TypeError, "'{name}' object does not support indexing")
        } else {
            raise!(PyExc_TypeError, "{name} is not a sequence")
        });
    }
    let index = counted(object, index)?;
    protocol::sequence_items(object, index)
}

/// The index that the slot gets: with the length added when it is negative and the length is known.
fn counted(object: &Object, index: isize) -> PyResult<isize> {
    let length = get_slot(object.ty(), Py_sq_length);
    if index >= 0 || length.is_null() {
        return Ok(index);
    }
    // SAFETY: the slot holds such a function; the object is live.
    let length = unsafe {
        let length: lenfunc = core::mem::transmute(length);
        taipan_object::native::from_c_int(length(object.as_ptr()))?
    };
    Ok(index + length)
}

unsafe fn set_sequence_item(object: Obj, index: isize, value: Obj) -> PyResult<()> {
    // SAFETY: live objects by the callers' contract; the slot holds such a function.
    unsafe {
        let object = arg(object)?;
        let slot = get_slot(object.ty(), Py_sq_ass_item);
        if slot.is_null() {
            let name = object.ty().message_name();
            let what = if value.is_null() { "deletion" } else { "assignment" };
            return Err(if get_slot(object.ty(), Py_mp_ass_subscript).is_null() {
                raise!(PyExc_TypeError, "'{name}' object does not support item {what}")
            } else {
                raise!(PyExc_TypeError, "{name} is not a sequence")
            });
        }
        let slot: ssizeobjargproc = core::mem::transmute(slot);
        let index = counted(object, index)?;
        taipan_object::native::from_c_int(slot(object.as_ptr(), index, value) as isize).map(drop)
    }
}

fn slice_of(from: isize, to: isize) -> PyResult<Ref<Slice>> {
    Slice::new(&Int::from_isize(from), &Int::from_isize(to), none())
}

/// How often an item stands in an iterable, or where first.
fn search(iterable: &Object, item: &Object, first: bool) -> PyResult<Option<isize>> {
    let (mut count, mut index, mut at) = (0_isize, 0_isize, None);
    protocol::iterate(iterable, |other| {
        if other.is(item) || other.equals(item)? {
            count += 1;
            if first {
                at = Some(index);
                return Ok(protocol::IterStep::Stop);
            }
        }
        index += 1;
        Ok(protocol::IterStep::Continue)
    })?;
    Ok(if first { at } else { Some(count) })
}

unsafe fn length(object: Obj) -> PyResult<usize> {
    // SAFETY: a live object by the callers' contract.
    unsafe { arg(object)?.len() }
}

unsafe fn concat(a: Obj, b: Obj, inplace: bool) -> PyResult {
    // SAFETY: live objects by the callers' contract; slots hold functions of their kind.
    unsafe {
        let (a, b) = (arg(a)?, arg(b)?);
        let mut slot = if inplace { get_slot(a.ty(), Py_sq_inplace_concat) } else { core::ptr::null_mut() };
        if slot.is_null() {
            slot = get_slot(a.ty(), Py_sq_concat);
        }
        if !slot.is_null() {
            let slot: binaryfunc = core::mem::transmute(slot);
            return taipan_object::native::from_c(slot(a.as_ptr(), b.as_ptr()));
        }
        let sequences = [a, b].iter().all(|object| !get_slot(object.ty(), Py_sq_item).is_null());
        if sequences {
            return if inplace {
                protocol::inplace_op(a, b, BinaryOp::Add)
            } else {
                protocol::binary_op(a, b, BinaryOp::Add)
            };
        }
        Err(raise!(PyExc_TypeError, "'{}' object can't be concatenated", a.ty().message_name()))
    }
}

unsafe fn repeat(object: Obj, count: isize, inplace: bool) -> PyResult {
    // SAFETY: a live object by the callers' contract; slots hold functions of their kind.
    unsafe {
        let object = arg(object)?;
        let mut slot =
            if inplace { get_slot(object.ty(), Py_sq_inplace_repeat) } else { core::ptr::null_mut() };
        if slot.is_null() {
            slot = get_slot(object.ty(), Py_sq_repeat);
        }
        if !slot.is_null() {
            let slot: ssizeargfunc = core::mem::transmute(slot);
            return taipan_object::native::from_c(slot(object.as_ptr(), count));
        }
        if !get_slot(object.ty(), Py_sq_item).is_null() {
            let count = Int::from_isize(count);
            return protocol::binary_op(object, &count, BinaryOp::Multiply);
        }
        Err(raise!(PyExc_TypeError, "'{}' object can't be repeated", object.ty().message_name()))
    }
}

/// A list of what a mapping's method gives.
fn mapping_list(object: &Object, method: &str) -> PyResult<Ref<List>> {
    let all = object.call_method(&*Str::from_utf8(method)?, &[])?;
    List::from_vec(protocol::to_vec(&all)?)
}

/// An item that may be missing: `KeyError` means so.
fn optional_item(object: &Object, key: &Object) -> PyResult<Option<Ref>> {
    match object.get_item(key) {
        Ok(value) => Ok(Some(value)),
        Err(error) => error.allow(&PyExc_KeyError),
    }
}

unsafe fn hand_out(found: PyResult<Option<Ref>>, place: *mut Obj) -> PyResult<bool> {
    // SAFETY: a valid out parameter by the callers' contract.
    unsafe {
        place.write(core::ptr::null_mut());
        Ok(match found? {
            Some(value) => {
                place.write(value.into_ptr());
                true
            }
            None => false,
        })
    }
}

unsafe fn string_key(key: *const c_char) -> PyResult<Ref<Str>> {
    // SAFETY: a C text by the callers' contract.
    unsafe { Str::from_utf8(text(key)?) }
}

/// `int(object)` by the number protocol, as `PyNumber_Long` offers it.
fn number_long(object: &Object) -> PyResult<Ref<Int>> {
    taipan_types_num::int_from_object(object)
}

export! {
    fn PyNumber_Divmod(a: Obj, b: Obj) -> Obj {
        protocol::binary_op(arg(a)?, arg(b)?, BinaryOp::Divmod)
    }

    fn PyNumber_Power(a: Obj, b: Obj, modulus: Obj) -> Obj {
        power(a, b, modulus, false)
    }

    fn PyNumber_InPlacePower(a: Obj, b: Obj, modulus: Obj) -> Obj {
        power(a, b, modulus, true)
    }

    fn PyNumber_Negative(object: Obj) -> Obj {
        protocol::unary(arg(object)?, Py_nb_negative)
    }

    fn PyNumber_Positive(object: Obj) -> Obj {
        protocol::unary(arg(object)?, Py_nb_positive)
    }

    fn PyNumber_Absolute(object: Obj) -> Obj {
        protocol::unary(arg(object)?, Py_nb_absolute)
    }

    fn PyNumber_Invert(object: Obj) -> Obj {
        protocol::unary(arg(object)?, Py_nb_invert)
    }

    fn PyNumber_Index(object: Obj) -> Obj {
        arg(object)?.to_index()
    }

    fn PyNumber_Long(object: Obj) -> Obj {
        number_long(arg(object)?)
    }

    fn PyNumber_Float(object: Obj) -> Obj {
        let object = arg(object)?;
        if object.is_exact(&PyFloat_Type) {
            return Ok(object.new_ref());
        }
        Ok(taipan_object::float::Float::new(taipan_types_num::float::float_from_object(object)?).upcast())
    }

    fn PyNumber_ToBase(object: Obj, base: c_int) -> Obj {
        let spec = match base {
            2 => "#b",
            8 => "#o",
            10 => "d",
            16 => "#x",
            _ => return Err(err::system_error("PyNumber_ToBase: base must be 2, 8, 10 or 16")),
        };
        taipan_types_num::format::format_int(&*arg(object)?.to_index()?, &*Str::from_utf8(spec)?)
    }

    fn PyNumber_AsSsize_t(object: Obj, overflow: Obj) -> isize {
        as_ssize(object, overflow)
    }

    fn PySequence_Size(object: Obj) -> isize {
        length(object)
    }

    fn PySequence_Length(object: Obj) -> isize {
        length(object)
    }

    fn PyObject_Size(object: Obj) -> isize {
        length(object)
    }

    fn PyObject_Length(object: Obj) -> isize {
        length(object)
    }

    fn PyMapping_Size(object: Obj) -> isize {
        length(object)
    }

    fn PyMapping_Length(object: Obj) -> isize {
        length(object)
    }

    fn PySequence_Concat(a: Obj, b: Obj) -> Obj {
        concat(a, b, false)
    }

    fn PySequence_InPlaceConcat(a: Obj, b: Obj) -> Obj {
        concat(a, b, true)
    }

    fn PySequence_Repeat(object: Obj, count: isize) -> Obj {
        repeat(object, count, false)
    }

    fn PySequence_InPlaceRepeat(object: Obj, count: isize) -> Obj {
        repeat(object, count, true)
    }

    fn PySequence_GetItem(object: Obj, index: isize) -> Obj {
        sequence_item(object, index)
    }

    fn PySequence_SetItem(object: Obj, index: isize, value: Obj) -> c_int {
        set_sequence_item(object, index, value)
    }

    fn PySequence_DelItem(object: Obj, index: isize) -> c_int {
        set_sequence_item(object, index, core::ptr::null_mut())
    }

    fn PySequence_GetSlice(object: Obj, from: isize, to: isize) -> Obj {
        arg(object)?.get_item(&*slice_of(from, to)?)
    }

    fn PySequence_SetSlice(object: Obj, from: isize, to: isize, value: Obj) -> c_int {
        protocol::set_item(arg(object)?, &*slice_of(from, to)?, arg(value)?)
    }

    fn PySequence_DelSlice(object: Obj, from: isize, to: isize) -> c_int {
        protocol::delete_item(arg(object)?, &*slice_of(from, to)?)
    }

    fn PySequence_Contains(container: Obj, item: Obj) -> c_int {
        protocol::contains(arg(container)?, arg(item)?)
    }

    fn PySequence_In(container: Obj, item: Obj) -> c_int {
        protocol::contains(arg(container)?, arg(item)?)
    }

    fn PySequence_Count(iterable: Obj, item: Obj) -> isize {
        Ok(search(arg(iterable)?, arg(item)?, false)?.unwrap_or(0))
    }

    fn PySequence_Index(iterable: Obj, item: Obj) -> isize {
        search(arg(iterable)?, arg(item)?, true)?
            .ok_or_else(|| value_error("sequence.index(x): x not in sequence"))
    }

    fn PySequence_List(iterable: Obj) -> Obj {
        List::from_vec(protocol::to_vec(arg(iterable)?)?)
    }

    fn PySequence_Tuple(iterable: Obj) -> Obj {
        let iterable = arg(iterable)?;
        if iterable.is_exact(&PyTuple_Type) {
            return Ok(iterable.new_ref());
        }
        Ok(Tuple::from_vec(protocol::to_vec(iterable)?)?.upcast())
    }

    fn PySequence_Fast(iterable: Obj, message: *const c_char) -> Obj {
        let iterable = arg(iterable)?;
        if iterable.downcast::<List>().is_some() || iterable.downcast::<Tuple>().is_some() {
            return Ok(iterable.new_ref());
        }
        let iterator = match iterable.iter() {
            Ok(iterator) => iterator,
            Err(error) if error.is(&PyExc_TypeError) => return Err(type_error(text(message)?)),
            Err(error) => return Err(error),
        };
        Ok(List::from_vec(protocol::to_vec(&iterator)?)?.upcast())
    }

    fn PyObject_GetItem(object: Obj, key: Obj) -> Obj {
        arg(object)?.get_item(arg(key)?)
    }

    fn PyObject_SetItem(object: Obj, key: Obj, value: Obj) -> c_int {
        protocol::set_item(arg(object)?, arg(key)?, arg(value)?)
    }

    fn PyObject_DelItem(object: Obj, key: Obj) -> c_int {
        protocol::delete_item(arg(object)?, arg(key)?)
    }

    fn PyObject_DelItemString(object: Obj, key: *const c_char) -> c_int {
        protocol::delete_item(arg(object)?, &*string_key(key)?)
    }

    fn PyMapping_GetItemString(object: Obj, key: *const c_char) -> Obj {
        arg(object)?.get_item(&*string_key(key)?)
    }

    fn PyMapping_SetItemString(object: Obj, key: *const c_char, value: Obj) -> c_int {
        protocol::set_item(arg(object)?, &*string_key(key)?, arg(value)?)
    }

    fn PyMapping_GetOptionalItem(object: Obj, key: Obj, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        hand_out(optional_item(arg(object)?, arg(key)?), place)
    }

    fn PyMapping_GetOptionalItemString(object: Obj, key: *const c_char, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        hand_out(optional_item(arg(object)?, &*string_key(key)?), place)
    }

    fn PyMapping_HasKeyWithError(object: Obj, key: Obj) -> c_int {
        Ok(optional_item(arg(object)?, arg(key)?)?.is_some())
    }

    fn PyMapping_HasKeyStringWithError(object: Obj, key: *const c_char) -> c_int {
        Ok(optional_item(arg(object)?, &*string_key(key)?)?.is_some())
    }

    fn PyMapping_HasKey(object: Obj, key: Obj) -> c_int {
        let found = optional_item(arg(object)?, arg(key)?).map(|found| found.is_some());
        Ok(crate::border::ignoring(found, false))
    }

    fn PyMapping_HasKeyString(object: Obj, key: *const c_char) -> c_int {
        let found = optional_item(arg(object)?, &*name(key)?).map(|found| found.is_some());
        Ok(crate::border::ignoring(found, false))
    }

    fn PyMapping_Keys(object: Obj) -> Obj {
        mapping_list(arg(object)?, "keys")
    }

    fn PyMapping_Values(object: Obj) -> Obj {
        mapping_list(arg(object)?, "values")
    }

    fn PyMapping_Items(object: Obj) -> Obj {
        mapping_list(arg(object)?, "items")
    }

    fn PyObject_GetIter(object: Obj) -> Obj {
        arg(object)?.iter()
    }

    fn PyIter_Next(iterator: Obj) -> Obj {
        protocol::iter_next(arg(iterator)?)
    }

    fn PyIter_NextItem(iterator: Obj, place: *mut Obj) -> c_int {
        place.write(core::ptr::null_mut());
        let iterator = arg(iterator)?;
        if PyIter_Check(iterator.as_ptr()) == 0 {
            return Err(raise!(PyExc_TypeError, "expected an iterator, got '{}'", iterator.ty().message_name()));
        }
        hand_out(protocol::iter_next(iterator), place)
    }

    fn PySeqIter_New(object: Obj) -> Obj {
        protocol::sequence_iterator(arg(object)?)
    }

    fn PyCallIter_New(function: Obj, sentinel: Obj) -> Obj {
        taipan_types_collections::iters::generic::callable_iterator(arg(function)?, arg(sentinel)?)
    }

    fn _PyEval_SliceIndex(value: Obj, place: *mut isize) -> c_int {
        if let Some(value) = Object::borrow_opt(value)
            && !taipan_object::singletons::is_none(value)
        {
            place.write(taipan_object::slice::slice_index(value, 0)?);
        }
        Ok(true)
    }

    fn PySlice_New(start: Obj, stop: Obj, step: Obj) -> Obj {
        let or_none = |object: Obj| Object::borrow_opt(object).unwrap_or(none());
        Slice::new(or_none(start), or_none(stop), or_none(step))
    }

    fn PySlice_Unpack(slice: Obj, start: *mut isize, stop: *mut isize, step: *mut isize) -> c_int {
        let (from, to, by) = crate::border::typed::<Slice>(slice)?.unpack()?;
        start.write(from);
        stop.write(to);
        step.write(by);
        Ok(())
    }

    fn PySlice_GetIndices(slice: Obj, len: isize, start: *mut isize, stop: *mut isize, step: *mut isize) -> c_int {
        let (from, to, by) = crate::border::typed::<Slice>(slice)?.unpack()?;
        let range = taipan_object::slice::adjust(len.max(0).cast_unsigned(), from, to, by);
        if range.start >= len {
            return Err(index_error("slice index out of range"));
        }
        write_adjusted(len, from, to, by, start, stop);
        step.write(by);
        Ok(())
    }

    fn PySlice_GetIndicesEx(slice: Obj, len: isize, start: *mut isize, stop: *mut isize, step: *mut isize, count: *mut isize) -> c_int {
        let (from, to, by) = crate::border::typed::<Slice>(slice)?.unpack()?;
        count.write(write_adjusted(len, from, to, by, start, stop));
        step.write(by);
        Ok(())
    }
}

/// Clips the bounds of a slice to a length; gives the number of items.
unsafe fn write_adjusted(
    len: isize,
    from: isize,
    to: isize,
    by: isize,
    start: *mut isize,
    stop: *mut isize,
) -> isize {
    let clip = |bound: isize| -> isize {
        let bound = if bound < 0 { bound + len } else { bound };
        match by < 0 {
            true if bound < 0 => -1,
            true if bound >= len => len - 1,
            false if bound < 0 => 0,
            false if bound >= len => len,
            _ => bound,
        }
    };
    let (from, to) = (clip(from), clip(to));
    // SAFETY: valid out parameters by the callers' contract.
    unsafe {
        start.write(from);
        stop.write(to);
    }
    if by < 0 {
        if to < from { (from - to - 1) / -by + 1 } else { 0 }
    } else if from < to {
        (to - from - 1) / by + 1
    } else {
        0
    }
}

fn has_slot(object: Obj, id: i32) -> bool {
    // SAFETY: null or a live object by the callers' contract.
    unsafe { Object::borrow_opt(object) }.is_some_and(|object| !get_slot(object.ty(), id).is_null())
}

export_plain! {
    fn PySlice_AdjustIndices(len: isize, start: *mut isize, stop: *mut isize, step: isize) -> isize {
        write_adjusted(len, *start, *stop, step, start, stop)
    }

    fn PyNumber_Check(object: Obj) -> c_int {
        c_int::from(
            [Py_nb_index, Py_nb_int, Py_nb_float].iter().any(|&id| has_slot(object, id))
                || Object::borrow_opt(object).is_some_and(|object| object.ty().is_subtype(&PyComplex_Type)),
        )
    }

    fn PyIndex_Check(object: Obj) -> c_int {
        c_int::from(has_slot(object, Py_nb_index))
    }

    fn PySequence_Check(object: Obj) -> c_int {
        let is_dict = Object::borrow_opt(object).is_some_and(|o| o.ty().has_flag(Py_TPFLAGS_DICT_SUBCLASS));
        c_int::from(!is_dict && has_slot(object, Py_sq_item))
    }

    fn PyMapping_Check(object: Obj) -> c_int {
        c_int::from(has_slot(object, Py_mp_subscript))
    }

    fn PyIter_Check(object: Obj) -> c_int {
        let own = has_slot(object, Py_tp_iternext);
        let empty: unaryfunc = crate::object::_PyObject_NextNotImplemented;
        let absent = own && core::ptr::eq(get_slot(Object::borrow(object).ty(), Py_tp_iternext), empty as *const c_void);
        c_int::from(own && !absent)
    }

    fn PyAIter_Check(object: Obj) -> c_int {
        c_int::from(has_slot(object, Py_am_anext))
    }
}
