//! The `taipan` command: puts the rooms together and runs a program.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use taipan_object::dict::Dict;
use taipan_object::err::PyErr;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::statics::PyExc_SystemExit;
use taipan_object::unicode::Str;
use taipan_object::{PyResult, Ref, intern, singletons, state};
use taipan_runtime::{Settings, compile_text, print_exception, to_stderr};
use taipan_syntax::Mode;

/// The rooms of native modules besides `builtins` and `sys`.
const ROOMS: &[&[&ModuleSpec]] =
    &[taipan_mod_iter::MODULES, taipan_mod_math::MODULES, taipan_mod_os::MODULES, taipan_mod_data::MODULES];

const MODULE_COUNT: usize = {
    let (mut count, mut room) = (0, 0);
    while room < ROOMS.len() {
        count += ROOMS[room].len();
        room += 1;
    }
    count
};

/// All native modules, room after room.
static NATIVE: [&ModuleSpec; MODULE_COUNT] = {
    let mut all = [ROOMS[0][0]; MODULE_COUNT];
    let (mut room, mut module, mut at) = (0, 0, 0);
    while at < MODULE_COUNT {
        if module == ROOMS[room].len() {
            room += 1;
            module = 0;
        } else {
            all[at] = ROOMS[room][module];
            module += 1;
            at += 1;
        }
    }
    all
};

/// The rooms of the builtin types, in the order in which they depend on one another.
const TYPES: &[fn() -> PyResult<()>] = &[
    taipan_types_meta::install,
    taipan_types_num::install,
    taipan_types_text::install,
    taipan_types_collections::install,
];

/// What the command line asks for.
enum Program {
    Command(String),
    File(String),
    StandardInput,
    Version,
    Help,
}

const HELP: &str = "usage: taipan [-c CMD | FILE | -] [ARGUMENT ...]\n\
    -c CMD     run CMD as a program\n\
    -V         show the version\n\
    -h         show this help\n";

fn command_line() -> Result<(Program, Vec<String>), String> {
    let all: Vec<String> =
        taipan_os::arguments().iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let mut rest = all.into_iter().skip(1);
    let Some(first) = rest.next() else { return Ok((Program::StandardInput, vec![String::new()])) };
    let (program, name) = match first.as_str() {
        "-c" => match rest.next() {
            Some(command) => (Program::Command(command), "-c".to_owned()),
            None => return Err("Argument expected for the -c option".to_owned()),
        },
        "-" => (Program::StandardInput, "-".to_owned()),
        "-V" | "--version" => (Program::Version, String::new()),
        "-h" | "--help" => (Program::Help, String::new()),
        option if option.starts_with('-') => return Err(format!("unknown option {option}")),
        file => (Program::File(file.to_owned()), file.to_owned()),
    };
    let mut argv = vec![name];
    argv.extend(rest);
    Ok((program, argv))
}

fn main() -> ExitCode {
    let (program, argv) = match command_line() {
        Ok(parsed) => parsed,
        Err(message) => {
            // Nothing is left to tell when standard error itself fails.
            let _ = taipan_os::write_standard(2, format!("{message}\n{HELP}").as_bytes());
            return ExitCode::from(2);
        }
    };
    let shown = match program {
        Program::Version => Some("Python 3.14.10\n".to_owned()),
        Program::Help => Some(HELP.to_owned()),
        _ => None,
    };
    if let Some(text) = shown {
        let written = taipan_os::write_standard(1, text.as_bytes());
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let Err(error) = taipan_runtime::start::start(&NATIVE, taipan_types_meta::install_roots, TYPES) {
        let text = format!("Fatal Python error: cannot start: {}\n", error.exception().ty().name());
        let _ = taipan_os::write_standard(2, text.as_bytes());
        return ExitCode::FAILURE;
    }
    let status = match run(&program, &argv) {
        Ok(()) => 0,
        Err(error) => report(error),
    };
    if taipan_os::flush_standard(1).is_err() {
        return ExitCode::from(120);
    }
    ExitCode::from(status)
}

fn run(program: &Program, argv: &[String]) -> PyResult<()> {
    let mut names = Vec::with_capacity(argv.len());
    for name in argv {
        names.push(Str::from_utf8(name)?.upcast());
    }
    if let Some(sys) = state::interp().sysdict.borrow().as_ref() {
        sys.set_text("argv", &*List::from_vec(names)?)?;
    }
    let (text, filename) = match program {
        Program::Command(command) => (command.clone(), "<string>".to_owned()),
        Program::File(path) => (read(path)?, path.clone()),
        _ => (taipan_runtime::decode_source(&standard_input()?)?, "<stdin>".to_owned()),
    };
    let globals = main_namespace(&filename)?;
    let code = compile_text(&text, &filename, Settings::new(Mode::Exec))?;
    taipan_runtime::run_code(&code, &globals)?;
    Ok(())
}

fn standard_input() -> PyResult<Vec<u8>> {
    taipan_os::read_standard_input().map_err(taipan_runtime::os_error)
}

fn read(path: &str) -> PyResult<String> {
    match taipan_os::read_file(path.as_ref()) {
        Ok(data) => taipan_runtime::decode_source(&data),
        Err(number) => {
            to_stderr(&format!(
                "taipan: can't open file '{path}': [Errno {number}] {}\n",
                taipan_os::error_text(number)
            ));
            Err(PyErr::with_args(&PyExc_SystemExit, &[&taipan_object::int::Int::from_i64(2)]))
        }
    }
}

/// The namespace of `__main__`.
fn main_namespace(filename: &str) -> PyResult<Ref<Dict>> {
    let module = Module::new(intern!("__main__"), None)?;
    let interp = state::interp();
    interp.modules.set_text("__main__", &module)?;
    if let Some(builtins) = interp.modules.get_text("builtins") {
        module.add("__builtins__", &builtins)?;
    }
    if !filename.starts_with('<') {
        module.add("__file__", &*Str::from_utf8(filename)?)?;
    }
    Ok(Ref::of(module.dict()))
}

/// Shows what ended the program; gives the exit status.
fn report(error: PyErr) -> u8 {
    if !error.is(&PyExc_SystemExit) {
        // Showing an exception has its own last resorts.
        let _ = print_exception(error.exception());
        return 1;
    }
    let code = error.exception().getattr(intern!("code")).unwrap_or_else(|_| singletons::new_none());
    if singletons::is_none(&code) {
        return 0;
    }
    match code.downcast::<taipan_object::int::Int>() {
        Some(int) => (int.to_i64().unwrap_or(-1) & 0xFF) as u8,
        None => {
            to_stderr(&format!("{}\n", code.str_lossy()));
            1
        }
    }
}
