//! From source text to tokens and syntax tree: a library of its own, without Python objects.

#![forbid(unsafe_code)]

pub mod ast;
