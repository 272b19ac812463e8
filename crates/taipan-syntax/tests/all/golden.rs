//! Golden files: sources and what CPython's parser makes of them, written by
//! `tests/oracle/parse_reference.py golden`.

use std::path::Path;

use taipan_syntax::{Flags, Mode, dump, parse};

fn verdict(text: &str) -> String {
    match parse(text, Mode::Exec, &Flags::default()) {
        Ok(parsed) => dump::dump(&parsed.module),
        Err(rejected) => {
            let e = rejected.error;
            let place = e.place.map_or("None,None,None,None".to_owned(), |p| p.describe());
            format!("{} {place} {}", e.kind.name(), e.msg)
        }
    }
}

#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the golden files") {
        let path = entry.expect("a golden file").path();
        let text = std::fs::read_to_string(&path).expect("a golden file");
        for case in text.split("\n=====\n").filter(|case| !case.trim().is_empty()) {
            let (source, expected) = case.rsplit_once("\n-----\n").expect("source and verdict");
            count += 1;
            let got = verdict(source);
            if got != expected.trim_end_matches('\n') {
                wrong.push(format!("{source}\n  expected {expected}\n  got      {got}"));
            }
        }
    }
    assert!(count > 100, "only {count} cases found");
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
