//! Any bytes must end in a tree or an error, in every mode.

#![no_main]

use libfuzzer_sys::fuzz_target;
use taipan_syntax::{Flags, Mode, dump, parse, source};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = source::decode_source(bytes, &|_, _| Ok(None)) else { return };
    for mode in [Mode::Exec, Mode::Eval, Mode::Single, Mode::FuncType] {
        for type_comments in [false, true] {
            let flags = Flags { type_comments, allow_incomplete_input: type_comments, ..Flags::default() };
            if let Ok(parsed) = parse(&text, mode, &flags) {
                let _ = dump::dump(&parsed.module);
            }
        }
    }
});
