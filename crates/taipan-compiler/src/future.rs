//! `from __future__ import …`: which features a module asks for, and where its last such statement stands.

use taipan_bytecode::opcode::{CO_FUTURE_ANNOTATIONS, CO_FUTURE_BARRY_AS_BDFL};
use taipan_syntax::ast::{Mod, Range, Stmt, StmtImportFrom, StmtKind};

use crate::docstring;
use crate::error::{CompileError, Compiled};

/// What a module asks of the future.
#[derive(Clone, Copy, Debug)]
pub struct Future {
    /// `CO_FUTURE_*` bits.
    pub features: u32,
    /// Place of the last statement.
    pub range: Range,
}

impl Future {
    /// Are annotations kept as strings?
    #[inline]
    pub fn annotations(&self) -> bool {
        self.features & CO_FUTURE_ANNOTATIONS != 0
    }
}

/// Reads the future statements at the beginning of a module.
pub fn from_module(module: &Mod) -> Compiled<Future> {
    let nowhere = Range { lineno: -1, col_offset: -1, end_lineno: -1, end_col_offset: -1 };
    let mut future = Future { features: 0, range: nowhere };
    let body: &[Stmt] = match module {
        Mod::Module(node) => &node.body,
        Mod::Interactive(node) => &node.body,
        _ => return Ok(future),
    };
    let skip = usize::from(docstring::of_body(body).is_some());
    for stmt in &body[skip..] {
        let StmtKind::ImportFrom(node) = &stmt.kind else { break };
        if node.level != 0 || node.module.as_ref().is_none_or(|module| module.as_str() != "__future__") {
            break;
        }
        features(node, &mut future)?;
        future.range = stmt.range;
    }
    Ok(future)
}

fn features(node: &StmtImportFrom, future: &mut Future) -> Compiled<()> {
    for alias in &node.names {
        match alias.name.as_str() {
            "nested_scopes" | "generators" | "division" | "absolute_import" | "with_statement"
            | "print_function" | "unicode_literals" | "generator_stop" => {}
            "barry_as_FLUFL" => future.features |= CO_FUTURE_BARRY_AS_BDFL,
            "annotations" => future.features |= CO_FUTURE_ANNOTATIONS,
            "braces" => return Err(CompileError::syntax("not a chance", alias.range)),
            other => {
                let shown: String = other.chars().take(100).collect();
                return Err(CompileError::syntax(
                    format!("future feature {shown} is not defined"),
                    alias.range,
                ));
            }
        }
    }
    Ok(())
}
