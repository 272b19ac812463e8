//! Operators, formatting and calls.

use crate::frame::Frame;
use crate::function::Function;
use crate::interp::{comparison, operator};
use crate::stackref::StackRef;
use taipan_abi::PyObject;
use taipan_bytecode as bc;
use taipan_object::dict::Dict;
use taipan_object::err::{self, type_error};
use taipan_object::handle::set_field;
use taipan_object::list::List;
use taipan_object::native::CompareOp;
use taipan_object::protocol;
use taipan_object::singletons::{is_none, none};
use taipan_object::slice::{self, Slice};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, Type, intern, raise};
use taipan_types_meta::typevars;

/// `BINARY_OP`.
///
/// # Errors
/// What the operator raises.
#[inline(never)]
pub fn binary_op(left: StackRef, right: StackRef, oparg: usize) -> PyResult<StackRef> {
    let (a, b) = (left.look(), right.look());
    if oparg == bc::NB_SUBSCR as usize {
        return protocol::get_item(&a, &b).map(StackRef::owned);
    }
    let (Some(op), in_place) = operator(oparg) else {
        return Err(err::system_error("unknown binary operator"));
    };
    let result = if in_place { protocol::inplace_op(&a, &b, op)? } else { protocol::binary_op(&a, &b, op)? };
    Ok(StackRef::owned(result))
}

/// `COMPARE_OP`.
///
/// # Errors
/// What the comparison raises.
#[inline(never)]
pub fn compare_op(left: StackRef, right: StackRef, oparg: usize) -> PyResult {
    let op = comparison(oparg).unwrap_or(CompareOp::Eq);
    let result = protocol::richcompare(&left.look(), &right.look(), op)?;
    if oparg & bc::COMPARE_TO_BOOL as usize != 0 {
        return Ok(taipan_object::singletons::new_bool(result.is_true()?));
    }
    Ok(result)
}

fn slice_of(start: StackRef, stop: StackRef) -> PyResult {
    Slice::new(&start.look(), &stop.look(), none()).map(Ref::upcast)
}

/// A bound of a slice that is a short int or `None`.
fn slice_bound(word: StackRef, default: isize) -> Option<isize> {
    if let Some(value) = word.as_compact_int() {
        return Some(value as isize);
    }
    (word.ptr() == none().as_ptr()).then_some(default)
}

/// `container[start:stop]`.
///
/// # Errors
/// What the container raises.
pub fn binary_slice(container: StackRef, start: StackRef, stop: StackRef) -> PyResult {
    if container.is_exact(&PyList_Type)
        && let (Some(start), Some(stop)) = (slice_bound(start, 0), slice_bound(stop, isize::MAX))
    {
        // SAFETY: an exact list.
        let list: &List = unsafe { container.object().cast() };
        return list.copy_range(slice::adjust(list.len(), start, stop, 1)).map(Ref::upcast);
    }
    protocol::get_item(&container.look(), &*slice_of(start, stop)?)
}

/// `container[start:stop] = value`.
///
/// # Errors
/// What the container raises.
pub fn store_slice(value: StackRef, container: StackRef, start: StackRef, stop: StackRef) -> PyResult<()> {
    if container.is_exact(&PyList_Type)
        && value.is_exact(&PyList_Type)
        && let (Some(start), Some(stop)) = (slice_bound(start, 0), slice_bound(stop, isize::MAX))
    {
        // SAFETY: exact lists.
        let (list, items): (&List, &List) = unsafe { (container.object().cast(), value.object().cast()) };
        let range = slice::adjust(list.len(), start, stop, 1);
        if !list.is(items) && items.len() == range.count {
            list.overwrite(range.start as usize, items);
            return Ok(());
        }
    }
    protocol::set_item(&container.look(), &*slice_of(start, stop)?, &value.look())
}

/// Formats a value as an f-string does.
///
/// # Errors
/// What `__format__` raises.
pub fn format_value(value: &Object, spec: Option<&Object>) -> PyResult {
    if spec.is_none() && (value.is_exact(&PyLong_Type) || value.is_exact(&PyUnicode_Type)) {
        return value.str().map(Ref::upcast);
    }
    let empty = taipan_object::unicode::empty();
    let spec = spec.unwrap_or(empty);
    let Some(result) = protocol::special_opt(value, intern!("__format__"), &[spec])? else {
        return Err(raise!(PyExc_TypeError, "Type {} doesn't define __format__", value.ty().message_name()));
    };
    if result.downcast::<Str>().is_none() {
        return Err(raise!(
            PyExc_TypeError,
            "__format__ must return a str, not {}",
            result.ty().message_name()
        ));
    }
    Ok(result)
}

/// `!s`, `!r` and `!a`.
///
/// # Errors
/// What the conversion raises.
pub fn convert_value(value: &Object, oparg: usize) -> PyResult {
    match oparg as u32 {
        bc::FVC_STR => value.str().map(Ref::upcast),
        bc::FVC_REPR => value.repr().map(Ref::upcast),
        bc::FVC_ASCII => ascii(value),
        _ => Err(err::system_error("unknown conversion")),
    }
}

/// `ascii(value)`.
///
/// # Errors
/// What `__repr__` raises.
pub fn ascii(value: &Object) -> PyResult {
    use std::fmt::Write as _;
    let text = value.repr()?;
    if text.is_ascii() {
        return Ok(text.upcast());
    }
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.code_points() {
        // Writing to a String cannot fail.
        let _ = match c {
            0..=0x7F => write!(out, "{}", c as u8 as char),
            0x80..=0xFF => write!(out, "\\x{c:02x}"),
            0x100..=0xFFFF => write!(out, "\\u{c:04x}"),
            _ => write!(out, "\\U{c:08x}"),
        };
    }
    Str::from_utf8(&out).map(Ref::upcast)
}

/// Calls with words of the stack as arguments; integers among them get their objects in place.
///
/// # Safety
/// `args` points to `count` words (keyword values included); the word before them is the callable's or
/// its second one and may be lent to the callee.
/// # Errors
/// What the call raises.
#[inline]
pub unsafe fn call_words(
    target: StackRef,
    args: *mut StackRef,
    count: usize,
    kwnames: Option<&Tuple>,
) -> PyResult {
    const INLINE: usize = 10;
    let keywords = kwnames.map_or(0, Tuple::len);
    let names = kwnames.map_or(core::ptr::null_mut(), |names| names.as_ptr());
    // SAFETY: the words stay on the stack during the call; the array has a spare word in front.
    unsafe {
        let mut small: [*mut PyObject; INLINE + 1] = [core::ptr::null_mut(); INLINE + 1];
        let mut large: Vec<*mut PyObject>;
        let array: &mut [*mut PyObject] = if count <= INLINE {
            &mut small
        } else {
            large = vec![core::ptr::null_mut(); count + 1];
            &mut large
        };
        for index in 0..count {
            array[index + 1] = StackRef::materialize(&mut *args.add(index));
        }
        let look = target.look();
        protocol::vectorcall_raw(&look, array.as_ptr().add(1), (count - keywords) | 1 << 63, names)
    }
}

/// `f(*args, **kwargs)`.
///
/// # Errors
/// What the call raises; `TypeError` for arguments that cannot be unpacked.
pub fn call_function_ex(function: &Object, args: &Object, kwargs: StackRef) -> PyResult {
    let args = star_arguments(function, args)?;
    if kwargs.is_null() {
        return protocol::call_with_dict(function, &args, None);
    }
    let look = kwargs.look();
    let Some(kwargs) = look.downcast::<Dict>() else {
        let dict = Dict::new()?;
        crate::ops::dict_merge(&dict, &look, function)?;
        return protocol::call_with_dict(function, &args, Some(&dict));
    };
    protocol::call_with_dict(function, &args, Some(kwargs))
}

/// What stands behind the `*` of a call as a tuple.
///
/// # Errors
/// `TypeError` for what is no iterable.
pub fn star_arguments(function: &Object, args: &Object) -> PyResult<Ref<Tuple>> {
    match args.new_ref().downcast_owned::<Tuple>() {
        Ok(tuple) if tuple.is_exact(&PyTuple_Type) => Ok(tuple),
        _ => {
            if !crate::ops::is_iterable(args) {
                return Err(raise!(
                    PyExc_TypeError,
                    "{} argument after * must be an iterable, not {}",
                    function_text(function),
                    args.ty().message_name()
                ));
            }
            Tuple::from_vec(protocol::to_vec(args)?)
        }
    }
}

/// `f()` for messages about a call of `function`.
pub fn function_text(function: &Object) -> String {
    let Ok(Some(qualname)) = function.getattr_opt(intern!("__qualname__")) else {
        return function.str_lossy();
    };
    let module = function.getattr_opt(intern!("__module__")).ok().flatten().filter(|module| !is_none(module));
    match module {
        Some(module) if module.downcast::<Str>().is_none_or(|module| !module.equals("builtins")) => {
            format!("{}.{}()", module.str_lossy(), qualname.str_lossy())
        }
        _ => format!("{}()", qualname.str_lossy()),
    }
}

/// A Python `__init__` that can be entered directly for a call of `class`, with the fresh instance.
///
/// # Errors
/// `MemoryError`.
pub fn inlined_init(class: StackRef) -> PyResult<Option<(Ref, Ref)>> {
    // SAFETY: the caller has tested that the word is an exact type.
    let class: &Type = unsafe { class.object().cast() };
    let Some(init) = crate::specialize::simple_init(class) else { return Ok(None) };
    Ok(Some((init, new_instance(class)?)))
}

/// A fresh instance of a class whose `__new__` is that of `object`.
///
/// # Errors
/// `MemoryError`.
#[inline(always)]
pub fn new_instance(class: &Type) -> PyResult {
    // SAFETY: a live type's allocator.
    unsafe {
        match (*class.raw()).tp_alloc {
            Some(alloc) => taipan_object::native::from_c(alloc(class.raw(), 0)),
            None => Err(err::system_error("type without an allocator")),
        }
    }
}

/// The error of an `__init__` that returned something.
#[cold]
pub fn init_returned(value: &Object) -> PyErr {
    raise!(PyExc_TypeError, "__init__() should return None, not '{}'", value.ty().message_name())
}

/// `SET_FUNCTION_ATTRIBUTE`.
///
/// # Errors
/// `SystemError` for defaults that are none: a debugger may have jumped into the middle of a definition.
pub fn set_function_attribute(function: &Function, which: usize, value: Ref) -> PyResult<()> {
    let fits = match which as u32 {
        bc::MAKE_FUNCTION_DEFAULTS => value.is_exact(&PyTuple_Type),
        bc::MAKE_FUNCTION_KWDEFAULTS => value.is_exact(&PyDict_Type),
        _ => true,
    };
    if !fits {
        return Err(err::system_error("a function's defaults are of the wrong type"));
    }
    // SAFETY: the view guarantees the layout; the values are of the right types.
    unsafe {
        let raw = function.raw();
        let field = match which as u32 {
            bc::MAKE_FUNCTION_DEFAULTS => &raw mut (*raw).func_defaults,
            bc::MAKE_FUNCTION_KWDEFAULTS => &raw mut (*raw).func_kwdefaults,
            bc::MAKE_FUNCTION_ANNOTATIONS => &raw mut (*raw).func_annotations,
            bc::MAKE_FUNCTION_CLOSURE => &raw mut (*raw).func_closure,
            _ => {
                name_annotate(function, &value);
                &raw mut (*raw).func_annotate
            }
        };
        set_field(field, Some(value));
    }
    Ok(())
}

/// The function that evaluates annotations is called after the one whose they are.
#[cold]
fn name_annotate(function: &Function, annotate: &Object) {
    let Some(annotate) = annotate.downcast::<Function>() else { return };
    // SAFETY: the view guarantees the layout.
    unsafe {
        let qualname = Object::borrow((*function.raw()).func_qualname);
        let joined = Str::from_utf8(".__annotate__")
            .and_then(|end| protocol::binary_op(qualname, &end, protocol::BinaryOp::Add));
        // Without memory for it the name stays as it was.
        if let Ok(joined) = joined {
            set_field(&raw mut (*annotate.raw()).func_qualname, Some(joined));
        }
    }
}

/// `CALL_INTRINSIC_1`.
///
/// # Errors
/// What the intrinsic raises.
pub fn intrinsic_1(frame: *mut Frame, which: usize, value: &Object) -> PyResult {
    match which as u32 {
        bc::INTRINSIC_PRINT => {
            let hook = crate::ops::sys_attribute("displayhook")?
                .ok_or_else(|| err::runtime_error("lost sys.displayhook"))?;
            hook.call(&[value])
        }
        bc::INTRINSIC_IMPORT_STAR => {
            crate::ops::import_star(frame, value)?;
            Ok(none().new_ref())
        }
        bc::INTRINSIC_STOPITERATION_ERROR => Ok(crate::ops::stop_iteration_error(frame, value)),
        bc::INTRINSIC_ASYNC_GEN_WRAP => crate::async_generator::wrap(value),
        bc::INTRINSIC_UNARY_POSITIVE => protocol::unary(value, taipan_abi::Py_nb_positive),
        bc::INTRINSIC_LIST_TO_TUPLE => match value.downcast::<List>() {
            Some(list) => list.to_tuple().map(Ref::upcast),
            None => Err(type_error("expected a list")),
        },
        bc::INTRINSIC_TYPEVAR => typevars::make_typevar(value, None, None),
        bc::INTRINSIC_PARAMSPEC => typevars::make_paramspec(value),
        bc::INTRINSIC_TYPEVARTUPLE => typevars::make_typevartuple(value),
        bc::INTRINSIC_SUBSCRIPT_GENERIC => typevars::subscript_generic(value),
        bc::INTRINSIC_TYPEALIAS => typevars::make_alias(value),
        _ => Err(err::system_error("unknown intrinsic")),
    }
}

/// `CALL_INTRINSIC_2`.
///
/// # Errors
/// What the intrinsic raises.
pub fn intrinsic_2(which: usize, first: &Object, second: &Object) -> PyResult {
    match which as u32 {
        bc::INTRINSIC_PREP_RERAISE_STAR => crate::ops::prepare_reraise_star(first, second),
        bc::INTRINSIC_TYPEVAR_WITH_BOUND => typevars::make_typevar(first, Some(second), None),
        bc::INTRINSIC_TYPEVAR_WITH_CONSTRAINTS => typevars::make_typevar(first, None, Some(second)),
        bc::INTRINSIC_SET_FUNCTION_TYPE_PARAMS => {
            first.setattr(intern!("__type_params__"), Some(second))?;
            Ok(first.new_ref())
        }
        bc::INTRINSIC_SET_TYPEPARAM_DEFAULT => typevars::set_default(first, second),
        _ => Err(err::system_error("unknown intrinsic")),
    }
}
