//! Golden files made by CPython (`tests/oracle/code_golden.py`): a source on top, its code objects, error and
//! warnings below.

use std::fmt::Write as _;
use std::path::Path;

use taipan_bytecode::PyStr;
use taipan_bytecode::canonical::{quote, write_code};
use taipan_compiler::{ErrorKind, Options, compile};
use taipan_syntax::{Flags, Mode, parse};

const MARK: &str = "=== CPython 3.14 ===\n";

fn verdict(source: &str) -> String {
    let mut out = String::new();
    let mut parsed = parse(source, Mode::Exec, &Flags::default()).expect("golden sources parse");
    let warnings =
        match compile(&mut parsed.module, parsed.notable.as_deref(), "<oracle>", &Options::default()) {
            Ok(output) => {
                write_code(&mut out, &output.code);
                output.warnings
            }
            Err(failure) => {
                let error = failure.error;
                let range = error.range.unwrap_or_default();
                let _ = writeln!(
                    out,
                    "{} {},{},{},{} {}",
                    error.kind.name(),
                    range.lineno,
                    range.col_offset + 1,
                    range.end_lineno,
                    range.end_col_offset + 1,
                    quote(&PyStr::from(&*error.message))
                );
                failure.warnings
            }
        };
    for warning in warnings {
        let _ = writeln!(out, "warning {} {}", warning.range.lineno, quote(&PyStr::from(&*warning.message)));
    }
    out
}

#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the golden folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a golden file");
        let (source, expected) = text.split_once(MARK).expect("a mark");
        assert_eq!(verdict(source), expected, "{}", path.display());
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn deep_trees_are_refused() {
    let deep = |source: String| {
        let work = move || {
            let mut parsed = match parse(&source, Mode::Exec, &Flags::default()) {
                Ok(parsed) => parsed,
                Err(_) => return,
            };
            let failure =
                compile(&mut parsed.module, parsed.notable.as_deref(), "<deep>", &Options::default())
                    .expect_err("too deep");
            assert_eq!(failure.error.kind, ErrorKind::Recursion);
        };
        std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn(work)
            .expect("a thread")
            .join()
            .expect("no panic");
    };
    deep(format!("a{}\n", ".b".repeat(200_000)));
    deep(format!("a{}\n", " + a".repeat(200_000)));
    deep(format!("x = {}1\n", "-".repeat(200_000)));
}
