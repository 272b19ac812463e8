//! Runs every program in `tests/programs` and compares what it prints with what CPython 3.14 printed
//! (`NAME.out`, written by `tests/programs/bless`). Programs are found at run time: adding one
//! compiles nothing.

use std::path::Path;
use std::process::Command;

#[test]
fn programs_print_what_cpython_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut programs: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of programs")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    programs.sort();
    assert!(!programs.is_empty(), "no programs in {}", folder.display());
    let mut wrong = Vec::new();
    for program in &programs {
        let expected =
            std::fs::read_to_string(program.with_extension("out")).expect("a golden file beside the program");
        let run = Command::new(env!("CARGO_BIN_EXE_taipan")).arg(program).output().expect("taipan runs");
        let printed = String::from_utf8_lossy(&run.stdout);
        if printed != expected || !run.status.success() {
            let at = printed.lines().zip(expected.lines()).position(|(a, b)| a != b);
            wrong.push(format!(
                "{}: status {}, first difference at line {:?}\n{}",
                program.display(),
                run.status,
                at.map(|line| line + 1),
                String::from_utf8_lossy(&run.stderr)
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), programs.len(), wrong.join("\n"));
}

#[test]
fn uncaught_exceptions_end_with_status_one() {
    let run = Command::new(env!("CARGO_BIN_EXE_taipan")).args(["-c", "1/0"]).output().expect("taipan runs");
    assert_eq!(run.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&run.stderr);
    assert!(shown.contains("Traceback (most recent call last):"), "{shown}");
    assert!(shown.trim_end().ends_with("ZeroDivisionError: division by zero"), "{shown}");
}

#[test]
fn runaway_recursion_raises() {
    for program in [
        "def f(): f()\ntry: f()\nexcept RecursionError: print('ok')",
        "x = []\nfor _ in range(200000): x = [x]\ntry: repr(x)\nexcept RecursionError: print('ok')",
        "x = []\nfor _ in range(1000000): x = [x]\ndel x\nprint('ok')",
        "a = []\nb = [a]\na.append(b)\nc = []\nc.append([c])\ntry: print(a == c)\nexcept RecursionError: print('ok')",
    ] {
        let run =
            Command::new(env!("CARGO_BIN_EXE_taipan")).args(["-c", program]).output().expect("taipan runs");
        assert_eq!(
            String::from_utf8_lossy(&run.stdout),
            "ok\n",
            "{program}\n{}",
            String::from_utf8_lossy(&run.stderr)
        );
    }
}
