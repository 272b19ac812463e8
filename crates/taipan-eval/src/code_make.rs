//! Code objects made by Python code: `code(...)` and `code.replace(...)`.

use crate::code::{Code, Parts};
use taipan_bytecode as bytecode;
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{system_error, type_error, value_error};
use taipan_object::native::CallArgs;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{Object, PyResult, Ref, Type, handle::Layout, raise};

/// The attributes in the order of the constructor's arguments.
const FIELDS: [&str; 18] = [
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_nlocals",
    "co_stacksize",
    "co_flags",
    "co_code",
    "co_consts",
    "co_names",
    "co_varnames",
    "co_filename",
    "co_name",
    "co_qualname",
    "co_firstlineno",
    "co_linetable",
    "co_exceptiontable",
    "co_freevars",
    "co_cellvars",
];

/// Arguments as objects, with the function that they were given to for messages.
struct Given {
    function: &'static str,
    values: Vec<Ref>,
    /// Whether they were given by position and not by name.
    positional: bool,
}

impl Given {
    fn typed<T: Layout>(&self, index: usize, kind: &str) -> PyResult<Ref<T>> {
        let value = &self.values[index];
        match value.downcast::<T>() {
            Some(value) => Ok(Ref::of(value)),
            None => {
                let place =
                    if self.positional { format!("{}", index + 1) } else { format!("'{}'", FIELDS[index]) };
                Err(raise!(
                    PyExc_TypeError,
                    "{}() argument {place} must be {kind}, not {}",
                    self.function,
                    value.ty().message_name()
                ))
            }
        }
    }

    fn count(&self, index: usize) -> PyResult<u32> {
        let value = self.values[index].to_i32()?;
        u32::try_from(value).map_err(|_| {
            if self.positional {
                value_error(&format!("code: {} must not be negative", &FIELDS[index][3..]))
            } else {
                value_error(&format!("{} must be a positive integer", FIELDS[index]))
            }
        })
    }

    fn names(&self, index: usize) -> PyResult<Ref<Tuple>> {
        let names: Ref<Tuple> = self.typed(index, "tuple")?;
        let mut all = Vec::with_capacity(names.len());
        for name in names.items() {
            match name.downcast::<Str>() {
                Some(name) => all.push(unicode::intern(Ref::of(name)).upcast()),
                None if self.positional => {
                    return Err(raise!(
                        PyExc_TypeError,
                        "name tuples must contain only strings, not '{}'",
                        name.ty().message_name()
                    ));
                }
                None => return Err(system_error("non-string found in code slot")),
            }
        }
        Tuple::from_vec(all)
    }
}

/// The names of all variables in order with their kinds.
fn variables(
    varnames: &Tuple,
    cellvars: &Tuple,
    freevars: &Tuple,
    counts: (usize, usize, usize),
    flags: u32,
) -> PyResult<(Ref<Tuple>, Vec<u8>)> {
    let (argcount, posonly, kwonly) = counts;
    let mut names: Vec<Ref> = varnames.items().iter().map(|name| name.new_ref()).collect();
    let mut kinds = vec![bytecode::CO_FAST_LOCAL; names.len()];
    let mut mark = |index: usize, bits: u8| {
        if let Some(kind) = kinds.get_mut(index) {
            *kind |= bits;
        }
    };
    let (by_position, by_name, many) =
        (bytecode::CO_FAST_ARG_POS, bytecode::CO_FAST_ARG_KW, bytecode::CO_FAST_ARG_VAR);
    for index in 0..argcount {
        mark(index, if index < posonly { by_position } else { by_position | by_name });
    }
    for index in argcount..argcount + kwonly {
        mark(index, by_name);
    }
    let mut next = argcount + kwonly;
    if flags & bytecode::CO_VARARGS != 0 {
        mark(next, by_position | many);
        next += 1;
    }
    if flags & bytecode::CO_VARKEYWORDS != 0 {
        mark(next, by_name | many);
    }
    for cell in cellvars.items() {
        match names.iter().position(|name| name.is(cell)) {
            Some(index) => kinds[index] |= bytecode::CO_FAST_CELL,
            None => {
                names.push(cell.new_ref());
                kinds.push(bytecode::CO_FAST_CELL);
            }
        }
    }
    for free in freevars.items() {
        names.push(free.new_ref());
        kinds.push(bytecode::CO_FAST_FREE);
    }
    Ok((Tuple::from_vec(names)?, kinds))
}

fn make(given: &Given) -> PyResult {
    let (argcount, posonlyargcount, kwonlyargcount) = (given.count(0)?, given.count(1)?, given.count(2)?);
    let (nlocals, stacksize, flags) = (given.count(3)?, given.count(4)?, given.count(5)?);
    let code: Ref<Bytes> = given.typed(6, "bytes")?;
    let consts: Ref<Tuple> = given.typed(7, "tuple")?;
    let (names, varnames) = (given.names(8)?, given.names(9)?);
    let filename: Ref<Str> = given.typed(10, "str")?;
    let name: Ref<Str> = given.typed(11, "str")?;
    let qualname: Ref<Str> = given.typed(12, "str")?;
    let firstlineno =
        if given.positional { given.values[13].to_i32()? } else { given.count(13)?.cast_signed() };
    let (linetable, exceptiontable): (Ref<Bytes>, Ref<Bytes>) =
        (given.typed(14, "bytes")?, given.typed(15, "bytes")?);
    let (freevars, cellvars) = (given.names(16)?, given.names(17)?);
    if posonlyargcount > argcount {
        return Err(value_error("code: posonlyargcount must not be greater than argcount"));
    }
    if !code.len().is_multiple_of(2) || code.is_empty() {
        return Err(value_error("code: co_code is malformed"));
    }
    if nlocals as usize != varnames.len() {
        return Err(value_error("code: co_nlocals != len(co_varnames)"));
    }
    let extra =
        u32::from(flags & bytecode::CO_VARARGS != 0) + u32::from(flags & bytecode::CO_VARKEYWORDS != 0);
    let wanted = u64::from(argcount) + u64::from(kwonlyargcount) + u64::from(extra);
    if wanted > varnames.len() as u64 {
        return Err(value_error("code: co_varnames is too small"));
    }
    let counts = (argcount as usize, posonlyargcount as usize, kwonlyargcount as usize);
    let (localsplusnames, kinds) = variables(&varnames, &cellvars, &freevars, counts, flags)?;
    let bytes = code.clone();
    let parts = Parts {
        argcount,
        posonlyargcount,
        kwonlyargcount,
        stacksize,
        flags,
        code: bytes.as_slice(),
        consts,
        names,
        localsplusnames,
        localspluskinds: Bytes::new(&kinds)?,
        filename,
        name: unicode::intern(name),
        qualname: unicode::intern(qualname),
        firstlineno,
        linetable,
        exceptiontable,
    };
    let made = Code::from_parts(parts)?;
    made.distrust();
    Ok(made.upcast())
}

/// `code(...)`.
pub(crate) fn new(_: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult {
    if kwargs.is_some_and(|kwargs| !kwargs.is_empty()) {
        return Err(type_error("code() takes no keyword arguments"));
    }
    if !(16..=18).contains(&args.len()) {
        let (least, number) = if args.len() < 16 { ("least", 16) } else { ("most", 18) };
        return Err(type_error(&format!("code expected at {least} {number} arguments, got {}", args.len())));
    }
    let mut values: Vec<Ref> = args.items().iter().map(|value| value.new_ref()).collect();
    while values.len() < FIELDS.len() {
        values.push(Tuple::empty().upcast());
    }
    make(&Given { function: "code", values, positional: true })
}

/// `code.replace(**changes)`.
pub(crate) fn replace(code: &Code, args: CallArgs<'_>) -> PyResult {
    if !args.positional().is_empty() {
        return Err(type_error("replace() takes no positional arguments"));
    }
    let mut values = Vec::with_capacity(FIELDS.len());
    for name in FIELDS {
        values.push(code.getattr(&*Str::from_utf8(name)?)?);
    }
    for (key, value) in args.keywords() {
        let key: &Object = key;
        let index = key.downcast::<Str>().and_then(|key| FIELDS.iter().position(|name| key.equals(name)));
        match index {
            Some(index) => values[index] = value.new_ref(),
            None => {
                return Err(raise!(
                    PyExc_TypeError,
                    "replace() got an unexpected keyword argument '{}'",
                    key.str_lossy()
                ));
            }
        }
    }
    make(&Given { function: "replace", values, positional: false })
}
