//! Running programs: `execv`, `execve`, `posix_spawn`.

use super::convert::{Also, Path, c_name, int, name_bytes, os_error, sequence};
use super::sched::priority;
use std::ffi::CString;
use taipan_object::err::{type_error, value_error};
use taipan_object::native::Args;
use taipan_object::statics::{PyExc_TypeError, PyExc_ValueError};
use taipan_object::system::fspath;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, intern, protocol, raise};
use taipan_os::process::{self, FileAction, SpawnOptions};

/// Signals are numbered from 1 to this.
const MOST_SIGNAL: i64 = 64;

/// The arguments of a program; `what` begins the messages.
fn argv(object: &Object, what: &str) -> PyResult<Vec<CString>> {
    let Some(items) = sequence(object) else {
        return Err(raise!(PyExc_TypeError, "{what} must be a tuple or list"));
    };
    if items.is_empty() {
        return Err(raise!(PyExc_ValueError, "{what} must not be empty"));
    }
    let mut args = Vec::with_capacity(items.len());
    for item in &items {
        args.push(c_name(item)?);
    }
    if args[0].is_empty() {
        return Err(raise!(PyExc_ValueError, "{what} first element cannot be empty"));
    }
    Ok(args)
}

fn is_mapping(object: &Object) -> bool {
    object.ty().lookup(intern!("__getitem__")).is_some()
        && object.downcast::<taipan_object::unicode::Str>().is_none()
}

/// The environment of a program, from a mapping.
fn environment(mapping: &Object) -> PyResult<Vec<CString>> {
    let list = |name, method: &str| -> PyResult<Vec<Ref>> {
        let made = mapping.call_method(name, &[])?;
        protocol::to_vec(&made).map_err(|_| {
            raise!(
                PyExc_TypeError,
                "{}.{method}() returned a non-iterable (type {})",
                mapping.ty().message_name(),
                made.ty().message_name()
            )
        })
    };
    let keys = list(intern!("keys"), "keys")?;
    let values = list(intern!("values"), "values")?;
    if keys.len() != values.len() {
        return Err(value_error("env.keys() and env.values() differ in length"));
    }
    let mut all = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(&values) {
        let (mut row, _) = name_bytes(&*fspath(key)?)?;
        let (value, _) = name_bytes(&*fspath(value)?)?;
        if row.is_empty() || row.contains(&b'=') {
            return Err(value_error("illegal environment variable name"));
        }
        row.push(b'=');
        row.extend(value);
        all.push(CString::new(row).map_err(|_| value_error("embedded null byte"))?);
    }
    Ok(all)
}

fn execv(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("execv", "path", Some(args.required(0)), Also::Nothing)?;
    let argv = argv(args.required(1), "execv() arg 2")?;
    Err(os_error(process::exec(path.name(), &argv, None)))
}

fn execve(_: &Object, args: &Args<'_>) -> PyResult<()> {
    let path = Path::of("execve", "path", Some(args.required(0)), Also::Fd)?;
    let given = args.required(1);
    if sequence(given).is_none() {
        return Err(type_error("execve: argv must be a tuple or list"));
    }
    if sequence(given).is_some_and(|items| items.is_empty()) {
        return Err(value_error("execve: argv must not be empty"));
    }
    if !is_mapping(args.required(2)) {
        return Err(type_error("execve: environment must be a mapping object"));
    }
    let argv = argv(given, "execve: argv")?;
    let all = environment(args.required(2))?;
    let errno = match path.fd {
        Some(fd) => process::fexec(fd, &argv, &all),
        None => process::exec(path.name(), &argv, Some(&all)),
    };
    Err(path.error(errno))
}

fn tuple_of<'a>(item: &'a Object, kind: &str, count: usize) -> PyResult<&'a [&'a Object]> {
    let tuple = item.downcast::<Tuple>().filter(|tuple| tuple.len() == count);
    tuple
        .map(|tuple| tuple.items())
        .ok_or_else(|| raise!(PyExc_TypeError, "A {kind} file_action tuple must have {count} elements"))
}

fn file_action(item: &Object) -> PyResult<FileAction> {
    let Some(tuple) = item.downcast::<Tuple>().filter(|tuple| !tuple.is_empty()) else {
        return Err(type_error("Each file_actions element must be a non-empty tuple"));
    };
    match int(tuple.items()[0])? {
        0 => {
            let parts = tuple_of(item, "open", 5)?;
            let fd = int(parts[1])?;
            let path = c_name(parts[2])?;
            Ok(FileAction::Open { fd, path, flags: int(parts[3])?, mode: int(parts[4])?.cast_unsigned() })
        }
        1 => Ok(FileAction::Close(int(tuple_of(item, "close", 2)?[1])?)),
        2 => {
            let parts = tuple_of(item, "dup2", 3)?;
            Ok(FileAction::Dup2(int(parts[1])?, int(parts[2])?))
        }
        3 => Ok(FileAction::CloseFrom(int(tuple_of(item, "closefrom", 2)?[1])?)),
        _ => Err(type_error("Unknown file_actions identifier")),
    }
}

fn signals(object: Option<&Object>) -> PyResult<Option<Vec<i32>>> {
    let Some(object) = object else { return Ok(None) };
    let mut all = Vec::new();
    for item in protocol::to_vec(object)? {
        let number = item.to_index()?;
        let number = number.to_i64().unwrap_or(if number.is_negative() { -1 } else { i64::MAX });
        if !(1..=MOST_SIGNAL).contains(&number) {
            return Err(value_error(&format!("signal number {number} out of range [1; {MOST_SIGNAL}]")));
        }
        all.push(number as i32);
    }
    Ok(Some(all))
}

fn scheduler(object: &Object, function: &str) -> PyResult<(Option<i32>, i32)> {
    let Some(tuple) = object.downcast::<Tuple>() else {
        return Err(raise!(PyExc_TypeError, "{function}: scheduler must be a tuple or None"));
    };
    let &[policy, param] = tuple.items() else {
        return Err(type_error("A scheduler tuple must have two elements"));
    };
    let policy = if taipan_object::singletons::is_none(policy) { None } else { Some(int(policy)?) };
    Ok((policy, priority(param)?))
}

fn spawn_as(function: &str, args: &Args<'_>, search: bool) -> PyResult<i32> {
    let path = Path::of(function, "path", Some(args.required(0)), Also::Nothing)?;
    let what = format!("{function}: argv");
    let given = args.required(1);
    let Some(items) = sequence(given) else {
        return Err(raise!(PyExc_TypeError, "{what} must be a tuple or list"));
    };
    if items.is_empty() {
        return Err(raise!(PyExc_ValueError, "{what} must not be empty"));
    }
    let mapping = args.get_some(2);
    if mapping.is_some_and(|mapping| !is_mapping(mapping)) {
        return Err(raise!(PyExc_TypeError, "{function}: environment must be a mapping object or None"));
    }
    let argv = argv(given, &what)?;
    let all = mapping.map(environment).transpose()?;
    let mut options = SpawnOptions { search, ..SpawnOptions::default() };
    if let Some(actions) = args.get_some(3) {
        let Some(actions) = sequence(actions).map_or_else(|| protocol::to_vec(actions).ok(), Some) else {
            return Err(type_error("file_actions must be a sequence or None"));
        };
        for action in &actions {
            options.actions.push(file_action(action)?);
        }
    }
    options.group = args.get_some(4).map(int).transpose()?;
    options.reset_ids = args.bool_or(5, false)?;
    options.new_session = args.bool_or(6, false)?;
    options.mask = signals(args.get(7))?;
    options.defaults = signals(args.get(8))?;
    options.scheduler = args.get_some(9).map(|object| scheduler(object, function)).transpose()?;
    process::spawn(path.name(), &argv, all.as_deref(), &options).map_err(|errno| path.error(errno))
}

fn posix_spawn(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    spawn_as("posix_spawn", args, false)
}

fn posix_spawnp(_: &Object, args: &Args<'_>) -> PyResult<i32> {
    spawn_as("posix_spawnp", args, true)
}

taipan_object::methods! {
    pub(super) static METHODS = {
        args "execv" "($module, path, argv, /)" = execv, "Become another program.";
        args "execve" "($module, /, path, argv, env)" = execve, "Become another program, with an environment of its own.";
        args "posix_spawn" "($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)" = posix_spawn, "Run a program in a new process; gives its number.\n\n  env\n    A mapping, or None for the environment of this process.\n  file_actions\n    Tuples that say what to open, close and duplicate in the child.";
        args "posix_spawnp" "($module, path, argv, env, /, *, file_actions=(), setpgroup=None, resetids=False, setsid=False, setsigmask=(), setsigdef=(), scheduler=None)" = posix_spawnp, "As posix_spawn, with the program looked up in PATH.";
    }
}
