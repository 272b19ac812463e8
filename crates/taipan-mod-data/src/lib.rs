//! Native modules of data and of what lies between programs: random numbers, searching and heaps,
//! arrays, digests, compression, descriptors and sockets.
//!
//! Algorithms come from crates made for their field; what is written here is how Python calls them.

// Not `forbid`: `zlib::stream` says at its head why it cannot do without.
#![deny(unsafe_code)]

mod array;
mod bisect;
mod hashes;
mod heapq;
mod pickle;
mod random;
mod util;
mod zlib;

use taipan_object::module::ModuleSpec;

/// The modules of this room.
pub const MODULES: &[&ModuleSpec] = &[
    &random::SPEC,
    &bisect::SPEC,
    &heapq::SPEC,
    &hashes::md5::SPEC,
    &hashes::sha1::SPEC,
    &hashes::sha2::SPEC,
    &hashes::sha3::SPEC,
    &hashes::blake2::SPEC,
    &zlib::SPEC,
    &array::SPEC,
    &pickle::SPEC,
];
