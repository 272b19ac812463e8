//! `cargo dev hostile`: sources that are cut off or absurdly large must end in code or in an error, soon.

use std::time::{Duration, Instant};

use taipan_bytecode::verify::verify_code;
use taipan_compiler::{Options, compile};
use taipan_syntax::{Flags, Mode, parse, source};

use crate::oracle_syntax::{option, reference_library};

/// Compiles a text in every mode that takes it; says how it ended and how long it took.
fn run_one(text: &str) -> Result<(&'static str, Duration), String> {
    let start = Instant::now();
    let ended = match parse(text, Mode::Exec, &Flags::default()) {
        Err(rejected) => rejected.error.kind.name(),
        Ok(mut parsed) => {
            match compile(&mut parsed.module, parsed.notable.as_deref(), "<hostile>", &Options::default()) {
                Err(failure) => failure.error.kind.name(),
                Ok(output) => {
                    verify_code(&output.code)
                        .map_err(|defect| format!("{} at {}", defect.what, defect.at))?;
                    "code"
                }
            }
        }
    };
    Ok((ended, start.elapsed()))
}

/// A heading in itself, as deep as told; the indentation stops growing where it would only cost time.
fn nest_in(heading: &str, count: usize) -> String {
    (0..count).map(|depth| format!("{}{heading}\n", " ".repeat(depth.min(200)))).collect()
}

/// The large ones, with their names.
fn giants() -> Vec<(&'static str, String)> {
    vec![
        ("10^6 open parentheses", "(".repeat(1_000_000)),
        ("2*10^5 unary operators", format!("{}1", "-".repeat(200_000))),
        ("2*10^5 attributes", format!("a{}", ".b".repeat(200_000))),
        ("2*10^5 calls", format!("a{}", "()".repeat(200_000))),
        ("10^5 nested blocks", nest_in("if a:", 100_000)),
        ("10^6 additions", format!("a{}", "+a".repeat(1_000_000))),
        ("10^5 elifs", format!("if a: pass\n{}", "elif a: pass\n".repeat(100_000))),
        ("10^5 lambdas", format!("{}1", "lambda:".repeat(100_000))),
        ("10^5 conditionals", format!("{}c", "a if b else ".repeat(100_000))),
        ("10^6 comparisons", format!("a{}", "<a".repeat(1_000_000))),
        ("10^5 items of a with", format!("with {}a: pass", "a,".repeat(100_000))),
        ("10^6 decorators", format!("{}def f(): pass\n", "@a\n".repeat(1_000_000))),
        ("10^5 functions in functions", nest_in("def f():", 100_000)),
        ("10^5 classes in classes", nest_in("class A:", 100_000)),
        ("10^6 strings side by side", "'a' ".repeat(1_000_000)),
        ("10^5 f-strings in f-strings", format!("{}1{}", "f'{".repeat(100_000), "}'".repeat(100_000))),
        ("10^4 format specs in format specs", format!("f'{}a{}'", "{a:".repeat(10_000), "}".repeat(10_000))),
        ("10^5 dicts in dicts", format!("{}1{}", "{1:".repeat(100_000), "}".repeat(100_000))),
        ("10^5 subscripts in subscripts", format!("{}0{}", "a[".repeat(100_000), "]".repeat(100_000))),
        ("10^5 comprehensions", format!("{}a{}", "[".repeat(100_000), " for a in b]".repeat(100_000))),
        (
            "10^5 sequence patterns",
            format!("match a:\n case {}{}: pass\n", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        ("10^5 alternatives", format!("match a:\n case {}1: pass\n", "1|".repeat(100_000))),
        ("10^5 cases", format!("match a:\n{}", " case 1: pass\n".repeat(100_000))),
        ("10^5 excepts", format!("try: pass\n{}", "except a: pass\n".repeat(100_000))),
        ("10^5 keywords", format!("f({})", (0..100_000).map(|n| format!("a{n}=1,")).collect::<String>())),
        ("2*10^5 targets", format!("{}1", "a=".repeat(200_000))),
        ("10^6 backslashes", "\\\n".repeat(1_000_000)),
        ("NULs", "\0".repeat(1000)),
        ("150 unfinished calls", "f(a=b=c, ".repeat(150)),
        ("150 unfinished dicts", "{a:b, **c for ".repeat(150)),
        ("150 unfinished targets", format!("{}a+1{}=1", "(".repeat(150), ")".repeat(150))),
        (
            "10^5 constants in a set",
            format!("a in {{{}}}", (0..100_000).map(|n| format!("{n},")).collect::<String>()),
        ),
        ("10^6 hexadecimal digits", format!("0x{}", "f".repeat(1_000_000))),
        ("a name of 100 MB", "a".repeat(100_000_000)),
        ("a string of 100 MB", format!("'{}'", "a".repeat(100_000_000))),
        ("100 MB of blanks", format!("{}a", " ".repeat(100_000_000))),
    ]
}

/// Every `step`-th prefix of a file of the library, cut between bytes, not characters.
fn prefixes(name: &str, step: usize) -> Result<(), String> {
    let bytes = std::fs::read(reference_library()?.join(name)).map_err(|e| e.to_string())?;
    let mut slowest = Duration::ZERO;
    let (mut count, mut compiled) = (0, 0);
    let began = Instant::now();
    for end in (0..=bytes.len()).step_by(step.max(1)) {
        let Ok(text) = source::decode_source(&bytes[..end], &|_, _| Ok(None)) else { continue };
        let (ended, time) = run_one(&text).map_err(|error| format!("{name} up to {end}: {error}"))?;
        slowest = slowest.max(time);
        count += 1;
        compiled += u32::from(ended == "code");
    }
    println!(
        "{count} prefixes of {name}: {compiled} gave code, {:.2?} in all, {slowest:.2?} at most",
        began.elapsed()
    );
    Ok(())
}

/// `hostile [--file NAME,NAME…] [--step N]`: the giants, then every N-th prefix of files of the library.
pub fn run(args: &[String]) -> Result<(), String> {
    let names = option(args, "--file")
        .unwrap_or("test/test_grammar.py,test/test_fstring.py,test/test_patma.py,argparse.py")
        .to_owned();
    let step: usize = option(args, "--step").and_then(|n| n.parse().ok()).unwrap_or(397);
    let worker = std::thread::Builder::new().stack_size(64 << 20);
    let work = worker.spawn(move || -> Result<(), String> {
        for (name, text) in giants() {
            let (ended, time) = run_one(&text).map_err(|error| format!("{name}: {error}"))?;
            println!("{name}: {ended}, {time:.2?}");
        }
        names.split(',').try_for_each(|name| prefixes(name, step))
    });
    work.map_err(|e| e.to_string())?.join().map_err(|_| "the front end panicked".to_owned())?
}
