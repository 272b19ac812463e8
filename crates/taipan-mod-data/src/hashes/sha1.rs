//! `_sha1`.

use super::{digest_state, hash_functions, hash_module, hash_type};
use taipan_object::abi::Py_TPFLAGS_DISALLOW_INSTANTIATION as NO_NEW;

digest_state!(State, ::sha1::Sha1, "sha1", 20, 64);
hash_type!(Sha1, SHA1, SHA1_SPEC, SHA1_METHODS, c"_sha1.sha1", State, NO_NEW);
hash_functions! { Sha1 State ::sha1::Sha1, SHA1 sha1 "sha1"; }

taipan_object::methods! {
    static METHODS = {
        args "sha1" "($module, /, data=b'', *, usedforsecurity=True, string=None)" = sha1, "A new SHA-1 hash object.";
    }
}
hash_module!("_sha1", "SHA-1.", METHODS, ["SHA1Type" SHA1_SPEC]);
