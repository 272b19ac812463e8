//! Calling Python functions: binding arguments to the locals of a new frame.
//!
//! Arguments arrive as stack words that the callee takes over. A call whose arguments fit exactly
//! copies them; everything else goes through [`bind_general`], which words CPython's `TypeError`s.

use crate::code::Code;
use crate::frame::{self, Frame};
use crate::function::Function;
use crate::stackref::StackRef;
use taipan_abi::PyObject;
use taipan_bytecode::{CO_VARARGS, CO_VARKEYWORDS};
use taipan_object::callable::vectorcall_count;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::state::{self, ThreadState};
use taipan_object::statics::PyExc_TypeError;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, alloc, native, raise};

/// Whether `count` positional arguments are just the parameters that the code has.
#[inline(always)]
pub fn is_exact_fit(code: &Code, count: usize) -> bool {
    code.flags() & (CO_VARARGS | CO_VARKEYWORDS) == 0
        && code.kwonlyargcount() == 0
        && code.argcount() == count
}

/// A new frame of `function` whose parameters are exactly the `count` words at `args`, which are taken
/// over like the word `function`; `None` (and nothing taken over) without memory.
///
/// # Safety
/// `function` is a Python function of `code`, whose arguments are as many (see [`is_exact_fit`]).
#[inline(always)]
pub unsafe fn push_exact(
    thread: *mut ThreadState,
    function: StackRef,
    code: &Code,
    args: *mut StackRef,
    count: usize,
    previous: *mut Frame,
) -> Option<*mut Frame> {
    // SAFETY: forwarded contract.
    unsafe {
        let new = frame::push_words(thread, code.framesize()).cast::<Frame>();
        if new.is_null() {
            return None;
        }
        frame::init_head(new, function, code, previous);
        let locals = Frame::locals(new);
        for index in 0..count {
            locals.add(index).write(args.add(index).read());
        }
        for index in count..code.nlocalsplus() {
            locals.add(index).write(StackRef::NULL);
        }
        Some(new)
    }
}

/// A new frame of `function` with its arguments bound. The words at `args` (and the word `function`)
/// are taken over, also when binding fails.
///
/// # Safety
/// `function` is a Python function; `args` points to `count` positional words followed by one for
/// each of `kwnames`.
/// # Errors
/// `TypeError` when the arguments do not fit, `MemoryError`.
#[inline(always)]
pub unsafe fn push_call(
    thread: *mut ThreadState,
    function: StackRef,
    args: *mut StackRef,
    count: usize,
    kwnames: Option<&Tuple>,
    previous: *mut Frame,
) -> PyResult<*mut Frame> {
    // SAFETY: forwarded contract.
    unsafe {
        let func: &Function = function.object().cast();
        let code = func.code();
        let Some(new) = frame::push_frame(thread, function, code, previous) else {
            return Err(no_room(function, args, count + kwnames.map_or(0, Tuple::len)));
        };
        let locals = Frame::locals(new);
        if kwnames.is_none() && is_exact_fit(code, count) {
            core::ptr::copy_nonoverlapping(args, locals, count);
            return Ok(new);
        }
        if kwnames.is_none() && fill_from_defaults(func, code, locals, args, count) {
            return Ok(new);
        }
        match bind_general(func, code, locals, args, count, kwnames) {
            Ok(()) => Ok(new),
            Err(error) => {
                frame::pop_frame(thread, new);
                Err(error)
            }
        }
    }
}

/// Binds positional arguments where defaults make up for the missing ones and nothing else is special;
/// `false` (and nothing taken over) otherwise.
#[inline]
unsafe fn fill_from_defaults(
    func: &Function,
    code: &Code,
    locals: *mut StackRef,
    args: *mut StackRef,
    count: usize,
) -> bool {
    let argcount = code.argcount();
    let plain = code.flags() & (CO_VARARGS | CO_VARKEYWORDS) == 0 && code.kwonlyargcount() == 0;
    let Some(defaults) = func.defaults().filter(|_| plain && count < argcount) else { return false };
    let missing = argcount - count;
    if missing > defaults.len() {
        return false;
    }
    // SAFETY: locals has room for all parameters; the words are moved there once.
    unsafe {
        core::ptr::copy_nonoverlapping(args, locals, count);
        for (index, default) in defaults.items()[defaults.len() - missing..].iter().enumerate() {
            locals.add(count + index).write(StackRef::owned(default.new_ref()));
        }
    }
    true
}

#[cold]
unsafe fn no_room(function: StackRef, args: *mut StackRef, count: usize) -> PyErr {
    // SAFETY: the words are ours to give up.
    unsafe {
        for index in 0..count {
            args.add(index).read().close();
        }
    }
    function.close();
    alloc::no_memory()
}

/// Binds arguments where something does not fit exactly. Takes over all words, also on failure.
#[inline(never)]
unsafe fn bind_general(
    func: &Function,
    code: &Code,
    locals: *mut StackRef,
    args: *mut StackRef,
    count: usize,
    kwnames: Option<&Tuple>,
) -> PyResult<()> {
    let keywords = kwnames.map_or(0, Tuple::len);
    // SAFETY: words are moved out of `args` one by one and replaced by NULL.
    unsafe {
        let result = bind_steps(func, code, locals, args, count, kwnames);
        for index in 0..count + keywords {
            args.add(index).replace(StackRef::NULL).close();
        }
        result
    }
}

unsafe fn bind_steps(
    func: &Function,
    code: &Code,
    locals: *mut StackRef,
    args: *mut StackRef,
    count: usize,
    kwnames: Option<&Tuple>,
) -> PyResult<()> {
    let (argcount, kwonly) = (code.argcount(), code.kwonlyargcount());
    let named = argcount + kwonly;
    let take = |index: usize| -> StackRef {
        // SAFETY: an argument of ours, moved out once.
        unsafe { args.add(index).replace(StackRef::NULL) }
    };
    // SAFETY: locals has room for all parameters.
    unsafe {
        for index in 0..count.min(argcount) {
            locals.add(index).write(take(index));
        }
        let mut next = named;
        if code.flags() & CO_VARARGS != 0 {
            let mut rest = Vec::with_capacity(count.saturating_sub(argcount));
            for index in argcount..count {
                rest.push(take(index).into_ref());
            }
            locals.add(next).write(StackRef::owned(Tuple::from_vec(rest)?.upcast()));
            next += 1;
        }
        let kwdict = if code.flags() & CO_VARKEYWORDS != 0 {
            let dict = Dict::new()?;
            locals.add(next).write(StackRef::owned(dict.clone().upcast()));
            Some(dict)
        } else {
            None
        };
        if let Some(names) = kwnames {
            bind_keywords(func, code, locals, args.add(count), names, kwdict.as_deref())?;
        }
        if count > argcount && code.flags() & CO_VARARGS == 0 {
            return Err(too_many(func, code, count, locals));
        }
        fill_defaults(func, code, locals, count)?;
    }
    Ok(())
}

/// Puts keyword arguments into their parameters, or into the `**` dict.
unsafe fn bind_keywords(
    func: &Function,
    code: &Code,
    locals: *mut StackRef,
    values: *mut StackRef,
    names: &Tuple,
    kwdict: Option<&Dict>,
) -> PyResult<()> {
    let named = code.argcount() + code.kwonlyargcount();
    let parameters = &code.localsplusnames().items()[..named];
    for (index, name) in names.items().iter().enumerate() {
        let Some(text) = name.downcast::<Str>() else {
            return Err(raise!(PyExc_TypeError, "{}() keywords must be strings", func.qualname().to_lossy()));
        };
        let from = code.posonlyargcount();
        let position = parameters[from..]
            .iter()
            .position(|parameter| parameter.is(name))
            // SAFETY: parameter names are strs.
            .or_else(|| parameters[from..].iter().position(|p| unsafe { p.cast::<Str>() }.same_text(text)))
            .map(|position| position + from);
        // SAFETY: the value is moved out once; the place belongs to the new frame.
        unsafe {
            match (position, kwdict) {
                (Some(position), _) => {
                    let place = locals.add(position);
                    if !(*place).is_null() {
                        return Err(raise!(
                            PyExc_TypeError,
                            "{}() got multiple values for argument '{}'",
                            func.qualname().to_lossy(),
                            text.to_lossy()
                        ));
                    }
                    place.write(values.add(index).replace(StackRef::NULL));
                }
                (None, Some(dict)) => dict.set(name, &values.add(index).read().look())?,
                (None, None) => return Err(unexpected_keyword(func, code, text, names)),
            }
        }
    }
    Ok(())
}

#[cold]
fn unexpected_keyword(func: &Function, code: &Code, name: &Str, names: &Tuple) -> PyErr {
    let positional: Vec<String> = code.localsplusnames().items()[..code.posonlyargcount()]
        .iter()
        .filter(|parameter| {
            names.items().iter().any(|given| {
                // SAFETY: names are strs.
                unsafe { parameter.cast::<Str>().same_text(given.cast()) }
            })
        })
        .map(|parameter| parameter.str_lossy())
        .collect();
    let function = func.qualname().to_lossy();
    if !positional.is_empty() {
        return raise!(
            PyExc_TypeError,
            "{function}() got some positional-only arguments passed as keyword arguments: '{}'",
            positional.join(", ")
        );
    }
    raise!(PyExc_TypeError, "{function}() got an unexpected keyword argument '{}'", name.to_lossy())
}

#[cold]
unsafe fn too_many(func: &Function, code: &Code, given: usize, locals: *mut StackRef) -> PyErr {
    let argcount = code.argcount();
    let defaults = func.defaults().map_or(0, Tuple::len);
    // SAFETY: keyword-only parameters follow the positional ones.
    let kwonly_given = (argcount..argcount + code.kwonlyargcount())
        .filter(|&i| unsafe { !(*locals.add(i)).is_null() })
        .count();
    let (plural, takes) = if defaults > 0 {
        let least = argcount - defaults;
        (true, format!("from {least} to {argcount}"))
    } else {
        (argcount != 1, argcount.to_string())
    };
    let keyword_only = if kwonly_given > 0 {
        let (p, k) = (if given == 1 { "" } else { "s" }, if kwonly_given == 1 { "" } else { "s" });
        format!(" positional argument{p} (and {kwonly_given} keyword-only argument{k})")
    } else {
        String::new()
    };
    raise!(
        PyExc_TypeError,
        "{}() takes {takes} positional argument{} but {given}{keyword_only} {} given",
        func.qualname().to_lossy(),
        if plural { "s" } else { "" },
        if given == 1 && kwonly_given == 0 { "was" } else { "were" }
    )
}

/// Gives unbound parameters their defaults.
unsafe fn fill_defaults(func: &Function, code: &Code, locals: *mut StackRef, count: usize) -> PyResult<()> {
    let argcount = code.argcount();
    // SAFETY: parameters are the first locals.
    unsafe {
        let unbound = |index: usize| (*locals.add(index)).is_null();
        if count < argcount {
            let defaults = func.defaults().map_or(&[][..], Tuple::items);
            let first_default = argcount - defaults.len().min(argcount);
            let missing: Vec<usize> = (count..first_default).filter(|&index| unbound(index)).collect();
            if !missing.is_empty() {
                return Err(missing_error(func, code, &missing, "positional"));
            }
            for index in count.max(first_default)..argcount {
                if unbound(index) {
                    locals.add(index).write(StackRef::owned(defaults[index - first_default].new_ref()));
                }
            }
        }
        if code.kwonlyargcount() > 0 {
            let mut missing = Vec::new();
            for index in argcount..argcount + code.kwonlyargcount() {
                if !unbound(index) {
                    continue;
                }
                let default = match func.kwdefaults() {
                    Some(defaults) => defaults.get_str(code.local_name(index))?,
                    None => None,
                };
                match default {
                    Some(value) => locals.add(index).write(StackRef::owned(value)),
                    None => missing.push(index),
                }
            }
            if !missing.is_empty() {
                return Err(missing_error(func, code, &missing, "keyword-only"));
            }
        }
    }
    Ok(())
}

#[cold]
fn missing_error(func: &Function, code: &Code, missing: &[usize], kind: &str) -> PyErr {
    let names: Vec<String> = missing.iter().map(|&index| code.local_name(index).repr_lossy()).collect();
    let listed = match names.as_slice() {
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
        [] => String::new(),
    };
    raise!(
        PyExc_TypeError,
        "{}() missing {} required {kind} argument{}: {listed}",
        func.qualname().to_lossy(),
        missing.len(),
        if missing.len() == 1 { "" } else { "s" }
    )
}

/// The vectorcall of Python functions.
///
/// # Safety
/// As every vectorcall function.
pub unsafe extern "C" fn function_vectorcall(
    callable: *mut PyObject,
    args: *const *mut PyObject,
    nargsf: usize,
    kwnames: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: slot contract; the caller keeps the arguments alive during the call, so they are borrowed.
    unsafe {
        let thread = state::current();
        let count = vectorcall_count(nargsf);
        let kwnames: Option<&Tuple> = Object::borrow_opt(kwnames).map(|names| names.cast());
        let total = count + kwnames.map_or(0, Tuple::len);
        let mut words: [StackRef; 8] = [StackRef::NULL; 8];
        let mut many: Vec<StackRef>;
        let place: &mut [StackRef] = if total <= words.len() {
            &mut words[..total]
        } else {
            many = vec![StackRef::NULL; total];
            &mut many
        };
        for (index, word) in place.iter_mut().enumerate() {
            *word = StackRef::borrowed(Object::borrow(*args.add(index)));
        }
        let function = StackRef::borrowed(Object::borrow(callable)).heap_safe();
        let previous = (*thread).base.current_frame.cast::<Frame>();
        let result = push_call(thread, function, place.as_mut_ptr(), count, kwnames, previous)
            .and_then(|new| crate::interp::run_frame(thread, new));
        native::ret(result)
    }
}

/// Runs code in a namespace, as `exec` and module import do.
///
/// # Errors
/// What the code raises.
pub fn run_code(code: &Code, globals: &Dict, locals: Option<&Object>) -> PyResult {
    if code.nfreevars() > 0 {
        return Err(type_error("code object passed to exec() may not contain free variables"));
    }
    let function = Function::new(code, globals, None)?;
    run_function_in(&function, locals)
}

/// Runs a function's code with the given mapping as its locals.
///
/// # Errors
/// What the code raises.
pub fn run_function_in(function: &Function, locals: Option<&Object>) -> PyResult {
    let thread = state::current();
    // SAFETY: the frame is popped when the code ends.
    unsafe {
        let previous = (*thread).base.current_frame.cast::<Frame>();
        let word = StackRef::owned(function.new_ref());
        let Some(new) = frame::push_frame(thread, word, function.code(), previous) else {
            word.close();
            return Err(alloc::no_memory());
        };
        let locals = locals.unwrap_or_else(|| function.globals());
        if function.code().flags() & taipan_bytecode::CO_OPTIMIZED == 0 {
            (*new).f_locals = locals.new_ref().into_ptr();
        }
        crate::interp::run_frame(thread, new)
    }
}
