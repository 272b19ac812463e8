//! C functions with `...`, and `va_list`.
//!
//! Problem: stable Rust cannot define variadic functions. Idea: on x86-64 a variadic call passes its
//! arguments exactly as any other call does, so a naked entry spills the argument registers into the
//! save area that the System V ABI describes, puts a `va_list` record beside it, and calls an ordinary
//! Rust function with the record's address. That is also what a C caller of a `…V` function passes, so one
//! reader, [`VaList`], serves both.
//!
//! The entry knows nothing of named parameters: the body reads them as the first arguments.

use core::ffi::{c_char, c_void};

/// The System V record behind `va_list`.
#[repr(C)]
pub struct VaList {
    gp_offset: u32,
    fp_offset: u32,
    overflow: *mut u8,
    registers: *mut u8,
}

const GENERAL_END: u32 = 48;
const VECTOR_END: u32 = 176;

impl VaList {
    /// The next argument of integer class, as the whole word that was passed.
    ///
    /// # Safety
    /// There is one more such argument.
    pub unsafe fn word(&mut self) -> u64 {
        // SAFETY: by contract; the areas are laid out as the ABI says.
        unsafe {
            if self.gp_offset < GENERAL_END {
                let at = self.registers.add(self.gp_offset as usize);
                self.gp_offset += 8;
                return at.cast::<u64>().read();
            }
            self.stacked()
        }
    }

    unsafe fn stacked(&mut self) -> u64 {
        // SAFETY: forwarded contract.
        unsafe {
            let value = self.overflow.cast::<u64>().read();
            self.overflow = self.overflow.add(8);
            value
        }
    }

    /// The next argument, a `double`.
    ///
    /// # Safety
    /// It is one.
    pub unsafe fn double(&mut self) -> f64 {
        // SAFETY: by contract.
        unsafe {
            if self.fp_offset < VECTOR_END {
                let at = self.registers.add(self.fp_offset as usize);
                self.fp_offset += 16;
                return at.cast::<f64>().read();
            }
            f64::from_bits(self.stacked())
        }
    }

    /// The next argument, an `int` or what is promoted to one.
    ///
    /// # Safety
    /// It is one.
    pub unsafe fn int(&mut self) -> i32 {
        // SAFETY: by contract; the upper half of the word means nothing.
        unsafe { (self.word() & 0xffff_ffff) as u32 }.cast_signed()
    }

    /// The next argument, an `unsigned int`.
    ///
    /// # Safety
    /// It is one.
    pub unsafe fn uint(&mut self) -> u32 {
        // SAFETY: by contract.
        unsafe { self.int() }.cast_unsigned()
    }

    /// The next argument, a `long`, `long long` or `Py_ssize_t`.
    ///
    /// # Safety
    /// It is one.
    pub unsafe fn long(&mut self) -> i64 {
        // SAFETY: by contract.
        unsafe { self.word() }.cast_signed()
    }

    /// The next argument, a pointer.
    ///
    /// # Safety
    /// It is one.
    pub unsafe fn pointer<T>(&mut self) -> *mut T {
        // SAFETY: by contract; the pointer comes from C, which exposed it.
        core::ptr::with_exposed_provenance_mut(unsafe { self.word() } as usize)
    }

    /// The next argument, a C text or null.
    ///
    /// # Safety
    /// It is one.
    pub unsafe fn text(&mut self) -> *const c_char {
        // SAFETY: by contract.
        unsafe { self.pointer::<c_char>() }
    }

    /// The next argument, a function pointer or null.
    ///
    /// # Safety
    /// It is one.
    pub unsafe fn function(&mut self) -> *mut c_void {
        // SAFETY: by contract.
        unsafe { self.pointer::<c_void>() }
    }
}

/// Declares exported variadic functions: the body is an expression over `$va: &mut VaList`.
macro_rules! variadic {
    ($($(#[$meta:meta])* fn $name:ident($va:ident) -> $ret:ty $body:block)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of the C API (variadic).")]
        $(#[$meta])*
        ///
        /// # Safety
        /// Called from C with the documented arguments, on an attached thread.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            unsafe extern "C" fn body($va: *mut $crate::variadic::VaList) -> $ret {
                $crate::border::guard(move || {
                    // SAFETY: the entry made the record on its own stack.
                    let $va = unsafe { &mut *$va };
                    #[allow(clippy::macro_metavars_in_unsafe, reason = "the contract is the declaration's")]
                    // SAFETY: the caller passed the documented arguments.
                    unsafe { $body }
                })
            }
            // The save area is at rsp, the record behind it at 176, stacked arguments behind the return address.
            core::arch::naked_asm!(
                "sub rsp, 216",
                "mov [rsp], rdi",
                "mov [rsp + 8], rsi",
                "mov [rsp + 16], rdx",
                "mov [rsp + 24], rcx",
                "mov [rsp + 32], r8",
                "mov [rsp + 40], r9",
                "test al, al",
                "je 2f",
                "movaps [rsp + 48], xmm0",
                "movaps [rsp + 64], xmm1",
                "movaps [rsp + 80], xmm2",
                "movaps [rsp + 96], xmm3",
                "movaps [rsp + 112], xmm4",
                "movaps [rsp + 128], xmm5",
                "movaps [rsp + 144], xmm6",
                "movaps [rsp + 160], xmm7",
                "2:",
                "mov dword ptr [rsp + 176], 0",
                "mov dword ptr [rsp + 180], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 184], rax",
                "mov [rsp + 192], rsp",
                "lea rdi, [rsp + 176]",
                "call {body}",
                "add rsp, 216",
                "ret",
                body = sym body,
            )
        }
    )*};
}
pub(crate) use variadic;
