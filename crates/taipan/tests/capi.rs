//! Extension modules in C, compiled by the system's compiler and imported by `taipan`.
//!
//! Each `tests/capi/NAME.c` declares by hand what it uses of the C interface, so no header of CPython is
//! needed. `NAME.py` imports it, and `NAME.out` is what CPython 3.14 prints for the same program and the
//! same shared library (`tests/capi/bless`).

use std::path::{Path, PathBuf};
use std::process::Command;

/// A fresh folder for one test's shared library.
fn workplace(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("capi-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder for the extension");
    folder
}

/// Compiles C into `FOLDER/MODULE.so`.
fn compile(source: &Path, folder: &Path, module: &str) {
    let run = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(folder.join(format!("{module}.so")))
        .arg(source)
        .output()
        .expect("a C compiler");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

fn same_as_cpython(name: &str) {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/capi");
    let folder = workplace(name);
    compile(&sources.join(format!("{name}.c")), &folder, name);
    // The program stands beside the library: that folder comes first in `sys.path`.
    let program = folder.join(format!("{name}_program.py"));
    std::fs::copy(sources.join(format!("{name}.py")), &program).expect("a copy of the program");
    let expected = std::fs::read_to_string(sources.join(format!("{name}.out"))).expect("a golden file");
    let run = Command::new(env!("CARGO_BIN_EXE_taipan")).arg(&program).output().expect("taipan runs");
    let printed = String::from_utf8_lossy(&run.stdout);
    for (line, (ours, theirs)) in printed.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {}", line + 1);
    }
    assert_eq!(printed.lines().count(), expected.lines().count(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{}: {}", run.status, String::from_utf8_lossy(&run.stderr));
}

#[test]
fn two_phases_types_functions_buffers_and_errors() {
    same_as_cpython("extension");
}

#[test]
fn one_phase_and_broken_modules() {
    same_as_cpython("single");
}

#[test]
fn a_missing_symbol_is_an_import_error_with_its_name() {
    let folder = workplace("missing");
    let source = folder.join("missing.c");
    std::fs::write(
        &source,
        "void PyNo_SuchFunction(void);\nvoid *PyInit_missing(void) { PyNo_SuchFunction(); return 0; }\n",
    )
    .expect("the source is written");
    compile(&source, &folder, "missing");
    let program = format!(
        "import sys\nsys.path.insert(0, {:?})\ntry:\n import missing\nexcept ImportError as e: print('undefined symbol: PyNo_SuchFunction' in str(e), e.name)",
        folder.display().to_string()
    );
    let run =
        Command::new(env!("CARGO_BIN_EXE_taipan")).args(["-c", &program]).output().expect("taipan runs");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "True missing\n",
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn c_functions_that_break_the_rules_raise_system_errors() {
    let folder = workplace("rules");
    let source = folder.join("rules.c");
    std::fs::write(&source, RULES).expect("the source is written");
    compile(&source, &folder, "rules");
    let program = format!(
        "import sys\nsys.path.insert(0, {:?})\nimport rules\nfor f in (rules.silent, rules.careless, rules.null):\n try: f()\n except SystemError as e: print(e, '|', repr(e.__cause__))",
        folder.display().to_string()
    );
    let run =
        Command::new(env!("CARGO_BIN_EXE_taipan")).args(["-c", &program]).output().expect("taipan runs");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "<built-in function silent> returned NULL without setting an exception | None\n\
         <built-in function careless> returned a result with an exception set | ValueError('left behind')\n\
         null argument to internal routine | None\n",
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

const RULES: &str = r#"
typedef struct { const char *name; void *meth; int flags; const char *doc; } Method;
typedef struct { long head[2]; void *init; long index; void *copy; const char *name, *doc; long size; Method *methods; void *rest[4]; } Def;
void *PyModuleDef_Init(Def *);
void *PyLong_FromLong(long);
void *PyObject_Repr(void *);
void *PyObject_GetIter(void *);
void PyErr_SetString(void *, const char *);
extern void *PyExc_ValueError;
static void *silent(void *self, void *unused) { return 0; }
static void *careless(void *self, void *unused) { PyErr_SetString(PyExc_ValueError, "left behind"); return PyLong_FromLong(1); }
static void *null(void *self, void *unused) { return PyObject_GetIter(0); }
static Method methods[] = {{"silent", silent, 4}, {"careless", careless, 4}, {"null", null, 4}, {0}};
static Def def = {{1}, 0, 0, 0, "rules", 0, 0, methods};
void *PyInit_rules(void) { return PyModuleDef_Init(&def); }
"#;

#[test]
fn threads_that_c_started_take_the_interpreter_lock() {
    let folder = workplace("threads");
    let source = folder.join("threads.c");
    std::fs::write(&source, THREADS).expect("the source is written");
    compile(&source, &folder, "threads");
    let program = format!(
        "import sys\nsys.path.insert(0, {:?})\nimport threads, threading\nseen = set()\ndef f(n):\n seen.add(threading.get_ident())\n return [n] * 3\nprint(threads.run(f, 8), len(seen) > 1, threads.run(f, 3))\n",
        folder.display().to_string()
    );
    let run =
        Command::new(env!("CARGO_BIN_EXE_taipan")).args(["-c", &program]).output().expect("taipan runs");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "8 True 3\n",
        "{} {}",
        run.status,
        String::from_utf8_lossy(&run.stderr)
    );
}

const THREADS: &str = r#"
#include <pthread.h>
typedef struct { const char *name; void *meth; int flags; const char *doc; } Method;
typedef struct { long head[2]; void *init; long index; void *copy; const char *name, *doc; long size; Method *methods; void *rest[4]; } Def;
void *PyModuleDef_Init(Def *);
void *PyLong_FromLong(long);
int PyArg_ParseTuple(void *, const char *, ...);
void *PyObject_CallFunction(void *, const char *, ...);
void *PyEval_SaveThread(void);
void PyEval_RestoreThread(void *);
int PyGILState_Ensure(void);
void PyGILState_Release(int);
int PyGILState_Check(void);
void Py_DecRef(void *);
static void *callback;
static long done;
static void *work(void *number) {
    for (int i = 0; i < 50; i++) {
        int outer = PyGILState_Ensure();
        int inner = PyGILState_Ensure();
        void *result = PyObject_CallFunction(callback, "l", (long)number);
        if (result && PyGILState_Check() && i == 49) done++;
        Py_DecRef(result);
        PyGILState_Release(inner);
        PyGILState_Release(outer);
    }
    return 0;
}
static void *run(void *self, void *args) {
    pthread_t threads[32];
    int count;
    if (!PyArg_ParseTuple(args, "Oi", &callback, &count)) return 0;
    done = 0;
    void *state = PyEval_SaveThread();
    for (long i = 0; i < count; i++) pthread_create(&threads[i], 0, work, (void *)i);
    for (int i = 0; i < count; i++) pthread_join(threads[i], 0);
    PyEval_RestoreThread(state);
    return PyLong_FromLong(done);
}
static Method methods[] = {{"run", run, 1}, {0}};
static Def def = {{1}, 0, 0, 0, "threads", 0, 0, methods};
void *PyInit_threads(void) { return PyModuleDef_Init(&def); }
"#;

#[test]
fn dates_are_read_in_place_and_made_through_the_capsule() {
    same_as_cpython("dates");
}
