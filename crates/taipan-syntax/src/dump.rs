//! The tree as text, exactly as `ast.dump(tree, include_attributes=True)` writes it.
//!
//! The walk knows no node types: it follows the descriptions generated from `ast.table`. It keeps
//! its own stack, so the depth of the tree does not matter.

use std::fmt::Write as _;

use crate::ast::*;

enum Work<'a> {
    Node(NodeRef<'a>),
    Text(&'static str),
    Field(NodeRef<'a>, usize, bool),
    Items(NodesRef<'a>, usize),
    Attributes(Range, bool),
}

/// The dump of a module.
pub fn dump(module: &Mod) -> String {
    dump_node(NodeRef::Mod(module), true)
}

/// The dump of any node, with or without places.
pub fn dump_node(node: NodeRef<'_>, attributes: bool) -> String {
    let mut out = String::new();
    let mut stack = vec![Work::Node(node)];
    while let Some(work) = stack.pop() {
        match work {
            Work::Text(text) => out.push_str(text),
            Work::Node(node) => {
                let description = node.description();
                out.push_str(description.name);
                out.push('(');
                stack.push(Work::Field(node, 0, true));
            }
            Work::Field(node, index, first) => field(&mut out, &mut stack, node, index, first, attributes),
            Work::Items(list, index) => items(&mut out, &mut stack, list, index),
            Work::Attributes(r, first) => {
                if !first {
                    out.push_str(", ");
                }
                let _ = write!(
                    out,
                    "lineno={}, col_offset={}, end_lineno={}, end_col_offset={})",
                    r.lineno, r.col_offset, r.end_lineno, r.end_col_offset
                );
            }
        }
    }
    out
}

fn items<'a>(out: &mut String, stack: &mut Vec<Work<'a>>, list: NodesRef<'a>, index: usize) {
    if index == list.len() {
        out.push(']');
        return;
    }
    if index > 0 {
        out.push_str(", ");
    }
    stack.push(Work::Items(list, index + 1));
    match list.get(index) {
        Some(node) => stack.push(Work::Node(node)),
        None => stack.push(Work::Text("None")),
    }
}

/// Writes field `index` and queues what follows it. Empty lists and absent values
/// are left out, as `ast.dump` does.
fn field<'a>(
    out: &mut String,
    stack: &mut Vec<Work<'a>>,
    node: NodeRef<'a>,
    index: usize,
    first: bool,
    attributes: bool,
) {
    let description = node.description();
    let Some(field) = description.fields.get(index) else {
        match node.range() {
            Some(range) if attributes => stack.push(Work::Attributes(range, first)),
            _ => out.push(')'),
        }
        return;
    };
    let value = node.field(index);
    let left_out = match value {
        FieldRef::None => true,
        FieldRef::Nodes(list) => list.is_empty(),
        FieldRef::Identifiers(list) => list.is_empty(),
        _ => false,
    };
    if left_out {
        stack.push(Work::Field(node, index + 1, first));
        return;
    }
    if !first {
        out.push_str(", ");
    }
    out.push_str(field.name);
    out.push('=');
    stack.push(Work::Field(node, index + 1, false));
    match value {
        FieldRef::None => out.push_str("None"),
        FieldRef::Node(node) => stack.push(Work::Node(node)),
        FieldRef::Nodes(list) => {
            out.push('[');
            stack.push(Work::Items(list, 0));
        }
        FieldRef::Identifier(name) => repr_code_points(out, name.chars().map(|c| c as u32)),
        FieldRef::Identifiers(names) => {
            out.push('[');
            for (i, name) in names.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                repr_code_points(out, name.chars().map(|c| c as u32));
            }
            out.push(']');
        }
        FieldRef::String(text) => repr_code_points(out, text.code_points()),
        FieldRef::Int(value) => {
            let _ = write!(out, "{value}");
        }
        FieldRef::Constant(value) => repr_constant(out, value),
    }
}

/// `repr` of a constant.
pub fn repr_constant(out: &mut String, value: &Constant) {
    match value {
        Constant::None => out.push_str("None"),
        Constant::Bool(true) => out.push_str("True"),
        Constant::Bool(false) => out.push_str("False"),
        Constant::Ellipsis => out.push_str("Ellipsis"),
        Constant::Str(text) => repr_code_points(out, text.code_points()),
        Constant::Bytes(bytes) => repr_bytes(out, bytes),
        Constant::Int(value) => {
            let _ = write!(out, "{value}");
        }
        Constant::BigInt(value) => repr_big(out, value),
        Constant::Float(value) => out.push_str(&repr_float(*value)),
        Constant::Complex { real, imag } => repr_complex(out, *real, *imag),
        Constant::Tuple(items) => {
            out.push('(');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                repr_constant(out, item);
            }
            out.push_str(if items.len() == 1 { ",)" } else { ")" });
        }
        Constant::FrozenSet(items) => {
            out.push_str("frozenset({");
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                repr_constant(out, item);
            }
            out.push_str("})");
        }
    }
}

fn repr_code_points(out: &mut String, points: impl Iterator<Item = u32> + Clone) {
    let double = points.clone().any(|c| c == 39) && !points.clone().any(|c| c == 34);
    let quote = if double { '"' } else { '\'' };
    out.push(quote);
    for code in points {
        let c = char::from_u32(code);
        let _ = match (code, c) {
            (9, _) => write!(out, "\\t"),
            (10, _) => write!(out, "\\n"),
            (13, _) => write!(out, "\\r"),
            (92, _) => write!(out, "\\\\"),
            (_, Some(c)) if c == quote => write!(out, "\\{c}"),
            (0..32 | 127, _) => write!(out, "\\x{code:02x}"),
            (_, Some(c)) if crate::unicode::is_printable(c) => write!(out, "{c}"),
            (0..256, _) => write!(out, "\\x{code:02x}"),
            (0..0x1_0000, _) => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
    }
    out.push(quote);
}

fn repr_bytes(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    out.push('b');
    out.push(quote as char);
    for &byte in bytes {
        let _ = match byte {
            b'\t' => write!(out, "\\t"),
            b'\n' => write!(out, "\\n"),
            b'\r' => write!(out, "\\r"),
            b'\\' => write!(out, "\\\\"),
            _ if byte == quote => write!(out, "\\{}", byte as char),
            32..127 => write!(out, "{}", byte as char),
            _ => write!(out, "\\x{byte:02x}"),
        };
    }
    out.push(quote as char);
}

/// Decimal digits, by repeated division by 10⁹: quadratic, which literals of sane size can bear.
fn repr_big(out: &mut String, value: &BigInt) {
    let mut digits = value.digits.to_vec();
    let mut chunks = Vec::new();
    while !digits.is_empty() {
        let mut rest = 0_u64;
        for digit in digits.iter_mut().rev() {
            let now = rest << 30 | u64::from(*digit);
            *digit = (now / 1_000_000_000) as u32;
            rest = now % 1_000_000_000;
        }
        chunks.push(rest);
        while digits.last() == Some(&0) {
            digits.pop();
        }
    }
    if value.negative {
        out.push('-');
    }
    let _ = write!(out, "{}", chunks.pop().unwrap_or(0));
    for chunk in chunks.iter().rev() {
        let _ = write!(out, "{chunk:09}");
    }
}

/// `repr` of a float: the shortest digits that read back the same, exponents from 10¹⁶ up.
pub fn repr_float(value: f64) -> String {
    let text = float_digits(value);
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') { text + ".0" } else { text }
}

fn float_digits(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf".into() } else { "inf".into() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn repr_complex(out: &mut String, real: f64, imag: f64) {
    if real == 0.0 && real.is_sign_positive() {
        let _ = write!(out, "{}j", float_digits(imag));
        return;
    }
    let sign = if imag.is_sign_negative() || imag.is_nan() { "" } else { "+" };
    let _ = write!(out, "({}{sign}{}j)", float_digits(real), float_digits(imag));
}
