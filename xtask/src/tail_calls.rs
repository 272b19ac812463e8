//! `cargo dev tail-calls BINARY`: whether any instruction of the evaluator calls the next one.
//!
//! Problem: an instruction goes on to the next at its very end, which the compiler makes a jump, unless the
//! instruction keeps something in memory (see `taipan-eval/src/instructions`). Then it is a call, and a long stretch
//! of straight code uses up the stack. Nothing in the source shows which of the two it is, so the program is read.
//!
//! Idea: the evaluator's functions that end by a jump through the table of instructions, or by a jump to another such
//! function, go on. None of the evaluator's functions may call one of them, nor call through the table, but the loop.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// The loop, which is where all instructions come back to.
const LOOP: &str = "taipan_eval::interp::run";
/// How the table is indexed: any two registers, eight bytes an entry.
const INDEXED: &str = ",8)";

/// Where a function goes.
#[derive(Default)]
struct Function {
    calls: Vec<String>,
    jumps: Vec<String>,
    calls_by_table: bool,
    jumps_by_table: bool,
}

/// Reads one line of a listing: how the function under way leaves it.
fn note(function: &mut Function, line: &str) {
    let Some((kind, target)) = line
        .split_whitespace()
        .position(|word| word == "call" || word.starts_with('j'))
        .and_then(|at| Some((line.split_whitespace().nth(at)?, line.split_once(['*', '<'])?.1)))
    else {
        return;
    };
    let by_table = line.contains('*') && target.ends_with(INDEXED);
    let name = target.strip_suffix('>').filter(|_| !line.contains('*'));
    match (kind, name) {
        ("call", _) if by_table => function.calls_by_table = true,
        (_, _) if by_table => function.jumps_by_table = true,
        ("call", Some(name)) => function.calls.push(name.to_owned()),
        (_, Some(name)) => function.jumps.push(name.to_owned()),
        _ => {}
    }
}

/// The evaluator's functions in a listing, by name. Functions of one name count as one.
fn functions(listing: impl Iterator<Item = String>) -> HashMap<String, Function> {
    let mut all: HashMap<String, Function> = HashMap::new();
    let mut current = None;
    for line in listing {
        if let Some(name) = line.strip_suffix(">:").and_then(|head| head.split_once('<')) {
            current = Some(name.1.to_owned()).filter(|name| name.contains("taipan_eval::"));
        } else if let Some(name) = &current {
            note(all.entry(name.clone()).or_default(), &line);
        }
    }
    all
}

/// Each function that calls what should be jumped to, with that.
fn calls(all: &HashMap<String, Function>) -> Vec<String> {
    let mut go_on: HashSet<&str> =
        all.iter().filter(|(_, function)| function.jumps_by_table).map(|(name, _)| &**name).collect();
    loop {
        let before = go_on.len();
        for (name, function) in all {
            if function.jumps.iter().any(|target| go_on.contains(&**target)) {
                go_on.insert(name);
            }
        }
        if go_on.len() == before {
            break;
        }
    }
    let mut found = Vec::new();
    for (name, function) in all.iter().filter(|(name, _)| *name != LOOP) {
        if function.calls_by_table {
            found.push(format!("{name} calls through the table"));
        }
        let called = function.calls.iter().filter(|target| go_on.contains(&***target));
        found.extend(called.map(|target| format!("{name} calls {target}")));
    }
    found.sort();
    found.dedup();
    found
}

/// Entry point of the subcommand.
pub fn run(args: &[String]) -> Result<(), String> {
    let [binary] = args else { return Err("give a program built with optimisation".to_owned()) };
    let mut objdump = Command::new("objdump")
        .args(["--disassemble", "--demangle", "--no-show-raw-insn", binary])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("objdump: {error}"))?;
    let output = objdump.stdout.take().ok_or("objdump has no output")?;
    let all = functions(BufReader::new(output).lines().map_while(Result::ok));
    if !objdump.wait().map_err(|error| error.to_string())?.success() {
        return Err(format!("objdump cannot read {binary}"));
    }
    let jumping = all.values().filter(|function| function.jumps_by_table).count();
    if jumping == 0 {
        return Err("no instruction goes on by a jump: is this a program built with optimisation?".to_owned());
    }
    let found = calls(&all);
    match &found[..] {
        [] => {
            println!("{jumping} functions go on by a jump, none by a call");
            Ok(())
        }
        found => Err(format!("these keep the stack:\n{}", found.join("\n"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\
0000000000001000 <taipan_eval::interp::run>:
    1000:\tcall   *(%rcx,%rax,8)
0000000000002000 <taipan_eval::instructions::jumps>:
    2000:\tjmp    *(%rcx,%rax,8)
0000000000003000 <taipan_eval::instructions::also>:
    3000:\tcall   5000 <taipan_object::help>
    3005:\tjmp    2000 <taipan_eval::instructions::jumps>
0000000000004000 <taipan_eval::instructions::calls>:
    4000:\tcall   3000 <taipan_eval::instructions::also>
    4005:\tret
0000000000005000 <taipan_object::help>:
    5000:\tcall   *(%rcx,%rax,8)
0000000000006000 <taipan_eval::instructions::by_table>:
    6000:\tcall   *0x10(%rcx,%rax,8)
    6005:\tje     6000 <taipan_eval::instructions::by_table>
0000000000007000 <taipan_eval::instructions::jumps_sometimes>:
    7000:\tje     2000 <taipan_eval::instructions::jumps>
    7005:\tret
0000000000008000 <taipan_eval::instructions::calls_that>:
    8000:\tcall   7000 <taipan_eval::instructions::jumps_sometimes>
";

    #[test]
    fn calls_of_what_goes_on_are_found() {
        let all = functions(LISTING.lines().map(str::to_owned));
        assert_eq!(
            calls(&all),
            [
                "taipan_eval::instructions::by_table calls through the table",
                "taipan_eval::instructions::calls calls taipan_eval::instructions::also",
                "taipan_eval::instructions::calls_that calls taipan_eval::instructions::jumps_sometimes",
            ]
        );
    }
}
