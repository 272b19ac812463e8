//! CPython's own tests, run by Taipan, against a floor for each module that only ever rises.
//!
//! `tests/conformance.tsv` has one line for each test module: its name and how many of its tests pass.
//! A module that crashes or hangs has what it passed until then. Each runs in a process and a scratch
//! folder of its own.

use crate::reference;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const TABLE: &str = "tests/conformance.tsv";
const TIME_LIMIT: Duration = Duration::from_secs(240);

/// `cargo dev conformance BINARY [--raise] [MODULE...]`: runs the modules (all of the table without names)
/// and fails if one passes fewer tests than its floor; `--raise` writes the higher numbers down.
///
/// # Errors
/// The modules below their floor; a missing binary or table.
pub fn run(args: &[String]) -> Result<(), String> {
    let raise = args.iter().any(|arg| arg == "--raise");
    let mut names = args.iter().filter(|arg| *arg != "--raise");
    let binary = names.next().ok_or("usage: cargo dev conformance BINARY [--raise] [MODULE...]")?;
    let binary = fs::canonicalize(binary).map_err(|error| format!("{binary}: {error}"))?;
    let only: Vec<&String> = names.collect();
    let mut table = read_table()?;
    for name in &only {
        if !table.iter().any(|(known, _)| known == *name) {
            table.push(((*name).clone(), 0));
        }
    }
    let tests = reference::ensure()?.join("tests");
    let chosen: Vec<usize> =
        (0..table.len()).filter(|&row| only.is_empty() || only.iter().any(|n| **n == table[row].0)).collect();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(&row) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run_module(&binary, &tests, &table[row].0);
                    if let Ok(mut results) = results.lock() {
                        results.push((row, outcome));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().map_err(|error| error.to_string())?;
    results.sort_by_key(|(row, _)| *row);
    let (mut below, mut total) = (String::new(), 0);
    for (row, (passed, note)) in results {
        let (name, floor) = &mut table[row];
        println!("{name:<32} {passed:>5} of floor {floor:>5}  {note}");
        total += passed;
        if passed < *floor {
            let _ = write!(below, " {name} ({passed} < {floor})");
        }
        *floor = passed.max(*floor);
    }
    println!("{total} tests passed");
    if raise {
        write_table(&table)?;
    }
    if below.is_empty() { Ok(()) } else { Err(format!("below the floor:{below}")) }
}

fn read_table() -> Result<Vec<(String, usize)>, String> {
    let text = fs::read_to_string(TABLE).map_err(|error| format!("{TABLE}: {error}"))?;
    let row = |line: &str| {
        let (name, floor) = line.split_once('\t')?;
        Some((name.to_owned(), floor.trim().parse().ok()?))
    };
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| row(line).ok_or_else(|| format!("{TABLE}: bad line {line:?}")))
        .collect()
}

fn write_table(table: &[(String, usize)]) -> Result<(), String> {
    let mut text = String::from(
        "# test module\ttests that pass; raised by `cargo dev conformance BINARY --raise`\n\
         # (one below that where a test depends on the speed of the machine)\n",
    );
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort();
    for (name, floor) in rows {
        let _ = writeln!(text, "{name}\t{floor}");
    }
    fs::write(TABLE, text).map_err(|error| format!("{TABLE}: {error}"))
}

/// How many tests of a module pass, and what is to be said about the run.
fn run_module(binary: &Path, tests: &Path, name: &str) -> (usize, String) {
    let scratch = std::env::temp_dir().join(format!("taipan-conformance-{}-{name}", std::process::id()));
    let outcome = run_in(binary, tests, name, &scratch);
    // What the tests left behind is nobody's.
    let _ = fs::remove_dir_all(&scratch);
    match outcome {
        Ok((text, note)) => (count_passed(&text), note),
        Err(error) => (0, error),
    }
}

fn run_in(binary: &Path, tests: &Path, name: &str, scratch: &PathBuf) -> Result<(String, String), String> {
    let text = |error: std::io::Error| error.to_string();
    fs::create_dir_all(scratch).map_err(text)?;
    let (mut output, writer) = std::io::pipe().map_err(text)?;
    let mut child = Command::new(binary)
        .args(["-m", "unittest", "-v", &format!("test.{name}")])
        .current_dir(scratch)
        .env("PYTHONPATH", tests)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TMPDIR", scratch)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(text)?)
        .stderr(writer)
        .spawn()
        .map_err(text)?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let begun = Instant::now();
    let note = loop {
        if let Some(status) = child.try_wait().map_err(text)? {
            use std::os::unix::process::ExitStatusExt as _;
            break status.signal().map_or_else(String::new, |signal| format!("killed by signal {signal}"));
        }
        if begun.elapsed() > TIME_LIMIT {
            child.kill().map_err(text)?;
            child.wait().map_err(text)?;
            break "took too long".to_owned();
        }
        thread::sleep(Duration::from_millis(20));
    };
    let text = reader.join().map_err(|_| "the reader of the output failed".to_owned())?;
    Ok((text, note))
}

/// Counts unittest's verbose verdicts. A verdict may stand on a line of its own when the test has written.
fn count_passed(text: &str) -> usize {
    let (mut passed, mut open) = (0, false);
    for line in text.lines() {
        let begins = line.split_once(" (").is_some_and(|(name, rest)| {
            !name.contains(' ') && (rest.starts_with("test") || rest.contains("Doc"))
        });
        open |= begins;
        if !open {
            continue;
        }
        let verdict = line.rsplit_once("... ").map_or(line.trim(), |(_, verdict)| verdict.trim());
        let ok = verdict == "ok" || verdict.ends_with(" ok") || verdict == "expected failure";
        let other =
            ["FAIL", "ERROR", "unexpected success"].contains(&verdict) || verdict.starts_with("skipped");
        if ok || other {
            passed += usize::from(ok);
            open = false;
        }
    }
    passed
}

#[cfg(test)]
mod tests {
    use super::count_passed;

    #[test]
    fn verdicts() {
        let text = "test_a (test.test_x.T.test_a) ... ok\n\
                    test_b (test.test_x.T.test_b)\nA docstring ... noise\nok\n\
                    test_c (test.test_x.T.test_c) ... FAIL\n\
                    ok\n\
                    test_d (test.test_x.T.test_d) ... expected failure\n\
                    test_e (test.test_x.T.test_e) ... skipped 'why'\n";
        assert_eq!(count_passed(text), 3);
    }
}
