//! Docstrings: finding one, and stripping its common indentation as `inspect.cleandoc` does (but keeping blank
//! lines, so that line numbers stay true).

use taipan_bytecode::PyStr;
use taipan_bytecode::code::PyStrBuilder;
use taipan_syntax::ast::{Constant, ExprKind, Stmt, StmtKind};

/// The docstring that a body begins with.
pub fn of_body(body: &[Stmt]) -> Option<&PyStr> {
    let StmtKind::Expr(node) = &body.first()?.kind else { return None };
    match &node.value.kind {
        ExprKind::Constant(constant) => match &constant.value {
            Constant::Str(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Tabs made spaces; columns count code points.
fn expand_tabs(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut column = 0;
    for &byte in text {
        match byte {
            b'\t' => {
                let width = 8 - column % 8;
                out.resize(out.len() + width, b' ');
                column += width;
                continue;
            }
            b'\n' | b'\r' => column = 0,
            // Only the first byte of a character counts.
            byte if byte & 0xC0 != 0x80 => column += 1,
            _ => {}
        }
        out.push(byte);
    }
    out
}

/// The docstring without the margin common to all lines but the first. None when it holds a lone surrogate, which
/// cannot be written as UTF-8: the position of the surrogate is given then.
pub fn clean(doc: &PyStr) -> PyStr {
    let bytes = doc.as_bytes();
    let expanded = memchr::memchr(b'\t', bytes).map(|_| expand_tabs(bytes));
    let text = expanded.as_deref().unwrap_or(bytes);
    if expanded.is_none() && memchr::memchr(b'\n', text).is_none() && text.first() != Some(&b' ') {
        return doc.clone();
    }
    let indent = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
    let ends = || memchr::memchr_iter(b'\n', text).chain([text.len()]);
    let mut margin = usize::MAX;
    for (start, end) in ends().map(|end| end + 1).zip(ends().skip(1)) {
        let indent = indent(&text[start..end]);
        if indent < end - start {
            margin = margin.min(indent);
        }
    }
    if margin == usize::MAX {
        margin = 0;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut start = 0;
    for end in ends() {
        let line = &text[start..end];
        let cut = if start == 0 {
            indent(line)
        } else {
            out.push(b'\n');
            indent(&line[..margin.min(line.len())])
        };
        out.extend_from_slice(&line[cut..]);
        start = end + 1;
    }
    let mut builder = PyStrBuilder::with_capacity(out.len());
    match std::str::from_utf8(&out) {
        Ok(text) => builder.push_str(text),
        Err(_) => return doc.clone(),
    }
    builder.take()
}
