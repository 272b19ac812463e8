//! Text types.
