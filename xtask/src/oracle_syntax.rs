//! `cargo dev oracle-ast` and `cargo dev oracle-errors`: our parser against CPython's.
//!
//! The reference interpreter writes its verdict on every file or snippet once, into a cache below
//! the target folder: a checksum of the tree's dump, or the error, and the warnings. We do the same
//! in memory and compare line by line.

use std::path::{Path, PathBuf};
use std::process::Command;

use taipan_syntax::{Flags, Mode, ParseError, Warning, dump, parse, source};

const TESTS: &[&str] = &[
    "test_syntax",
    "test_fstring",
    "test_tstring",
    "test_exceptions",
    "test_grammar",
    "test_patma",
    "test_unparse",
    "test_eof",
    "test_string_literals",
    "test_positional_only_arg",
    "test_named_expressions",
    "test_type_comments",
    "test_unpack_ex",
    "test_keywordonlyarg",
    "test_codeop",
    "test_compile",
    "test_type_params",
    "test_type_aliases",
    "test_except_star",
    "test_dictcomps",
    "test_listcomps",
    "test_genexps",
    "test_setcomps",
    "test_generators",
    "test_coroutines",
    "test_with",
    "test_ast/test_ast",
    "test_ast",
    "test_tokenize",
    "test_peg_generator/test_c_parser",
    "test_future_stmt/test_future",
    "test_global",
    "test_lambda",
    "test_parser",
    "test_repl",
    "test_unpack",
    "test_extcall",
    "test_flufl",
];

/// `oracle-ast [--only SUBSTR]`: every library file of the reference.
pub fn run_files(args: &[String]) -> Result<(), String> {
    let library = reference_library()?;
    let verdicts = cache_folder()?.join("files.txt");
    if !verdicts.exists() {
        let partial = verdicts.with_extension("partial");
        ask_reference(&["files", text(&library)?, text(&partial)?])?;
        std::fs::rename(&partial, &verdicts).map_err(|e| e.to_string())?;
    }
    let list = std::fs::read_to_string(&verdicts).map_err(|e| e.to_string())?;
    let only = option(args, "--only");
    let mut tally = Tally::new(args);
    for line in list.lines() {
        let (name, expected) = line.split_once('\x1f').ok_or("a verdict without a name")?;
        if only.is_some_and(|part| !name.contains(part)) {
            continue;
        }
        let bytes = std::fs::read(library.join(name)).map_err(|e| format!("{name}: {e}"))?;
        let got = judge_bytes(&bytes);
        tally.note(name, expected, &got, None);
    }
    tally.finish()
}

/// `oracle-errors [--only SUBSTR]`: every string in the test suite's files about syntax; with
/// `--mutate SEED [--count N]` such strings spoilt at random.
pub fn run_snippets(args: &[String]) -> Result<(), String> {
    let library = reference_library()?;
    let folder = cache_folder()?;
    let (snippets, verdicts) = (folder.join("snippets.bin"), folder.join("snippets.txt"));
    if !verdicts.exists() {
        let partial = verdicts.with_extension("partial");
        let mut call = vec!["harvest", text(&library)?, text(&snippets)?, text(&partial)?];
        call.extend(TESTS);
        ask_reference(&call)?;
        std::fs::rename(&partial, &verdicts).map_err(|e| e.to_string())?;
    }
    if let Some(seed) = option(args, "--mutate") {
        let (texts, out) = (folder.join("mutants.bin"), folder.join("mutants.txt"));
        let count = option(args, "--count").unwrap_or("3000");
        ask_reference(&["mutate", text(&snippets)?, text(&texts)?, text(&out)?, seed, count])?;
        return compare_snippets(&texts, &out, args);
    }
    compare_snippets(&snippets, &verdicts, args)
}

fn compare_snippets(snippets: &Path, verdicts: &Path, args: &[String]) -> Result<(), String> {
    let list = std::fs::read_to_string(verdicts).map_err(|e| e.to_string())?;
    let blob = std::fs::read(snippets).map_err(|e| e.to_string())?;
    let only = option(args, "--only");
    let mut tally = Tally::new(args);
    let mut rest = blob.as_slice();
    for line in list.lines() {
        let (name, expected) = line.split_once('\x1f').ok_or("a verdict without a name")?;
        let (head, tail) = rest.split_at(4);
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (snippet, tail) = tail.split_at(length);
        rest = tail;
        if only.is_some_and(|part| !name.contains(part)) {
            continue;
        }
        let snippet = std::str::from_utf8(snippet).map_err(|e| e.to_string())?;
        let got = judge_text(snippet);
        tally.note(name, expected, &got, Some(snippet));
    }
    tally.finish()
}

pub(crate) fn option<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    let at = args.iter().position(|a| a == name)?;
    args.get(at + 1).map(String::as_str)
}

pub(crate) fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("odd path {}", path.display()))
}

pub(crate) fn reference_library() -> Result<PathBuf, String> {
    Ok(crate::reference::folder()?.join("lib/python3.14"))
}

pub(crate) fn cache_folder() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = target.join("oracle");
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    Ok(folder)
}

fn ask_reference(args: &[&str]) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle/parse_reference.py");
    let python = crate::reference::folder()?.join("bin/python3.14");
    let status = Command::new(&python)
        .arg(script)
        .args(args)
        .status()
        .map_err(|e| format!("{}: {e}", python.display()))?;
    if status.success() { Ok(()) } else { Err("the reference failed".into()) }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\x1f', "\\x1f")
}

fn warnings_text(warnings: &[Warning]) -> String {
    let list: Vec<String> = warnings.iter().map(|w| format!("{}:{}", w.lineno, w.msg)).collect();
    escape(&list.join("\x1e"))
}

fn error_text(error: &ParseError) -> String {
    let place = match &error.place {
        Some(p) => p.describe(),
        None => "None,None,None,None".to_owned(),
    };
    format!("err\x1f{}\x1f{}\x1f{place}", error.kind.name(), escape(&error.msg))
}

fn judge_bytes(bytes: &[u8]) -> String {
    match source::decode_source(bytes, &codec) {
        Ok(text) => judge_text(&text),
        Err(error) => format!("{}\x1f", error_text(&error)),
    }
}

/// Encodings that the front end does not know are left to the reference.
pub(crate) fn codec(name: &str, bytes: &[u8]) -> Result<Option<String>, String> {
    use std::io::Write;
    use std::process::Stdio;
    let program = format!(
        "import sys, codecs\ntry: codecs.lookup({name:?})\nexcept LookupError: sys.exit(3)\n\
         sys.stdout.buffer.write(sys.stdin.buffer.read().decode({name:?}).encode())"
    );
    let mut child = Command::new(crate::reference::folder()?.join("bin/python3.14"))
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    if let Some(mut input) = child.stdin.take() {
        // The child may end without reading.
        let _ = input.write_all(bytes);
    }
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    match output.status.code() {
        Some(0) => String::from_utf8(output.stdout).map(Some).map_err(|e| e.to_string()),
        Some(3) => Ok(None),
        _ => Err(format!("'{name}' codec can't decode the source")),
    }
}

fn judge_text(text: &str) -> String {
    match parse(text, Mode::Exec, &Flags::default()) {
        Ok(parsed) => {
            let dump = dump::dump(&parsed.module);
            let warned = warnings_text(&parsed.warnings);
            format!("ast\x1f{:08x}\x1f{}\x1f{warned}", crc32(dump.as_bytes()), dump.len())
        }
        Err(rejected) => {
            format!("{}\x1f{}", error_text(&rejected.error), warnings_text(&rejected.warnings))
        }
    }
}

pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|n| (0..8).fold(n, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 }))
        .collect();
    !bytes.iter().fold(!0_u32, |crc, &b| table[((crc ^ u32::from(b)) & 255) as usize] ^ (crc >> 8))
}

struct Tally {
    alike: usize,
    total: usize,
    shown: usize,
    limit: usize,
    warnings_differ: usize,
}

impl Tally {
    fn new(args: &[String]) -> Tally {
        let limit = option(args, "--show").and_then(|n| n.parse().ok()).unwrap_or(20);
        Tally { alike: 0, total: 0, shown: 0, limit, warnings_differ: 0 }
    }

    fn note(&mut self, name: &str, expected: &str, got: &str, snippet: Option<&str>) {
        self.total += 1;
        if expected == got {
            self.alike += 1;
            return;
        }
        let main = |verdict: &str| verdict.rsplit_once('\x1f').map_or(String::new(), |(m, _)| m.to_owned());
        if main(expected) == main(got) {
            self.warnings_differ += 1;
        }
        self.shown += 1;
        if self.shown > self.limit {
            return;
        }
        println!("{name}");
        if let Some(snippet) = snippet {
            println!("  source    {:?}", snippet.chars().take(300).collect::<String>());
        }
        println!("  reference {}", expected.replace('\x1f', " | "));
        println!("  taipan    {}", got.replace('\x1f', " | "));
    }

    fn finish(&self) -> Result<(), String> {
        println!(
            "{} of {} alike ({} of the others only in their warnings)",
            self.alike, self.total, self.warnings_differ
        );
        if self.alike == self.total { Ok(()) } else { Err("not all alike".into()) }
    }
}

/// `dump-ast FILE`: the tree, as `ast.dump(tree, include_attributes=True)` writes it.
pub fn run_dump(args: &[String]) -> Result<(), String> {
    let path = args.first().ok_or("which file?")?;
    let bytes = std::fs::read(path).map_err(|e| format!("{path}: {e}"))?;
    let text = source::decode_source(&bytes, &codec).map_err(|e| e.msg)?;
    let parsed = parse(&text, Mode::Exec, &Flags::default()).map_err(|r| error_text(&r.error))?;
    println!("{}", dump::dump(&parsed.module));
    Ok(())
}

/// `judge MODE TEXT…`: our verdict on texts given on the command line.
pub fn run_judge(args: &[String]) -> Result<(), String> {
    let (mode, texts) = args.split_first().ok_or("which mode?")?;
    let mut flags = Flags::default();
    let mode = match mode.as_str() {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        "func_type" => Mode::FuncType,
        "incomplete" => {
            flags.allow_incomplete_input = true;
            flags.dont_imply_dedent = true;
            Mode::Single
        }
        other => return Err(format!("no mode {other}")),
    };
    for text in texts {
        match parse(text, mode, &flags) {
            Ok(parsed) => {
                println!("{text:?} ok | {}", warnings_text(&parsed.warnings));
                for error in parsed.warnings.iter().filter_map(|w| w.error.as_deref()) {
                    println!("  as error: {}", error_text(error).replace('\x1f', " | "));
                }
            }
            Err(r) => println!("{text:?} {}", error_text(&r.error).replace('\x1f', " | ")),
        }
    }
    Ok(())
}

/// `time-parse`: how long parsing all library files takes; build with `--profile fast`.
pub fn run_time(_: &[String]) -> Result<(), String> {
    let library = reference_library()?;
    let list = std::fs::read_to_string(cache_folder()?.join("files.txt")).map_err(|e| e.to_string())?;
    let mut sources = Vec::new();
    for line in list.lines() {
        let name = line.split('\x1f').next().unwrap_or_default();
        let bytes = std::fs::read(library.join(name)).map_err(|e| format!("{name}: {e}"))?;
        sources.extend(source::decode_source(&bytes, &|_, _| Ok(None)).map(|text| text.into_owned()));
    }
    let bytes: usize = sources.iter().map(|text| text.len()).sum();
    for _ in 0..3 {
        let start = std::time::Instant::now();
        let parsed = sources.iter().filter(|text| parse(text, Mode::Exec, &Flags::default()).is_ok()).count();
        let seconds = start.elapsed().as_secs_f64();
        println!("{parsed} of {} files, {bytes} bytes in {seconds:.3} s", sources.len());
    }
    Ok(())
}

/// `tokens FILE`: the tokens as Python's `_tokenize` gives them.
pub fn run_tokens(args: &[String]) -> Result<(), String> {
    use taipan_syntax::lexer::{LexOptions, Lexer};
    let path = args.first().ok_or("which file?")?;
    let source = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let mut lexer = Lexer::new(&source, LexOptions { type_comments: false, extra_tokens: true });
    loop {
        let t = lexer.next_token();
        println!(
            "{} {},{}-{},{} {:?}",
            t.kind as u8,
            t.lineno,
            t.col,
            t.end_lineno,
            t.end_col,
            t.text(&source)
        );
        if matches!(t.kind, taipan_syntax::token::Kind::ENDMARKER | taipan_syntax::token::Kind::ERRORTOKEN) {
            return Ok(());
        }
    }
}
