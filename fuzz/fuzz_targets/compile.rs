//! Any bytes must end in a code object that marshals and reads back, or in an error.

#![no_main]

use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use taipan_bytecode::{Constant, canonical::write_code, marshal};
use taipan_compiler::{Options, compile};
use taipan_syntax::{Flags, Mode, parse, source};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = source::decode_source(bytes, &|_, _| Ok(None)) else { return };
    for (mode, optimize) in [(Mode::Exec, 0), (Mode::Exec, 2), (Mode::Single, 1), (Mode::Eval, 0)] {
        let Ok(mut parsed) = parse(&text, mode, &Flags::default()) else {
            if mode == Mode::Exec && optimize == 0 {
                // The error pass is what takes time; once is enough.
                return;
            }
            continue;
        };
        let options = Options { optimize, ..Options::default() };
        let Ok(output) = compile(&mut parsed.module, parsed.notable.as_deref(), "<fuzz>", &options) else { continue };
        let mut original = String::new();
        write_code(&mut original, &output.code);
        let data = marshal::dumps(&Constant::Code(Rc::new(output.code)));
        let Ok(Constant::Code(code)) = marshal::loads(&data) else { panic!("not read back") };
        let mut again = String::new();
        write_code(&mut again, &code);
        assert!(original == again, "read back as something else");
    }
});
