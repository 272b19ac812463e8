//! The constants of `sys`: versions, flags, limits.

use crate::config::Config;
use taipan_object::dict::Dict;
use taipan_object::float::Float;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::Module;
use taipan_object::singletons::{new_bool, new_none};
use taipan_object::structseq::StructSequence;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{PyResult, Ref, intern, state, struct_sequence};

/// Taipan's own version.
pub const TAIPAN_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The version of CPython that Taipan is compatible with.
pub const VERSION: (i64, i64, i64) = (3, 14, 10);
const HEXVERSION: i64 = VERSION.0 << 24 | VERSION.1 << 16 | VERSION.2 << 8 | 0xf0;

/// Not an instance of anything that Python code may make.
const FINAL: u64 = taipan_object::abi::Py_TPFLAGS_DISALLOW_INSTANTIATION;

struct_sequence! {
    static VERSION_INFO, VERSION_INFO_TYPE = c"sys.version_info", visible 5, flags FINAL, c"The version, part by part." {
        major c"changes with the language";
        minor c"changes with features";
        micro c"changes with repairs";
        releaselevel c"'alpha', 'beta', 'candidate' or 'final'";
        serial c"counts releases of one level";
    }
}

struct_sequence! {
    static FLAGS, FLAGS_TYPE = c"sys.flags", visible 18, flags FINAL, c"What the command line and the environment asked for." {
        debug c"-d";
        inspect c"-i";
        interactive c"-i";
        optimize c"-O or -OO";
        dont_write_bytecode c"-B";
        no_user_site c"-s";
        no_site c"-S";
        ignore_environment c"-E";
        verbose c"-v";
        bytes_warning c"-b";
        quiet c"-q";
        hash_randomization c"whether str hashes have a random seed";
        isolated c"-I";
        dev_mode c"-X dev";
        utf8_mode c"whether text is UTF-8 everywhere";
        warn_default_encoding c"-X warn_default_encoding";
        safe_path c"-P";
        int_max_str_digits c"-X int_max_str_digits";
        gil c"whether there is an interpreter lock";
        thread_inherit_context c"whether threads begin with a copy of their maker's context";
        context_aware_warnings c"whether warnings filters belong to the context";
    }
}

struct_sequence! {
    static FLOAT_INFO, FLOAT_INFO_TYPE = c"sys.float_info", visible 11, flags 0, c"The limits of floats." {
        max c"the greatest finite float";
        max_exp c"greatest e for which radix**(e-1) is a float";
        max_10_exp c"greatest e for which 10**e is a float";
        min c"the least positive normal float";
        min_exp c"least e for which radix**(e-1) is a normal float";
        min_10_exp c"least e for which 10**e is a normal float";
        dig c"decimal digits that every float keeps";
        mant_dig c"digits of the mantissa in base radix";
        epsilon c"distance from 1 to the next float";
        radix c"base of the exponent";
        rounds c"how results are rounded";
    }
}

struct_sequence! {
    static INT_INFO, INT_INFO_TYPE = c"sys.int_info", visible 4, flags 0, c"How ints are held." {
        bits_per_digit c"bits of a digit";
        sizeof_digit c"bytes that a digit takes";
        default_max_str_digits c"default limit of str conversion";
        str_digits_check_threshold c"least limit of str conversion";
    }
}

struct_sequence! {
    static HASH_INFO, HASH_INFO_TYPE = c"sys.hash_info", visible 9, flags 0, c"How hashes are worked out." {
        width c"bits of a hash";
        modulus c"the prime that numeric hashes are reduced by";
        inf c"hash of positive infinity";
        nan c"no longer used";
        imag c"multiplier of the imaginary part";
        algorithm c"algorithm for str and bytes";
        hash_bits c"its internal bits";
        seed_bits c"bits of its seed";
        cutoff c"up to which length a simpler algorithm is used";
    }
}

struct_sequence! {
    static THREAD_INFO, THREAD_INFO_TYPE = c"sys.thread_info", visible 3, flags 0, c"How threads are made." {
        name c"name of the implementation";
        lock c"what locks are made of";
        version c"version of the library";
    }
}

struct_sequence! {
    /// What `sys.unraisablehook` gets.
    pub(crate) static UNRAISABLE_ARGS, UNRAISABLE_ARGS_TYPE = c"UnraisableHookArgs", visible 5, flags 0, c"An exception that nobody can catch." {
        exc_type c"its type";
        exc_value c"the exception, perhaps None";
        exc_traceback c"its traceback, perhaps None";
        err_msg c"what to say, perhaps None";
        object c"where it happened, perhaps None";
    }
}

struct_sequence! {
    /// `sys.get_asyncgen_hooks()`.
    pub(crate) static ASYNCGEN_HOOKS, ASYNCGEN_HOOKS_TYPE = c"asyncgen_hooks", visible 2, flags 0, c"Hooks of asynchronous generators." {
        firstiter c"called when one is first iterated";
        finalizer c"called when one is about to go";
    }
}

fn int(value: i64) -> Ref {
    Int::from_i64(value).upcast()
}

fn text(value: &str) -> PyResult {
    Ok(Str::from_utf8(value)?.upcast())
}

/// A list of texts, the form that `sys.argv` and its kin have.
pub(super) fn texts<S: AsRef<str>>(values: &[S]) -> PyResult<Ref<List>> {
    let mut all = Vec::with_capacity(values.len());
    for value in values {
        all.push(text(value.as_ref())?);
    }
    List::from_vec(all)
}

fn version_info() -> PyResult<Ref<Tuple>> {
    VERSION_INFO.make(vec![int(VERSION.0), int(VERSION.1), int(VERSION.2), text("final")?, int(0)])
}

/// `sys.flags` of a configuration.
fn flags(config: &Config) -> PyResult<Ref<Tuple>> {
    let number = |value: i32| int(i64::from(value));
    FLAGS.make(vec![
        number(config.debug),
        number(config.inspect),
        number(config.interactive),
        number(config.optimize),
        number(config.dont_write_bytecode),
        number(config.no_user_site),
        number(config.no_site),
        number(config.ignore_environment),
        number(config.verbose),
        number(config.bytes_warning),
        number(config.quiet),
        int(i64::from(config.hash_seed != Some(0))),
        number(config.isolated),
        new_bool(config.dev_mode),
        number(config.utf8_mode),
        number(config.warn_default_encoding),
        new_bool(config.safe_path),
        number(config.int_max_str_digits),
        int(1),
        int(0),
        int(0),
    ])
}

/// Adds what does not depend on the command line.
pub(super) fn add_constants(module: &Module) -> PyResult<()> {
    for spec in [
        &VERSION_INFO,
        &FLAGS,
        &FLOAT_INFO,
        &INT_INFO,
        &HASH_INFO,
        &THREAD_INFO,
        &UNRAISABLE_ARGS,
        &ASYNCGEN_HOOKS,
    ] {
        let spec: &StructSequence = spec;
        spec.install()?;
    }
    module.add("version", &*text(&crate::full_version())?)?;
    module.add("version_info", &*version_info()?)?;
    module.add("hexversion", &int(HEXVERSION))?;
    module.add("api_version", &int(1013))?;
    module.add("maxsize", &int(i64::MAX))?;
    module.add("maxunicode", &int(0x10_FFFF))?;
    module.add("byteorder", intern!("little"))?;
    module.add("platform", intern!("linux"))?;
    module.add("platlibdir", intern!("lib"))?;
    module.add("abiflags", &*text("")?)?;
    module.add("float_repr_style", intern!("short"))?;
    module.add("copyright", &*text("Copyright (c) the Taipan developers.")?)?;
    module.add("_framework", &*text("")?)?;
    let git = Tuple::from_array([text("Taipan")?, text("")?, text("")?])?;
    module.add("_git", &git)?;
    module.add("float_info", &*float_info()?)?;
    let int_info = INT_INFO.make(vec![int(30), int(4), int(4300), int(640)])?;
    module.add("int_info", &int_info)?;
    let hash_info = HASH_INFO.make(vec![
        int(64),
        int((1 << 61) - 1),
        int(314_159),
        int(0),
        int(1_000_003),
        text("siphash13")?,
        int(64),
        int(128),
        int(0),
    ])?;
    module.add("hash_info", &hash_info)?;
    let thread_info = THREAD_INFO.make(vec![text("pthread")?, text("semaphore")?, new_none()])?;
    module.add("thread_info", &thread_info)?;
    module.add("implementation", &*implementation()?)
}

fn float_info() -> PyResult<Ref<Tuple>> {
    let float = |value: f64| Float::new(value).upcast();
    FLOAT_INFO.make(vec![
        float(f64::MAX),
        int(1024),
        int(308),
        float(f64::MIN_POSITIVE),
        int(-1021),
        int(-307),
        int(15),
        int(53),
        float(f64::EPSILON),
        int(2),
        int(1),
    ])
}

fn implementation() -> PyResult {
    let facts = Dict::new()?;
    facts.set_text("name", &*text("cpython")?)?;
    facts.set_text("cache_tag", &*text("cpython-314")?)?;
    facts.set_text("version", &*version_info()?)?;
    facts.set_text("hexversion", &int(HEXVERSION))?;
    facts.set_text("_multiarch", &*text("x86_64-linux-gnu")?)?;
    facts.set_text("supports_isolated_interpreters", &new_bool(false))?;
    facts.set_text("_taipan", &*text(TAIPAN_VERSION)?)?;
    let ty: &taipan_object::Type = &taipan_types_collections::misc::namespace::TYPE;
    taipan_object::protocol::vectorcall_with_dict(ty, &[], Some(&facts))
}

/// Adds what the command line and the environment said.
pub(super) fn add_configuration(sys: &Dict, config: &Config) -> PyResult<()> {
    let lossy = |values: &[std::ffi::OsString]| -> Vec<String> {
        values.iter().map(|value| value.to_string_lossy().into_owned()).collect()
    };
    sys.set_text("flags", &*flags(config)?)?;
    sys.set_text("argv", &*texts(&lossy(&config.argv))?)?;
    sys.set_text("orig_argv", &*texts(&lossy(&config.orig_argv))?)?;
    sys.set_text("warnoptions", &*texts(&config.warnoptions)?)?;
    let executable = text(&config.executable.to_string_lossy())?;
    sys.set_text("executable", &executable)?;
    sys.set_text("_base_executable", &executable)?;
    let prefix = text(&config.prefix)?;
    for name in ["prefix", "exec_prefix", "base_prefix", "base_exec_prefix"] {
        sys.set_text(name, &prefix)?;
    }
    let library = format!("{}/lib/python3.14", config.prefix);
    sys.set_text("_stdlib_dir", &*text(&library)?)?;
    let mut path = config.path.clone();
    path.push(format!("{}/lib/python314.zip", config.prefix));
    path.push(library.clone());
    path.push(format!("{library}/lib-dynload"));
    sys.set_text("path", &*texts(&path)?)?;
    sys.set_text("dont_write_bytecode", &new_bool(config.dont_write_bytecode > 0))?;
    let pycache = match &config.pycache_prefix {
        Some(prefix) => text(prefix)?,
        None => new_none(),
    };
    sys.set_text("pycache_prefix", &pycache)?;
    sys.set_text("_home", &new_none())?;
    let options = Dict::new()?;
    for (name, value) in &config.xoptions {
        let value = match value {
            Some(value) => text(value)?,
            None => new_bool(true),
        };
        options.set_text(name, &value)?;
    }
    sys.set_text("_xoptions", &options)?;
    config.install();
    state::interp().int_max_str_digits.set(config.int_max_str_digits);
    state::interp().dev_mode.set(config.dev_mode);
    Ok(())
}
