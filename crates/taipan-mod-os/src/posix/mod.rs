//! `posix`: what `os` is made of.
//!
//! One file per kind of thing: `files` by name, `fds` by number, `stat`, `scan` for folders,
//! `process`, `spawn`, `sched`, `ids`, and `names` for texts; `convert` turns arguments into what
//! the system takes.

pub mod convert;
mod fds;
mod files;
mod ids;
mod names;
pub mod process;
mod scan;
mod sched;
mod spawn;
mod stat;

use taipan_object::PyResult;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::statics::PyExc_OSError;
use taipan_object::unicode::Str;
use taipan_os::constants::{self, Table};

/// The configure results that `os` asks for, where its functions take descriptors and the like.
const HAVE: &[&str] = &[
    "HAVE_EVENTFD",
    "HAVE_TIMERFD_CREATE",
    "HAVE_FACCESSAT",
    "HAVE_FCHDIR",
    "HAVE_FCHMOD",
    "HAVE_FCHMODAT",
    "HAVE_FCHOWN",
    "HAVE_FCHOWNAT",
    "HAVE_FEXECVE",
    "HAVE_FDOPENDIR",
    "HAVE_FPATHCONF",
    "HAVE_FSTATAT",
    "HAVE_FSTATVFS",
    "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS",
    "HAVE_FUTIMES",
    "HAVE_FUTIMESAT",
    "HAVE_LINKAT",
    "HAVE_LCHOWN",
    "HAVE_LSTAT",
    "HAVE_LUTIMES",
    "HAVE_MEMFD_CREATE",
    "HAVE_MKDIRAT",
    "HAVE_MKFIFOAT",
    "HAVE_MKNODAT",
    "HAVE_OPENAT",
    "HAVE_READLINKAT",
    "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT",
    "HAVE_UNLINKAT",
    "HAVE_UTIMENSAT",
    "HAVE_PTSNAME_R",
];

/// A dict of names and numbers.
fn number_dict(module: &Module, name: &str, tables: &[Table]) -> PyResult<()> {
    let dict = Dict::new()?;
    for &(known, number) in tables.iter().copied().flatten() {
        dict.set_text(known, &Int::from_i64(number))?;
    }
    module.add(name, &dict)
}

fn init(module: &Module) -> PyResult<()> {
    for &(name, number) in constants::POSIX.iter().chain(constants::POSIX_OTHERS) {
        module.add(name, &Int::from_i64(number))?;
    }
    number_dict(module, "sysconf_names", &[constants::SYSCONF, constants::SYSCONF_OTHERS])?;
    number_dict(module, "confstr_names", &[constants::CONFSTR])?;
    number_dict(module, "pathconf_names", &[constants::PATHCONF])?;
    let mut have = Vec::with_capacity(HAVE.len());
    for name in HAVE {
        have.push(Str::from_utf8(name)?.upcast());
    }
    module.add("_have_functions", &*List::from_vec(have)?)?;
    module.add("error", &PyExc_OSError)?;
    stat::add(module)?;
    scan::add(module)?;
    fds::add(module)?;
    process::add(module)?;
    sched::add(module)?;
    for table in [ids::METHODS, names::METHODS, spawn::METHODS] {
        module.add_functions(table)?;
    }
    Ok(())
}

/// `posix`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "posix",
    doc: "The operating system as POSIX describes it. Programs use it through the module os.",
    methods: files::METHODS,
    init,
};
