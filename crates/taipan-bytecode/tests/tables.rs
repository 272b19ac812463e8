//! The opcode table against a listing made by CPython, and the tables of code objects written and read back.

use taipan_bytecode::exceptions::{Guard, read_guards, write_guard};
use taipan_bytecode::location::{Location, LocationReader, LocationWriter};
use taipan_bytecode::marshal::{dumps, loads};
use taipan_bytecode::opcode::{Kind, flag, stack_effect};
use taipan_bytecode::{Constant, Opcode, PyStr};

/// Made by `tests/oracle/opcodes_reference.py` under CPython 3.14.
const REFERENCE: &str = include_str!("opcodes.txt");

fn describe(opcode: Opcode) -> String {
    let kinds = [
        (flag::ARG, "arg"),
        (flag::CONST, "const"),
        (flag::NAME, "name"),
        (flag::JUMP, "jump"),
        (flag::FREE, "free"),
        (flag::LOCAL, "local"),
    ];
    let flags: Vec<&str> = kinds.iter().filter(|row| opcode.has(row.0)).map(|row| row.1).collect();
    let flags = if flags.is_empty() { "-".to_owned() } else { flags.join(",") };
    let effect =
        |arg, jump| stack_effect(opcode, arg, jump).map_or("-".to_owned(), |effect| effect.to_string());
    let effects: Vec<String> = [1, 2, 3, 259]
        .into_iter()
        .map(|arg| if opcode.has(flag::ARG) { arg } else { 0 })
        .map(|arg| format!("{}/{}", effect(arg, false), effect(arg, true)))
        .collect();
    let family = if opcode.kind() == Kind::Specialized { opcode.family() } else { opcode };
    // Instrumented forms keep their plain twin's caches, which CPython's listing does not show.
    let caches = if opcode.kind() == Kind::Instrumented { 0 } else { family.caches() };
    format!("{} {} {} {caches} {flags} {}", opcode.number(), opcode.name(), family.name(), effects.join(" "))
}

#[test]
fn opcodes_equal_cpython() {
    let ours: Vec<String> = Opcode::ALL.iter().map(|opcode| describe(*opcode)).collect();
    let theirs: Vec<&str> = REFERENCE.lines().collect();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn cache_fields_fill_the_caches() {
    for opcode in Opcode::ALL.iter().filter(|opcode| opcode.kind() == Kind::Real) {
        let units: usize = opcode.cache_fields().iter().map(|field| usize::from(field.1)).sum();
        assert_eq!(units, opcode.caches(), "{}", opcode.name());
    }
}

#[test]
fn locations_are_read_back() {
    let place = |lineno, end_lineno, col_offset, end_col_offset| Location {
        lineno,
        end_lineno,
        col_offset,
        end_col_offset,
    };
    let entries = [
        (1, place(3, 3, 4, 9)),
        (8, place(5, 5, 100, 127)),
        (2, Location::NONE),
        (3, place(2, 900, 0, 4000)),
        (1, place(2, 2, -1, -1)),
    ];
    let mut writer = LocationWriter::new(3);
    for (units, location) in entries {
        writer.push(&location, units);
    }
    let table = writer.finish();
    assert!(LocationReader::new(&table, 3).eq(entries));
    for cut in 0..table.len() {
        LocationReader::new(&table[..cut], 3).count();
    }
}

#[test]
fn guards_are_read_back() {
    let guards = [
        Guard { start: 2, end: 70, target: 5000, depth: 3, lasti: true },
        Guard { start: 100_000, end: 100_001, target: 300_000, depth: 0, lasti: false },
    ];
    let mut table = Vec::new();
    guards.iter().for_each(|guard| write_guard(&mut table, *guard));
    assert_eq!(read_guards(&table), guards);
}

#[test]
fn marshal_survives_hostile_input() {
    let text = |text: &str| Constant::Str(PyStr::from(text));
    let value = Constant::Tuple(
        [text("spam"), text("spam"), Constant::Int(i64::MIN), Constant::Float(-0.0), Constant::Int(7)].into(),
    );
    let data = dumps(&value);
    assert_eq!(loads(&data), Ok(value));
    for cut in 0..data.len() {
        assert!(loads(&data[..cut]).is_err());
    }
    for at in 0..data.len() {
        for byte in 0..=255 {
            let mut broken = data.clone();
            broken[at] = byte;
            let _ = loads(&broken);
        }
    }
    let deep = vec![[b')', 1]; 100_000].concat();
    assert!(loads(&deep).is_err());
    assert!(loads(&[b'(', 255, 255, 255, 127]).is_err());
}
