//! A code object as text to be read by people, in the manner of `dis`: line, label, instruction, argument and what it
//! means, then the exception table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::code::{Code, Constant, PyStr};
use crate::exceptions::read_guards;
use crate::location::LocationReader;
use crate::opcode::*;

/// The listing of a code object, and of those within it when `recursive`.
pub fn listing(code: &Code, recursive: bool) -> String {
    let mut out = String::new();
    write_listing(&mut out, code, recursive);
    out
}

fn shown(text: &PyStr) -> String {
    text.code_points().map(|point| char::from_u32(point).unwrap_or('\u{fffd}')).collect()
}

/// A constant in short.
pub fn constant_text(value: &Constant) -> String {
    let joined = |items: &[Constant]| items.iter().map(constant_text).collect::<Vec<_>>().join(", ");
    match value {
        Constant::None => "None".into(),
        Constant::Bool(true) => "True".into(),
        Constant::Bool(false) => "False".into(),
        Constant::Ellipsis => "Ellipsis".into(),
        Constant::Int(value) => value.to_string(),
        Constant::BigInt(value) => {
            format!("<{}int of {} digits>", if value.negative { "negative " } else { "" }, value.digits.len())
        }
        Constant::Float(value) => format!("{value:?}"),
        Constant::Complex(real, imag) => format!("({real:?}{imag:+?}j)"),
        Constant::Str(text) => format!("{:?}", shown(text)),
        Constant::Bytes(bytes) => format!("b\"{}\"", bytes.escape_ascii()),
        Constant::Tuple(items) if items.len() == 1 => format!("({},)", constant_text(&items[0])),
        Constant::Tuple(items) => format!("({})", joined(items)),
        Constant::FrozenSet(items) => format!("frozenset({{{}}})", joined(items)),
        Constant::Slice(parts) => format!("slice({})", joined(&parts[..])),
        Constant::Code(code) => format!("<code {}>", shown(&code.qualname)),
    }
}

struct Line {
    offset: usize,
    opcode: Opcode,
    arg: u32,
    target: Option<usize>,
    lineno: i32,
}

/// Instructions with their full arguments, in code units; bytes that are no opcode end the list.
fn decode(code: &Code) -> Vec<Line> {
    let mut places = LocationReader::new(&code.linetable, code.firstlineno)
        .flat_map(|(units, loc)| std::iter::repeat_n(loc.lineno, units));
    let mut lines = Vec::new();
    let units: Vec<&[u8]> = code.code.chunks_exact(2).collect();
    let (mut at, mut extended) = (0, 0u32);
    while let Some(unit) = units.get(at) {
        let lineno = places.next().unwrap_or(-1);
        let Some(opcode) = Opcode::from_u8(unit[0]) else { break };
        let arg = extended << 8 | u32::from(unit[1]);
        let next = at + 1 + opcode.caches();
        if opcode == Opcode::EXTENDED_ARG {
            extended = arg;
        } else {
            extended = 0;
            let back = matches!(
                opcode,
                Opcode::JUMP_BACKWARD | Opcode::JUMP_BACKWARD_NO_INTERRUPT | Opcode::END_ASYNC_FOR
            );
            let target = opcode
                .has_jump()
                .then(|| if back { next.saturating_sub(arg as usize) } else { next + arg as usize });
            lines.push(Line { offset: at, opcode, arg, target, lineno });
        }
        for _ in 0..opcode.caches() {
            places.next();
        }
        at = next;
    }
    lines
}

fn argument(code: &Code, line: &Line, labels: &BTreeMap<usize, usize>) -> String {
    let arg = line.arg as usize;
    let name = |at: usize| code.names.get(at).map(shown).unwrap_or_default();
    let local = |at: usize| code.localsplusnames.get(at).map(shown).unwrap_or_default();
    let listed = |table: &[(&str, &str)]| table.get(arg).map(|row| row.1.to_owned()).unwrap_or_default();
    match line.opcode {
        Opcode::LOAD_GLOBAL | Opcode::LOAD_ATTR => name(arg >> 1),
        Opcode::LOAD_SUPER_ATTR => name(arg >> 2),
        Opcode::BINARY_OP => listed(NB_OPS),
        Opcode::COMPARE_OP => COMPARISONS.get(arg >> 5).map(|row| row.1.to_owned()).unwrap_or_default(),
        Opcode::CALL_INTRINSIC_1 => INTRINSICS_1.get(arg).map(|row| row.0.to_owned()).unwrap_or_default(),
        Opcode::CALL_INTRINSIC_2 => INTRINSICS_2.get(arg).map(|row| row.0.to_owned()).unwrap_or_default(),
        Opcode::LOAD_COMMON_CONSTANT => listed(COMMON_CONSTANTS),
        Opcode::LOAD_SPECIAL => listed(SPECIAL_METHODS),
        Opcode::LOAD_FAST_LOAD_FAST
        | Opcode::LOAD_FAST_BORROW_LOAD_FAST_BORROW
        | Opcode::STORE_FAST_LOAD_FAST
        | Opcode::STORE_FAST_STORE_FAST => format!("{}, {}", local(arg >> 4), local(arg & 15)),
        op if op.has(flag::CONST) => code.consts.get(arg).map(constant_text).unwrap_or_default(),
        op if op.has(flag::NAME) => name(arg),
        op if op.has(flag::LOCAL | flag::FREE) => local(arg),
        _ => match line.target.and_then(|target| labels.get(&target)) {
            Some(label) => format!("to L{label}"),
            None => String::new(),
        },
    }
}

fn write_listing(out: &mut String, code: &Code, recursive: bool) {
    let lines = decode(code);
    let guards = read_guards(&code.exceptiontable);
    let mut labels: BTreeMap<usize, usize> =
        lines.iter().filter_map(|line| line.target).map(|t| (t, 0)).collect();
    for guard in &guards {
        for place in [guard.start, guard.end, guard.target] {
            labels.insert(place as usize, 0);
        }
    }
    for (number, label) in labels.values_mut().enumerate() {
        *label = number + 1;
    }
    let mut last = None;
    for line in &lines {
        let lineno = match line.lineno {
            lineno if last == Some(lineno) => String::new(),
            -1 => "--".to_owned(),
            lineno => lineno.to_string(),
        };
        last = Some(line.lineno);
        let label = labels.get(&line.offset).map_or(String::new(), |label| format!("L{label}:"));
        let _ = write!(out, "{lineno:>5} {label:>5} {:<24}", line.opcode.name());
        if line.opcode.has(flag::ARG) {
            let meaning = argument(code, line, &labels);
            let _ = write!(out, "{:>4}", line.arg);
            if !meaning.is_empty() {
                let _ = write!(out, " ({meaning})");
            }
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    if !guards.is_empty() {
        out.push_str("exceptions:\n");
        for guard in guards {
            let label = |place: u32| labels.get(&(place as usize)).copied().unwrap_or(0);
            let lasti = if guard.lasti { " lasti" } else { "" };
            let _ = writeln!(
                out,
                "  L{} to L{} -> L{} [{}]{lasti}",
                label(guard.start),
                label(guard.end),
                label(guard.target),
                guard.depth
            );
        }
    }
    if recursive {
        for value in code.consts.iter() {
            if let Constant::Code(inner) = value {
                let _ = writeln!(out, "\n{}:", shown(&inner.qualname));
                write_listing(out, inner, true);
            }
        }
    }
}
