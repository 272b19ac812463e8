//! What unpacking the library to its cache folder needs of the file system.

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
