//! How much of CPython's C interface a built `taipan` exports, and what a wheel would miss.
//!
//! `cargo dev capi BINARY [LIBRARY…]` compares the dynamic symbols of the binary with the table of
//! CPython 3.14's exports; `limited` marks what the headers show under the limited API. For each shared
//! library it lists the symbols that the binary lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const TABLE: &str = "crates/taipan-abi/data/symbols.tsv";

/// The dynamic symbols of a file that `nm` lists with this option.
fn symbols(file: &str, option: &str) -> Result<BTreeSet<String>, String> {
    let output = Command::new("nm")
        .args(["-D", option, file])
        .output()
        .map_err(|error| format!("cannot run nm: {error}"))?;
    if !output.status.success() {
        return Err(format!("nm {file}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .filter(|name| name.starts_with("Py") || name.starts_with("_Py"))
        .map(|name| name.split('@').next().unwrap_or(name).to_owned())
        .collect())
}

/// Reports the coverage of one binary.
pub fn run(args: &[String]) -> Result<(), String> {
    let Some((binary, libraries)) = args.split_first() else {
        return Err("usage: cargo dev capi BINARY [LIBRARY…]".to_owned());
    };
    let exported = symbols(binary, "--defined-only")?;
    let table = std::fs::read_to_string(TABLE).map_err(|error| format!("{TABLE}: {error}"))?;
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut missing = Vec::new();
    for line in table.lines().skip(1) {
        let mut fields = line.split('\t');
        let (Some(name), Some(kind), Some(limited)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(format!("{TABLE}: bad line {line:?}"));
        };
        let there = exported.contains(name);
        let groups = [Some("all"), Some(kind), (limited == "yes").then_some("limited API")];
        for group in groups.into_iter().flatten() {
            let count = counts.entry(group).or_default();
            count.0 += usize::from(there);
            count.1 += 1;
        }
        if !there && limited == "yes" {
            missing.push(name);
        }
    }
    for (group, (there, all)) in &counts {
        println!("{group:12} {there:5} of {all:5}");
    }
    println!("missing from the limited API: {}", missing.join(" "));
    for library in libraries {
        let wanted = symbols(library, "--undefined-only")?;
        let lacking: Vec<&str> = wanted.difference(&exported).map(String::as_str).collect();
        println!("{library}: {} symbols, lacking {}", wanted.len(), lacking.len());
        if !lacking.is_empty() {
            println!("    {}", lacking.join(" "));
        }
    }
    Ok(())
}
