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
        Ok(mut parsed) => match compile(&mut parsed.module, "<hostile>", &Options::default()) {
            Err(failure) => failure.error.kind.name(),
            Ok(output) => {
                verify_code(&output.code).map_err(|defect| format!("{} at {}", defect.what, defect.at))?;
                "code"
            }
        },
    };
    Ok((ended, start.elapsed()))
}

/// The large ones, with their names.
fn giants() -> Vec<(&'static str, String)> {
    let nest = |count: usize| {
        (0..count).map(|depth| format!("{}if a:\n", " ".repeat(depth.min(200)))).collect::<String>()
    };
    vec![
        ("10^6 open parentheses", "(".repeat(1_000_000)),
        ("2*10^5 unary operators", format!("{}1", "-".repeat(200_000))),
        ("2*10^5 attributes", format!("a{}", ".b".repeat(200_000))),
        ("2*10^5 calls", format!("a{}", "()".repeat(200_000))),
        ("10^5 nested blocks", nest(100_000)),
        ("10^6 additions", format!("a{}", "+a".repeat(1_000_000))),
        ("10^5 elifs", format!("if a: pass\n{}", "elif a: pass\n".repeat(100_000))),
        ("10^5 lambdas", format!("{}1", "lambda:".repeat(100_000))),
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

/// `hostile [--file NAME] [--step N]`: the giants, then every N-th prefix of a file of the library.
pub fn run(args: &[String]) -> Result<(), String> {
    let name = option(args, "--file").unwrap_or("test/test_grammar.py").to_owned();
    let step: usize = option(args, "--step").and_then(|n| n.parse().ok()).unwrap_or(41);
    let worker = std::thread::Builder::new().stack_size(64 << 20);
    let work = worker.spawn(move || -> Result<(), String> {
        for (name, text) in giants() {
            let (ended, time) = run_one(&text).map_err(|error| format!("{name}: {error}"))?;
            println!("{name}: {ended}, {time:.2?}");
        }
        let bytes = std::fs::read(reference_library()?.join(&name)).map_err(|e| e.to_string())?;
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
    });
    work.map_err(|e| e.to_string())?.join().map_err(|_| "the front end panicked".to_owned())?
}
