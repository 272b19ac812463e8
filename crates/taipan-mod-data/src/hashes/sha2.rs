//! `_sha2`: SHA-224, SHA-256, SHA-384 and SHA-512.

use super::{digest_state, hash_functions, hash_module, hash_type};
use taipan_object::abi::Py_TPFLAGS_DISALLOW_INSTANTIATION as NO_NEW;

digest_state!(State224, ::sha2::Sha224, "sha224", 28, 64);
digest_state!(State256, ::sha2::Sha256, "sha256", 32, 64);
digest_state!(State384, ::sha2::Sha384, "sha384", 48, 128);
digest_state!(State512, ::sha2::Sha512, "sha512", 64, 128);
hash_type!(Sha224, SHA224, SPEC224, METHODS224, c"_sha2.SHA224Type", State224, NO_NEW);
hash_type!(Sha256, SHA256, SPEC256, METHODS256, c"_sha2.SHA256Type", State256, NO_NEW);
hash_type!(Sha384, SHA384, SPEC384, METHODS384, c"_sha2.SHA384Type", State384, NO_NEW);
hash_type!(Sha512, SHA512, SPEC512, METHODS512, c"_sha2.SHA512Type", State512, NO_NEW);
hash_functions! {
    Sha224 State224 ::sha2::Sha224, SHA224 sha224 "sha224";
    Sha256 State256 ::sha2::Sha256, SHA256 sha256 "sha256";
    Sha384 State384 ::sha2::Sha384, SHA384 sha384 "sha384";
    Sha512 State512 ::sha2::Sha512, SHA512 sha512 "sha512";
}

taipan_object::methods! {
    static METHODS = {
        args "sha224" "($module, /, data=b'', *, usedforsecurity=True, string=None)" = sha224, "A new SHA-224 hash object.";
        args "sha256" "($module, /, data=b'', *, usedforsecurity=True, string=None)" = sha256, "A new SHA-256 hash object.";
        args "sha384" "($module, /, data=b'', *, usedforsecurity=True, string=None)" = sha384, "A new SHA-384 hash object.";
        args "sha512" "($module, /, data=b'', *, usedforsecurity=True, string=None)" = sha512, "A new SHA-512 hash object.";
    }
}
hash_module!("_sha2", "SHA-2.", METHODS, ["SHA224Type" SPEC224, "SHA256Type" SPEC256, "SHA384Type" SPEC384, "SHA512Type" SPEC512]);
