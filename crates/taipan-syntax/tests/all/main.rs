//! The front end's tests: golden files made by CPython, and hostile input.

#![forbid(unsafe_code)]

mod golden;
mod hostile;
mod modes;
