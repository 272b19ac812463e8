//! From instruction sequence to an optimised flow graph, ready for the assembler.
//!
//! The passes and their order are CPython's, because each leaves traces in the finished code: targets and handlers,
//! small blocks copied into jumps, unreachable blocks dropped, lines resolved, constants and instruction pairs
//! folded, unbound locals checked, instruction pairs fused, cold blocks moved to the end, stack depth measured,
//! frame slots numbered, jumps given a direction, loads turned into borrowing ones.

mod borrow;
mod cold;
mod finish;
mod fold_block;
mod graph;
mod handlers;
mod lines;
mod locals;
mod peephole;
mod simplify;
mod swaps;

use taipan_bytecode::Opcode;

use crate::constants::{ConstantPool, UnitConstants};
use crate::instr::{Instr, InstrSeq};

pub use finish::{Layout, numbers_cell};
pub use graph::{BlockId, CfgInstr, Graph, NO_BLOCK, ends_path, holds};
pub use locals::TRACKED as TRACKED_LOCALS;

/// What went wrong in a flow graph; only a bug (or an abused entry point) can bring it about.
#[derive(Debug)]
pub struct FlowError(pub &'static str);

/// What the passes need to know about the code unit.
pub struct UnitFacts<'a> {
    /// Number of fast locals that are not cells or free variables.
    pub nlocals: usize,
    /// How many of them are parameters.
    pub nparams: usize,
    /// Frame layout.
    pub layout: Layout<'a>,
    /// `CO_*` bits.
    pub flags: u32,
    /// First line.
    pub firstlineno: i32,
}

/// Runs all passes over one code unit. The result replaces what the graph held before.
pub fn optimize(
    graph: &mut Graph,
    seq: &InstrSeq,
    pool: &mut ConstantPool,
    consts: &mut UnitConstants,
    facts: &UnitFacts<'_>,
) -> Result<(), FlowError> {
    graph.build(seq);
    optimize_graph(graph, pool, consts, facts.nlocals, facts.nparams)?;
    finish::finish(graph, facts)
}

/// What [`optimize`] does to a graph before cells get their places and jumps their directions, and which loads may
/// borrow then.
pub fn optimize_alone(
    seq: &InstrSeq,
    pool: &mut ConstantPool,
    consts: &mut UnitConstants,
    nlocals: usize,
) -> Result<Vec<Instr>, FlowError> {
    let mut graph = Graph::default();
    graph.build(seq);
    optimize_graph(&mut graph, pool, consts, nlocals, 0)?;
    // Sequences that are no whole program are welcome here: without known depths the rest borrows less.
    let _ = finish::calculate_stackdepth(&mut graph);
    borrow::borrow_loads(&mut graph);
    Ok(finish::linearize(&graph))
}

/// What [`optimize`] does to a graph at the end, done to instructions as they are.
pub fn finish_alone(seq: &InstrSeq, facts: &UnitFacts<'_>) -> Result<Graph, FlowError> {
    let mut graph = Graph::default();
    graph.build(seq);
    handlers::label_exception_targets(&mut graph);
    finish::finish(&mut graph, facts)?;
    Ok(graph)
}

fn optimize_graph(
    graph: &mut Graph,
    pool: &mut ConstantPool,
    consts: &mut UnitConstants,
    nlocals: usize,
    nparams: usize,
) -> Result<(), FlowError> {
    handlers::label_exception_targets(graph);

    simplify::inline_small_or_no_lineno_blocks(graph);
    simplify::remove_unreachable(graph);
    lines::resolve_line_numbers(graph);
    let mut folder = fold_block::Folder { pool, consts };
    let mut id = 0;
    while id != NO_BLOCK {
        peephole::optimize_load_const(graph, id, &mut folder);
        id = graph.next(id);
    }
    id = 0;
    while id != NO_BLOCK {
        peephole::optimize_block(graph, id, &mut folder);
        id = graph.next(id);
    }
    simplify::remove_redundant_nops_and_pairs(graph);
    simplify::remove_unreachable(graph);
    simplify::remove_redundant_nops_and_jumps(graph)?;

    remove_unused_consts(graph, consts);
    locals::check_unbound_locals(graph, nlocals, nparams);
    peephole::insert_superinstructions(graph);
    cold::push_cold_blocks_to_end(graph)?;
    lines::resolve_line_numbers(graph);
    Ok(())
}

/// Drops constants that no instruction loads; the first stays, it may be the docstring.
fn remove_unused_consts(graph: &mut Graph, consts: &mut UnitConstants) {
    if consts.list.len() <= 1 {
        return;
    }
    let mut used = std::mem::take(&mut graph.marks);
    used.clear();
    used.resize(consts.list.len(), false);
    used[0] = true;
    let mut id = 0;
    while id != NO_BLOCK {
        let block = graph.at(id);
        if block.may_hold(holds::CONST) {
            for instr in &block.instrs {
                if instr.op == Opcode::LOAD_CONST {
                    used[instr.arg as usize] = true;
                }
            }
        }
        id = block.next;
    }
    if used.iter().all(|used| *used) {
        graph.marks = used;
        return;
    }
    let mut kept = 0;
    let new_index: Vec<u32> = used
        .iter()
        .map(|used| {
            let index = kept;
            kept += u32::from(*used);
            index
        })
        .collect();
    id = 0;
    while id != NO_BLOCK {
        let block = graph.at_mut(id);
        if block.may_hold(holds::CONST) {
            for instr in &mut block.instrs {
                if instr.op == Opcode::LOAD_CONST {
                    instr.arg = new_index[instr.arg as usize];
                }
            }
        }
        id = block.next;
    }
    let mut flags = used.iter();
    consts.list.retain(|_| *flags.next().expect("as many flags as constants"));
    graph.marks = used;
}
