//! Code objects that others have made are verified before they run.
//!
//! `marshal.loads`, `code(...)` and `code.replace(...)` give code objects that the interpreter must not trust. They
//! can be looked at, compared and written as they are; but a function gets such code only when the verifier of
//! `taipan-bytecode` has followed all its paths. What our own compiler made is trusted from the start.

use crate::code::Code;
use taipan_bytecode as bytecode;
use taipan_bytecode::verify::{ConstantKind, Subject, verify};
use taipan_object::tuple::Tuple;
use taipan_object::{PyResult, raise, statics::*};

/// In the place of the first traceable instruction: nobody has verified the code yet.
const UNVERIFIED: i32 = -1;

/// More words than any stack of values needs.
const MAX_STACK: i32 = 1 << 24;

impl Code {
    /// Notes that the code comes from outside.
    pub fn distrust(&self) {
        // SAFETY: the view guarantees the layout.
        unsafe { (*self.raw())._co_firsttraceable = UNVERIFIED };
    }

    /// Makes sure that running the code can do no harm.
    ///
    /// # Errors
    /// `ValueError` for code that makes no sense.
    #[inline]
    pub fn ensure_verified(&self) -> PyResult<()> {
        // SAFETY: the view guarantees the layout.
        if unsafe { (*self.raw())._co_firsttraceable } == UNVERIFIED { self.verify_now() } else { Ok(()) }
    }

    #[cold]
    fn verify_now(&self) -> PyResult<()> {
        let consts = self.consts();
        let kind_of = |index: usize| {
            let Some(constant) = consts.items().get(index) else { return ConstantKind::Other };
            if let Some(code) = constant.downcast::<Code>() {
                ConstantKind::Code(code.nfreevars())
            } else if constant.downcast::<Tuple>().is_some() {
                ConstantKind::Tuple
            } else {
                ConstantKind::Other
            }
        };
        let flags = self.flags();
        let variadic = (flags & (bytecode::CO_VARARGS | bytecode::CO_VARKEYWORDS)).count_ones() as usize;
        // SAFETY: the view guarantees the layout.
        let stacksize = unsafe { (*self.raw()).co_stacksize };
        if !(0..=MAX_STACK).contains(&stacksize) {
            return Err(raise!(PyExc_OverflowError, "code: co_stacksize is too large"));
        }
        let code = self.original_code();
        let subject = Subject {
            code: &code,
            constant: &kind_of,
            constants: consts.len(),
            names: self.names().len(),
            localspluskinds: self.localspluskinds(),
            parameters: self.argcount().saturating_add(self.kwonlyargcount()).saturating_add(variadic),
            stacksize: usize::try_from(stacksize).unwrap_or(0),
            flags,
            exceptiontable: self.exceptiontable(),
        };
        if let Err(defect) = verify(&subject) {
            return Err(raise!(
                PyExc_ValueError,
                "code object {} cannot be run: {} (at offset {})",
                self.qualname().repr()?.to_lossy(),
                defect.what,
                2 * defect.at
            ));
        }
        self.trust();
        Ok(())
    }
}
