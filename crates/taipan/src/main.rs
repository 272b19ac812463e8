//! The `taipan` command: puts the rooms together and runs a program.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use taipan_object::PyResult;
use taipan_object::module::ModuleSpec;
use taipan_runtime::config::{Config, Program};

/// The rooms of native modules besides `builtins` and `sys`.
const ROOMS: &[&[&ModuleSpec]] = &[
    taipan_runtime::MODULES,
    taipan_mod_io::MODULES,
    taipan_mod_iter::MODULES,
    taipan_mod_lang::MODULES,
    taipan_mod_math::MODULES,
    taipan_mod_os::MODULES,
    taipan_mod_text::MODULES,
    taipan_mod_data::MODULES,
    taipan_capi::MODULES,
];

#[global_allocator]
static ALLOCATOR: taipan_object::alloc::Allocator = taipan_object::alloc::Allocator;

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
    taipan_mod_io::install,
    taipan_capi::install,
];

const HELP: &str = "usage: taipan [option] ... [-c cmd | -m mod | file | -] [arg] ...\n\
Options (and corresponding environment variables):\n\
-b     : warn about converting bytes/bytearray to str and comparing\n         \
bytes/bytearray with str or bytes with int (-bb: raise an error)\n\
-B     : write no .pyc files; also PYTHONDONTWRITEBYTECODE=x\n\
-c cmd : run a program given as text (ends the options)\n\
-E     : ignore the PYTHON* variables\n\
-h     : show this help\n\
-i     : go on at the prompt when the program has ended\n\
-I     : isolate from the user's environment (-E, -P and -s)\n\
-m mod : run a module as a program (ends the options)\n\
-O     : leave out assert statements; also PYTHONOPTIMIZE=x\n\
-OO    : leave out docstrings as well\n\
-P     : put nothing unsafe in front of sys.path; also PYTHONSAFEPATH\n\
-q     : show no version at the prompt\n\
-s     : leave out the user's site-packages; also PYTHONNOUSERSITE=x\n\
-S     : do not import site\n\
-u     : leave standard output and error unbuffered; also PYTHONUNBUFFERED=x\n\
-v     : trace imports; also PYTHONVERBOSE=x\n\
-V     : show the version (-VV: with more detail)\n\
-W arg : a warnings filter; also PYTHONWARNINGS=arg\n\
-x     : skip the first line of the file\n\
-X opt : an option of the implementation\n";

fn main() -> ExitCode {
    taipan_object::alloc::configure();
    // What fails to be written here has nobody left to be told to.
    let say = |fd: i32, text: &str| taipan_os::write_standard(fd, text.as_bytes());
    let arguments = taipan_os::arguments();
    let mut config = match Config::parse(&arguments, &taipan_os::environment) {
        Ok(config) => config,
        Err(message) => {
            let _ = say(2, &message);
            return ExitCode::from(2);
        }
    };
    let shown = match &config.program {
        Program::Version(1) => Some(format!("Python {}\n", taipan_runtime::version())),
        Program::Version(_) => Some(format!("Python {}\n", taipan_runtime::full_version())),
        Program::Help(_) => Some(HELP.to_owned()),
        _ => None,
    };
    if let Some(text) = shown {
        let written = say(1, &text).and_then(|()| taipan_os::flush_standard(1));
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let executable = taipan_os::library::executable().unwrap_or_default();
    config.executable = executable.clone().into_os_string();
    config.prefix = match taipan_stdlib::prefix(&executable, config.ignore_environment > 0) {
        Ok(prefix) => prefix.to_string_lossy().into_owned(),
        Err(error) => {
            let _ = say(2, &format!("Fatal Python error: cannot unpack the library: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    let started = taipan_runtime::start::start(
        &config,
        &NATIVE,
        taipan_stdlib::FROZEN,
        taipan_types_meta::install_roots,
        TYPES,
    );
    if let Err(error) = started {
        let _ = say(2, "Fatal Python error: cannot start\n");
        // Showing an exception has its own last resorts.
        let _ = taipan_runtime::print_exception(error.exception());
        return ExitCode::FAILURE;
    }
    let status = taipan_runtime::run(&config);
    ExitCode::from(taipan_runtime::finish(status))
}
