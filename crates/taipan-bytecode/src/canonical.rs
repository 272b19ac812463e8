//! A code object with everything in it as text, one instruction a line, in a form that is as easily written by a
//! script under CPython (`tests/oracle/code_reference.py`): for comparing the two.

use std::fmt::Write as _;

use crate::code::{Code, Constant, PyStr};
use crate::location::{Location, LocationReader};
use crate::opcode::Opcode;

/// Text in printable ASCII.
pub fn quote(text: &PyStr) -> String {
    let mut out = String::with_capacity(text.as_bytes().len());
    for point in text.code_points() {
        match char::from_u32(point) {
            Some(c @ ' '..='~') if c != '\\' && c != '\'' => out.push(c),
            _ => {
                let _ = write!(out, "\\u{{{point:x}}}");
            }
        }
    }
    out
}

fn names(list: &[PyStr]) -> String {
    list.iter().map(quote).collect::<Vec<_>>().join(" ")
}

fn constant<'a>(value: &'a Constant, codes: &mut Vec<&'a Code>) -> String {
    match value {
        Constant::None => "None".into(),
        Constant::Bool(true) => "True".into(),
        Constant::Bool(false) => "False".into(),
        Constant::Ellipsis => "Ellipsis".into(),
        Constant::Int(value) => {
            format!("int:{}{:x}", if *value < 0 { "-" } else { "" }, value.unsigned_abs())
        }
        Constant::BigInt(value) => {
            let mut bits = String::new();
            for digit in value.digits.iter().rev() {
                let _ = write!(bits, "{digit:030b}");
            }
            let bits = bits.trim_start_matches('0');
            let padded = format!("{}{bits}", "0".repeat((4 - bits.len() % 4) % 4));
            let hex: String = padded
                .as_bytes()
                .chunks(4)
                .map(|chunk| {
                    let digit = chunk.iter().fold(0, |value, bit| value * 2 + u32::from(bit - b'0'));
                    char::from_digit(digit, 16).unwrap_or('?')
                })
                .collect();
            format!("int:{}{hex}", if value.negative { "-" } else { "" })
        }
        Constant::Float(value) => format!("float:{:016x}", value.to_bits()),
        Constant::Complex(real, imag) => {
            format!("complex:{:016x},{:016x}", real.to_bits(), imag.to_bits())
        }
        Constant::Str(text) => format!("'{}'", quote(text)),
        Constant::Bytes(bytes) => format!("bytes:{}", hex(bytes)),
        Constant::Tuple(items) => {
            let items: Vec<String> = items.iter().map(|item| constant(item, codes)).collect();
            format!("({})", items.join(","))
        }
        Constant::FrozenSet(items) => {
            let mut items: Vec<String> = items.iter().map(|item| constant(item, codes)).collect();
            items.sort();
            format!("set({})", items.join(","))
        }
        Constant::Slice(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| constant(part, codes)).collect();
            format!("slice({})", parts.join(","))
        }
        Constant::Code(code) => {
            codes.push(code);
            format!("code:{}", quote(&code.qualname))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Appends the text of a code object and of those within it.
pub fn write_code(out: &mut String, code: &Code) {
    let mut codes = Vec::new();
    let _ = writeln!(out, "== {}", quote(&code.qualname));
    let _ = writeln!(out, "name {} file {}", quote(&code.name), quote(&code.filename));
    let _ = writeln!(
        out,
        "args {} {} {} flags {:x} stack {} line {}",
        code.argcount,
        code.posonlyargcount,
        code.kwonlyargcount,
        code.flags,
        code.stacksize,
        code.firstlineno
    );
    let _ = writeln!(out, "names {}", names(&code.names));
    let _ = writeln!(out, "varnames {}", names(&code.varnames()));
    let _ = writeln!(out, "cellvars {}", names(&code.cellvars()));
    let _ = writeln!(out, "freevars {}", names(&code.freevars()));
    for value in code.consts.iter() {
        let shown = constant(value, &mut codes);
        let _ = writeln!(out, "const {shown}");
    }
    let mut places = LocationReader::new(&code.linetable, code.firstlineno)
        .flat_map(|(units, loc)| std::iter::repeat_n(loc, units));
    for unit in code.code.chunks_exact(2) {
        let place = places.next().unwrap_or(Location::NONE);
        if unit[0] == 0 {
            let _ = writeln!(out, "CACHE {}", unit[1]);
            continue;
        }
        let name = Opcode::from_u8(unit[0]).map_or("?", Opcode::name);
        let shown: Vec<String> = [place.lineno, place.end_lineno, place.col_offset, place.end_col_offset]
            .iter()
            .map(|part| if *part < 0 { "-".to_owned() } else { part.to_string() })
            .collect();
        let _ = writeln!(out, "{name} {} @{}", unit[1], shown.join(","));
    }
    let _ = writeln!(out, "lines {}", hex(&code.linetable));
    let _ = writeln!(out, "guards {}", hex(&code.exceptiontable));
    for inner in codes {
        write_code(out, inner);
    }
}
