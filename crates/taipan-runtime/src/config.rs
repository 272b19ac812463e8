//! What the command line and the environment ask for.
//!
//! [`Config::parse`] follows CPython's own order: options up to the first thing that is none; `-c` and `-m`
//! end them; then the `PYTHON*` variables, unless `-E` or `-I` turn them off.

use std::cell::RefCell;
use std::ffi::OsString;

use taipan_object::state;

/// The configuration that an interpreter was started with.
#[derive(Default)]
struct Started(RefCell<Option<Config>>);

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// `-c CMD`
    Command(String),
    /// `-m MODULE`
    Module(String),
    /// A file, or a folder or archive with a `__main__`.
    File(OsString),
    /// `-`, or nothing at all.
    StandardInput,
    /// `-V`, `-VV`
    Version(u32),
    /// `-h` and its kin; the option.
    Help(String),
}

/// Everything that start-up depends on.
#[derive(Clone, Debug)]
pub struct Config {
    pub program: Program,
    pub argv: Vec<OsString>,
    pub orig_argv: Vec<OsString>,
    pub executable: OsString,
    /// The folder that holds the library's `lib/python3.14`.
    pub prefix: String,
    pub debug: i32,
    pub inspect: i32,
    pub interactive: i32,
    pub optimize: i32,
    pub dont_write_bytecode: i32,
    pub no_user_site: i32,
    pub no_site: i32,
    pub ignore_environment: i32,
    pub verbose: i32,
    pub bytes_warning: i32,
    pub quiet: i32,
    pub isolated: i32,
    pub dev_mode: bool,
    pub utf8_mode: i32,
    pub warn_default_encoding: i32,
    pub safe_path: bool,
    pub unbuffered: bool,
    pub skip_first_line: bool,
    /// Whether code objects know more of places than lines.
    pub code_debug_ranges: bool,
    /// The seed of str hashes: `None` for a random one.
    pub hash_seed: Option<u32>,
    pub int_max_str_digits: i32,
    /// What imports tell of the time they take.
    pub import_time: u8,
    pub warnoptions: Vec<String>,
    pub xoptions: Vec<(String, Option<String>)>,
    pub pycache_prefix: Option<String>,
    pub check_hash_based_pycs: String,
    /// `PYTHONPATH`.
    pub path: Vec<String>,
    pub io_encoding: Option<String>,
    pub startup: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            program: Program::StandardInput,
            argv: Vec::new(),
            orig_argv: Vec::new(),
            executable: OsString::new(),
            prefix: String::new(),
            debug: 0,
            inspect: 0,
            interactive: 0,
            optimize: 0,
            dont_write_bytecode: 0,
            no_user_site: 0,
            no_site: 0,
            ignore_environment: 0,
            verbose: 0,
            bytes_warning: 0,
            quiet: 0,
            isolated: 0,
            dev_mode: false,
            utf8_mode: 1,
            warn_default_encoding: 0,
            safe_path: false,
            unbuffered: false,
            skip_first_line: false,
            code_debug_ranges: true,
            hash_seed: None,
            int_max_str_digits: 4300,
            import_time: 0,
            warnoptions: Vec::new(),
            xoptions: Vec::new(),
            pycache_prefix: None,
            check_hash_based_pycs: "default".to_owned(),
            path: Vec::new(),
            io_encoding: None,
            startup: None,
        }
    }
}

/// The digits that `int` to `str` conversion must at least be allowed, if it is limited at all.
const LEAST_DIGITS: i32 = 640;

fn digits(text: &str) -> Option<i32> {
    text.trim().parse::<i32>().ok().filter(|value| *value == 0 || *value >= LEAST_DIGITS)
}

/// What a value says about the times of imports: whatever is no number means yes.
fn import_time(text: &str) -> Option<u8> {
    match text.parse::<i64>() {
        Ok(level @ 0..=2) => Some(level as u8),
        Ok(_) => None,
        Err(_) => Some(1),
    }
}

fn bad_import_time(option: &str) -> String {
    format!(
        "Fatal Python error: config_init_import_time: {option} values other than 1 and 2 are reserved for future \
         use.\nPython runtime state: preinitialized\n"
    )
}

impl Config {
    /// Notes that the running interpreter was started with this.
    pub(crate) fn install(&self) {
        *state::interp().extension(Started::default).0.borrow_mut() = Some(self.clone());
        taipan_eval::code::keep_debug_ranges(self.code_debug_ranges);
        state::interp().import_time.set(self.import_time);
    }

    /// What the running interpreter was started with.
    pub(crate) fn of_interpreter() -> Option<Config> {
        state::interp().extension(Started::default).0.borrow().clone()
    }

    /// Reads the command line (the program's own name first) and the environment.
    ///
    /// # Errors
    /// A text for the user; the exit status is 2.
    pub fn parse(
        arguments: &[OsString],
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Config, String> {
        let mut config = Config { orig_argv: arguments.to_vec(), ..Config::default() };
        let name = arguments.first().cloned().unwrap_or_default();
        let shown = name.to_string_lossy().into_owned();
        config.options(arguments).map_err(|message| {
            format!("{message}\nusage: {shown} [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `taipan -h' for more information.\n")
        })?;
        if config.isolated > 0 {
            config.ignore_environment = 1;
            config.no_user_site = 1;
            config.safe_path = true;
        }
        if config.ignore_environment == 0 {
            config.environment(environment)?;
        }
        config.implementation_options()?;
        if config.dev_mode {
            config.warnoptions.insert(0, "default".to_owned());
        }
        Ok(config)
    }

    fn options(&mut self, arguments: &[OsString]) -> Result<(), String> {
        let mut at = 1;
        while at < arguments.len() {
            let Some(text) = arguments[at].to_str() else { break };
            if text == "-" || !text.starts_with('-') {
                break;
            }
            at += 1;
            match text {
                "--" => break,
                "--help" | "--help-env" | "--help-xoptions" | "--help-all" => {
                    self.program = Program::Help(text.to_owned());
                    return Ok(());
                }
                "--version" => {
                    self.program = Program::Version(1);
                    return Ok(());
                }
                "--check-hash-based-pycs" => {
                    let value = arguments.get(at).map(|value| value.to_string_lossy().into_owned());
                    at += 1;
                    match value.as_deref() {
                        Some(value @ ("always" | "default" | "never")) => {
                            self.check_hash_based_pycs = value.to_owned();
                        }
                        _ => {
                            return Err(
                                "--check-hash-based-pycs must be one of 'default', 'always', or 'never'"
                                    .to_owned(),
                            );
                        }
                    }
                    continue;
                }
                _ if text.starts_with("--") => return Err(format!("unknown option {text}")),
                _ => {}
            }
            if self.letters(&text[1..], arguments, &mut at)? {
                return Ok(());
            }
        }
        self.argv = match arguments.get(at) {
            None => vec![OsString::new()],
            Some(_) => arguments[at..].to_vec(),
        };
        self.program = match arguments.get(at) {
            None => Program::StandardInput,
            Some(file) if file == "-" => Program::StandardInput,
            Some(file) => Program::File(file.clone()),
        };
        Ok(())
    }

    /// One argument full of option letters; true when the rest belongs to the program.
    fn letters(&mut self, letters: &str, arguments: &[OsString], at: &mut usize) -> Result<bool, String> {
        for (index, letter) in letters.char_indices() {
            let rest = &letters[index + letter.len_utf8()..];
            let value = |at: &mut usize| -> Result<String, String> {
                if !rest.is_empty() {
                    return Ok(rest.to_owned());
                }
                let found = arguments.get(*at).map(|value| value.to_string_lossy().into_owned());
                *at += 1;
                found.ok_or_else(|| format!("Argument expected for the -{letter} option"))
            };
            match letter {
                'b' => self.bytes_warning += 1,
                'B' => self.dont_write_bytecode += 1,
                'c' => {
                    let command = value(at)?;
                    self.program = Program::Command(command + "\n");
                    self.take_rest("-c", arguments, *at);
                    return Ok(true);
                }
                'd' => self.debug += 1,
                'E' => self.ignore_environment += 1,
                'h' | '?' => {
                    self.program = Program::Help("-h".to_owned());
                    return Ok(true);
                }
                'i' => {
                    self.inspect += 1;
                    self.interactive += 1;
                }
                'I' => self.isolated += 1,
                'm' => {
                    let module = value(at)?;
                    self.program = Program::Module(module);
                    self.take_rest("-m", arguments, *at);
                    return Ok(true);
                }
                'O' => self.optimize += 1,
                'P' => self.safe_path = true,
                'q' => self.quiet += 1,
                'R' => {}
                's' => self.no_user_site += 1,
                'S' => self.no_site += 1,
                'u' => self.unbuffered = true,
                'v' => self.verbose += 1,
                'V' => {
                    self.program = Program::Version(letters.matches('V').count() as u32);
                    return Ok(true);
                }
                'W' => {
                    self.warnoptions.push(value(at)?);
                    return Ok(false);
                }
                'x' => self.skip_first_line = true,
                'X' => {
                    let option = value(at)?;
                    let (name, value) = match option.split_once('=') {
                        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                        None => (option, None),
                    };
                    self.xoptions.push((name, value));
                    return Ok(false);
                }
                _ => return Err(format!("Unknown option: -{letter}")),
            }
        }
        Ok(false)
    }

    fn take_rest(&mut self, name: &str, arguments: &[OsString], at: usize) {
        self.argv = vec![OsString::from(name)];
        self.argv.extend(arguments.get(at..).unwrap_or_default().iter().cloned());
    }

    fn environment(&mut self, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<(), String> {
        let text = |name: &str| {
            environment(name)
                .map(|value| value.to_string_lossy().into_owned())
                .filter(|value| !value.is_empty())
        };
        // A number counts as so many of the option; any other text as one.
        let count = |name: &str| text(name).map_or(0, |value| value.parse::<i32>().unwrap_or(1).max(0));
        if text("PYTHONNODEBUGRANGES").is_some() {
            self.code_debug_ranges = false;
        }
        self.debug = self.debug.max(count("PYTHONDEBUG"));
        self.verbose = self.verbose.max(count("PYTHONVERBOSE"));
        self.optimize = self.optimize.max(count("PYTHONOPTIMIZE"));
        self.inspect = self.inspect.max(i32::from(text("PYTHONINSPECT").is_some()));
        let flag = |name: &str| i32::from(text(name).is_some());
        self.dont_write_bytecode = self.dont_write_bytecode.max(flag("PYTHONDONTWRITEBYTECODE"));
        self.no_user_site = self.no_user_site.max(flag("PYTHONNOUSERSITE"));
        self.warn_default_encoding = flag("PYTHONWARNDEFAULTENCODING");
        self.safe_path |= text("PYTHONSAFEPATH").is_some();
        self.unbuffered |= text("PYTHONUNBUFFERED").is_some();
        self.dev_mode |= text("PYTHONDEVMODE").is_some();
        match text("PYTHONUTF8").as_deref() {
            None | Some("0" | "1") => {}
            Some(_) => {
                return Err("Fatal Python error: invalid PYTHONUTF8 environment variable value\n".to_owned());
            }
        }
        match text("PYTHONHASHSEED").as_deref() {
            None | Some("random") => {}
            Some(seed) => match seed.parse::<u32>() {
                Ok(seed) => self.hash_seed = Some(seed),
                Err(_) => {
                    return Err(
                        "Fatal Python error: config_init_hash_seed: PYTHONHASHSEED must be \"random\" \
                         or an integer in range [0; 4294967295]\nPython runtime state: preinitialized\n"
                            .to_owned(),
                    );
                }
            },
        }
        if let Some(value) = text("PYTHONINTMAXSTRDIGITS") {
            self.int_max_str_digits = digits(&value).ok_or_else(|| {
                format!(
                    "Fatal Python error: config_init_int_max_str_digits: PYTHONINTMAXSTRDIGITS: invalid limit; \
                     must be >= {LEAST_DIGITS} or 0 for unlimited.\n"
                )
            })?;
        }
        if let Some(value) = text("PYTHONPROFILEIMPORTTIME") {
            self.import_time =
                import_time(&value).ok_or_else(|| bad_import_time("PYTHONPROFILEIMPORTTIME: numeric"))?;
        }
        if let Some(value) = text("PYTHONWARNINGS") {
            let options: Vec<String> = value.split(',').map(str::to_owned).collect();
            self.warnoptions.splice(0..0, options);
        }
        if let Some(value) = text("PYTHONPATH") {
            self.path = value.split(':').map(str::to_owned).collect();
        }
        self.pycache_prefix = text("PYTHONPYCACHEPREFIX");
        self.io_encoding = text("PYTHONIOENCODING");
        self.startup = text("PYTHONSTARTUP");
        Ok(())
    }

    fn implementation_options(&mut self) -> Result<(), String> {
        for (name, value) in self.xoptions.clone() {
            match name.as_str() {
                "dev" => self.dev_mode = true,
                "utf8" => match value.as_deref() {
                    None | Some("0" | "1") => {}
                    Some(_) => return Err("Fatal Python error: invalid -X utf8 option value\n".to_owned()),
                },
                "no_debug_ranges" => self.code_debug_ranges = false,
                "importtime" => {
                    let value = value.as_deref().unwrap_or("1");
                    self.import_time = import_time(value).ok_or_else(|| bad_import_time("-X importtime:"))?;
                }
                "warn_default_encoding" => self.warn_default_encoding = 1,
                "pycache_prefix" => self.pycache_prefix = value.filter(|value| !value.is_empty()),
                "int_max_str_digits" => {
                    self.int_max_str_digits = value.as_deref().and_then(digits).ok_or_else(|| {
                        format!(
                            "Fatal Python error: config_init_int_max_str_digits: -X int_max_str_digits: invalid \
                             limit; must be >= {LEAST_DIGITS} or 0 for unlimited.\n"
                        )
                    })?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
