//! `cargo dev`: the developers' own program. Each subcommand lives in a module of its own.

#![forbid(unsafe_code)]

mod capi;
mod conformance;
mod gen_abi;
mod gen_ast;
mod gen_unicode;
mod generated;
mod hostile;
mod layers;
mod oracle_code;
mod oracle_syntax;
mod reference;
mod tail_calls;
mod witness;

use std::process::ExitCode;

type Command = fn(&[String]) -> Result<(), String>;

/// Every subcommand: name, one line of help, function.
const COMMANDS: &[(&str, &str, Command)] = &[
    ("reference", "fetch CPython 3.14, its library, headers and tests", reference::run),
    ("conformance", "run CPython's tests against the floor: BINARY [--raise] [MODULE...]", conformance::run),
    ("capi", "report how much of the C interface a binary exports: BINARY [LIBRARY...]", capi::run),
    ("witness", "check the layout tables against CPython's headers: INCLUDE...", witness::run),
    ("tail-calls", "check that no instruction of a program calls the next one: BINARY", tail_calls::run),
    ("layers", "check that crates depend only downward", layers::run),
    ("gen-abi", "write the struct layouts of taipan-abi from its tables", gen_abi::run),
    ("gen-unicode", "write the Unicode tables from the reference interpreter", gen_unicode::run),
    ("gen-ast", "write the syntax tree types from ast.table (--check: only compare)", gen_ast::run),
    ("oracle-code", "compare code objects of the library (--only PART, --show FILE)", oracle_code::run),
    ("oracle-marshal", "compare marshalled code of the library (--only PART)", oracle_code::run_marshal),
    ("hostile", "compile absurd sources and prefixes of a file (--file NAME --step N)", hostile::run),
    ("verify-code", "run the verifier over the library's code (--only PART)", oracle_code::run_verify),
    ("bench-compile", "time parser and compiler against the reference's compile()", oracle_code::bench),
    (
        "oracle-ast",
        "compare trees of the reference's library (--only PART, --show N)",
        oracle_syntax::run_files,
    ),
    ("time-parse", "time the parser over the reference library", oracle_syntax::run_time),
    ("tokens", "print the tokens of a file", oracle_syntax::run_tokens),
    ("judge", "say what the parser makes of texts: MODE TEXT...", oracle_syntax::run_judge),
    ("dump-ast", "print the tree of a file as ast.dump does", oracle_syntax::run_dump),
    ("oracle-errors", "compare trees and errors of its tests' snippets", oracle_syntax::run_snippets),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = args.split_first() else {
        println!("usage: cargo dev COMMAND");
        for (name, help, _) in COMMANDS {
            println!("  {name:<12} {help}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((_, _, run)) = COMMANDS.iter().find(|row| row.0 == name) else {
        eprintln!("cargo dev: no command named {name}");
        return ExitCode::FAILURE;
    };
    match run(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("cargo dev {name}: {message}");
            ExitCode::FAILURE
        }
    }
}
