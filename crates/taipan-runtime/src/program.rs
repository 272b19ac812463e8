//! Running what the command line names, and ending the interpreter.

use crate::compile::{Settings, compile_text};
use crate::config::{Config, Program};
use crate::printer::{os_error, print_exception, to_stderr};
use crate::repl;
use std::borrow::Cow;
use std::ffi::OsStr;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::Module;
use taipan_object::singletons::{is_none, new_bool, none};
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyErr, PyResult, Ref, intern, state};
use taipan_syntax::Mode;

/// Makes the module `__main__`; gives its namespace.
fn main_namespace() -> PyResult<Ref<Dict>> {
    let module = Module::new(intern!("__main__"), None)?;
    let interp = state::interp();
    interp.modules.set_text("__main__", &module)?;
    let builtins = interp.modules.get_text("builtins");
    module.add("__builtins__", builtins.as_deref().unwrap_or(none()))?;
    let loader = crate::import_module("importlib.machinery")?.getattr(intern!("BuiltinImporter"))?;
    module.add("__loader__", &loader)?;
    module.add("__spec__", none())?;
    Ok(Ref::of(module.dict()))
}

/// Puts a folder in front of `sys.path`, unless safe paths are asked for.
fn add_path(config: &Config, folder: &str) -> PyResult<()> {
    if config.safe_path { Ok(()) } else { add_first(folder) }
}

fn add_first(folder: &str) -> PyResult<()> {
    let sys = state::interp().sysdict.borrow().clone();
    let path = sys.and_then(|sys| sys.get_text("path")).and_then(|path| path.downcast_owned::<List>().ok());
    match path {
        Some(path) => path.insert(0, Str::from_utf8(folder)?.upcast()),
        None => Ok(()),
    }
}

/// Runs the program; gives the exit status.
pub fn run(config: &Config) -> u8 {
    let outcome = run_program(config);
    let mut status = match outcome {
        Ok(()) => 0,
        Err(error) => report(&error),
    };
    if config.inspect > 0 && !matches!(config.program, Program::StandardInput) {
        status = match repl::run() {
            Ok(()) => 0,
            Err(error) => report(&error),
        };
    }
    status
}

fn run_program(config: &Config) -> PyResult<()> {
    let globals = main_namespace()?;
    match &config.program {
        Program::Command(command) => {
            add_path(config, "")?;
            let settings = Settings::new(Mode::Exec);
            let code = compile_text(command, intern!("<string>"), settings)?;
            crate::run_code(&code, &globals)?;
        }
        Program::Module(name) => {
            add_path(config, &working_folder())?;
            run_module(name, true)?;
        }
        Program::File(path) => run_file(config, path, &globals)?,
        _ => {
            add_path(config, "")?;
            if taipan_os::is_terminal(0) || config.interactive > 0 {
                return repl::run();
            }
            let data = taipan_os::read_standard_input().map_err(os_error)?;
            as_main_file(&globals, intern!("<stdin>"), |globals| {
                run_source(config, &data, intern!("<stdin>"), globals)
            })?;
        }
    }
    Ok(())
}

fn working_folder() -> String {
    taipan_os::library::working_folder()
        .map(|folder| folder.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn run_module(name: &str, alter_argv: bool) -> PyResult<()> {
    let runpy = crate::import_module("runpy")?;
    let run = runpy.getattr(intern!("_run_module_as_main"))?;
    run.call(&[&*Str::from_utf8(name)?, &new_bool(alter_argv)])?;
    Ok(())
}

fn run_source(config: &Config, data: &[u8], filename: &Str, globals: &Dict) -> PyResult<()> {
    if let Some(zero) = data.iter().position(|byte| *byte == 0) {
        return Err(null_byte(&data[..zero], filename));
    }
    let text = crate::builtins::decode_named(data, filename, true)?;
    let text = match text.split_once('\n') {
        Some((_, rest)) if config.skip_first_line => Cow::Owned(format!("\n{rest}")),
        _ => text,
    };
    let settings = Settings::new(Mode::Exec);
    let code = compile_text(&text, filename, settings)?;
    crate::run_code(&code, globals)?;
    Ok(())
}

/// The error for a NUL in a file, of which `before` is what stands before it.
fn null_byte(before: &[u8], filename: &Str) -> PyErr {
    let line = before.iter().filter(|byte| **byte == b'\n').count() as i32 + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(&before[start..]);
    let message = "source code cannot contain null bytes";
    crate::compile::syntax_error_at(&PyExc_SyntaxError, message, filename, (line, 0), &text)
}

/// Runs the program of a file: its namespace knows the file as long as it runs.
fn as_main_file(globals: &Dict, file: &Str, program: impl FnOnce(&Dict) -> PyResult<()>) -> PyResult<()> {
    globals.set_text("__file__", file)?;
    globals.set_text("__cached__", none())?;
    let outcome = program(globals);
    for name in [intern!("__file__"), intern!("__cached__")] {
        globals.remove(name)?;
    }
    outcome
}

fn run_file(config: &Config, given: &OsStr, globals: &Dict) -> PyResult<()> {
    let path = &*absolute(given);
    let shown = path.to_string_lossy().into_owned();
    let python_path = taipan_object::system::fs_decode(path.as_encoded_bytes())?;
    // Folders and archives run their `__main__`, whatever the path hooks understand.
    if has_importer(&python_path)? {
        // The archive itself is where the code comes from, even for an isolated program.
        add_first(&shown)?;
        return run_module("__main__", false);
    }
    let data = match taipan_os::read_file(path) {
        Ok(data) => data,
        Err(number) => {
            let program = config.orig_argv.first().map(|name| name.to_string_lossy().into_owned());
            to_stderr(&format!(
                "{}: can't open file '{}': [Errno {number}] {}\n",
                program.unwrap_or_default(),
                shown,
                taipan_os::error_text(number)
            ));
            return Err(PyErr::with_args(&PyExc_SystemExit, &[&Int::from_i64(2)]));
        }
    };
    let folder = taipan_os::library::real_folder_of(path)
        .or_else(|| std::path::Path::new(path).parent().map(std::path::Path::to_owned))
        .map(|folder| folder.to_string_lossy().into_owned())
        .unwrap_or_default();
    add_path(config, &folder)?;
    let precompiled = shown.ends_with(".pyc");
    let loader = if precompiled { intern!("SourcelessFileLoader") } else { intern!("SourceFileLoader") };
    let loader = crate::import_module("importlib.machinery")?.getattr(loader)?;
    globals.set_text("__loader__", &*loader.call(&[intern!("__main__"), &python_path])?)?;
    as_main_file(globals, &python_path, |globals| match precompiled {
        true => run_pyc(&data, globals),
        false => run_source(config, &data, &python_path, globals),
    })
}

fn run_pyc(data: &[u8], globals: &Dict) -> PyResult<()> {
    let bad = || taipan_object::err::runtime_error("Bad magic number in .pyc file");
    if data.get(..4) != Some(&taipan_bytecode::marshal::MAGIC) || data.len() < 16 {
        return Err(bad());
    }
    let (code, _) = crate::marshal::loads(&data[16..], true)?;
    match code.downcast::<taipan_eval::code::Code>() {
        Some(code) => crate::run_code(code, globals).map(|_| ()),
        None => Err(taipan_object::err::runtime_error("Bad code object in .pyc file")),
    }
}

/// The path from the root on; nothing in it is made shorter.
fn absolute(path: &OsStr) -> Cow<'_, OsStr> {
    if path.as_encoded_bytes().starts_with(b"/") {
        return Cow::Borrowed(path);
    }
    let Some(folder) = taipan_os::library::working_folder() else { return Cow::Borrowed(path) };
    let mut whole = folder.into_os_string();
    if path != "." {
        whole.push("/");
        whole.push(path);
    }
    Cow::Owned(whole)
}

/// Whether a path hook takes the path.
fn has_importer(path: &Object) -> PyResult<bool> {
    let sys = crate::import_module("sys")?;
    let hooks = sys.getattr(intern!("path_hooks"))?;
    for hook in taipan_object::protocol::to_vec(&hooks)? {
        match hook.call(&[path]) {
            Ok(importer) => return Ok(!is_none(&importer)),
            Err(error) => {
                error.allow::<()>(&PyExc_ImportError)?;
            }
        }
    }
    Ok(false)
}

/// Shows what ended the program; gives the exit status.
pub(crate) fn report(error: &PyErr) -> u8 {
    if error.is(&PyExc_SystemExit) {
        return exit_status(error);
    }
    let value = error.exception();
    let hook = state::interp().sysdict.borrow().clone().and_then(|sys| sys.get_text("excepthook"));
    let shown = match hook {
        Some(hook) if !is_none(&hook) => {
            let traceback = value.traceback().unwrap_or_else(|| none().new_ref());
            hook.call(&[value.ty(), value, &traceback]).map(|_| ())
        }
        _ => print_exception(value),
    };
    if let Err(second) = shown {
        if second.is(&PyExc_SystemExit) {
            return exit_status(&second);
        }
        to_stderr("Error in sys.excepthook:\n");
        // Showing an exception has its own last resorts.
        let _ = print_exception(second.exception());
        to_stderr("\nOriginal exception was:\n");
        let _ = print_exception(value);
    }
    if error.is(&PyExc_KeyboardInterrupt) { 130 } else { 1 }
}

fn exit_status(error: &PyErr) -> u8 {
    let code = error.exception().getattr(intern!("code")).unwrap_or_else(|_| none().new_ref());
    if is_none(&code) {
        return 0;
    }
    match code.downcast::<Int>() {
        Some(int) => (int.to_i64().unwrap_or(-1) & 0xFF) as u8,
        None => {
            to_stderr(&format!("{}\n", code.str_lossy()));
            1
        }
    }
}
