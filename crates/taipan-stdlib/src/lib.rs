//! The pure-Python library that ships inside the binary.
//!
//! Problem: one file must be enough to run Python, yet `inspect`, tracebacks and `venv` want the library as
//! files. Idea: core modules are in the binary as code ([`FROZEN`]), the whole library as one compressed
//! stream; on first use it is written to a cache folder whose name contains a digest of the contents. It is
//! written under another name and moved into place at the end, so that nobody ever sees half of it.

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use taipan_runtime::Frozen;

/// The core modules as code.
pub static FROZEN: &[Frozen] = include!(concat!(env!("OUT_DIR"), "/frozen.rs"));

static LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));
const DIGEST: &str = include!(concat!(env!("OUT_DIR"), "/version.rs"));

/// A file that every library has.
const LANDMARK: &str = "lib/python3.14/os.py";

/// The prefix of the library: the folder that holds `lib/python3.14`. `PYTHONHOME` comes first, then an
/// installation around the executable, then the cache, which is filled if need be.
///
/// # Errors
/// A text that says why the library could not be written.
pub fn prefix(executable: &Path, ignore_environment: bool) -> Result<PathBuf, String> {
    if !ignore_environment && let Some(home) = variable("PYTHONHOME") {
        return Ok(PathBuf::from(home));
    }
    if let Some(installed) = executable.parent().and_then(Path::parent)
        && taipan_os::library::exists(&installed.join(LANDMARK))
    {
        return Ok(installed.to_path_buf());
    }
    let mut failure = String::new();
    for place in places() {
        match unpacked(&place) {
            Ok(prefix) => return Ok(prefix),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn variable(name: &str) -> Option<OsString> {
    taipan_os::environment(name).filter(|value| !value.is_empty())
}

/// Folders for the cache, the best first.
fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(cache) = variable("XDG_CACHE_HOME") {
        places.push(PathBuf::from(cache).join("taipan"));
    }
    if let Some(home) = variable("HOME") {
        places.push(PathBuf::from(home).join(".cache/taipan"));
    }
    let temporary = variable("TMPDIR").unwrap_or_else(|| OsString::from("/tmp"));
    places.push(PathBuf::from(temporary).join(format!("taipan-{}", taipan_os::library::user())));
    places
}

fn unpacked(place: &Path) -> Result<PathBuf, String> {
    let prefix = place.join(format!("{}-{DIGEST}", env!("CARGO_PKG_VERSION")));
    if taipan_os::library::exists(&prefix.join(LANDMARK)) {
        return Ok(prefix);
    }
    let said = |path: &Path, number: i32| format!("{}: {}", path.display(), taipan_os::error_text(number));
    let unfinished = place.join(format!(".{DIGEST}.{}", taipan_os::library::process()));
    let root = unfinished.join("lib/python3.14");
    let mut text = Vec::new();
    flate2::read::DeflateDecoder::new(LIBRARY)
        .read_to_end(&mut text)
        .map_err(|error| format!("the library in the binary is damaged: {error}"))?;
    let mut rest = text.as_slice();
    while let Some((name, after)) = part(rest) {
        let Some((data, after)) = part(after) else { break };
        let path = root.join(String::from_utf8_lossy(name).as_ref());
        taipan_os::library::write(&path, data).map_err(|number| said(&path, number))?;
        rest = after;
    }
    match taipan_os::library::move_into_place(&unfinished, &prefix) {
        Ok(()) => Ok(prefix),
        // Another process was quicker.
        Err(_) if taipan_os::library::exists(&prefix.join(LANDMARK)) => {
            taipan_os::library::remove(&unfinished);
            Ok(prefix)
        }
        Err(number) => {
            taipan_os::library::remove(&unfinished);
            Err(said(&prefix, number))
        }
    }
}

/// A length and so many bytes; what follows them.
fn part(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}
