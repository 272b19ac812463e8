//! Checks that dependencies between crates go only downward.
//!
//! The levels are those of the design: pure algorithms and tables at the bottom, then the front end,
//! objects, builtin types, the evaluator, the runtime and native modules, and the binary on top. A
//! crate may depend on lower levels, and on its own level only where [`SIBLINGS`] says so.

/// Crate name prefix and level; the first match counts.
const LEVELS: &[(&str, u8)] = &[
    ("taipan-text", 0),
    ("taipan-unicode", 0),
    ("taipan-num", 0),
    ("taipan-decimal", 0),
    ("taipan-sre", 0),
    ("taipan-format", 0),
    ("taipan-codecs", 0),
    ("taipan-bytecode", 0),
    ("taipan-abi", 0),
    ("taipan-os", 0),
    ("taipan-syntax", 1),
    ("taipan-compiler", 1),
    ("taipan-object", 2),
    ("taipan-types-", 3),
    ("taipan-eval", 4),
    ("taipan-runtime", 5),
    ("taipan-mod-", 5),
    ("taipan-capi", 6),
    ("taipan-stdlib", 6),
];

/// Pairs of one level that may know each other, because one is plainly below the other.
const SIBLINGS: &[(&str, &str)] = &[
    ("taipan-sre", "taipan-unicode"),
    ("taipan-format", "taipan-unicode"),
    ("taipan-codecs", "taipan-unicode"),
    ("taipan-bytecode", "taipan-text"),
    ("taipan-compiler", "taipan-syntax"),
];

fn level(name: &str) -> Option<u8> {
    if name == "taipan" {
        return Some(7);
    }
    LEVELS
        .iter()
        .find(|(prefix, _)| name == *prefix || (prefix.ends_with('-') && name.starts_with(prefix)))
        .map(|row| row.1)
}

/// Reads every manifest and reports each dependency that goes up or sideways.
pub fn run(_args: &[String]) -> Result<(), String> {
    let mut wrong = Vec::new();
    let crates = std::fs::read_dir("crates").map_err(|e| e.to_string())?;
    for entry in crates {
        let folder = entry.map_err(|e| e.to_string())?.path();
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(own) = level(&name) else {
            wrong.push(format!("{name} has no level: add it to xtask/src/layers.rs"));
            continue;
        };
        let manifest =
            std::fs::read_to_string(folder.join("Cargo.toml")).map_err(|e| format!("{name}: {e}"))?;
        for dependency in dependencies(&manifest) {
            let Some(other) = level(&dependency) else { continue };
            let sibling = SIBLINGS.iter().any(|(a, b)| *a == name && *b == dependency);
            if other > own || (other == own && !sibling) {
                wrong.push(format!("{name} (level {own}) must not depend on {dependency} (level {other})"));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The names under `[dependencies]`; what only tests use is free.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[dependencies]";
        } else if inside && line.starts_with("taipan") {
            let name: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
            names.push(name);
        }
    }
    names
}
