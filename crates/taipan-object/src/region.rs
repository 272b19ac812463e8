//! Memory for work that makes many blocks and then drops them all, as compiling a text does.
//!
//! Problem: a syntax tree, its symbol tables and its flow graphs are a million small blocks that live a moment. From
//! a general allocator each comes from a list of free blocks, somewhere in memory, and goes back to it.
//!
//! Idea: while a thread is inside a [`Region`], the blocks of Rust's own collections ([`crate::alloc::Allocator`])
//! are cut off one end of a chunk, one behind the other. Giving a block back only counts it (and the last one cut is
//! glued on again); when as many have come back as were cut off, the chunk begins anew. Nothing has to be given back
//! before the region ends: a block may live on as long as it likes, and its chunk waits for it.
//!
//! Invariants:
//! - A chunk is cut by one thread only, its owner, whose address of [`ACTIVE`] stands in `owner`; another thread can
//!   become it only after all blocks have come back.
//! - `cut` and `back` are touched by the owner alone. Other threads count what they give back in `elsewhere`.
//! - Blocks of regions are known by their address alone: all chunks are one static array, untouched until used.

use core::alloc::Layout;
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::null;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a chunk. What does not fit comes from the general allocator.
const CHUNK_SIZE: usize = 8 << 20;
/// One for each thread that compiles at the same time, and some that wait for a block that lives on.
const CHUNK_COUNT: usize = 8;
/// With less room than this a chunk that still has blocks is not gone on with.
const LEAST_ROOM: usize = CHUNK_SIZE / 4;

#[repr(C, align(4096))]
struct Memory(UnsafeCell<MaybeUninit<[[u8; CHUNK_SIZE]; CHUNK_COUNT]>>);

// SAFETY: the bytes are only reached through blocks, which have one holder each.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new(MaybeUninit::uninit()));

/// How far a chunk is used. Alone on its line of the cache: chunks belong to different threads.
#[repr(align(64))]
struct Chunk {
    owner: AtomicUsize,
    /// Bytes cut off, from the chunk's begin.
    end: Cell<usize>,
    cut: Cell<usize>,
    back: Cell<usize>,
    elsewhere: AtomicUsize,
}

// SAFETY: the cells belong to the owner; see the head.
unsafe impl Sync for Chunk {}

static CHUNKS: [Chunk; CHUNK_COUNT] = [const {
    Chunk {
        owner: AtomicUsize::new(0),
        end: Cell::new(0),
        cut: Cell::new(0),
        back: Cell::new(0),
        elsewhere: AtomicUsize::new(0),
    }
}; CHUNK_COUNT];

thread_local! {
    /// The chunk from which this thread takes its blocks now.
    static ACTIVE: Cell<*const Chunk> = const { Cell::new(null()) };
}

/// What tells threads apart.
#[inline(always)]
fn this_thread() -> usize {
    ACTIVE.with(|active| core::ptr::from_ref(active).addr())
}

impl Chunk {
    /// Whether all blocks have come back. Asked by the owner.
    #[inline]
    fn is_free(&self) -> bool {
        self.cut.get() == self.back.get().wrapping_add(self.elsewhere.load(Ordering::Acquire))
    }

    /// Makes the chunk this thread's, if it can be used.
    fn acquire(&self) -> bool {
        let me = this_thread();
        let free = self.owner.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed);
        match free {
            Ok(_) => {}
            Err(owner) if owner != me => return false,
            Err(_) if !self.is_free() => return CHUNK_SIZE - self.end.get() >= LEAST_ROOM,
            Err(_) => {}
        }
        self.end.set(0);
        self.cut.set(0);
        self.back.set(0);
        self.elsewhere.store(0, Ordering::Relaxed);
        true
    }

    /// Lets any thread have the chunk, once all blocks have come back.
    #[inline]
    fn release_if_free(&self) {
        if self.is_free() {
            self.owner.store(0, Ordering::Release);
        }
    }

    fn memory(&self) -> *mut u8 {
        // SAFETY: a chunk is one of the array.
        let index = unsafe { core::ptr::from_ref(self).offset_from_unsigned(CHUNKS.as_ptr()) };
        MEMORY.0.get().cast::<u8>().wrapping_add(index * CHUNK_SIZE)
    }
}

/// While it lives, what this thread's Rust code allocates comes from a region, if one is free. Not to be entered
/// around anything that runs Python code, whose blocks may stay forever.
#[must_use]
pub struct Region {
    before: *const Chunk,
}

impl Region {
    /// Enters a region.
    pub fn enter() -> Region {
        let before = ACTIVE.get();
        // Sanitizers are to see each block.
        if before.is_null() && !cfg!(system_allocator) {
            let chunk = CHUNKS.iter().find(|chunk| chunk.acquire());
            ACTIVE.set(chunk.map_or(null(), core::ptr::from_ref));
        }
        Region { before }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let chunk = ACTIVE.replace(self.before);
        if chunk != self.before {
            // SAFETY: one of the array.
            unsafe { (*chunk).release_if_free() };
        }
    }
}

/// A block for this layout, if the thread is in a region with room for it.
#[inline(always)]
pub(crate) fn alloc(layout: Layout) -> Option<*mut u8> {
    let chunk = ACTIVE.get();
    if chunk.is_null() {
        return None;
    }
    // SAFETY: one of the array, and this thread's.
    cut(unsafe { &*chunk }, layout)
}

#[inline]
fn cut(chunk: &Chunk, layout: Layout) -> Option<*mut u8> {
    if layout.align() > 4096 || layout.size() > CHUNK_SIZE {
        return None;
    }
    let begin = chunk.end.get().next_multiple_of(layout.align());
    let end = begin + layout.size();
    if end > CHUNK_SIZE {
        return None;
    }
    chunk.end.set(end);
    chunk.cut.set(chunk.cut.get() + 1);
    Some(chunk.memory().wrapping_add(begin))
}

/// Where the block stands among all chunks, if it is a region's.
#[inline(always)]
fn place(block: *mut u8) -> Option<usize> {
    let offset = block.addr().wrapping_sub(MEMORY.0.get().addr());
    (offset < CHUNK_SIZE * CHUNK_COUNT).then_some(offset)
}

/// Gives a block back, if it is a region's.
///
/// # Safety
/// The block has this layout and is not used any more.
#[inline(always)]
pub(crate) unsafe fn dealloc(block: *mut u8, layout: Layout) -> bool {
    let place = place(block);
    if let Some(place) = place {
        give_back(place, layout.size());
    }
    place.is_some()
}

fn give_back(place: usize, size: usize) {
    let chunk = &CHUNKS[place / CHUNK_SIZE];
    if chunk.owner.load(Ordering::Relaxed) != this_thread() {
        chunk.elsewhere.fetch_add(1, Ordering::Release);
        return;
    }
    chunk.back.set(chunk.back.get() + 1);
    let begin = place % CHUNK_SIZE;
    if begin + size == chunk.end.get() {
        chunk.end.set(begin);
    }
    if !core::ptr::eq(ACTIVE.get(), chunk) {
        chunk.release_if_free();
    }
}

/// Changes the size of a region's block where it stands, if it is the last one.
#[inline]
pub(crate) fn resize(block: *mut u8, old: usize, new: usize) -> Resized {
    let Some(place) = place(block) else { return Resized::NotOurs };
    let chunk = &CHUNKS[place / CHUNK_SIZE];
    let begin = place % CHUNK_SIZE;
    let is_last = chunk.owner.load(Ordering::Relaxed) == this_thread() && begin + old == chunk.end.get();
    if is_last && new <= CHUNK_SIZE - begin {
        chunk.end.set(begin + new);
        return Resized::Done;
    }
    Resized::MustMove
}

/// What came of [`resize`].
pub(crate) enum Resized {
    /// The block has its new size.
    Done,
    /// There is no room behind it.
    MustMove,
    /// The block is not of a region.
    NotOurs,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test at a time: which chunk a thread gets depends on what the others hold.
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

    fn start() -> usize {
        MEMORY.0.get().addr()
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    #[test]
    fn a_chunk_begins_anew_when_all_blocks_are_back() {
        let _alone = ALONE.lock();
        std::thread::spawn(|| {
            let region = Region::enter();
            let first = alloc(layout(24)).unwrap();
            let second = alloc(layout(40)).unwrap();
            assert_eq!(second.addr() - first.addr(), 24);
            assert!(matches!(resize(second, 40, 80), Resized::Done));
            assert!(matches!(resize(first, 24, 80), Resized::MustMove));
            drop(region);
            assert!(alloc(layout(8)).is_none());
            // SAFETY: not used any more.
            assert!(unsafe { dealloc(first, layout(24)) });
            let region = Region::enter();
            let third = alloc(layout(8)).unwrap();
            assert_eq!(third.addr() - second.addr(), 80);
            // SAFETY: not used any more.
            unsafe {
                assert!(dealloc(third, layout(8)));
                assert!(dealloc(second, layout(80)));
            }
            drop(region);
            let _region = Region::enter();
            let again = alloc(layout(24)).unwrap();
            assert_eq!(again, first);
            // SAFETY: not used any more.
            assert!(unsafe { dealloc(again, layout(24)) });
        })
        .join()
        .unwrap();
    }

    #[test]
    fn blocks_come_back_from_other_threads() {
        let _alone = ALONE.lock();
        std::thread::spawn(|| {
            let region = Region::enter();
            let block = alloc(layout(24)).unwrap().addr();
            drop(region);
            std::thread::spawn(move || {
                let block = MEMORY.0.get().cast::<u8>().with_addr(block);
                // SAFETY: not used any more.
                assert!(unsafe { dealloc(block, layout(24)) });
                let _region = Region::enter();
                // The other thread has not seen yet that its chunk is free.
                let other = alloc(layout(24)).unwrap();
                assert_ne!((other.addr() - start()) / CHUNK_SIZE, (block.addr() - start()) / CHUNK_SIZE);
                // SAFETY: not used any more.
                assert!(unsafe { dealloc(other, layout(24)) });
            })
            .join()
            .unwrap();
            let _region = Region::enter();
            let again = alloc(layout(24)).unwrap();
            assert_eq!(again.addr(), block);
            // SAFETY: not used any more.
            assert!(unsafe { dealloc(again, layout(24)) });
        })
        .join()
        .unwrap();
    }
}
