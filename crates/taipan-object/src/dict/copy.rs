//! Copies of dicts: where the table can be copied as it stands, nothing is hashed or looked up again.

use super::{Dict, Entry, HEAD, Keys, SHARED, empty_keys, entries, table_bytes};
use crate::alloc;
use crate::err::PyResult;
use crate::handle::Ref;
use crate::refcount;

impl Dict {
    /// A new dict with the same items.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn copy(&self) -> PyResult<Ref<Dict>> {
        let new = Self::new()?;
        if self.is_empty() || new.copy_table_of(self)? {
            return Ok(new);
        }
        new.resize(self.len())?;
        let mut position = 0;
        while let Some((key, value, hash)) = self.next_borrowed(&mut position) {
            new.insert_new(key, hash, value.new_ref())?;
        }
        Ok(new)
    }

    /// Fills an empty dict by copying the table of another one as it stands; false where that would not do: when
    /// the dict is not empty, or when the table is borrowed, has gaps or is much too large.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn copy_table_of(&self, other: &Dict) -> PyResult<bool> {
        let old = other.keys_ptr();
        // SAFETY: the tables are live; both are of one size in the end, and every reference is counted once more.
        unsafe {
            let used = (*other.raw()).used;
            let whole = (*old).kind != SHARED && (*old).entries == used && (*old).usable <= 2 * used;
            if self.keys_ptr() != empty_keys() || used == 0 || !whole {
                return Ok(false);
            }
            let size = table_bytes((*old).log2_size, (*old).log2_index);
            let keys = alloc::malloc(size).cast::<Keys>();
            if keys.is_null() {
                return Err(alloc::no_memory());
            }
            let count = (*old).entries as usize;
            let filled =
                HEAD + (1usize << ((*old).log2_size + (*old).log2_index)) + count * size_of::<Entry>();
            core::ptr::copy_nonoverlapping(old.cast::<u8>(), keys.cast::<u8>(), filled);
            (*keys).version = 0;
            for index in 0..count {
                let entry = entries(keys).add(index);
                refcount::incref((*entry).key);
                refcount::incref((*entry).value);
            }
            (*self.raw()).keys = keys;
            (*self.raw()).used = used;
        }
        Ok(true)
    }
}
