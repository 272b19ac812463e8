//! The cycle collector.
//!
//! Problem: reference counts alone never free a cycle. Idea (trial deletion over `tp_traverse`, as
//! extension types expect): in a generation, subtract from each object's count the references that
//! come from inside the generation; what still has references is held from outside, and everything
//! that such objects reach lives; the rest is garbage. Garbage with finalisers is finalised once
//! (PEP 442), looked at again, and if it has not come back, cleared with `tp_clear`.
//!
//! Invariants:
//! - a tracked object is on exactly one list; its header's `next` is non-zero exactly while tracked;
//! - during a collection the upper bits of `prev` hold a count, not a link, and `COLLECTING` is set;
//!   the list is singly linked then, and the links are restored before Python code can run;
//! - only memory from `alloc` has a header: static types and objects that C placed elsewhere do
//!   not, and `tp_is_gc` tells.

use crate::handle::{Object, Ref};
use crate::state;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::ffi::{c_int, c_void};
use taipan_abi::*;

/// The two words before a collectable object.
#[repr(C)]
pub struct Head {
    next: usize,
    prev: usize,
}

const FINALIZED: usize = 1;
const COLLECTING: usize = 2;
const PREV_SHIFT: u32 = 2;
const PREV_MASK: usize = !3;
/// Set in `next` of objects presumed unreachable during a collection.
const UNREACHABLE: usize = 1;

/// Young, middle, old; the fourth list holds what `gc.freeze()` took out of sight.
pub const GENERATIONS: usize = 3;
const PERMANENT: usize = 3;

/// Figures for `gc.get_stats()`.
#[derive(Clone, Copy, Default)]
pub struct Stats {
    pub collections: usize,
    pub collected: usize,
    pub uncollectable: usize,
}

/// One interpreter's collector.
pub struct GcState {
    lists: Box<[UnsafeCell<Head>; 4]>,
    pub enabled: Cell<bool>,
    pub debug: Cell<i32>,
    pub threshold: [Cell<i32>; GENERATIONS],
    pub count: [Cell<i32>; GENERATIONS],
    pub stats: [Cell<Stats>; GENERATIONS],
    collecting: Cell<bool>,
    /// Uncollectable objects (`gc.garbage`) and `gc.callbacks`, once the module made them.
    pub garbage: RefCell<Option<Ref>>,
    pub callbacks: RefCell<Option<Ref>>,
    long_lived_total: Cell<usize>,
    long_lived_pending: Cell<usize>,
}

impl GcState {
    pub(crate) fn new() -> Self {
        let lists: Box<[UnsafeCell<Head>; 4]> =
            Box::new(core::array::from_fn(|_| UnsafeCell::new(Head { next: 0, prev: 0 })));
        for list in lists.iter() {
            // SAFETY: not shared yet; the box keeps the address.
            unsafe { list_init(list.get()) };
        }
        Self {
            lists,
            enabled: Cell::new(true),
            debug: Cell::new(0),
            threshold: [Cell::new(2000), Cell::new(10), Cell::new(10)],
            count: Default::default(),
            stats: Default::default(),
            collecting: Cell::new(false),
            garbage: RefCell::new(None),
            callbacks: RefCell::new(None),
            long_lived_total: Cell::new(0),
            long_lived_pending: Cell::new(0),
        }
    }

    fn list(&self, generation: usize) -> *mut Head {
        self.lists[generation].get()
    }

    /// Moves every tracked object out of the collector's sight (`gc.freeze`).
    pub fn freeze(&self) {
        for generation in 0..GENERATIONS {
            // SAFETY: well-formed lists outside a collection.
            unsafe { list_merge(self.list(generation), self.list(PERMANENT)) };
            self.count[generation].set(0);
        }
    }

    /// Moves frozen objects into the oldest generation (`gc.unfreeze`).
    pub fn unfreeze(&self) {
        // SAFETY: well-formed lists outside a collection.
        unsafe { list_merge(self.list(PERMANENT), self.list(GENERATIONS - 1)) }
    }

    /// The number of frozen objects.
    pub fn frozen(&self) -> usize {
        // SAFETY: a well-formed list.
        unsafe { list_len(self.list(PERMANENT)) }
    }

    /// Every tracked object of a generation, youngest first; all of them for `None`.
    pub fn objects(&self, generation: Option<usize>) -> Vec<Ref> {
        let mut found = Vec::new();
        for index in 0..GENERATIONS {
            if generation.is_some_and(|wanted| wanted != index) {
                continue;
            }
            // SAFETY: a well-formed list of live objects.
            unsafe {
                let list = self.list(index);
                let mut node = next(list);
                while node != list {
                    found.push(Object::borrow(object_of(node)).new_ref());
                    node = next(node);
                }
            }
        }
        found
    }
}

#[inline(always)]
unsafe fn head_of(object: *mut PyObject) -> *mut Head {
    // SAFETY: the caller knows that the object has a header.
    unsafe { object.cast::<Head>().sub(1) }
}

#[inline(always)]
unsafe fn object_of(head: *mut Head) -> *mut PyObject {
    // SAFETY: a header stands right before its object.
    unsafe { head.add(1).cast() }
}

fn as_head(address: usize) -> *mut Head {
    core::ptr::with_exposed_provenance_mut(address)
}

unsafe fn next(node: *mut Head) -> *mut Head {
    // SAFETY: a node of a list.
    as_head(unsafe { (*node).next } & !UNREACHABLE)
}

unsafe fn prev(node: *mut Head) -> *mut Head {
    // SAFETY: a node of a list.
    as_head(unsafe { (*node).prev } & PREV_MASK)
}

unsafe fn set_prev(node: *mut Head, to: *mut Head) {
    // SAFETY: a node of a list; the flags stay.
    unsafe { (*node).prev = ((*node).prev & !PREV_MASK) | to.expose_provenance() }
}

unsafe fn list_init(list: *mut Head) {
    // SAFETY: a list's own node.
    unsafe {
        (*list).next = list.expose_provenance();
        (*list).prev = list.expose_provenance();
    }
}

unsafe fn list_append(node: *mut Head, list: *mut Head) {
    // SAFETY: `node` is on no list, `list` is well formed.
    unsafe {
        let last = prev(list);
        set_prev(node, last);
        (*last).next = node.expose_provenance();
        (*node).next = list.expose_provenance();
        set_prev(list, node);
    }
}

unsafe fn list_remove(node: *mut Head) {
    // SAFETY: `node` is on a well-formed list.
    unsafe {
        let (before, after) = (prev(node), next(node));
        (*before).next = after.expose_provenance();
        set_prev(after, before);
        (*node).next = 0;
    }
}

unsafe fn list_move(node: *mut Head, list: *mut Head) {
    // SAFETY: both lists are well formed.
    unsafe {
        list_remove(node);
        list_append(node, list);
    }
}

/// Appends all of a list to another at once; `from` is empty afterwards.
unsafe fn list_merge(from: *mut Head, to: *mut Head) {
    // SAFETY: both lists are well formed, and their links carry no flags between the phases.
    unsafe {
        let (first, last) = (next(from), prev(from));
        if first == from {
            return;
        }
        let end = prev(to);
        (*end).next = first.expose_provenance();
        set_prev(first, end);
        (*last).next = to.expose_provenance();
        set_prev(to, last);
        list_init(from);
    }
}

/// Whether something holds for an object of a list.
unsafe fn list_any(list: *mut Head, holds: impl Fn(&Object) -> bool) -> bool {
    // SAFETY: a well-formed list of live objects; `holds` runs no Python code.
    unsafe {
        let mut node = next(list);
        while node != list {
            if holds(Object::borrow(object_of(node))) {
                return true;
            }
            node = next(node);
        }
    }
    false
}

unsafe fn list_len(list: *mut Head) -> usize {
    let mut n = 0;
    // SAFETY: a well-formed list.
    unsafe {
        let mut node = next(list);
        while node != list {
            n += 1;
            node = next(node);
        }
    }
    n
}

/// Whether the object has a collector header (`PyObject_IS_GC`).
#[inline]
pub fn is_gc(object: &Object) -> bool {
    let ty = object.ty();
    // SAFETY: `tp_is_gc` takes any instance of its type.
    ty.flags() & Py_TPFLAGS_HAVE_GC != 0
        && unsafe { (*ty.raw()).tp_is_gc.is_none_or(|is_gc| is_gc(object.as_ptr()) != 0) }
}

/// Whether the collector knows the object.
pub fn is_tracked(object: &Object) -> bool {
    // SAFETY: the header exists.
    is_gc(object) && unsafe { (*head_of(object.as_ptr())).next != 0 }
}

/// Whether the object's finaliser has been called already.
pub fn is_finalized(object: &Object) -> bool {
    // SAFETY: the header exists.
    is_gc(object) && unsafe { (*head_of(object.as_ptr())).prev & FINALIZED != 0 }
}

/// Remembers that the finaliser has been called.
pub fn set_finalized(object: &Object) {
    if is_gc(object) {
        // SAFETY: the header exists.
        unsafe { (*head_of(object.as_ptr())).prev |= FINALIZED };
    }
}

/// Puts a complete object under the collector's eyes. The object has a header.
#[inline]
pub fn track(object: &Object) {
    // SAFETY: collectable by contract of every caller: types with `HAVE_GC`.
    unsafe { track_ptr(object.as_ptr()) }
}

/// As [`track`]; does nothing if it is tracked already.
///
/// # Safety
/// `ptr` points to a live object that has a collector header.
#[inline]
pub unsafe fn track_ptr(ptr: *mut PyObject) {
    // SAFETY: the header exists.
    unsafe {
        let head = head_of(ptr);
        if (*head).next != 0 {
            return;
        }
        let thread = state::thread();
        let gc = &thread.interp().gc;
        list_append(head, gc.list(0));
        let count = gc.count[0].get() + 1;
        gc.count[0].set(count);
        if count > gc.threshold[0].get()
            && gc.enabled.get()
            && !gc.collecting.get()
            && gc.threshold[0].get() != 0
        {
            thread.eval_breaker.fetch_or(state::breaker::GC_SCHEDULED, core::sync::atomic::Ordering::Relaxed);
        }
    }
}

/// Takes an object from the collector's lists, if it is there.
///
/// # Safety
/// `ptr` points to an object that has a collector header.
#[inline]
pub unsafe fn untrack_ptr(ptr: *mut PyObject) {
    // SAFETY: the header exists; dead objects are still readable here.
    unsafe {
        let head = head_of(ptr);
        if (*head).next != 0 {
            list_remove(head);
            (*head).prev &= FINALIZED;
            let count = &state::interp().gc.count[0];
            if count.get() > 0 {
                count.set(count.get() - 1);
            }
        }
    }
}

/// Runs the collection that allocations have asked for.
pub fn run_scheduled() {
    let gc = &state::interp().gc;
    let mut generation = 0;
    for index in 0..GENERATIONS {
        if gc.count[index].get() > gc.threshold[index].get() {
            // A full collection waits until enough young objects have grown old.
            if index == GENERATIONS - 1 && gc.long_lived_pending.get() < gc.long_lived_total.get() / 4 {
                continue;
            }
            generation = index;
        }
    }
    collect(generation);
}

/// The flags of `gc.set_debug`.
pub mod debug {
    pub const STATS: i32 = 1;
    pub const COLLECTABLE: i32 = 2;
    pub const UNCOLLECTABLE: i32 = 4;
    pub const SAVEALL: i32 = 32;
}

/// Collects a generation and all younger ones; returns how many objects were found unreachable.
pub fn collect(generation: usize) -> usize {
    let gc = &state::interp().gc;
    if gc.collecting.replace(true) {
        return 0;
    }
    let pending = crate::err::fetch_opt();
    let talkative = gc.debug.get() & debug::STATS != 0;
    if talkative {
        let sizes: Vec<String> =
            (0..GENERATIONS).map(|index| gc.objects(Some(index)).len().to_string()).collect();
        crate::err::to_stderr(&format!(
            "gc: collecting generation {generation}...\ngc: objects in each generation: {}\ngc: objects in permanent generation: {}\n",
            sizes.join(" "),
            gc.frozen()
        ));
    }
    let began = std::time::Instant::now();
    // SAFETY: one collection at a time; the lists are well formed between collections.
    let (found, uncollectable) = unsafe { collect_main(gc, generation) };
    if talkative {
        crate::err::to_stderr(&format!(
            "gc: done, {found} unreachable, {uncollectable} uncollectable, {:.4}s elapsed\n",
            began.elapsed().as_secs_f64()
        ));
    }
    if let Some(error) = pending {
        crate::err::restore(error);
    }
    let mut stats = gc.stats[generation].get();
    stats.collections += 1;
    stats.collected += found;
    stats.uncollectable += uncollectable;
    gc.stats[generation].set(stats);
    gc.collecting.set(false);
    found + uncollectable
}

/// Whether a collection is running.
pub fn is_collecting() -> bool {
    state::interp().gc.collecting.get()
}

unsafe fn collect_main(gc: &GcState, generation: usize) -> (usize, usize) {
    if generation + 1 < GENERATIONS {
        gc.count[generation + 1].set(gc.count[generation + 1].get() + 1);
    }
    for index in 0..=generation {
        gc.count[index].set(0);
    }
    let young = gc.list(generation);
    let older = gc.list((generation + 1).min(GENERATIONS - 1));
    let (mut unreachable, mut finalizers) = (Head { next: 0, prev: 0 }, Head { next: 0, prev: 0 });
    let (unreachable, finalizers) = (&raw mut unreachable, &raw mut finalizers);
    // SAFETY: see the module's invariants; the two local lists live as long as this frame.
    unsafe {
        list_init(unreachable);
        list_init(finalizers);
        for index in 0..generation {
            list_merge(gc.list(index), young);
        }
        deduce_unreachable(young, unreachable);
        untrack_tuples(young);
        if young != older {
            if generation == GENERATIONS - 2 {
                gc.long_lived_pending.set(gc.long_lived_pending.get() + list_len(young));
            }
            list_merge(young, older);
        } else {
            gc.long_lived_pending.set(0);
            gc.long_lived_total.set(list_len(young));
        }
        move_legacy_finalizers(unreachable, finalizers);
        let watched = list_any(unreachable, crate::weakref::has_references);
        if watched {
            crate::weakref::clear_for_garbage(&collect_refs(unreachable));
        }
        let finalizing = list_any(unreachable, |object| {
            (*object.ty().raw()).tp_finalize.is_some() && !is_finalized(object)
        });
        if !watched && !finalizing && next(finalizers) == finalizers {
            // No code has run that could have brought anything back.
            let found = list_len(unreachable);
            discard(gc, unreachable, older);
            return (found, 0);
        }
        finalize_garbage(unreachable);
        // Finalisers may have brought objects back: whoever is reachable again survives.
        let mut still = Head { next: 0, prev: 0 };
        let still = &raw mut still;
        list_init(still);
        deduce_unreachable(unreachable, still);
        list_merge(unreachable, older);
        let found = list_len(still);
        let _callbacks = list_any(still, crate::weakref::has_references)
            .then(|| crate::weakref::clear_quietly(&collect_refs(still)));
        discard(gc, still, older);
        let uncollectable = handle_legacy(gc, finalizers, older);
        (found, uncollectable)
    }
}

/// Whether an object can be in a cycle, now or later: tuples that are not tracked cannot.
#[inline]
pub fn may_be_tracked(item: &Object) -> bool {
    is_gc(item) && (!item.is_exact(&crate::statics::PyTuple_Type) || is_tracked(item))
}

/// Takes tuples off the list that can be in no cycle: all they hold is atomic, or a tuple of that kind.
unsafe fn untrack_tuples(list: *mut Head) {
    // SAFETY: a well-formed list of live objects; the node is left before it goes.
    unsafe {
        let mut node = next(list);
        while node != list {
            let object = object_of(node);
            node = next(node);
            let Some(tuple) = Object::borrow(object).downcast::<crate::tuple::Tuple>() else { continue };
            if tuple.is_exact(&crate::statics::PyTuple_Type)
                && !tuple.items().iter().any(|item| may_be_tracked(item))
            {
                untrack_ptr(object);
            }
        }
    }
}

unsafe fn collect_refs(list: *mut Head) -> Vec<Ref> {
    let mut all = Vec::new();
    // SAFETY: a well-formed list of live objects.
    unsafe {
        let mut node = next(list);
        while node != list {
            all.push(Object::borrow(object_of(node)).new_ref());
            node = next(node);
        }
    }
    all
}

/// Splits `base` into what is reachable from outside (stays) and what is not (moves).
unsafe fn deduce_unreachable(base: *mut Head, unreachable: *mut Head) {
    // SAFETY: the phases follow the module's invariants in order.
    unsafe {
        update_refs(base);
        subtract_refs(base);
        move_unreachable(base, unreachable);
    }
}

unsafe fn update_refs(list: *mut Head) {
    // SAFETY: a well-formed list of live objects.
    unsafe {
        let mut node = next(list);
        while node != list {
            let count = (*object_of(node)).ob_refcnt as usize;
            (*node).prev = ((*node).prev & FINALIZED) | COLLECTING | (count << PREV_SHIFT);
            node = next(node);
        }
    }
}

unsafe extern "C" fn visit_decref(object: *mut PyObject, _: *mut c_void) -> c_int {
    // SAFETY: `tp_traverse` hands out live objects.
    unsafe {
        if is_gc(Object::borrow(object)) {
            let head = head_of(object);
            if (*head).prev & COLLECTING != 0 && (*head).prev >> PREV_SHIFT > 0 {
                (*head).prev -= 1 << PREV_SHIFT;
            }
        }
    }
    0
}

unsafe fn traverse(node: *mut Head, visit: visitproc, arg: *mut c_void) {
    // SAFETY: a live object of a collectable type.
    unsafe {
        let object = object_of(node);
        if let Some(tp_traverse) = (*(*object).ob_type).tp_traverse {
            tp_traverse(object, visit, arg);
        }
    }
}

unsafe fn subtract_refs(list: *mut Head) {
    // SAFETY: a list in its counting phase.
    unsafe {
        let mut node = next(list);
        while node != list {
            traverse(node, visit_decref, core::ptr::null_mut());
            node = next(node);
        }
    }
}

/// Two lists while objects move between them: `young` is doubly linked again up to the cursor.
struct Moving {
    young: *mut Head,
}

unsafe extern "C" fn visit_reachable(object: *mut PyObject, arg: *mut c_void) -> c_int {
    // SAFETY: `arg` is the `Moving` of the running `move_unreachable`; objects are live.
    unsafe {
        if !is_gc(Object::borrow(object)) {
            return 0;
        }
        let head = head_of(object);
        if (*head).prev & COLLECTING == 0 {
            return 0;
        }
        let moving = &*arg.cast::<Moving>();
        if (*head).next & UNREACHABLE != 0 {
            // Presumed dead too early: back to the end of the young list, to be traversed there.
            let (before, after) = (prev(head), next(head));
            (*before).next = after.expose_provenance() | UNREACHABLE;
            set_prev(after, before);
            let last = prev(moving.young);
            (*last).next = head.expose_provenance();
            (*head).next = moving.young.expose_provenance();
            (*head).prev = ((*head).prev & !PREV_MASK) | (1 << PREV_SHIFT);
            set_prev(moving.young, head);
        } else if (*head).prev >> PREV_SHIFT == 0 {
            (*head).prev |= 1 << PREV_SHIFT;
        }
    }
    0
}

unsafe fn move_unreachable(young: *mut Head, unreachable: *mut Head) {
    let moving = Moving { young };
    let arg = (&raw const moving).cast_mut().cast();
    // SAFETY: `young` is in its counting phase; each node is linked again as the cursor passes it.
    unsafe {
        let mut before = young;
        let mut node = next(young);
        // The links of `unreachable` carry the flag while this phase runs.
        (*unreachable).next |= UNREACHABLE;
        while node != young {
            if (*node).prev >> PREV_SHIFT != 0 {
                traverse(node, visit_reachable, arg);
                (*node).prev = ((*node).prev & FINALIZED) | before.expose_provenance();
                before = node;
            } else {
                (*before).next = (*node).next;
                let last = prev(unreachable);
                (*last).next = node.expose_provenance() | UNREACHABLE;
                (*node).prev = ((*node).prev & !PREV_MASK) | last.expose_provenance();
                (*node).next = unreachable.expose_provenance() | UNREACHABLE;
                set_prev(unreachable, node);
            }
            node = next(before);
        }
        set_prev(young, before);
        // The phase is over: ordinary links again.
        let mut node = unreachable;
        loop {
            (*node).next &= !UNREACHABLE;
            (*node).prev &= !COLLECTING;
            node = next(node);
            if node == unreachable {
                break;
            }
        }
    }
}

/// Objects with the old `tp_del` are never cleared: nobody knows in which order.
unsafe fn move_legacy_finalizers(unreachable: *mut Head, finalizers: *mut Head) {
    // SAFETY: well-formed lists of live objects.
    unsafe {
        let mut node = next(unreachable);
        while node != unreachable {
            let after = next(node);
            if (*(*object_of(node)).ob_type).tp_del.is_some() {
                list_move(node, finalizers);
            }
            node = after;
        }
    }
}

unsafe fn handle_legacy(gc: &GcState, finalizers: *mut Head, older: *mut Head) -> usize {
    // SAFETY: well-formed lists of live objects.
    unsafe {
        let all = collect_refs(finalizers);
        if gc.debug.get() & debug::UNCOLLECTABLE != 0 {
            name_all("uncollectable", &all);
        }
        if let Some(garbage) = gc.garbage.borrow().as_ref().and_then(|g| g.downcast::<crate::list::List>()) {
            for object in &all {
                let _ = garbage.append(object.clone());
            }
        }
        list_merge(finalizers, older);
        all.len()
    }
}

unsafe fn finalize_garbage(list: *mut Head) {
    // SAFETY: the handles keep every object alive while finalisers run.
    for object in unsafe { collect_refs(list) } {
        let ty = object.ty();
        // SAFETY: a live object; `tp_finalize` takes any instance.
        unsafe {
            if let Some(finalize) = (*ty.raw()).tp_finalize
                && !is_finalized(&object)
            {
                set_finalized(&object);
                finalize(object.as_ptr());
            }
        }
    }
}

/// What becomes of garbage: it is cleared, or kept for who looks for leaks.
unsafe fn discard(gc: &GcState, garbage: *mut Head, older: *mut Head) {
    let flags = gc.debug.get();
    // SAFETY: well-formed lists of live objects.
    unsafe {
        if flags & debug::COLLECTABLE != 0 {
            name_all("collectable", &collect_refs(garbage));
        }
        if flags & debug::SAVEALL == 0 {
            return delete_garbage(garbage, older);
        }
        let all = collect_refs(garbage);
        list_merge(garbage, older);
        if let Some(list) = gc.garbage.borrow().as_ref().and_then(|g| g.downcast::<crate::list::List>()) {
            for object in all {
                // Without memory for the list the object is just not shown.
                let _ = list.append(object);
            }
        }
    }
}

fn name_all(kind: &str, objects: &[Ref]) {
    for object in objects {
        crate::err::to_stderr(&format!(
            "gc: {kind} <{} {:#x}>\n",
            object.ty().message_name(),
            object.as_ptr().addr()
        ));
    }
}

unsafe fn delete_garbage(garbage: *mut Head, older: *mut Head) {
    // SAFETY: each object is held while it is cleared; whatever survives goes to the older list.
    unsafe {
        while next(garbage) != garbage {
            let node = next(garbage);
            let object = Object::borrow(object_of(node)).new_ref();
            if let Some(clear) = (*object.ty().raw()).tp_clear {
                clear(object.as_ptr());
                if let Some(error) = crate::err::fetch_opt() {
                    let message = format!("Exception ignored in tp_clear of {}", object.ty().message_name());
                    crate::err::write_unraisable_text(error, &message);
                }
            }
            if next(garbage) == node {
                list_move(node, older);
            }
        }
    }
}

/// The objects that an object refers to, as its type shows them to the collector.
pub fn referents(object: &Object) -> Vec<Ref> {
    unsafe extern "C" fn note(found: *mut PyObject, arg: *mut core::ffi::c_void) -> core::ffi::c_int {
        // SAFETY: the argument is the vector below; a traversal shows live objects.
        unsafe { (*arg.cast::<Vec<Ref>>()).push(Object::borrow(found).new_ref()) };
        0
    }
    let mut all: Vec<Ref> = Vec::new();
    if !is_gc(object) {
        return all;
    }
    // SAFETY: a live object and its own type's function.
    unsafe {
        if let Some(traverse) = (*object.ty().raw()).tp_traverse {
            traverse(object.as_ptr(), note, (&raw mut all).cast());
        }
    }
    all
}

/// How many objects the collector watches.
pub fn tracked_count() -> usize {
    let gc = &state::interp().gc;
    // SAFETY: well-formed lists.
    (0..=PERMANENT).map(|list| unsafe { list_len(gc.list(list)) }).sum()
}
