//! What can be done with any object: the abstract object, number, sequence, mapping and iterator
//! protocols (`Include/abstract.h`), each through the slots of the object's type.

mod call;
mod compare;
mod item;
mod iterate;
mod number;

pub use call::{
    call_unbound, call_unbound_with_dict, call_vectorcall_field, call_with_dict, is_plain_method, special,
    special_opt, vectorcall, vectorcall_raw, vectorcall_with_dict,
};
pub use compare::{
    PyObject_HashNotImplemented, hash_big, hash_not_implemented_slot, is_instance, is_subclass,
    real_is_instance, real_is_subclass, richcompare, richcompare_bool, unhashable,
};
pub use item::{
    checked_length, delete_item, get_item, has_index, is_mapping, is_sequence, sequence_get, sequence_items,
    sequence_store, set_item,
};
pub use iterate::{
    IterStep, RawSequenceIterator, contains, contains_by_iteration, iter_next, iter_next_or_stop, iter_step,
    iterate, length_hint, sequence_iterator, to_vec,
};
pub use number::{BinaryOp, binary_op, index_of, inplace_op, power, unary};

use crate::err::{self, PyErr, PyResult, type_error};
use crate::handle::{Object, Ref, Type};
use crate::int::Int;
use crate::intern;
use crate::native::{IntoPy, from_c, from_c_int, opt_ptr};
use crate::raise;
use crate::state;
use crate::statics::*;
use crate::tuple::Tuple;
use crate::unicode::Str;
use taipan_abi::*;

/// Runs something that may call itself through Python code or nested data, unless the machine stack
/// is nearly used up.
///
/// # Errors
/// `RecursionError: maximum recursion depth exceeded` followed by `place`; what `run` raises.
#[inline]
pub fn recursive<T>(place: &str, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    // SAFETY: the current thread's own state.
    if unsafe { state::stack_is_low(state::current()) } {
        return Err(too_deep(place));
    }
    run()
}

/// The `RecursionError` of native code that nests too deeply.
#[cold]
pub fn too_deep(place: &str) -> PyErr {
    // Making the exception needs stack itself: use the reserve below the limit meanwhile.
    let thread = state::current();
    // SAFETY: the current thread's own state.
    unsafe {
        let limit = (*thread).stack_limit;
        (*thread).stack_limit = (*thread).stack_hard_limit;
        let error = err::recursion_error(&format!("maximum recursion depth exceeded{place}"));
        (*thread).stack_limit = limit;
        error
    }
}

/// Runs `run` unless the object's `repr` is being made already on this thread: `None` then.
///
/// # Errors
/// What `run` raises.
pub fn repr_guard<T>(object: &Object, run: impl FnOnce() -> PyResult<T>) -> PyResult<Option<T>> {
    let thread = state::current();
    // SAFETY: the current thread's own state; the vector is not borrowed while `run` runs.
    unsafe {
        if (*thread).repr_running.contains(&object.as_ptr()) {
            return Ok(None);
        }
        (*thread).repr_running.push(object.as_ptr());
        let result = run();
        let running = &mut (*thread).repr_running;
        if let Some(at) = running.iter().rposition(|&entry| entry == object.as_ptr()) {
            running.remove(at);
        }
        result.map(Some)
    }
}

/// `<module.Type object at 0x…>`.
///
/// # Errors
/// `MemoryError`.
pub fn default_repr(object: &Object) -> PyResult {
    let ty = object.ty();
    let module = ty.lookup(intern!("__module__")).filter(|_| ty.has_flag(Py_TPFLAGS_HEAPTYPE));
    let qualname = ty.getattr(intern!("__qualname__"))?;
    let prefix = match module.as_ref().and_then(|module| module.downcast::<Str>()) {
        Some(module) if !module.equals("builtins") => format!("{}.", module.to_lossy()),
        _ => match ty.full_name().rsplit_once('.') {
            Some((module, _)) if !ty.has_flag(Py_TPFLAGS_HEAPTYPE) => format!("{module}."),
            _ => String::new(),
        },
    };
    format!("<{prefix}{} object at {:#x}>", qualname.str_lossy(), object.as_ptr().addr()).into_py()
}

/// `(getattr, (object, name))`, as `__reduce__` of bound things gives.
///
/// # Errors
/// What looking `getattr` up raises.
pub fn getattr_pair(object: &Object, name: &str) -> PyResult {
    let getattr = builtin("getattr")?;
    let args = Tuple::from_array([object.new_ref(), Str::from_utf8(name)?.upcast()])?;
    Ok(Tuple::from_array([getattr, args.upcast()])?.upcast())
}

/// What the running code's builtins call so.
///
/// # Errors
/// `AttributeError` when there is none; what a mapping that stands for the builtins raises.
pub fn builtin(name: &str) -> PyResult {
    let missing = || err::attribute_error(name);
    let builtins = (state::interp().hooks.get().current_builtins)();
    let Some(builtins) = builtins else { return Err(missing()) };
    match builtins.downcast::<crate::dict::Dict>() {
        Some(dict) => dict.get_text(name).ok_or_else(missing),
        None => builtins
            .get_item(&*Str::from_utf8(name)?)
            .map_err(|error| if error.is(&PyExc_KeyError) { missing() } else { error }),
    }
}

/// `__name__` of the module whose code is running, for classes made without a `__module__`.
pub fn current_module_name() -> Option<Ref> {
    (state::interp().hooks.get().current_globals)()?.get_str(intern!("__name__")).ok()?
}

/// A memoryview of an object's buffer for the wrapper of `__buffer__`.
///
/// # Errors
/// What the exporter raises.
pub fn memoryview_from(object: &Object, flags: i32) -> PyResult {
    let make = PyMemoryView_Type.getattr(intern!("_from_flags"))?;
    make.call(&[object, &*Int::from_i64(i64::from(flags))])
}

/// Releases a memoryview that the wrapper of `__buffer__` gave.
///
/// # Errors
/// `TypeError` when it is not a memoryview of the object.
pub fn release_memoryview(object: &Object, view: &Object) -> PyResult<()> {
    if !view.is_exact(&PyMemoryView_Type) {
        return Err(type_error("expected a memoryview object"));
    }
    if !view.getattr(intern!("obj"))?.is(object) {
        return Err(err::value_error("memoryview's buffer is not this object"));
    }
    view.call_method(intern!("release"), &[])?;
    Ok(())
}

impl Object {
    /// `getattr(self, name)`.
    ///
    /// # Errors
    /// `AttributeError`; what the attribute's code raises.
    #[inline]
    pub fn getattr(&self, name: &Str) -> PyResult {
        // SAFETY: slot contract.
        unsafe {
            match (*self.ty().raw()).tp_getattro {
                Some(get) => recursive("", || from_c(get(self.as_ptr(), name.as_ptr()))),
                None => crate::instance::generic_getattr(self, name),
            }
        }
    }

    /// `getattr(self, name, None)` that does not build an exception just to drop it.
    ///
    /// # Errors
    /// What the attribute's code raises, except `AttributeError`.
    pub fn getattr_opt(&self, name: &Str) -> PyResult<Option<Ref>> {
        // SAFETY: a live type; function addresses are compared as C code compares them.
        let generic = unsafe {
            (*self.ty().raw())
                .tp_getattro
                .is_none_or(|f| f as usize == crate::instance::PyObject_GenericGetAttr as *const () as usize)
        };
        if generic {
            return recursive("", || crate::instance::generic_getattr_opt(self, name));
        }
        match self.getattr(name) {
            Ok(value) => Ok(Some(value)),
            Err(error) => error.allow(&PyExc_AttributeError),
        }
    }

    /// `setattr(self, name, value)`, or `delattr` for `None`.
    ///
    /// # Errors
    /// `AttributeError`; what the attribute's code raises.
    pub fn setattr(&self, name: &Str, value: Option<&Object>) -> PyResult<()> {
        // SAFETY: slot contract.
        unsafe {
            match (*self.ty().raw()).tp_setattro {
                Some(set) => recursive("", || {
                    from_c_int(set(self.as_ptr(), name.as_ptr(), opt_ptr(value)) as isize).map(|_| ())
                }),
                None => crate::instance::generic_setattr(self, name, value),
            }
        }
    }

    /// Calls the object with positional arguments.
    ///
    /// # Errors
    /// What the call raises.
    #[inline]
    pub fn call(&self, args: &[&Object]) -> PyResult {
        vectorcall(self, args, None)
    }

    /// Calls a method.
    ///
    /// # Errors
    /// `AttributeError`; what the call raises.
    pub fn call_method(&self, name: &Str, args: &[&Object]) -> PyResult {
        self.getattr(name)?.call(args)
    }

    /// Whether the object can be called.
    pub fn is_callable(&self) -> bool {
        // SAFETY: a live type.
        unsafe { (*self.ty().raw()).tp_call.is_some() }
    }

    /// `repr(self)`.
    ///
    /// # Errors
    /// What `__repr__` raises; `TypeError` when it does not return a str.
    pub fn repr(&self) -> PyResult<Ref<Str>> {
        recursive(" while getting the repr of an object", || {
            // SAFETY: slot contract.
            let text = unsafe {
                match (*self.ty().raw()).tp_repr {
                    Some(repr) => from_c(repr(self.as_ptr()))?,
                    None => default_repr(self)?,
                }
            };
            text.downcast_owned::<Str>().map_err(|other| {
                raise!(PyExc_TypeError, "__repr__ returned non-string (type {})", other.ty().message_name())
            })
        })
    }

    /// `str(self)`.
    ///
    /// # Errors
    /// What `__str__` raises; `TypeError` when it does not return a str.
    pub fn str(&self) -> PyResult<Ref<Str>> {
        if self.is_exact(&PyUnicode_Type) {
            // SAFETY: an exact str.
            return Ok(Ref::of(unsafe { self.cast() }));
        }
        // SAFETY: slot contract.
        let Some(slot) = (unsafe { (*self.ty().raw()).tp_str }) else { return self.repr() };
        recursive(" while getting the str of an object", || {
            // SAFETY: slot contract.
            unsafe { from_c(slot(self.as_ptr()))? }.downcast_owned::<Str>().map_err(|other| {
                raise!(PyExc_TypeError, "__str__ returned non-string (type {})", other.ty().message_name())
            })
        })
    }

    /// `str(self)` for messages; an error becomes `?`.
    pub fn str_lossy(&self) -> String {
        self.str().map_or_else(|_| "?".to_owned(), |text| text.to_lossy())
    }

    /// `repr(self)` for messages; an error becomes `?`.
    pub fn repr_lossy(&self) -> String {
        self.repr().map_or_else(|_| "?".to_owned(), |text| text.to_lossy())
    }

    /// `bool(self)`.
    ///
    /// # Errors
    /// What `__bool__` or `__len__` raises.
    #[inline]
    pub fn is_true(&self) -> PyResult<bool> {
        if let Some(value) = crate::singletons::as_bool(self) {
            return Ok(value);
        }
        if crate::singletons::is_none(self) {
            return Ok(false);
        }
        // SAFETY: slot contract.
        unsafe {
            let ty = self.ty().raw();
            if let Some(slot) = (*ty).tp_as_number.as_ref().and_then(|table| table.nb_bool) {
                return recursive("", || from_c_int(slot(self.as_ptr()) as isize)).map(|value| value != 0);
            }
            if let Some(slot) = (*ty).tp_as_mapping.as_ref().and_then(|table| table.mp_length) {
                return recursive("", || from_c_int(slot(self.as_ptr()))).map(|value| value != 0);
            }
            if let Some(slot) = (*ty).tp_as_sequence.as_ref().and_then(|table| table.sq_length) {
                return recursive("", || from_c_int(slot(self.as_ptr()))).map(|value| value != 0);
            }
        }
        Ok(true)
    }

    /// `len(self)`.
    ///
    /// # Errors
    /// `TypeError` when the object has no length; what `__len__` raises.
    #[expect(clippy::len_without_is_empty, reason = "the length is asked of the object and may raise")]
    pub fn len(&self) -> PyResult<usize> {
        item::length(self)
    }

    /// `hash(self)`.
    ///
    /// # Errors
    /// `TypeError` when the object is unhashable; what `__hash__` raises.
    #[inline]
    pub fn hash(&self) -> PyResult<isize> {
        if self.is_exact(&PyUnicode_Type) {
            // SAFETY: an exact str.
            return Ok(unsafe { self.cast::<Str>() }.hash());
        }
        // SAFETY: slot contract.
        unsafe {
            match (*self.ty().raw()).tp_hash {
                Some(slot) => recursive("", || from_c_int(slot(self.as_ptr()))),
                None => Err(unhashable(self)),
            }
        }
    }

    /// Identity or `==`, as containers compare their items.
    ///
    /// # Errors
    /// What `__eq__` raises.
    #[inline]
    pub fn equals(&self, other: &Object) -> PyResult<bool> {
        if self.is(other) {
            return Ok(true);
        }
        richcompare_bool(self, other, crate::native::CompareOp::Eq)
    }

    /// The integer of `__index__`.
    ///
    /// # Errors
    /// `TypeError` when the object is no integer.
    pub fn to_index(&self) -> PyResult<Ref<Int>> {
        index_of(self)
    }

    /// An index-sized integer; beyond that `OverflowError`.
    ///
    /// # Errors
    /// `TypeError`, `OverflowError`.
    pub fn to_isize(&self) -> PyResult<isize> {
        self.to_index_clamped(Some(&PyExc_OverflowError))
    }

    /// An index-sized integer; beyond that the exception `overflow`, or the nearest one for `None`.
    ///
    /// # Errors
    /// `TypeError`, `overflow`.
    pub fn to_index_clamped(&self, overflow: Option<&Type>) -> PyResult<isize> {
        if let Some(value) = self.downcast::<Int>().and_then(Int::compact_value) {
            return Ok(value as isize);
        }
        let int = self.to_index()?;
        if let Some(value) = int.to_i64() {
            return Ok(value as isize);
        }
        match overflow {
            None => Ok(if int.is_negative() { isize::MIN } else { isize::MAX }),
            Some(ty) => {
                Err(raise!(ty, "cannot fit '{}' into an index-sized integer", self.ty().message_name()))
            }
        }
    }

    /// A 64-bit integer.
    ///
    /// # Errors
    /// `TypeError`, `OverflowError`.
    pub fn to_i64(&self) -> PyResult<i64> {
        self.to_index()?
            .to_i64()
            .ok_or_else(|| err::overflow_error("Python int too large to convert to C long"))
    }

    /// The low 64 bits of an integer.
    ///
    /// # Errors
    /// `TypeError`, `OverflowError`.
    pub fn to_i64_wrapping(&self) -> PyResult<i64> {
        let int = self.to_index()?;
        int.to_i64()
            .or_else(|| int.to_u64().map(u64::cast_signed))
            .ok_or_else(|| err::overflow_error("Python int too large to convert to C long"))
    }

    /// A C int.
    ///
    /// # Errors
    /// `TypeError`, `OverflowError`.
    pub fn to_i32(&self) -> PyResult<i32> {
        let value = self.to_i64()?;
        i32::try_from(value).map_err(|_| {
            err::overflow_error(if value < 0 {
                "signed integer is less than minimum"
            } else {
                "signed integer is greater than maximum"
            })
        })
    }

    /// A float: `__float__`, or `__index__`.
    ///
    /// # Errors
    /// `TypeError` when the object is no number, `OverflowError` for ints beyond the range.
    pub fn to_f64(&self) -> PyResult<f64> {
        number::to_f64(self)
    }

    /// `self[key]`.
    ///
    /// # Errors
    /// `TypeError` when the object cannot be subscripted; what `__getitem__` raises.
    pub fn get_item(&self, key: &Object) -> PyResult {
        get_item(self, key)
    }

    /// `iter(self)`.
    ///
    /// # Errors
    /// `TypeError` when the object is not iterable; what `__iter__` raises.
    pub fn iter(&self) -> PyResult {
        iterate::iter(self)
    }
}
