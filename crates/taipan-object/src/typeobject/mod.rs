//! Type objects: attribute look-up along the MRO, versions and caches, subclass lists.
//!
//! A type's attributes are found by walking its method resolution order. Results are cached per
//! interpreter under the type's *version*, a number that the type gives up (together with all its
//! subclasses) whenever an attribute of it is set; inline caches of the evaluator guard on the same
//! number.
//!
//! Invariants: a type has a version only while `VALID_VERSION_TAG` is set, and then so have all its
//! bases; `tp_subclasses` is null or points to a list of the types that name this one as a base.

mod create;
mod mro;
mod new_wrapper;
mod ready;
mod slotdefs;
mod trampolines;
mod wrappers;
pub use wrappers::{Wrap, invoke};

pub use create::{
    INSTANCE_DICT, TypeParts, best_base, bind_for_class, mangle, new_classmethod, resolve_bases, type_new,
    winning_metatype,
};
pub use mro::{compute_mro, make_mro};
pub use ready::{install, ready, ready_static};
pub use slotdefs::{SlotDef, get_slot, is_number_slot, set_slot, slot_defs, update_all_slots, update_slot};

use crate::dict::Dict;
use crate::err::PyResult;
use crate::handle::{Object, Ref, Type};
use crate::state;
use crate::tuple::Tuple;
use crate::unicode::Str;
use core::cell::Cell;
use core::ffi::CStr;
use taipan_abi::*;

/// Versions below this one are reserved.
pub const FIRST_DYNAMIC_VERSION: u32 = 1;
const CACHE_SIZE: usize = 4096;

/// One cached look-up: the type's version and the name give the attribute (null: there is none).
#[derive(Clone, Copy)]
pub struct TypeCacheEntry {
    version: u32,
    name: *mut PyObject,
    value: *mut PyObject,
}

pub(crate) fn new_cache() -> Box<[Cell<TypeCacheEntry>]> {
    let empty = TypeCacheEntry { version: 0, name: core::ptr::null_mut(), value: core::ptr::null_mut() };
    (0..CACHE_SIZE).map(|_| Cell::new(empty)).collect()
}

/// A fresh version for a dict's set of keys; `None` when the numbers are used up.
pub(crate) fn next_keys_version() -> Option<u32> {
    if state::current().is_null() {
        return None;
    }
    let next = &state::interp().next_keys_version;
    let version = next.get();
    next.set(version.checked_add(1)?);
    Some(version)
}

impl Type {
    #[inline(always)]
    pub fn flags(&self) -> u64 {
        // SAFETY: a live type.
        unsafe { (*self.raw()).tp_flags }
    }

    #[inline(always)]
    pub fn has_flag(&self, flag: u64) -> bool {
        self.flags() & flag != 0
    }

    /// Says that class patterns treat instances as sequences or mappings; other bits are refused.
    pub fn set_collection_flags(&self, flags: u64) {
        let both = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;
        self.remove_flags(both);
        self.add_flags(flags & both);
    }

    pub(crate) fn add_flags(&self, flags: u64) {
        // SAFETY: a live type.
        unsafe { (*self.raw()).tp_flags |= flags }
    }

    pub(crate) fn remove_flags(&self, flags: u64) {
        // SAFETY: a live type.
        unsafe { (*self.raw()).tp_flags &= !flags }
    }

    /// `tp_name` whole: for static types this may hold the module's name.
    pub fn full_name(&self) -> &str {
        // SAFETY: names are null-terminated and live as long as their type.
        let name = unsafe { CStr::from_ptr((*self.raw()).tp_name) };
        name.to_str().unwrap_or("?")
    }

    /// `__name__`.
    pub fn name(&self) -> &str {
        let full = self.full_name();
        if self.has_flag(Py_TPFLAGS_HEAPTYPE) { full } else { full.rsplit('.').next().unwrap_or(full) }
    }

    /// `__name__`, as CPython's messages show types (at most 200 bytes, `None` for `NoneType` is not special).
    pub fn message_name(&self) -> &str {
        let name = self.full_name();
        let mut end = name.len().min(200);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        &name[..end]
    }

    /// The method resolution order, once the type is ready.
    #[inline]
    pub fn mro(&self) -> Option<&Tuple> {
        // SAFETY: null or a tuple.
        unsafe { Object::borrow_opt((*self.raw()).tp_mro).map(|mro| mro.cast()) }
    }

    /// `__base__`.
    #[inline]
    pub fn base(&self) -> Option<&Type> {
        // SAFETY: null or a live type.
        unsafe { Object::borrow_opt((*self.raw()).tp_base.cast()).map(|base| base.cast()) }
    }

    /// The direct bases.
    pub fn bases(&self) -> Option<&Tuple> {
        // SAFETY: null or a tuple.
        unsafe { Object::borrow_opt((*self.raw()).tp_bases).map(|bases| bases.cast()) }
    }

    /// The type's own attributes.
    #[inline]
    pub fn dict(&self) -> Option<&Dict> {
        // SAFETY: null or a dict.
        unsafe { Object::borrow_opt((*self.raw()).tp_dict).map(|dict| dict.cast()) }
    }

    /// Whether this is `other` or derived from it, by the MRO.
    #[inline]
    pub fn is_subtype(&self, other: &Type) -> bool {
        self.is(other) || self.is_proper_subtype(other)
    }

    fn is_proper_subtype(&self, other: &Type) -> bool {
        if let Some(mro) = self.mro() {
            return mro.items().iter().any(|entry| entry.is(other));
        }
        // Not ready yet: the chain of bases is all there is.
        let mut current = self.base();
        while let Some(ty) = current {
            if ty.is(other) {
                return true;
            }
            current = ty.base();
        }
        other.as_ptr() == crate::statics::PyBaseObject_Type.as_ptr()
    }

    /// The attribute `name` of the type or its bases, without calling descriptors.
    #[inline]
    pub fn lookup(&self, name: &Str) -> Option<Ref> {
        // SAFETY: null or an object that a type's dict holds.
        unsafe { Object::borrow_opt(self.lookup_ptr(name)).map(Object::new_ref) }
    }

    /// As [`Type::lookup`], borrowed: valid until Python code runs. Null when there is none.
    #[inline]
    pub fn lookup_ptr(&self, name: &Str) -> *mut PyObject {
        // SAFETY: a live type.
        let version = unsafe { (*self.raw()).tp_version_tag };
        if version != 0 {
            let entry = self.cache_cell(version, name).get();
            if entry.version == version && entry.name == name.as_ptr() {
                return entry.value;
            }
        }
        self.lookup_slow(name)
    }

    #[inline(always)]
    fn cache_cell(&self, version: u32, name: &Str) -> &'static Cell<TypeCacheEntry> {
        let slot = (version as usize ^ (name.as_ptr().addr() >> 4)) & (CACHE_SIZE - 1);
        &state::interp().type_cache[slot]
    }

    fn lookup_slow(&self, name: &Str) -> *mut PyObject {
        let version = self.assign_version();
        let value = self.lookup_uncached(name);
        // Only interned names keep their address for the life of the interpreter's tables: others
        // could be freed and another str take their place.
        if let Some(version) = version
            && name.is_interned()
            && crate::refcount::is_immortal(name)
        {
            self.cache_cell(version, name).set(TypeCacheEntry { version, name: name.as_ptr(), value });
        }
        value
    }

    fn lookup_uncached(&self, name: &Str) -> *mut PyObject {
        let Some(mro) = self.mro() else {
            return self.dict().map_or(core::ptr::null_mut(), |dict| dict_value(dict, name));
        };
        let mro = Ref::of(mro);
        for entry in mro.items() {
            // SAFETY: an MRO holds types only.
            let ty: &Type = unsafe { entry.cast() };
            let value = ty.dict().map_or(core::ptr::null_mut(), |dict| dict_value(dict, name));
            if !value.is_null() {
                return value;
            }
        }
        core::ptr::null_mut()
    }

    /// The type's version; assigns one if it has none. `None` when there are no more numbers.
    pub fn assign_version(&self) -> Option<u32> {
        // SAFETY: a live type.
        unsafe {
            if (*self.raw()).tp_version_tag != 0 {
                return Some((*self.raw()).tp_version_tag);
            }
        }
        if !self.has_flag(Py_TPFLAGS_READY) {
            return None;
        }
        for base in self.bases()?.items() {
            // SAFETY: bases are types.
            unsafe { base.cast::<Type>() }.assign_version()?;
        }
        let next = &state::interp().next_type_version;
        let version = next.get();
        next.set(version.checked_add(1)?);
        // SAFETY: a live type.
        unsafe { (*self.raw()).tp_version_tag = version };
        self.add_flags(Py_TPFLAGS_VALID_VERSION_TAG);
        Some(version)
    }

    /// The current version, 0 for none: what inline caches compare.
    #[inline(always)]
    pub fn version(&self) -> u32 {
        // SAFETY: a live type.
        unsafe { (*self.raw()).tp_version_tag }
    }

    /// `PyType_Modified`: forgets what was cached about the type and its subclasses.
    pub fn modified(&self) {
        if self.version() == 0 {
            return;
        }
        for subclass in self.subclasses() {
            subclass.modified();
        }
        // SAFETY: a live type.
        unsafe {
            (*self.raw()).tp_version_tag = 0;
            if self.has_flag(Py_TPFLAGS_HEAPTYPE) {
                let heap = self.raw().cast::<PyHeapTypeObject>();
                (*heap)._spec_cache.getitem = core::ptr::null_mut();
                (*heap)._spec_cache.init = core::ptr::null_mut();
            }
        }
        self.remove_flags(Py_TPFLAGS_VALID_VERSION_TAG);
    }

    fn subclass_list(&self) -> *mut Vec<*mut PyTypeObject> {
        // SAFETY: a live type; the word is ours.
        unsafe { (*self.raw()).tp_subclasses.cast() }
    }

    /// The types that name this one as a base, oldest first.
    pub fn subclasses(&self) -> Vec<Ref<Type>> {
        let list = self.subclass_list();
        if list.is_null() {
            return Vec::new();
        }
        // SAFETY: a type leaves the lists of its bases before it is deallocated.
        unsafe { (*list).iter().map(|&ty| Ref::of(Object::borrow(ty.cast()).cast::<Type>())).collect() }
    }

    pub fn add_subclass(&self, subclass: &Type) {
        // SAFETY: the list is only touched under the interpreter lock.
        unsafe {
            if self.subclass_list().is_null() {
                (*self.raw()).tp_subclasses = Box::into_raw(Box::<Vec<*mut PyTypeObject>>::default()).cast();
            }
            let list = &mut *self.subclass_list();
            if !list.contains(&subclass.raw()) {
                list.push(subclass.raw());
            }
        }
    }

    pub fn remove_subclass(&self, subclass: &Type) {
        let list = self.subclass_list();
        if list.is_null() {
            return;
        }
        // SAFETY: the list is only touched under the interpreter lock.
        unsafe {
            (*list).retain(|&ty| ty != subclass.raw());
            if (*list).is_empty() {
                drop(Box::from_raw(list));
                (*self.raw()).tp_subclasses = core::ptr::null_mut();
            }
        }
    }

    /// Calls the type with positional arguments.
    ///
    /// # Errors
    /// What making the instance raises.
    pub fn call(&self, args: &[&Object]) -> PyResult<Ref> {
        crate::protocol::vectorcall(self, args, None)
    }

    /// `module.Qualified.name`, without the module for builtins and the main program.
    pub fn qualified_name(&self) -> String {
        let text = |name: &Str| {
            self.getattr_opt(name).ok().flatten().filter(|found| found.downcast::<Str>().is_some())
        };
        let qualname = text(crate::intern!("__qualname__"))
            .map_or_else(|| self.name().to_owned(), |found| found.str_lossy());
        match text(crate::intern!("__module__")).map(|found| found.str_lossy()) {
            Some(module) if module != "builtins" && module != "__main__" => format!("{module}.{qualname}"),
            _ => qualname,
        }
    }

    /// Sets an attribute in the type's own dict, as building native types does.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn set_own(&self, name: &str, value: &Object) -> PyResult<()> {
        let dict = self.dict().ok_or_else(|| crate::err::system_error("type is not ready"))?;
        dict.set_text(name, value)?;
        self.modified();
        Ok(())
    }

    /// The heap part of a type made at run time.
    ///
    /// # Safety
    /// The type has `HEAPTYPE`.
    pub unsafe fn heap(&self) -> *mut PyHeapTypeObject {
        self.raw().cast()
    }
}

/// A borrowed value; comparisons of odd keys that raise count as missing.
fn dict_value(dict: &Dict, name: &Str) -> *mut PyObject {
    match dict.lookup(name, name.hash()) {
        Ok(crate::dict::Found::At(index)) => {
            dict.value_at(index).map_or(core::ptr::null_mut(), Object::as_ptr)
        }
        _ => core::ptr::null_mut(),
    }
}
