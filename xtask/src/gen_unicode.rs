//! `cargo dev gen-unicode`: has the reference interpreter write the tables of `taipan-unicode`.

use std::path::PathBuf;
use std::process::Command;

/// Runs the generator. The reference is `$TAIPAN_REFERENCE` or the one that `reference/setup` fetches.
pub fn run(_args: &[String]) -> Result<(), String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = std::env::var_os("TAIPAN_REFERENCE").map_or_else(
        || {
            let home = std::env::var_os("HOME").unwrap_or_default();
            PathBuf::from(home).join(".cache/python-reference/bin/python3.14")
        },
        PathBuf::from,
    );
    let status = Command::new(&python)
        .current_dir(&root)
        .args(["tests/oracle/gen_unicode.py", "crates/taipan-unicode/src/tables"])
        .args(["tests/oracle/name_aliases.txt", "crates/taipan-unicode/tests/hashes.txt"])
        .status()
        .map_err(|e| format!("cannot run {}: {e}", python.display()))?;
    if status.success() { Ok(()) } else { Err(format!("the generator ended with {status}")) }
}
