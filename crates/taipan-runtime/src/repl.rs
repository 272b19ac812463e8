//! The prompt: reads a statement, runs it, shows what it gives.

use crate::compile::{Settings, compile_text};
use crate::program::report;
use taipan_object::dict::Dict;
use taipan_object::module::Module;
use taipan_object::singletons::is_none;
use taipan_object::statics::*;
use taipan_object::unicode::Str;
use taipan_object::{PyErr, PyResult, Ref, intern, state};
use taipan_syntax::Mode;

/// What reading a statement gave.
enum Input {
    Statement(String),
    End,
}

/// Reads and runs statements until the input ends.
///
/// # Errors
/// `SystemExit`.
pub(crate) fn run() -> PyResult<()> {
    let main = crate::import_module("__main__")?;
    let Ok(main) = main.downcast_owned::<Module>() else { return Ok(()) };
    let globals: Ref<Dict> = Ref::of(main.dict());
    let sys = crate::import_module("sys")?;
    for (name, prompt) in [(intern!("ps1"), ">>> "), (intern!("ps2"), "... ")] {
        if sys.getattr_opt(name)?.is_none() {
            sys.setattr(name, Some(&*Str::from_utf8(prompt)?))?;
        }
    }
    let quiet = sys.getattr(intern!("flags"))?.getattr(intern!("quiet"))?.is_true()?;
    if !quiet {
        let version = sys.getattr(intern!("version"))?.str_lossy();
        crate::to_stderr(&format!(
            "Python {version} on linux\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n"
        ));
    }
    if let Some(hook) = sys.getattr_opt(intern!("__interactivehook__"))? {
        // The hook sets up line editing, without which the prompt works all the same.
        if let Err(error) = hook.call(&[]) {
            error.allow::<()>(&PyExc_Exception)?;
        }
    }
    loop {
        match read() {
            Ok(Input::End) => {
                crate::to_stderr("\n");
                return Ok(());
            }
            Ok(Input::Statement(text)) => {
                if let Err(error) = execute(&text, &globals) {
                    if error.is(&PyExc_SystemExit) {
                        return Err(error);
                    }
                    remember(&error)?;
                    report(&error);
                }
            }
            Err(error) if error.is(&PyExc_KeyboardInterrupt) => crate::to_stderr("\nKeyboardInterrupt\n"),
            Err(error) => {
                if error.is(&PyExc_SystemExit) {
                    return Err(error);
                }
                report(&error);
            }
        }
    }
}

/// Keeps the exception for a look afterwards.
fn remember(error: &PyErr) -> PyResult<()> {
    let sys = crate::import_module("sys")?;
    let value = error.exception();
    sys.setattr(intern!("last_exc"), Some(value))?;
    sys.setattr(intern!("last_value"), Some(value))?;
    sys.setattr(intern!("last_type"), Some(value.ty()))?;
    let traceback = value.traceback().unwrap_or_else(taipan_object::singletons::new_none);
    sys.setattr(intern!("last_traceback"), Some(&traceback))
}

fn settings(incomplete: bool) -> Settings {
    Settings { allow_incomplete: incomplete, dont_imply_dedent: incomplete, ..Settings::new(Mode::Single) }
}

/// From this many lines on, only an empty line can end a block.
const LONG_BLOCK: usize = 100;

/// Whether a statement begins as only compound ones do.
fn opens_block(text: &str) -> bool {
    let first = text.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_' && c != '@').next();
    first.is_some_and(|word| match word {
        "if" | "while" | "for" | "try" | "with" | "def" | "class" | "async" => true,
        "match" => text.lines().next().is_some_and(|line| line.trim_end().ends_with(':')),
        _ => word.starts_with('@'),
    })
}

/// Reads lines until they make a whole statement.
fn read() -> PyResult<Input> {
    let mut text = String::new();
    let mut lines = 0;
    loop {
        let prompt = crate::import_module("sys")?
            .getattr(if text.is_empty() { intern!("ps1") } else { intern!("ps2") })?
            .str()?;
        let Some(line) = read_line(&prompt)? else {
            return Ok(if text.is_empty() { Input::End } else { Input::Statement(text) });
        };
        let blank = line.trim().is_empty();
        if text.is_empty() && blank {
            continue;
        }
        text.push_str(&line);
        lines += 1;
        // To look at all of a long block again with each line would cost the square of its length.
        if lines > LONG_BLOCK && !blank && opens_block(&text) {
            continue;
        }
        match compile_text(&text, intern!("<stdin>"), settings(true)) {
            Err(error) if error.is(&_PyExc_IncompleteInputError) => {}
            // A block goes on until an empty line.
            Ok(_) if !blank && opens_block(&text) => {}
            _ => return Ok(Input::Statement(text)),
        }
    }
}

fn read_line(prompt: &Str) -> PyResult<Option<String>> {
    let sys = crate::import_module("sys")?;
    let (stdin, stdout) = (sys.getattr(intern!("stdin"))?, sys.getattr(intern!("stdout"))?);
    if is_none(&stdin) || is_none(&stdout) {
        return Ok(None);
    }
    stdout.call_method(intern!("write"), &[prompt])?;
    stdout.call_method(intern!("flush"), &[])?;
    let line = stdin.call_method(intern!("readline"), &[])?.str()?;
    Ok(if line.is_empty() { None } else { Some(line.to_lossy()) })
}

fn execute(text: &str, globals: &Dict) -> PyResult<()> {
    let code = compile_text(text, intern!("<stdin>"), settings(false))?;
    crate::run_code(&code, globals)?;
    let state = state::interp().sysdict.borrow().clone();
    if let Some(stdout) = state.and_then(|sys| sys.get_text("stdout")).filter(|stream| !is_none(stream)) {
        stdout.call_method(intern!("flush"), &[])?;
    }
    Ok(())
}
