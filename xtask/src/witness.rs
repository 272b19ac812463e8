//! The witness of the layouts: CPython's own headers confirm the tables of `taipan-abi`.
//!
//! `cargo dev witness INCLUDE…` writes a C program in which each row of `data/layouts.tsv` and
//! `data/constants.tsv` is a static assertion, and compiles it against the headers in the given folders
//! (those of a CPython 3.14 development package). The Rust structs assert the same rows when they are
//! compiled, so headers and structs agree without a third copy. Rows of structs that the headers do not
//! show are counted, not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const LAYOUTS: &str = "crates/taipan-abi/data/layouts.tsv";
const CONSTANTS: &str = "crates/taipan-abi/data/constants.tsv";

const HEADERS: &str = "#include <Python.h>\n#include <structmember.h>\n#include <datetime.h>\n#include <frameobject.h>\n#include <stddef.h>\n";

/// Behaviour that header code has inline, asserted at run time of the program.
const BEHAVIOUR: &str = r#"
int main(void) {
    PyObject mortal = {0};
    mortal.ob_refcnt = 1;
    Py_INCREF(&mortal);
    if (mortal.ob_refcnt != 2 || mortal.ob_overflow != 0) return 1;
    PyObject immortal = {0};
    immortal.ob_refcnt = 0xC0000000u;
    Py_INCREF(&immortal);
    Py_DECREF(&immortal);
    if (immortal.ob_refcnt != 0xC0000000u || !_Py_IsImmortal(&immortal)) return 2;
    PyTupleObject tuple;
    if ((char *)tuple.ob_item - (char *)&tuple != 32) return 3;
    return 0;
}
void _Py_Dealloc(PyObject *object) { (void)object; }
"#;

fn rows(path: &str) -> Result<Vec<Vec<String>>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// Compiles a program; the compiler's messages if it refuses.
fn compile(source: &str, includes: &[String], extra: &[&str]) -> Result<Option<String>, String> {
    let file = std::env::temp_dir().join(format!("taipan-witness-{}.c", std::process::id()));
    std::fs::write(&file, source).map_err(|error| error.to_string())?;
    let output = Command::new("cc")
        .args(["-w", "-x", "c"])
        .args(includes.iter().map(|folder| format!("-I{folder}")))
        .args(extra)
        .arg(&file)
        .output()
        .map_err(|error| format!("cannot run cc: {error}"))?;
    // The file is small and temporary: leaving it does no harm.
    let _ = std::fs::remove_file(&file);
    let refused = !output.status.success();
    Ok(refused.then(|| String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// How C spells a struct of the table: a typedef, or a tag.
fn spelling(name: &str, includes: &[String]) -> Result<Option<String>, String> {
    for spelled in [name.to_owned(), format!("struct {name}")] {
        let probe = format!("{HEADERS}\nstatic int probe[sizeof({spelled})];\n");
        if compile(&probe, includes, &["-fsyntax-only"])?.is_none() {
            return Ok(Some(spelled));
        }
    }
    Ok(None)
}

/// The line numbers that the compiler complains about.
fn complaints(messages: &str) -> BTreeSet<usize> {
    messages
        .lines()
        .filter(|line| line.contains("error:"))
        .filter_map(|line| line.split(':').nth(1)?.parse().ok())
        .collect()
}

/// Checks both tables against the headers.
pub fn run(args: &[String]) -> Result<(), String> {
    if args.is_empty() {
        return Err("usage: cargo dev witness INCLUDE…".to_owned());
    }
    let mut spelled: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut source = HEADERS.to_owned();
    let mut subjects: Vec<String> = vec![String::new(); source.lines().count()];
    let mut hidden = 0;
    for row in rows(LAYOUTS)? {
        let [name, field, offset, size, ..] = &row[..] else { continue };
        if !spelled.contains_key(name) {
            let found = spelling(name, args)?;
            spelled.insert(name.clone(), found);
        }
        let Some(Some(spelling)) = spelled.get(name) else {
            hidden += 1;
            continue;
        };
        let claim = if field == "(sizeof)" {
            format!("sizeof({spelling}) == {size}")
        } else {
            format!(
                "offsetof({spelling}, {field}) == {offset} && sizeof((({spelling} *)0)->{field}) == {size}"
            )
        };
        source += &format!("_Static_assert({claim}, \"{name}.{field}\");\n");
        subjects.push(format!("{name}.{field}"));
    }
    for row in rows(CONSTANTS)? {
        let [name, value, ..] = &row[..] else { continue };
        source += &format!("_Static_assert((long long)({name}) == {value}LL, \"{name}\");\n");
        subjects.push(name.clone());
    }
    let messages = compile(&source, args, &["-fsyntax-only"])?.unwrap_or_default();
    let bad = complaints(&messages);
    let (mut unknown, mut wrong) = (Vec::new(), Vec::new());
    for line in bad {
        let subject = subjects.get(line - 1).cloned().unwrap_or_default();
        let failed = messages
            .lines()
            .any(|text| text.contains(&format!(".c:{line}:")) && text.contains("static assertion failed"));
        if failed { wrong.push(subject) } else { unknown.push(subject) }
    }
    let program = std::env::temp_dir().join(format!("taipan-witness-{}", std::process::id()));
    let path = program.to_string_lossy().into_owned();
    let built = compile(&format!("{HEADERS}{BEHAVIOUR}"), args, &["-O1", "-o", &path])?;
    let behaved = match built {
        Some(messages) => return Err(format!("the program of the macros does not compile:\n{messages}")),
        None => Command::new(&program).status().map_err(|error| error.to_string())?.success(),
    };
    let _ = std::fs::remove_file(&program);
    let checked = subjects.iter().filter(|subject| !subject.is_empty()).count() - unknown.len();
    println!(
        "{checked} rows confirmed or refuted by the headers, {} not shown by them",
        hidden + unknown.len()
    );
    println!("inline reference counting behaves as the tables say: {behaved}");
    if wrong.is_empty() && behaved {
        Ok(())
    } else {
        Err(format!("the headers say otherwise: {}", wrong.join(" ")))
    }
}
