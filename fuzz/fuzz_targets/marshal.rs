//! Any bytes must be read as a constant or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use taipan_bytecode::marshal;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(constant) = marshal::loads(bytes) {
        let _ = marshal::dumps(&constant);
    }
});
