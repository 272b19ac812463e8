//! Hooks of `_testinternalcapi` that tell of a code object's variables.
//!
//! Problem: tests ask what kinds of variables a code object has, which of its names are globals, and whether it
//! could be run elsewhere. Idea: everything is read from the code object itself: kinds of frame slots, names, and
//! the instructions that use these.

use taipan_bytecode::{
    CO_FAST_ARG_KW, CO_FAST_ARG_POS, CO_FAST_ARG_VAR, CO_FAST_CELL, CO_FAST_FREE, CO_FAST_HIDDEN,
    CO_FAST_LOCAL, Opcode,
};
use taipan_eval::code::Code;
use taipan_eval::function::Function;
use taipan_object::dict::Dict;
use taipan_object::err::type_error;
use taipan_object::int::Int;
use taipan_object::native::Args;
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, protocol, raise};

fn code_argument(value: &Object) -> PyResult<&Code> {
    value.downcast::<Code>().ok_or_else(|| type_error("argument must be a code object"))
}

/// `get_co_localskinds(code)`.
pub(super) fn local_kinds(_: &Object, value: &Object) -> PyResult<Ref<Dict>> {
    let code = code_argument(value)?;
    let kinds = Dict::new()?;
    for (index, kind) in code.localspluskinds().iter().enumerate() {
        kinds.set(code.local_name(index), &Int::from_i64(i64::from(*kind)))?;
    }
    Ok(kinds)
}

/// The instructions of a code object, arguments joined.
fn instructions(code: &Code) -> Vec<(Opcode, usize)> {
    let bytes = code.original_code();
    let mut all = Vec::new();
    let (mut at, mut high) = (0, 0usize);
    while at + 1 < bytes.len() {
        let Some(op) = Opcode::from_u8(bytes[at]) else { break };
        let arg = high << 8 | usize::from(bytes[at + 1]);
        at += 2 + 2 * op.caches();
        high = if op == Opcode::EXTENDED_ARG { arg } else { 0 };
        if op != Opcode::EXTENDED_ARG {
            all.push((op, arg));
        }
    }
    all
}

/// `code_returns_only_none(code)`: whether each return follows a load of None.
pub(super) fn returns_only_none(_: &Object, value: &Object) -> PyResult<bool> {
    let code = code_argument(value)?;
    let mut loads_none = false;
    for (op, arg) in instructions(code) {
        if op == Opcode::RETURN_VALUE && !loads_none {
            return Ok(false);
        }
        loads_none =
            op == Opcode::LOAD_CONST && code.consts().items().get(arg).is_some_and(|value| is_none(value));
    }
    Ok(true)
}

/// Numbers of variables by kind.
#[derive(Default)]
struct Counts {
    posonly: i64,
    posorkw: i64,
    kwonly: i64,
    varargs: i64,
    varkwargs: i64,
    pure_locals: i64,
    arg_cells: i64,
    other_cells: i64,
    hidden_locals: i64,
    hidden_cells: i64,
    free: i64,
    from_globals: i64,
    from_builtins: i64,
    from_nowhere: i64,
    attrs: i64,
    unknown: i64,
}

impl Counts {
    fn args(&self) -> i64 {
        self.posonly + self.posorkw + self.kwonly + self.varargs + self.varkwargs
    }

    fn hidden(&self) -> i64 {
        self.hidden_locals + self.hidden_cells
    }

    fn locals(&self) -> i64 {
        self.args() + self.pure_locals + self.other_cells + self.hidden()
    }

    fn globals(&self) -> i64 {
        self.from_globals + self.from_builtins + self.from_nowhere
    }

    fn count_slots(&mut self, code: &Code) {
        for kind in code.localspluskinds() {
            let is = |bits: u8| kind & bits == bits;
            let counter = if is(CO_FAST_FREE) {
                &mut self.free
            } else if kind & (CO_FAST_ARG_POS | CO_FAST_ARG_KW | CO_FAST_ARG_VAR) != 0 {
                self.arg_cells += i64::from(is(CO_FAST_CELL));
                match (is(CO_FAST_ARG_VAR), is(CO_FAST_ARG_POS), is(CO_FAST_ARG_KW)) {
                    (true, true, _) => &mut self.varargs,
                    (true, ..) => &mut self.varkwargs,
                    (_, true, true) => &mut self.posorkw,
                    (_, true, _) => &mut self.posonly,
                    _ => &mut self.kwonly,
                }
            } else if is(CO_FAST_CELL) {
                if is(CO_FAST_HIDDEN) { &mut self.hidden_cells } else { &mut self.other_cells }
            } else if is(CO_FAST_LOCAL | CO_FAST_HIDDEN) {
                &mut self.hidden_locals
            } else {
                &mut self.pure_locals
            };
            *counter += 1;
        }
    }

    /// Sorts the names that the code loads as attributes and globals. A name may be both.
    fn count_names(&mut self, code: &Code, spaces: &Namespaces) -> PyResult<()> {
        let names = code.names().items();
        let (mut attrs, mut globals) = (vec![false; names.len()], vec![false; names.len()]);
        for (op, arg) in instructions(code) {
            let seen = match op {
                Opcode::LOAD_ATTR => attrs.get_mut(arg >> 1),
                Opcode::LOAD_GLOBAL => globals.get_mut(arg >> 1),
                _ => None,
            };
            if let Some(seen) = seen {
                *seen = true;
            }
        }
        for (index, name) in names.iter().enumerate() {
            if attrs[index] {
                self.attrs += 1;
            }
            if globals[index] {
                let counter = if spaces.globals_have(name)? {
                    &mut self.from_globals
                } else if spaces.builtins_have(name)? {
                    &mut self.from_builtins
                } else {
                    &mut self.from_nowhere
                };
                *counter += 1;
            }
            if !attrs[index] && !globals[index] {
                self.unknown += 1;
            }
        }
        Ok(())
    }

    fn to_dict(&self) -> PyResult<Ref> {
        let unbound = self.globals() + self.attrs + self.unknown;
        table(&[
            ("total", Cell::Number(self.locals() + self.free + unbound)),
            (
                "locals",
                Cell::Table(&[
                    ("total", Cell::Number(self.locals())),
                    (
                        "args",
                        Cell::Table(&[
                            ("total", Cell::Number(self.args())),
                            ("numposonly", Cell::Number(self.posonly)),
                            ("numposorkw", Cell::Number(self.posorkw)),
                            ("numkwonly", Cell::Number(self.kwonly)),
                            ("varargs", Cell::Number(self.varargs)),
                            ("varkwargs", Cell::Number(self.varkwargs)),
                        ]),
                    ),
                    ("numpure", Cell::Number(self.pure_locals)),
                    (
                        "cells",
                        Cell::Table(&[
                            ("total", Cell::Number(self.arg_cells + self.other_cells)),
                            ("numargs", Cell::Number(self.arg_cells)),
                            ("numothers", Cell::Number(self.other_cells)),
                        ]),
                    ),
                    (
                        "hidden",
                        Cell::Table(&[
                            ("total", Cell::Number(self.hidden())),
                            ("numpure", Cell::Number(self.hidden_locals)),
                            ("numcells", Cell::Number(self.hidden_cells)),
                        ]),
                    ),
                ]),
            ),
            ("numfree", Cell::Number(self.free)),
            (
                "unbound",
                Cell::Table(&[
                    ("total", Cell::Number(unbound)),
                    (
                        "globals",
                        Cell::Table(&[
                            ("total", Cell::Number(self.globals())),
                            ("numglobal", Cell::Number(self.from_globals)),
                            ("numbuiltin", Cell::Number(self.from_builtins)),
                            ("numunknown", Cell::Number(self.from_nowhere)),
                        ]),
                    ),
                    ("numattrs", Cell::Number(self.attrs)),
                    ("numunknown", Cell::Number(self.unknown)),
                ]),
            ),
        ])
    }
}

/// A number or a table of such, by name.
enum Cell<'a> {
    Number(i64),
    Table(&'a [(&'a str, Cell<'a>)]),
}

fn table(rows: &[(&str, Cell<'_>)]) -> PyResult<Ref> {
    let dict = Dict::new()?;
    for (name, cell) in rows {
        let value = match cell {
            Cell::Number(number) => Int::from_i64(*number).upcast(),
            Cell::Table(rows) => table(rows)?,
        };
        dict.set_text(name, &value)?;
    }
    Ok(dict.upcast())
}

/// Where names are looked for.
struct Namespaces {
    globals: Option<Ref>,
    builtins: Option<Ref>,
}

impl Namespaces {
    fn has(space: &Option<Ref>, name: &Object) -> PyResult<bool> {
        space.as_ref().map_or(Ok(false), |space| protocol::contains(space, name))
    }

    fn globals_have(&self, name: &Object) -> PyResult<bool> {
        Self::has(&self.globals, name)
    }

    fn builtins_have(&self, name: &Object) -> PyResult<bool> {
        Self::has(&self.builtins, name)
    }
}

/// The code of an argument that is code or a function, with the namespaces to look into.
fn subject(args: &Args<'_>, function: &str) -> PyResult<(Ref, Namespaces)> {
    let given = |index: usize| -> PyResult<Option<Ref>> {
        match args.get_some(index) {
            Some(value) if value.downcast::<Dict>().is_none() => Err(raise!(
                PyExc_TypeError,
                "{}() argument {} must be dict, not {}",
                function,
                index + 1,
                value.ty().message_name()
            )),
            other => Ok(other.map(Object::new_ref)),
        }
    };
    let (mut globals, mut builtins) = (given(1)?, given(2)?);
    let value = args.required(0);
    if value.downcast::<Code>().is_some() {
        return Ok((value.new_ref(), Namespaces { globals, builtins }));
    }
    if value.downcast::<Function>().is_none() {
        return Err(type_error("argument must be a code object or a function"));
    }
    let part = |name: &str| value.getattr(&*Str::from_utf8(name)?);
    if globals.is_none() {
        globals = Some(part("__globals__")?);
    }
    if builtins.is_none() {
        builtins = Some(part("__builtins__")?);
    }
    Ok((part("__code__")?, Namespaces { globals, builtins }))
}

fn counted(code: &Code, spaces: &Namespaces) -> PyResult<Counts> {
    let mut counts = Counts::default();
    counts.count_slots(code);
    counts.count_names(code, spaces)?;
    Ok(counts)
}

/// `get_code_var_counts(code, *, globalsns=None, builtinsns=None)`.
pub(super) fn var_counts(_: &Object, args: &Args<'_>) -> PyResult {
    let (code, spaces) = subject(args, "get_code_var_counts")?;
    counted(code_argument(&code)?, &spaces)?.to_dict()
}

/// `verify_stateless_code(code, *, globalsns=None, builtinsns=None)`: code that needs neither cells of others nor
/// globals could run anywhere.
pub(super) fn verify_stateless(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let (code, spaces) = subject(args, "verify_stateless_code")?;
    let counts = counted(code_argument(&code)?, &spaces)?;
    let refusal = if counts.free > 0 {
        "closures not supported"
    } else if counts.from_globals > 0
        // With builtins at hand, what is not among them must be meant for the globals.
        || ((counts.from_builtins > 0 || spaces.builtins.is_some()) && counts.from_nowhere > 0)
    {
        "globals not supported"
    } else {
        return Ok(());
    };
    Err(raise!(PyExc_ValueError, "{}", refusal))
}
