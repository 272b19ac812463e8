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
    let text = expand_tabs(doc.as_bytes());
    let mut margin = usize::MAX;
    for line in text.split(|byte| *byte == b'\n').skip(1) {
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        if indent < line.len() {
            margin = margin.min(indent);
        }
    }
    if margin == usize::MAX {
        margin = 0;
    }
    let mut out = Vec::with_capacity(text.len());
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        if index > 0 {
            out.push(b'\n');
        }
        let cut = if index == 0 { indent } else { indent.min(margin) };
        out.extend_from_slice(&line[cut..]);
    }
    let mut builder = PyStrBuilder::with_capacity(out.len());
    match std::str::from_utf8(&out) {
        Ok(text) => builder.push_str(text),
        Err(_) => return doc.clone(),
    }
    builder.take()
}
