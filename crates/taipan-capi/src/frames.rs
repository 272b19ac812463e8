//! `code.h`, `frameobject.h`, `traceback.h`, `genobject.h`: code, frames, tracebacks, generators.

use crate::border::{Obj, arg, bad_call, export, export_plain, text, typed};
use core::ffi::{c_char, c_int, c_void};
use taipan_abi::*;
use taipan_eval::code::{Code, Parts};
use taipan_eval::frame::Frame;
use taipan_eval::frame_object::{self, FrameObject};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{self, PyResult};
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, Ref, intern};

/// A code object without a program: it only names a place in a file.
pub fn empty_code(file: &str, function: &str, line: i32) -> PyResult<Ref<Code>> {
    use taipan_bytecode::op;
    let name = taipan_object::unicode::intern(Str::from_utf8(function)?);
    // It raises `AssertionError`, if anybody should run it; all three units stand on the one line.
    let code = [op::RESUME, 0, op::LOAD_COMMON_CONSTANT, 0, op::RAISE_VARARGS, 1];
    Code::from_parts(Parts {
        argcount: 0,
        posonlyargcount: 0,
        kwonlyargcount: 0,
        stacksize: 1,
        flags: CO_OPTIMIZED | CO_NEWLOCALS,
        code: &code,
        consts: Tuple::empty(),
        names: Tuple::empty(),
        localsplusnames: Tuple::empty(),
        localspluskinds: Bytes::new(&[])?,
        filename: Str::from_utf8(file)?,
        qualname: name.clone(),
        name,
        firstlineno: line,
        linetable: Bytes::new(&[0xEA, 0])?,
        exceptiontable: Bytes::new(&[])?,
    })
}

const CO_OPTIMIZED: u32 = 1;
const CO_NEWLOCALS: u32 = 2;

/// A frame object for a place that is no Python code.
pub fn frame_of(code: &Code, globals: &Dict) -> PyResult<Ref<FrameObject>> {
    frame_object::detached(code, globals)
}

/// Adds a frame object's place to the traceback of the raised exception.
pub fn traceback_here(frame: &FrameObject) -> PyResult<()> {
    let Some(error) = err::fetch_opt() else { return Ok(()) };
    taipan_eval::traceback::add_object(&error, frame)?;
    err::restore(error);
    Ok(())
}

/// The fixed part of a code object's construction, as C passes it.
#[expect(clippy::too_many_arguments, reason = "the C function has them")]
unsafe fn new_code(
    counts: [c_int; 6],
    code: Obj,
    consts: Obj,
    names: Obj,
    locals: [Obj; 3],
    file: Obj,
    name: Obj,
    qualname: Obj,
    line: c_int,
    tables: [Obj; 2],
) -> PyResult {
    use taipan_object::int::Int;
    // SAFETY: live objects by the callers' contract.
    unsafe {
        let [arguments, positional, keyword, nlocals, stack, flags] = counts;
        let [vars, free, cells] = locals;
        let numbers: Vec<Ref<Int>> = [arguments, positional, keyword, nlocals, stack, flags, line]
            .iter()
            .map(|&number| Int::from_i64(i64::from(number)))
            .collect();
        let [linetable, exceptions] = tables;
        PyCode_Type.call(&[
            &numbers[0],
            &numbers[1],
            &numbers[2],
            &numbers[3],
            &numbers[4],
            &numbers[5],
            arg(code)?,
            arg(consts)?,
            arg(names)?,
            arg(vars)?,
            arg(file)?,
            arg(name)?,
            arg(qualname)?,
            &numbers[6],
            arg(linetable)?,
            arg(exceptions)?,
            arg(free)?,
            arg(cells)?,
        ])
    }
}

unsafe fn frame<'a>(object: Obj) -> PyResult<&'a FrameObject> {
    // SAFETY: a live object by the callers' contract.
    unsafe { typed(object) }
}

/// The line that a frame is at: what C has written, or where the code is.
fn line_of(frame: &FrameObject) -> c_int {
    // SAFETY: the view guarantees the layout; the frame is live while its object is.
    unsafe {
        let written = (*frame.raw()).f_lineno;
        if written != 0 {
            return written;
        }
        let inner = frame.frame();
        if inner.is_null() { -1 } else { Frame::line(inner).unwrap_or(-1) }
    }
}

export! {
    fn PyCode_NewEmpty(file: *const c_char, function: *const c_char, line: c_int) -> Obj {
        empty_code(text(file)?, text(function)?, line)
    }

    fn PyUnstable_Code_New(arguments: c_int, keyword: c_int, nlocals: c_int, stack: c_int, flags: c_int, code: Obj, consts: Obj, names: Obj, vars: Obj, free: Obj, cells: Obj, file: Obj, name: Obj, qualname: Obj, line: c_int, linetable: Obj, exceptions: Obj) -> Obj {
        new_code([arguments, 0, keyword, nlocals, stack, flags], code, consts, names, [vars, free, cells], file, name, qualname, line, [linetable, exceptions])
    }

    fn PyUnstable_Code_NewWithPosOnlyArgs(arguments: c_int, positional: c_int, keyword: c_int, nlocals: c_int, stack: c_int, flags: c_int, code: Obj, consts: Obj, names: Obj, vars: Obj, free: Obj, cells: Obj, file: Obj, name: Obj, qualname: Obj, line: c_int, linetable: Obj, exceptions: Obj) -> Obj {
        new_code([arguments, positional, keyword, nlocals, stack, flags], code, consts, names, [vars, free, cells], file, name, qualname, line, [linetable, exceptions])
    }

    fn PyCode_GetCode(code: Obj) -> Obj {
        arg(code)?.getattr(intern!("co_code"))
    }

    fn PyCode_GetVarnames(code: Obj) -> Obj {
        arg(code)?.getattr(intern!("co_varnames"))
    }

    fn PyCode_GetCellvars(code: Obj) -> Obj {
        arg(code)?.getattr(intern!("co_cellvars"))
    }

    fn PyCode_GetFreevars(code: Obj) -> Obj {
        arg(code)?.getattr(intern!("co_freevars"))
    }

    fn PyCode_Addr2Line(code: Obj, offset: c_int) -> c_int {
        let code = typed::<Code>(code)?;
        if offset < 0 {
            return Ok(code.firstlineno());
        }
        Ok(code.line_of(offset.unsigned_abs() as usize / 2).unwrap_or(-1))
    }

    fn PyFrame_New(_thread: *mut c_void, code: Obj, globals: Obj, _locals: Obj) -> Obj {
        frame_of(typed(code)?, typed(globals)?)
    }

    fn PyFrame_GetCode(object: Obj) -> Obj {
        frame_object::code_of(frame(object)?).ok_or_else(bad_call)
    }

    fn PyFrame_GetBack(object: Obj) -> Obj {
        frame_object::back(frame(object)?)
    }

    fn PyFrame_GetLineNumber(object: Obj) -> c_int {
        Ok(line_of(frame(object)?))
    }

    fn PyFrame_GetLasti(object: Obj) -> c_int {
        let inner = frame(object)?.frame();
        Ok(if inner.is_null() { -1 } else { (Frame::lasti(inner) * 2) as c_int })
    }

    fn PyFrame_GetGlobals(object: Obj) -> Obj {
        arg(object)?.getattr(intern!("f_globals"))
    }

    fn PyFrame_GetLocals(object: Obj) -> Obj {
        arg(object)?.getattr(intern!("f_locals"))
    }

    fn PyFrame_GetBuiltins(object: Obj) -> Obj {
        arg(object)?.getattr(intern!("f_builtins"))
    }

    fn PyFrame_GetGenerator(object: Obj) -> Obj {
        let generator = arg(object)?.getattr_opt(intern!("f_generator"))?;
        Ok(generator.filter(|generator| !taipan_object::singletons::is_none(generator)))
    }

    fn PyFrame_GetVarString(object: Obj, name: *const c_char) -> Obj {
        arg(object)?.getattr(intern!("f_locals"))?.get_item(&*Str::from_utf8(text(name)?)?)
    }

    fn PyFrame_GetVar(object: Obj, name: Obj) -> Obj {
        arg(object)?.getattr(intern!("f_locals"))?.get_item(arg(name)?)
    }

    fn PyTraceBack_Here(object: Obj) -> c_int {
        traceback_here(frame(object)?)
    }

    fn PyTraceBack_Print(traceback: Obj, file: Obj) -> c_int {
        let none = taipan_object::singletons::none();
        crate::border::call_in_module("traceback", "print_tb", &[arg(traceback)?, none, arg(file)?]).map(drop)
    }

    fn PyGen_GetCode(generator: Obj) -> Obj {
        let generator = arg(generator)?;
        let name = if generator.is_exact(&PyCoro_Type) {
            intern!("cr_code")
        } else if generator.is_exact(&PyAsyncGen_Type) {
            intern!("ag_code")
        } else {
            intern!("gi_code")
        };
        generator.getattr(name)
    }

    fn PyFunction_New(code: Obj, globals: Obj) -> Obj {
        taipan_eval::function::Function::new(typed(code)?, typed(globals)?, None)
    }

    fn PyFunction_NewWithQualName(code: Obj, globals: Obj, qualname: Obj) -> Obj {
        let qualname = Object::borrow_opt(qualname).and_then(Object::downcast::<Str>);
        taipan_eval::function::Function::new(typed(code)?, typed(globals)?, qualname)
    }

    fn PyFunction_GetCode(function: Obj) -> Obj {
        Ok::<&Object, _>(typed::<taipan_eval::function::Function>(function)?.code())
    }

    fn PyFunction_GetGlobals(function: Obj) -> Obj {
        Ok::<&Object, _>(typed::<taipan_eval::function::Function>(function)?.globals())
    }

    fn PyCell_New(value: Obj) -> Obj {
        taipan_types_collections::misc::cell::Cell::new(Object::borrow_opt(value).map(Object::new_ref))
    }

    fn PyCell_Get(cell: Obj) -> Obj {
        Ok(typed::<taipan_types_collections::misc::cell::Cell>(cell)?.get())
    }

    fn PyCell_Set(cell: Obj, value: Obj) -> c_int {
        let value = Object::borrow_opt(value).map(Object::new_ref);
        typed::<taipan_types_collections::misc::cell::Cell>(cell)?.set(value);
        Ok(())
    }
}

export_plain! {
    fn PyUnstable_InterpreterFrame_GetLine(frame: *mut Frame) -> c_int {
        Frame::line(frame).unwrap_or(-1)
    }

    fn PyUnstable_InterpreterFrame_GetLasti(frame: *mut Frame) -> c_int {
        (Frame::lasti(frame) * 2) as c_int
    }

    fn PyCode_GetNumFree(code: *mut PyCodeObject) -> isize {
        (*code).co_nfreevars as isize
    }
}
