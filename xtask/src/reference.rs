//! Fetching the reference: CPython 3.14 with its library, headers and tests, from Debian's packages.
//!
//! Nothing is installed on the system: the packages are unpacked into a folder of their own, and the
//! interpreter runs there with the C library that it was built for. Only what is missing is fetched, so a
//! folder that is complete costs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the interpreter and its modules need to run, and what it is measured by.
const PACKAGES: &[&str] = &[
    "python3.14",
    "python3.14-minimal",
    "libpython3.14-minimal",
    "libpython3.14-stdlib",
    "libpython3.14-testsuite",
    "libpython3.14-dev",
    "tzdata",
    "libbz2-1.0",
    "libc6",
    "libdb5.3t64",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "libgdbm6t64",
    "libgdbm-compat4t64",
    "liblzma5",
    "libncursesw6",
    "libreadline8t64",
    "libsqlite3-0",
    "libssl3t64",
    "libtinfo6",
    "libuuid1",
    "libzstd1",
    "zlib1g",
];

/// The folder: `$TAIPAN_REFERENCE`, or `python-reference` in the user's cache.
///
/// # Errors
/// When neither that nor a home folder is known.
pub fn folder() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("TAIPAN_REFERENCE") {
        return Ok(PathBuf::from(path));
    }
    let cache = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => PathBuf::from(home).join(".cache"),
        _ => return Err("set TAIPAN_REFERENCE to the reference's folder".into()),
    };
    Ok(cache.join("python-reference"))
}

/// `cargo dev reference`: makes the folder complete and prints it.
///
/// # Errors
/// What the package tools say when they fail.
pub fn run(_: &[String]) -> Result<(), String> {
    println!("{}", ensure()?.display());
    Ok(())
}

/// The folder, fetched if need be.
///
/// # Errors
/// As [`run`].
pub fn ensure() -> Result<PathBuf, String> {
    let folder = folder()?;
    if !folder.join("tests/test/__init__.py").exists() {
        fetch(&folder)?;
    }
    Ok(folder)
}

fn fetch(folder: &Path) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let apt = folder.join("apt");
    let debs = folder.join("debs");
    let root = folder.join("root");
    for path in [&apt.join("lists/partial"), &apt.join("cache/archives/partial"), &debs, &root] {
        fs::create_dir_all(path).map_err(text)?;
    }
    let folder = folder.canonicalize().map_err(text)?;
    // The mirror is the machine's own; the release is the one that has this Python.
    let mirror = mirror().ok_or("no Debian mirror is configured on this machine")?;
    let key = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let list = apt.join("sources.list");
    fs::write(&list, format!("deb [signed-by={key}] {mirror} sid main\n")).map_err(text)?;
    let options = [
        format!("Dir::Etc::sourcelist={}", list.display()),
        "Dir::Etc::sourceparts=/dev/null".into(),
        format!("Dir::State::Lists={}", apt.join("lists").display()),
        format!("Dir::Cache={}", apt.join("cache").display()),
        "APT::Default-Release=sid".into(),
        "APT::Sandbox::User=root".into(),
        "Acquire::Languages=none".into(),
    ];
    let apt_get = |what: &str, packages: &[&str]| {
        let mut command = Command::new("apt-get");
        command.arg("-qq").current_dir(&debs);
        for option in &options {
            command.args(["-o", option]);
        }
        succeed(command.arg(what).args(packages))
    };
    apt_get("update", &[])?;
    apt_get("download", PACKAGES)?;
    for deb in fs::read_dir(&debs).map_err(text)? {
        let deb = deb.map_err(text)?.path();
        if deb.extension().is_some_and(|extension| extension == "deb") {
            succeed(Command::new("dpkg").arg("-x").arg(&deb).arg(&root))?;
        }
    }
    link(&folder)
}

/// The names under which the rest of the project looks for things.
fn link(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let text = |error: std::io::Error| error.to_string();
    let usr = folder.join("root/usr");
    for name in ["bin", "lib", "include", "tests"] {
        fs::create_dir_all(folder.join(name)).map_err(text)?;
    }
    let links = [
        ("lib/python3.14/test", "tests/test"),
        ("lib/python3.14", "lib/python3.14"),
        ("include/python3.14", "include/python3.14"),
    ];
    for (from, to) in links {
        let to = folder.join(to);
        // An older link is in the way after an interrupted run.
        let _ = fs::remove_file(&to);
        symlink(usr.join(from), to).map_err(text)?;
    }
    let (usr, start) = (usr.display(), folder.join("bin/python3.14"));
    let libraries = format!("{usr}/lib/x86_64-linux-gnu");
    let script = format!(
        "#!/bin/sh\nexec env PYTHONHOME={usr} {libraries}/ld-linux-x86-64.so.2 --library-path {libraries} \
         --argv0 {} {usr}/bin/python3.14 \"$@\"\n",
        start.display()
    );
    fs::write(&start, script).map_err(text)?;
    fs::set_permissions(&start, fs::Permissions::from_mode(0o755)).map_err(text)
}

fn mirror() -> Option<String> {
    let new = fs::read_to_string("/etc/apt/sources.list.d/debian.sources").unwrap_or_default();
    let old = fs::read_to_string("/etc/apt/sources.list").unwrap_or_default();
    let uris = new.lines().find_map(|line| line.strip_prefix("URIs:"));
    let one = |line: &str| line.split_whitespace().find(|word| word.contains("://")).map(str::to_owned);
    uris.and_then(one).or_else(|| old.lines().filter(|line| line.starts_with("deb ")).find_map(one))
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if status.success() { Ok(()) } else { Err(format!("{:?} failed: {status}", command.get_program())) }
}
