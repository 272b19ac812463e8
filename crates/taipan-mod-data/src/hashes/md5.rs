//! `_md5`.

use super::{digest_state, hash_functions, hash_module, hash_type};
use taipan_object::abi::Py_TPFLAGS_DISALLOW_INSTANTIATION as NO_NEW;

digest_state!(State, ::md5::Md5, "md5", 16, 64);
hash_type!(Md5, MD5, MD5_SPEC, MD5_METHODS, c"_md5.md5", State, NO_NEW);
hash_functions! { Md5 State ::md5::Md5, MD5 md5 "md5"; }

taipan_object::methods! {
    static METHODS = {
        args "md5" "($module, /, data=b'', *, usedforsecurity=True, string=None)" = md5, "A new MD5 hash object.";
    }
}
hash_module!("_md5", "MD5.", METHODS, ["MD5Type" MD5_SPEC]);
