//! Memory of objects.
//!
//! One allocator serves `PyMem_*` and `PyObject_*` alike (C code mixes the two); in front of it
//! each thread keeps short lists of free blocks by size, so that the ints, floats, tuples and
//! frames of a loop cost a few instructions. Freshly made collectable objects carry a header before
//! their address: 16 bytes for the collector and, for types with a managed dictionary or managed
//! weak references, 16 more for those two words.

use crate::err::{PyErr, PyResult};
use crate::gc;
use crate::handle::{Ref, Type};
use crate::region::{self, Resized};
use crate::state::{self, FREELIST_CLASSES, FREELIST_LIMIT};
use core::alloc::{GlobalAlloc, Layout};
use std::sync::OnceLock;
use taipan_abi::*;

/// The bytes before a collectable object that belong to the collector.
pub const GC_HEAD: usize = 16;
/// The bytes before the collector's that hold managed dictionary and weak references.
pub const MANAGED_HEAD: usize = 16;

/// mimalloc aligns a block to 16 bytes if its size is a multiple of 16.
#[inline(always)]
fn rounded(size: usize) -> usize {
    size.max(16).next_multiple_of(16)
}

/// Where blocks come from: mimalloc, or with `--cfg system_allocator` the C library, which sanitizers
/// and valgrind can watch. Then the threads keep no blocks either.
#[cfg(not(system_allocator))]
use libmimalloc_sys::{
    mi_free as raw_free, mi_malloc as raw_malloc, mi_malloc_aligned as raw_malloc_aligned,
    mi_realloc as raw_realloc, mi_realloc_aligned as raw_realloc_aligned, mi_zalloc as raw_zalloc,
    mi_zalloc_aligned as raw_zalloc_aligned,
};
#[cfg(system_allocator)]
use system::*;

#[cfg(system_allocator)]
mod system {
    //! The C library's allocator under the names that are used here.
    use core::ffi::c_void;

    unsafe extern "C" {
        #[link_name = "malloc"]
        pub fn raw_malloc(size: usize) -> *mut c_void;
        #[link_name = "realloc"]
        pub fn raw_realloc(block: *mut c_void, size: usize) -> *mut c_void;
        #[link_name = "free"]
        pub fn raw_free(block: *mut c_void);
        fn calloc(count: usize, size: usize) -> *mut c_void;
        fn aligned_alloc(align: usize, size: usize) -> *mut c_void;
        fn malloc_usable_size(block: *mut c_void) -> usize;
    }

    pub unsafe fn raw_zalloc(size: usize) -> *mut c_void {
        // SAFETY: plain allocation.
        unsafe { calloc(1, size) }
    }

    pub unsafe fn raw_malloc_aligned(size: usize, align: usize) -> *mut c_void {
        // SAFETY: plain allocation; sizes are multiples of the alignment.
        unsafe { aligned_alloc(align, size.next_multiple_of(align)) }
    }

    pub unsafe fn raw_zalloc_aligned(size: usize, align: usize) -> *mut c_void {
        // SAFETY: as above; the block has at least this size.
        unsafe {
            let block = raw_malloc_aligned(size, align);
            if !block.is_null() {
                core::ptr::write_bytes(block.cast::<u8>(), 0, size);
            }
            block
        }
    }

    pub unsafe fn raw_realloc_aligned(block: *mut c_void, size: usize, align: usize) -> *mut c_void {
        // SAFETY: both blocks have at least the smaller size.
        unsafe {
            let new = raw_malloc_aligned(size, align);
            if !new.is_null() && !block.is_null() {
                let common = size.min(malloc_usable_size(block));
                core::ptr::copy_nonoverlapping(block.cast::<u8>(), new.cast::<u8>(), common);
                raw_free(block);
            }
            new
        }
    }
}

/// How long memory that is not used stays with the process, in milliseconds. mimalloc would give it back after a
/// second, and programs that work in bursts (compilers, servers) would get it from the system again and again.
#[cfg(not(system_allocator))]
const PURGE_DELAY: core::ffi::c_long = 10_000;

/// Tells the allocator how a Python program uses memory; what the user has set in `MIMALLOC_*` variables stays.
pub fn configure() {
    #[cfg(not(system_allocator))]
    {
        /// `mi_option_purge_delay`, which the bindings lack.
        const OPTION_PURGE_DELAY: c_int = 15;
        unsafe extern "C" {
            fn mi_option_set_default(option: c_int, value: core::ffi::c_long);
        }
        // SAFETY: the option exists in the mimalloc that is linked.
        unsafe { mi_option_set_default(OPTION_PURGE_DELAY, PURGE_DELAY) };
    }
}

/// Sizes from here on are compared with what the machine has.
const LARGE: usize = 1 << 30;

/// Whether a block of this size cannot be had. Linux hands out more memory than there is and stops programs that use
/// it; but a block for which memory and swap together are too small it refuses, unless told otherwise. mimalloc
/// reserves in a way to which that refusal does not apply, so it is repeated here.
#[inline]
fn is_beyond_memory(size: usize) -> bool {
    size >= LARGE && size > memory_of_machine()
}

#[cold]
fn memory_of_machine() -> usize {
    static KNOWN: OnceLock<usize> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let most = isize::MAX as usize;
        let never_refuses =
            std::fs::read("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.starts_with(b"1"));
        match std::fs::read_to_string("/proc/meminfo") {
            Ok(table) if !never_refuses => {
                let kilobytes = |line: &str| line.split_whitespace().nth(1)?.parse::<usize>().ok();
                let counted = |line: &&str| line.starts_with("MemTotal:") || line.starts_with("SwapTotal:");
                let total: usize = table.lines().filter(counted).filter_map(kilobytes).sum();
                if total == 0 { most } else { total.saturating_mul(1024).min(most) }
            }
            _ => most,
        }
    })
}

/// Raw block of at least `size` bytes, 16-byte aligned; null when there is no memory.
#[inline]
pub fn malloc(size: usize) -> *mut u8 {
    if is_beyond_memory(size) {
        return core::ptr::null_mut();
    }
    // SAFETY: plain allocation.
    unsafe { raw_malloc(rounded(size)).cast() }
}

/// As [`malloc`], filled with zeros.
#[inline]
pub fn calloc(size: usize) -> *mut u8 {
    if is_beyond_memory(size) {
        return core::ptr::null_mut();
    }
    // SAFETY: plain allocation.
    unsafe { raw_zalloc(rounded(size)).cast() }
}

/// Changes the size of a block, keeping its contents; null (and the block unchanged) without memory.
///
/// # Safety
/// `block` is null or came from this module.
#[inline]
pub unsafe fn realloc(block: *mut u8, size: usize) -> *mut u8 {
    if is_beyond_memory(size) {
        return core::ptr::null_mut();
    }
    // SAFETY: ours by contract.
    unsafe { raw_realloc(block.cast(), rounded(size)).cast() }
}

/// Returns a block.
///
/// # Safety
/// `block` is null or came from this module and is not used any more.
#[inline]
pub unsafe fn free(block: *mut u8) {
    // SAFETY: ours by contract.
    unsafe { raw_free(block.cast()) }
}

/// The largest block that the threads' lists keep.
const LARGEST_SMALL: usize = (FREELIST_CLASSES - 1) * 16;

/// A block of 16 times `class` bytes, from the thread's list when it has one.
#[inline(always)]
fn take(class: usize) -> *mut u8 {
    let thread = state::current();
    // SAFETY: objects are only made by attached threads; blocks on the list are free.
    unsafe {
        let list = &mut (*thread).freelists[class];
        if list.head.is_null() {
            return malloc(class * 16);
        }
        let block = list.head;
        list.head = block.cast::<*mut u8>().read();
        list.count -= 1;
        block
    }
}

/// Puts a block of 16 times `class` bytes on the thread's list, or frees it when that is full.
///
/// # Safety
/// As [`small_free`].
#[inline(always)]
unsafe fn put_back(block: *mut u8, class: usize) {
    let thread = state::current();
    // SAFETY: ours by contract.
    unsafe {
        let list = &mut (*thread).freelists[class];
        if cfg!(system_allocator) || list.count >= FREELIST_LIMIT {
            return free(block);
        }
        block.cast::<*mut u8>().write(list.head);
        list.head = block;
        list.count += 1;
    }
}

/// A block of `SIZE` bytes (at most 512), from the thread's list when it has one.
#[inline(always)]
pub fn small_alloc<const SIZE: usize>() -> *mut u8 {
    const { assert!(SIZE.div_ceil(16) < FREELIST_CLASSES) };
    take(SIZE.div_ceil(16))
}

/// A block of `size` bytes, at most [`LARGEST_SMALL`], filled with zeros.
#[inline(always)]
fn zeroed_small(size: usize) -> *mut u8 {
    let class = size.div_ceil(16);
    let block = take(class);
    if !block.is_null() {
        for index in 0..class {
            // SAFETY: the block has as many pieces of 16 bytes.
            unsafe { block.cast::<[u64; 2]>().add(index).write([0; 2]) };
        }
    }
    block
}

/// Gives back a block of `SIZE` bytes.
///
/// # Safety
/// `block` came from this module, is at least `SIZE` rounded up to 16 bytes long, and is not used any more.
#[inline(always)]
pub unsafe fn small_free<const SIZE: usize>(block: *mut u8) {
    // SAFETY: forwarded contract.
    unsafe { put_back(block, SIZE.div_ceil(16)) }
}

/// The `MemoryError` of a failed allocation.
#[cold]
pub fn no_memory() -> PyErr {
    crate::err::memory_error()
}

/// Bytes before the address of an instance of `ty`.
#[inline]
pub fn header_size(ty: &Type) -> usize {
    let flags = ty.flags();
    let mut size = 0;
    if flags & Py_TPFLAGS_HAVE_GC != 0 {
        size += GC_HEAD;
    }
    if flags & (Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF) != 0 {
        size += MANAGED_HEAD;
    }
    size
}

/// Allocates an instance: zeroed, with its header and one reference, **not** yet tracked.
///
/// The instance's inline attribute values, if its type has them, are set up as well.
///
/// # Errors
/// `MemoryError`, also for absurd item counts.
pub fn alloc_object(ty: &Type, items: isize) -> PyResult {
    // SAFETY: types are live and complete.
    let (basic, item) = unsafe { ((*ty.raw()).tp_basicsize as usize, (*ty.raw()).tp_itemsize as usize) };
    // One item more than asked for: tables in types end with one of zeros.
    let room = items.max(0) as usize + usize::from(item != 0);
    let Some(body) = item.checked_mul(room).and_then(|n| n.checked_add(basic)) else {
        return Err(no_memory());
    };
    let body = body.next_multiple_of(8);
    let header = header_size(ty);
    let values = crate::instance::inline_values_size(ty);
    let size = body.saturating_add(header + values);
    let block = if item == 0 && size <= LARGEST_SMALL { zeroed_small(size) } else { calloc(size) };
    if block.is_null() {
        return Err(no_memory());
    }
    // SAFETY: the block is large enough for header, body and values.
    unsafe {
        let ptr: *mut PyObject = block.add(header).cast();
        init_object(ptr, ty);
        if values != 0 {
            crate::instance::init_inline_values(ptr, ty, body);
        }
        Ok(Ref::steal(ptr))
    }
}

/// `PyType_GenericAlloc`: an instance, tracked by the collector if its type takes part.
///
/// # Errors
/// `MemoryError`.
pub fn generic_alloc(ty: &Type, items: isize) -> PyResult {
    // Types with items have one more zeroed item at their end, which C code may count on.
    let object = alloc_object(ty, items.saturating_add(1))?;
    // SAFETY: `ob_size` exists where the type has items.
    unsafe {
        if (*ty.raw()).tp_itemsize != 0 {
            (*object.raw_as::<PyVarObject>()).ob_size = items;
        }
    }
    if ty.flags() & Py_TPFLAGS_HAVE_GC != 0 {
        gc::track(&object);
    }
    Ok(object)
}

/// Writes the head of a new object and takes the reference to a heap type.
///
/// # Safety
/// `ptr` is memory for an instance of `ty`.
#[inline(always)]
pub unsafe fn init_object(ptr: *mut PyObject, ty: &Type) {
    // SAFETY: memory by contract.
    unsafe {
        (*ptr) = PyObject { ob_refcnt: 1, ob_overflow: 0, ob_flags: 0, ob_type: ty.raw() };
        if ty.flags() & Py_TPFLAGS_HEAPTYPE != 0 {
            crate::refcount::incref(ty.as_ptr());
        }
    }
}

/// Frees the memory of an instance, header included (`PyObject_Free`, `PyObject_GC_Del`).
///
/// # Safety
/// The object is dead and untracked, and its memory came from [`alloc_object`].
pub unsafe fn free_object(ptr: *mut PyObject) {
    // SAFETY: the type is still readable: whoever deallocates holds it.
    unsafe {
        let object = crate::Object::borrow(ptr);
        let ty = object.ty();
        let header = header_size(ty);
        let block = ptr.cast::<u8>().sub(header);
        if (*ty.raw()).tp_itemsize == 0 {
            let body = ((*ty.raw()).tp_basicsize as usize).next_multiple_of(8);
            let size = header + body + crate::instance::own_values_size(object);
            if size <= LARGEST_SMALL {
                return put_back(block, size.div_ceil(16));
            }
        }
        free(block);
    }
}

/// The same allocator for Rust's own collections, whose blocks may come from a [`region`] instead.
pub struct Allocator;

// SAFETY: every block comes from and goes back to mimalloc or a region, which keep the layout they are asked for.
// Not inlined: at the ten thousand places that allocate, the code would take up a sixth of the program.
unsafe impl GlobalAlloc for Allocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(block) = region::alloc(layout) {
            return block;
        }
        if is_beyond_memory(layout.size()) {
            return core::ptr::null_mut();
        }
        // SAFETY: plain allocation.
        unsafe {
            if layout.align() <= 16 {
                raw_malloc(rounded(layout.size())).cast()
            } else {
                raw_malloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if let Some(block) = region::alloc(layout) {
            // SAFETY: the block has this size.
            unsafe { block.write_bytes(0, layout.size()) };
            return block;
        }
        if is_beyond_memory(layout.size()) {
            return core::ptr::null_mut();
        }
        // SAFETY: plain allocation.
        unsafe {
            if layout.align() <= 16 {
                raw_zalloc(rounded(layout.size())).cast()
            } else {
                raw_zalloc_aligned(layout.size(), layout.align()).cast()
            }
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: one of ours by contract.
        unsafe {
            if !region::dealloc(block, layout) {
                raw_free(block.cast());
            }
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_beyond_memory(size) {
            return core::ptr::null_mut();
        }
        match region::resize(block, layout.size(), size) {
            Resized::Done => return block,
            // SAFETY: one of ours by contract, with this layout.
            Resized::MustMove => return unsafe { self.moved(block, layout, size) },
            Resized::NotOurs => {}
        }
        // SAFETY: one of ours by contract.
        unsafe {
            if layout.align() <= 16 {
                raw_realloc(block.cast(), rounded(size)).cast()
            } else {
                raw_realloc_aligned(block.cast(), size, layout.align()).cast()
            }
        }
    }
}

impl Allocator {
    /// Moves a region's block to one of another size; null without memory.
    ///
    /// # Safety
    /// The block is a region's and has this layout, and the new size is one that a layout can have.
    unsafe fn moved(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: blocks of these sizes, which are different ones.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                core::ptr::copy_nonoverlapping(block, new, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            new
        }
    }
}
