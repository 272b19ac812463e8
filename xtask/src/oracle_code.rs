//! `cargo dev oracle-code` and `cargo dev bench-compile`: our compiler against CPython's.
//!
//! Both sides write a code object with everything in it as text, one instruction a line. The reference's side is
//! kept as checksums below the target folder, the full text is asked for when one file is to be looked at.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use taipan_bytecode::canonical::{quote, write_code};
use taipan_bytecode::marshal;
use taipan_bytecode::{Constant, PyStr};
use taipan_compiler::{Options, compile};
use taipan_syntax::{Flags, Mode, parse, source};

use crate::oracle_syntax::{cache_folder, codec, crc32, option, reference_library, text};

/// The compiler's recursion is bounded by depth; this is more than enough stack for its limit.
const STACK: usize = 512 << 20;

fn on_big_stack(work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).map_err(|e| e.to_string())?;
    thread.join().map_err(|_| "the compiler panicked".to_owned())?
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/oracle/code_reference.py")
}

fn ask(args: &[&str]) -> Result<String, String> {
    let output = Command::new(crate::reference::folder()?.join("bin/python3.14"))
        .env("PYTHONHASHSEED", "0")
        .arg(script())
        .args(args)
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("the reference failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|e| e.to_string())
}

/// `oracle-code [--only SUBSTR] [--show FILE]`
pub fn run(args: &[String]) -> Result<(), String> {
    let args = args.to_vec();
    on_big_stack(move || run_here(&args))
}

fn run_here(args: &[String]) -> Result<(), String> {
    let library = reference_library()?;
    if let Some(name) = option(args, "--show") {
        let path = if Path::new(name).exists() { PathBuf::from(name) } else { library.join(name) };
        return show(&path);
    }
    let verdicts = cache_folder()?.join("code.txt");
    if !verdicts.exists() {
        let partial = verdicts.with_extension("partial");
        ask(&["files", text(&library)?, text(&partial)?])?;
        std::fs::rename(&partial, &verdicts).map_err(|e| e.to_string())?;
    }
    let list = std::fs::read_to_string(&verdicts).map_err(|e| e.to_string())?;
    let only = option(args, "--only");
    let (mut alike, mut total) = (0, 0);
    for line in list.lines() {
        let (name, expected) = line.split_once('\x1f').ok_or("a verdict without a name")?;
        if only.is_some_and(|part| !name.contains(part)) {
            continue;
        }
        let bytes = std::fs::read(library.join(name)).map_err(|e| format!("{name}: {e}"))?;
        let got = verdict(&bytes);
        total += 1;
        if expected == format!("{:08x}\x1f{}", crc32(got.as_bytes()), got.len()) {
            alike += 1;
        } else {
            println!("{name}");
        }
    }
    println!("{alike} of {total} alike");
    if alike == total { Ok(()) } else { Err("not all alike".into()) }
}

/// Prints where the two texts for a file first part, with what stands around.
fn show(path: &Path) -> Result<(), String> {
    let expected = ask(&["show", text(path)?])?;
    let got = verdict(&std::fs::read(path).map_err(|e| e.to_string())?);
    let (expected, got): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), got.lines().collect());
    let Some(at) = (0..expected.len().max(got.len())).find(|at| expected.get(*at) != got.get(*at)) else {
        println!("alike");
        return Ok(());
    };
    let unit = expected[..at.min(expected.len())].iter().rev().find(|line| line.starts_with("== "));
    println!("{}", unit.unwrap_or(&""));
    for line in &expected[at.saturating_sub(12)..at.min(expected.len())] {
        println!("    {line}");
    }
    for (side, lines) in [("reference", &expected), ("taipan", &got)] {
        println!("{side}:");
        for line in lines.iter().skip(at).take(14) {
            println!("    {line}");
        }
    }
    Err("not alike".into())
}

/// `oracle-marshal [--only SUBSTR]`: marshalled code against CPython's, and ours read back.
pub fn run_marshal(args: &[String]) -> Result<(), String> {
    let args = args.to_vec();
    on_big_stack(move || {
        let library = reference_library()?;
        let list = ask(&["marshal", text(&library)?])?;
        let only = option(&args, "--only");
        let (mut alike, mut total, mut unreadable) = (0, 0, 0);
        for line in list.lines() {
            let (name, expected) = line.split_once('\x1f').ok_or("a verdict without a name")?;
            if only.is_some_and(|part| !name.contains(part)) {
                continue;
            }
            let bytes = std::fs::read(library.join(name)).map_err(|e| e.to_string())?;
            let Ok(source) = source::decode_source(&bytes, &codec) else { continue };
            let Ok(mut parsed) = parse(&source, Mode::Exec, &Flags::default()) else { continue };
            let Ok(output) =
                compile(&mut parsed.module, parsed.notable.as_deref(), "<oracle>", &Options::default())
            else {
                continue;
            };
            let code = Constant::Code(std::rc::Rc::new(output.code));
            let data = marshal::dumps(&code);
            total += 1;
            let same = expected == format!("{:08x}\x1f{}", crc32(&data), data.len());
            alike += usize::from(same);
            let read_back = match marshal::loads(&data) {
                Ok(Constant::Code(code)) => {
                    let mut out = String::new();
                    write_code(&mut out, &code);
                    out
                }
                _ => String::new(),
            };
            let mut original = String::new();
            if let Constant::Code(code) = &code {
                write_code(&mut original, code);
            }
            if read_back != original {
                unreadable += 1;
                println!("not read back: {name}");
            }
            if only.is_some() {
                let file = cache_folder()?.join("marshalled");
                std::fs::write(&file, &data).map_err(|e| e.to_string())?;
                let understood = ask(&["unmarshal", text(&file)?])? == original;
                println!("{name}: same bytes {same}, understood by the reference {understood}");
            }
        }
        println!("{alike} of {total} byte for byte alike, {unreadable} not read back");
        if unreadable == 0 { Ok(()) } else { Err("marshalled code is not read back".into()) }
    })
}

/// `verify-code [--only SUBSTR]`: the verifier must accept all that the compiler makes.
pub fn run_verify(args: &[String]) -> Result<(), String> {
    let args = args.to_vec();
    on_big_stack(move || {
        let library = reference_library()?;
        let mut files = Vec::new();
        collect(&library, &mut files)?;
        let only = option(&args, "--only");
        let (mut total, mut refused) = (0, 0);
        let mut time = Duration::ZERO;
        for file in files {
            if only.is_some_and(|part| !file.to_string_lossy().contains(part)) {
                continue;
            }
            let bytes = std::fs::read(&file).map_err(|e| e.to_string())?;
            let Ok(source) = source::decode_source(&bytes, &|_, _| Ok(None)) else { continue };
            for optimize in [0, 2] {
                let Ok(mut parsed) = parse(&source, Mode::Exec, &Flags::default()) else { continue };
                let options = Options { optimize, ..Options::default() };
                let Ok(output) = compile(&mut parsed.module, parsed.notable.as_deref(), "<oracle>", &options)
                else {
                    continue;
                };
                let start = Instant::now();
                let verdict = taipan_bytecode::verify::verify_code(&output.code);
                time += start.elapsed();
                total += 1;
                if let Err(defect) = verdict {
                    refused += 1;
                    println!("{}: {} at unit {}", file.display(), defect.what, defect.at);
                }
            }
        }
        println!("{} of {total} accepted in {time:.2?}", total - refused);
        if refused == 0 { Ok(()) } else { Err("code of our own is refused".into()) }
    })
}

/// Processor time of this process so far in seconds, so that a busy machine does not spoil the measurement.
fn processor_time() -> Result<f64, String> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|e| e.to_string())?;
    // Behind the program's name, which stands in parentheses, user and system time are fields 12 and 13.
    let fields = stat.rsplit_once(')').map_or("", |parts| parts.1);
    let ticks: Vec<f64> =
        fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// `bench-compile [--rounds N] [--ours]`: source bytes to code objects for all files against CPython's `compile()`,
/// in processor time, both sides in turn; the best round of each counts.
pub fn bench(args: &[String]) -> Result<(), String> {
    let rounds = option(args, "--rounds").and_then(|n| n.parse().ok()).unwrap_or(3);
    let alone = args.iter().any(|arg| arg == "--ours");
    on_big_stack(move || {
        let library = reference_library()?;
        let mut files = Vec::new();
        collect(&library, &mut files)?;
        let mut sources = Vec::new();
        for file in &files {
            let bytes = std::fs::read(file).map_err(|e| e.to_string())?;
            // Sources in encodings that the front end asks others for are left out.
            if source::decode_source(&bytes, &|_, _| Ok(None)).is_ok() {
                sources.push(bytes);
            }
        }
        let size: usize = sources.iter().map(Vec::len).sum();
        println!("{} files, {size} bytes", sources.len());
        let (mut best_ours, mut best_theirs) = (f64::MAX, f64::MAX);
        for _ in 0..rounds {
            let mut parsing = Duration::ZERO;
            let (start, began) = (processor_time()?, Instant::now());
            for bytes in &sources {
                let now = Instant::now();
                let Ok(text) = source::decode_source(bytes, &|_, _| Ok(None)) else { continue };
                let parsed = parse(&text, Mode::Exec, &Flags::default());
                parsing += now.elapsed();
                if let Ok(mut parsed) = parsed {
                    let _ = compile(
                        &mut parsed.module,
                        parsed.notable.as_deref(),
                        "<oracle>",
                        &Options::default(),
                    );
                }
            }
            let ours = processor_time()? - start;
            let share = parsing.as_secs_f64() / began.elapsed().as_secs_f64();
            println!("taipan    {ours:.2} s, {:.0} % of it for parsing", share * 100.0);
            best_ours = best_ours.min(ours);
            if !alone {
                let theirs = ask(&["bench", text(&library)?])?;
                let theirs: f64 = theirs.trim().parse().map_err(|_| "no time from the reference")?;
                println!("reference {theirs:.2} s");
                best_theirs = best_theirs.min(theirs);
            }
        }
        if !alone {
            println!("ratio     {:.2}", best_theirs / best_ours);
        }
        Ok(())
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    for entry in std::fs::read_dir(folder).map_err(|e| e.to_string())? {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "__pycache__") {
                collect(&path, files)?;
            }
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == "py") {
            files.push(path);
        }
    }
    Ok(())
}

fn verdict(bytes: &[u8]) -> String {
    let mut out = String::new();
    let source = match source::decode_source(bytes, &codec) {
        Ok(text) => text,
        Err(error) => return syntax_error(&error),
    };
    let mut parsed = match parse(&source, Mode::Exec, &Flags::default()) {
        Ok(parsed) => parsed,
        Err(rejected) => {
            out.push_str(&syntax_error(&rejected.error));
            parse_warnings(&mut out, &rejected.warnings);
            return out;
        }
    };
    let result = compile(&mut parsed.module, parsed.notable.as_deref(), "<oracle>", &Options::default());
    let warnings = match result {
        Ok(output) => {
            write_code(&mut out, &output.code);
            output.warnings
        }
        Err(failure) => {
            let error = &failure.error;
            let name = error.kind.name();
            let message = quote(&PyStr::from(&*error.message));
            let _ = match error.range {
                Some(r) => writeln!(
                    out,
                    "{name} {},{},{},{} {message}",
                    r.lineno,
                    r.col_offset + 1,
                    r.end_lineno,
                    r.end_col_offset + 1
                ),
                None => writeln!(out, "{name} {message}"),
            };
            failure.warnings
        }
    };
    parse_warnings(&mut out, &parsed.warnings);
    for warning in warnings {
        let _ = writeln!(out, "warning {} {}", warning.range.lineno, quote(&PyStr::from(&*warning.message)));
    }
    out
}

fn syntax_error(error: &taipan_syntax::ParseError) -> String {
    let message = quote(&PyStr::from(&*error.msg));
    let shown = |part: Option<i32>| part.map_or("None".to_owned(), |part| part.to_string());
    match &error.place {
        Some(p) => format!(
            "{} {},{},{},{} {message}\n",
            error.kind.name(),
            p.lineno,
            p.offset,
            shown(p.end_lineno),
            shown(p.end_offset)
        ),
        None => format!("{} None,None,None,None {message}\n", error.kind.name()),
    }
}

fn parse_warnings(out: &mut String, warnings: &[taipan_syntax::Warning]) {
    for warning in warnings {
        let _ = writeln!(out, "warning {} {}", warning.lineno, quote(&PyStr::from(&*warning.msg)));
    }
}
