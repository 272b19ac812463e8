//! What unpacking the library to its cache folder needs of the file system, and shared libraries.

use crate::{Errno, errno};
use std::path::Path;

/// Whether there is such a file.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// The user's number.
pub fn user() -> u32 {
    // SAFETY: no memory is involved.
    unsafe { libc::getuid() }
}

/// The process's number.
pub fn process() -> u32 {
    std::process::id()
}

/// Writes a file and makes the folders that lead to it.
///
/// # Errors
/// What the system says.
pub fn write(path: &Path, data: &[u8]) -> Result<(), Errno> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| errno(&error))?;
    }
    std::fs::write(path, data).map_err(|error| errno(&error))
}

/// Gives a complete folder its final name.
///
/// # Errors
/// What the system says, which refuses when that name is taken.
pub fn move_into_place(from: &Path, to: &Path) -> Result<(), Errno> {
    std::fs::rename(from, to).map_err(|error| errno(&error))
}

/// Removes an unfinished folder; what cannot be removed stays.
pub fn remove(path: &Path) {
    // Nothing depends on it: the name is unique to this process.
    let _ = std::fs::remove_dir_all(path);
}

/// The path of the running program's file.
pub fn executable() -> Option<std::path::PathBuf> {
    std::env::current_exe().ok()
}

/// The folder that relative paths start from.
pub fn working_folder() -> Option<std::path::PathBuf> {
    std::env::current_dir().ok()
}

/// The folder that a file really stands in, all links followed.
pub fn real_folder_of(path: &std::ffi::OsStr) -> Option<std::path::PathBuf> {
    Some(std::fs::canonicalize(path).ok()?.parent()?.to_owned())
}

/// The address of a symbol in a shared library, which is opened with all its symbols bound and stays
/// open; `None` if the library has no such symbol.
///
/// # Errors
/// The loader's message when the library cannot be opened.
pub fn find_in_library(path: &[u8], symbol: &str) -> Result<Option<*mut core::ffi::c_void>, String> {
    let mut file = Vec::with_capacity(path.len() + 2);
    // A bare name would be looked for on the loader's path.
    if !path.contains(&b'/') {
        file.extend_from_slice(b"./");
    }
    file.extend_from_slice(path);
    let file = std::ffi::CString::new(file).map_err(|_| "embedded null byte".to_owned())?;
    let symbol = std::ffi::CString::new(symbol).map_err(|_| "embedded null byte".to_owned())?;
    // SAFETY: null-terminated texts; the library's constructors run, as the caller wants.
    unsafe {
        let library = libc::dlopen(file.as_ptr(), libc::RTLD_NOW);
        if library.is_null() {
            let message = libc::dlerror();
            if message.is_null() {
                return Err("unknown dlopen() error".to_owned());
            }
            return Err(std::ffi::CStr::from_ptr(message).to_string_lossy().into_owned());
        }
        let address = libc::dlsym(library, symbol.as_ptr());
        Ok((!address.is_null()).then_some(address))
    }
}
