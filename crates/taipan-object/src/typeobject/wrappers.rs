//! How the special methods of native types call their slots: the other direction of the table.

use crate::err::{self, PyResult, type_error};
use crate::handle::{Object, Type};
use crate::native::{from_c, from_c_int, opt_ptr};
use crate::raise;
use crate::singletons::{is_none, new_bool, new_none, none};
use crate::statics::*;
use core::ffi::{c_int, c_void};
use taipan_abi::*;

/// The shapes of special methods.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrap {
    /// The name has no wrapper (`__getattr__`, `__new__`).
    None,
    Unary,
    BinaryLeft,
    BinaryRight,
    TernaryLeft,
    TernaryRight,
    Len,
    Bool,
    Hash,
    Index,
    SeqItem,
    SeqSetItem,
    SeqDelItem,
    SetItem,
    DelItem,
    Contains,
    Compare(c_int),
    Next,
    Call,
    Init,
    Del,
    SetAttr,
    DelAttr,
    DescrGet,
    DescrSet,
    DescrDelete,
    Buffer,
    ReleaseBuffer,
}

/// Calls the slot function `wrapped` for `object`.
///
/// # Errors
/// What the slot raises; `TypeError` for a wrong number of arguments.
///
/// # Safety
/// `wrapped` is a slot function of the shape that `wrap` says, of a type that `object` is an instance of.
pub unsafe fn invoke(
    wrap: Wrap,
    wrapped: *mut c_void,
    object: &Object,
    args: &[&Object],
    kwargs: Option<&crate::dict::Dict>,
) -> PyResult {
    /// The slot function with its real type.
    macro_rules! slot {
        ($ty:ty) => {
            core::mem::transmute::<*mut c_void, $ty>(wrapped)
        };
    }
    let this = object.as_ptr();
    if let Some(kwargs) = kwargs.filter(|k| !k.is_empty())
        && !matches!(wrap, Wrap::Call | Wrap::Init)
    {
        let _ = kwargs;
        return Err(type_error("wrapper takes no keyword arguments"));
    }
    // SAFETY: shapes by contract.
    unsafe {
        match wrap {
            Wrap::None => Err(err::system_error("this slot has no wrapper")),
            Wrap::Unary => {
                count(args, 0, 0)?;
                from_c(slot!(unaryfunc)(this))
            }
            Wrap::BinaryLeft => {
                count(args, 1, 1)?;
                from_c(slot!(binaryfunc)(this, args[0].as_ptr()))
            }
            Wrap::BinaryRight => {
                count(args, 1, 1)?;
                from_c(slot!(binaryfunc)(args[0].as_ptr(), this))
            }
            Wrap::TernaryLeft => {
                count(args, 1, 2)?;
                let third = args.get(1).copied().unwrap_or(none());
                from_c(slot!(ternaryfunc)(this, args[0].as_ptr(), third.as_ptr()))
            }
            Wrap::TernaryRight => {
                count(args, 1, 2)?;
                let third = args.get(1).copied().unwrap_or(none());
                from_c(slot!(ternaryfunc)(args[0].as_ptr(), this, third.as_ptr()))
            }
            Wrap::Len | Wrap::Hash => {
                count(args, 0, 0)?;
                let value = from_c_int(slot!(lenfunc)(this))?;
                Ok(crate::int::Int::from_isize(value).upcast())
            }
            Wrap::Bool => {
                count(args, 0, 0)?;
                Ok(new_bool(from_c_int(slot!(inquiry)(this) as isize)? != 0))
            }
            Wrap::Index => {
                count(args, 1, 1)?;
                from_c(slot!(ssizeargfunc)(this, args[0].to_isize()?))
            }
            Wrap::SeqItem => {
                count(args, 1, 1)?;
                from_c(slot!(ssizeargfunc)(this, sequence_index(object, args[0])?))
            }
            Wrap::SeqSetItem => {
                count(args, 2, 2)?;
                done(slot!(ssizeobjargproc)(this, sequence_index(object, args[0])?, args[1].as_ptr()))
            }
            Wrap::SeqDelItem => {
                count(args, 1, 1)?;
                done(slot!(ssizeobjargproc)(this, sequence_index(object, args[0])?, core::ptr::null_mut()))
            }
            Wrap::SetItem => {
                count(args, 2, 2)?;
                done(slot!(objobjargproc)(this, args[0].as_ptr(), args[1].as_ptr()))
            }
            Wrap::DelItem => {
                count(args, 1, 1)?;
                done(slot!(objobjargproc)(this, args[0].as_ptr(), core::ptr::null_mut()))
            }
            Wrap::Contains => {
                count(args, 1, 1)?;
                Ok(new_bool(from_c_int(slot!(objobjproc)(this, args[0].as_ptr()) as isize)? != 0))
            }
            Wrap::Compare(op) => {
                count(args, 1, 1)?;
                from_c(slot!(richcmpfunc)(this, args[0].as_ptr(), op))
            }
            Wrap::Next => {
                count(args, 0, 0)?;
                let item = slot!(iternextfunc)(this);
                if item.is_null() && !err::occurred() {
                    return Err(err::stop_iteration(None));
                }
                from_c(item)
            }
            Wrap::Call => {
                let args = crate::tuple::Tuple::from_refs(args)?;
                from_c(slot!(ternaryfunc)(this, args.as_ptr(), opt_ptr(kwargs.map(|k| &**k))))
            }
            Wrap::Init => {
                let args = crate::tuple::Tuple::from_refs(args)?;
                done(slot!(initproc)(this, args.as_ptr(), opt_ptr(kwargs.map(|k| &**k))))
            }
            Wrap::Del => {
                count(args, 0, 0)?;
                slot!(destructor)(this);
                Ok(new_none())
            }
            Wrap::SetAttr => {
                count(args, 2, 2)?;
                check_hijack(object, wrapped, "__setattr__")?;
                done(slot!(setattrofunc)(this, args[0].as_ptr(), args[1].as_ptr()))
            }
            Wrap::DelAttr => {
                count(args, 1, 1)?;
                check_hijack(object, wrapped, "__delattr__")?;
                done(slot!(setattrofunc)(this, args[0].as_ptr(), core::ptr::null_mut()))
            }
            Wrap::DescrGet => {
                count(args, 1, 2)?;
                let given = |index: usize| args.get(index).copied().filter(|arg| !is_none(arg));
                if given(0).is_none() && given(1).is_none() {
                    return Err(type_error("__get__(None, None) is invalid"));
                }
                from_c(slot!(descrgetfunc)(this, opt_ptr(given(0)), opt_ptr(given(1))))
            }
            Wrap::DescrSet => {
                count(args, 2, 2)?;
                done(slot!(descrsetfunc)(this, args[0].as_ptr(), args[1].as_ptr()))
            }
            Wrap::DescrDelete => {
                count(args, 1, 1)?;
                done(slot!(descrsetfunc)(this, args[0].as_ptr(), core::ptr::null_mut()))
            }
            Wrap::Buffer => {
                count(args, 1, 1)?;
                crate::protocol::memoryview_from(object, args[0].to_i32()?)
            }
            Wrap::ReleaseBuffer => {
                count(args, 1, 1)?;
                crate::protocol::release_memoryview(object, args[0])?;
                Ok(new_none())
            }
        }
    }
}

fn done(status: c_int) -> PyResult {
    from_c_int(status as isize)?;
    Ok(new_none())
}

fn count(args: &[&Object], min: usize, max: usize) -> PyResult<()> {
    if (min..=max).contains(&args.len()) {
        return Ok(());
    }
    if (min, max) == (1, 2) {
        return Err(raise!(PyExc_TypeError, "expected 1 or 2 arguments, got {}", args.len()));
    }
    let wanted = if args.len() < min { min } else { max };
    let plural = if wanted == 1 { "" } else { "s" };
    let bound = match (min == max, args.len() < min) {
        (true, _) => "",
        (false, true) => "at least ",
        (false, false) => "at most ",
    };
    Err(raise!(PyExc_TypeError, "expected {bound}{wanted} argument{plural}, got {}", args.len()))
}

/// A sequence slot counts negative indices from the end.
fn sequence_index(object: &Object, index: &Object) -> PyResult<isize> {
    let index = index.to_index_clamped(Some(&PyExc_IndexError))?;
    Ok(if index < 0 { index + object.len()?.cast_signed() } else { index })
}

/// Refuses `object.__setattr__(type, …)`: a class's attributes are set by its own metatype.
fn check_hijack(object: &Object, function: *mut c_void, name: &str) -> PyResult<()> {
    let mut ty: Option<&Type> = Some(object.ty());
    // The most derived native type on the way decides.
    while let Some(current) = ty {
        let slot = super::get_slot(current, Py_tp_setattro);
        if core::ptr::eq(slot, function) {
            return Ok(());
        }
        if !current.has_flag(Py_TPFLAGS_HEAPTYPE) && !slot.is_null() {
            return Err(raise!(
                PyExc_TypeError,
                "can't apply this {name} to {} object",
                object.ty().message_name()
            ));
        }
        ty = current.base();
    }
    Ok(())
}
