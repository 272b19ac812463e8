//! Python 3.14 bytecode as plain data: the table of opcodes, the description of a code object, its line and
//! exception tables, marshal, and a listing printer. No Python object is known here, so the compiler, the
//! interpreter, the machine code generator and every tool share one vocabulary.

#![forbid(unsafe_code)]

pub mod canonical;
pub mod code;
pub mod exceptions;
pub mod listing;
pub mod location;
pub mod marshal;
pub mod opcode;
pub mod verify;

pub use code::*;
pub use location::{Location, LocationReader, LocationWriter};
pub use opcode::*;
