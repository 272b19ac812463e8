//! Packs the pure-Python library into the binary.
//!
//! The library is CPython's own, as the crate `rustpython-pylib` carries it; `TAIPAN_STDLIB` names another
//! folder to take it from. Where that crate altered a file for its own project, [`UNDO`] puts CPython's
//! text back; a row that does not fit exactly once stops the build, so that an update cannot go unseen.
//! Files in our own `Lib` folder are added, and take the place of those of the same name.
//!
//! Written to `OUT_DIR`: `library.bin`, every file compressed as one stream; `frozen.rs`, the table of
//! core modules as marshalled code; `version.rs`, a number that changes with the contents.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// File, altered text, CPython's text.
const UNDO: &[(&str, &str, &str)] = &[
    (
        "_compat_pickle.py",
        "# NOTE: RUSTPYTHON exceptions\ntry:\n    JitError\nexcept NameError:\n    pass\nelse:\n    PYTHON2_EXCEPTIONS += (\"JitError\",)\n",
        "",
    ),
    (
        "io.py",
        "open, open_code, BytesIO, StringIO, BufferedReader,",
        "open, open_code, FileIO, BytesIO, StringIO, BufferedReader,",
    ),
    (
        "io.py",
        "# XXX: RUSTPYTHON; FileIO needs host_env, optional without it\ntry:\n    from _io import FileIO\nexcept ImportError:\n    FileIO = None\n",
        "",
    ),
    (
        "io.py",
        "if FileIO is not None:  # XXX: RUSTPYTHON; see the try/except above\n    RawIOBase.register(FileIO)",
        "RawIOBase.register(FileIO)",
    ),
    (
        "json/decoder.py",
        "    # RUSTPYTHON SPECIFIC\n    @classmethod\n    def _from_serde(cls, msg, doc, line, col):\n        pos = 0\n        # 0-indexed\n        line -= 1\n        col -= 1\n        while line > 0:\n            i = doc.index('\\n', pos)\n            line -= 1\n            pos = i\n        pos += col\n        return cls(msg, doc, pos)\n\n",
        "",
    ),
    (
        "platform.py",
        "\n        # XXX: RUSTPYTHON support\n        if \"RustPython\" in sys_version:\n            name = \"RustPython\"\n        else:\n            name = 'CPython'\n",
        "        name = 'CPython'\n",
    ),
    ("site.py", "    return 'RustPython' # XXX: RUSTPYTHON; for site-packages\n", "    return 'Python'\n"),
    (
        "site.py",
        "    # XXX: RUSTPYTHON\n    return f'{userbase}/lib/rustpython{version[0]}",
        "    return f'{userbase}/lib/python{version[0]}",
    ),
    (
        "sysconfig/__init__.py",
        "    return 'RustPython'  # XXX: RUSTPYTHON; For site-packages\n",
        "    return 'Python'\n",
    ),
];

/// Files of that crate which CPython does not have.
const NOT_CPYTHON: &[&str] = &["_dummy_os.py", "_dummy_thread.py", "_pycodecs.py", "dummy_threading.py"];

/// Core modules that are in the binary as code: name, file without its ending, is it a package, origin.
const FROZEN: &[(&str, &str, bool, Option<&str>)] = &[
    ("_frozen_importlib", "importlib/_bootstrap", false, Some("importlib._bootstrap")),
    (
        "_frozen_importlib_external",
        "importlib/_bootstrap_external",
        false,
        Some("importlib._bootstrap_external"),
    ),
    ("zipimport", "zipimport", false, Some("zipimport")),
    ("abc", "abc", false, Some("abc")),
    ("codecs", "codecs", false, Some("codecs")),
    ("io", "io", false, Some("io")),
    ("_collections_abc", "_collections_abc", false, Some("_collections_abc")),
    ("_sitebuiltins", "_sitebuiltins", false, Some("_sitebuiltins")),
    ("genericpath", "genericpath", false, Some("genericpath")),
    ("ntpath", "ntpath", false, Some("ntpath")),
    ("posixpath", "posixpath", false, Some("posixpath")),
    ("os", "os", false, Some("os")),
    ("site", "site", false, Some("site")),
    ("stat", "stat", false, Some("stat")),
    ("importlib.util", "importlib/util", false, Some("importlib.util")),
    ("importlib.machinery", "importlib/machinery", false, Some("importlib.machinery")),
    ("runpy", "runpy", false, Some("runpy")),
    ("__hello__", "__hello__", false, Some("__hello__")),
    ("__hello_alias__", "__hello__", false, Some("__hello__")),
    ("__phello_alias__", "__hello__", true, Some("__hello__")),
    ("__phello_alias__.spam", "__hello__", false, Some("__hello__")),
    ("__phello__", "__phello__/__init__", true, Some("__phello__")),
    ("__phello__.__init__", "__phello__/__init__", false, Some("<__phello__")),
    ("__phello__.ham", "__phello__/ham/__init__", true, Some("__phello__.ham")),
    ("__phello__.ham.__init__", "__phello__/ham/__init__", false, Some("<__phello__.ham")),
    ("__phello__.ham.eggs", "__phello__/ham/eggs", false, Some("__phello__.ham.eggs")),
    ("__phello__.spam", "__phello__/spam", false, Some("__phello__.spam")),
    ("__hello_only__", "__hello__", false, None),
];

type Files = BTreeMap<String, Vec<u8>>;

fn collect(root: &Path, folder: &Path, files: &mut Files) {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot read the library folder {}: {error}", folder.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            // The test suite is no part of what ships.
            if name != "__pycache__" && name != "test" && name != "site-packages" && name != "lib-dynload" {
                collect(root, &path, files);
            }
        } else if !name.ends_with(".pyc") {
            let data = std::fs::read(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.insert(relative, data);
        }
    }
}

fn undo(files: &mut Files) {
    for name in NOT_CPYTHON {
        files.remove(*name);
    }
    for (name, altered, original) in UNDO {
        let data = files.get_mut(*name).unwrap_or_else(|| panic!("the library has no {name}"));
        let text = String::from_utf8(data.clone()).unwrap_or_else(|_| panic!("{name} is not UTF-8"));
        assert_eq!(text.matches(altered).count(), 1, "{name} is not altered in the way that is known");
        *data = text.replacen(altered, original, 1).into_bytes();
    }
}

/// The marshalled code of a core module.
fn freeze(file: &str, origin: &str, source: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(source).unwrap_or_else(|_| panic!("{file} is not UTF-8"));
    let flags = taipan_syntax::Flags {
        type_comments: false,
        dont_imply_dedent: false,
        allow_incomplete_input: false,
        barry_as_bdfl: false,
        feature_version: 14,
        int_max_str_digits: 0,
    };
    let mut parsed = taipan_syntax::parse(text, taipan_syntax::Mode::Exec, &flags)
        .unwrap_or_else(|error| panic!("{file} cannot be parsed: {}", error.error.msg));
    let filename = format!("<frozen {origin}>");
    let options = taipan_compiler::Options::default();
    let compiled =
        taipan_compiler::compile(&mut parsed.module, parsed.notable.as_deref(), &filename, &options)
            .unwrap_or_else(|error| panic!("{file} cannot be compiled: {}", error.error.message));
    let code = std::rc::Rc::new(compiled.code);
    taipan_bytecode::marshal::dumps(&taipan_bytecode::Constant::Code(code))
}

/// FNV-1a, enough to tell one library from another.
fn digest(files: &Files) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for (name, data) in files {
        for byte in name.bytes().chain([0]).chain(data.iter().copied()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    hash
}

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-env-changed=TAIPAN_STDLIB");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=Lib");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = Files::new();
    match std::env::var_os("TAIPAN_STDLIB") {
        Some(folder) => {
            println!("cargo:rerun-if-changed={}", folder.to_string_lossy());
            collect(Path::new(&folder), Path::new(&folder), &mut files);
        }
        None => {
            let folder = Path::new(rustpython_pylib::LIB_PATH);
            collect(folder, folder, &mut files);
            undo(&mut files);
        }
    }
    let ours = Path::new("Lib");
    // A checkout without files of our own has no such folder.
    if ours.is_dir() {
        collect(ours, ours, &mut files);
    }

    let mut table = String::from("&[\n");
    for (index, (name, file, is_package, origin)) in FROZEN.iter().enumerate() {
        let path = format!("{file}.py");
        // The example package lost an empty file on its way through the crate.
        let source = files.get(&path).cloned().unwrap_or_default();
        let data = freeze(&path, name_in_traceback(name, *origin), &source);
        std::fs::write(out.join(format!("frozen_{index}.bin")), data)?;
        writeln!(
            table,
            "    Frozen {{ name: {name:?}, data: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/frozen_{index}.bin\")), \
             is_package: {is_package}, origin: {origin:?} }},"
        )
        .map_err(std::io::Error::other)?;
    }
    table.push_str("]\n");
    std::fs::write(out.join("frozen.rs"), table)?;

    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    for (name, data) in &files {
        for part in [name.as_bytes(), data] {
            packed.write_all(&(part.len() as u32).to_le_bytes())?;
            packed.write_all(part)?;
        }
    }
    std::fs::write(out.join("library.bin"), packed.finish()?)?;
    std::fs::write(out.join("version.rs"), format!("{:?}\n", format!("{:016x}", digest(&files))))
}

/// What stands for the file in tracebacks.
fn name_in_traceback(name: &'static str, origin: Option<&'static str>) -> &'static str {
    match origin {
        Some(origin) if !origin.starts_with('<') => origin,
        _ => name,
    }
}
