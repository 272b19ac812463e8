//! `errno`: the numbers of system errors by name, and their names by number.

use taipan_object::PyResult;
use taipan_object::dict::Dict;
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::unicode::Str;
use taipan_os::constants::ERRNO;

fn init(module: &Module) -> PyResult<()> {
    let names = Dict::new()?;
    for &(name, number) in ERRNO {
        let number = Int::from_i64(number);
        module.add(name, &number)?;
        // Of two names for one number the table keeps the one that CPython keeps.
        if !matches!(name, "EWOULDBLOCK" | "EDEADLK" | "EOPNOTSUPP") {
            names.set(&number, &*Str::from_utf8(name)?)?;
        }
    }
    module.add("errorcode", &names)
}

/// `errno`.
pub static SPEC: ModuleSpec = ModuleSpec {
    name: "errno",
    doc: "The numbers of system errors.\n\nEach is an attribute; `errorcode` is the dict of names by number.",
    methods: &[],
    init,
};
