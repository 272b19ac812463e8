//! `_sha3`: SHA-3 with fixed digests, and SHAKE whose digests are as long as one asks.

use super::{Hash, State as _, digest_state, hash_type, hex, start};
use digest::{ExtendableOutput as _, Update as _, XofReader as _};
use taipan_object::bytes::Bytes;
use taipan_object::dict::Dict;
use taipan_object::err::{memory_error, overflow_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, Native, Signature, TypeSpec, getset_row, tp_new};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{PyResult, Ref, Type};

digest_state!(State224, ::sha3::Sha3_224, "sha3_224", 28, 144);
digest_state!(State256, ::sha3::Sha3_256, "sha3_256", 32, 136);
digest_state!(State384, ::sha3::Sha3_384, "sha3_384", 48, 104);
digest_state!(State512, ::sha3::Sha3_512, "sha3_512", 64, 72);

macro_rules! shake_state {
    ($state:ident, $inner:ty, $name:literal, $block:literal) => {
        #[derive(Clone)]
        struct $state($inner);

        impl super::State for $state {
            const BLOCK: usize = $block;
            fn name(&self) -> &'static str {
                $name
            }
            fn size(&self) -> usize {
                0
            }
            fn feed(&mut self, data: &[u8]) {
                self.0.update(data);
            }
            fn digest(&self) -> Vec<u8> {
                Vec::new()
            }
        }

        impl Shake for $state {
            fn read(&self, out: &mut [u8]) {
                self.0.clone().finalize_xof().read(out);
            }
        }
    };
}

/// A state whose digest is as long as one asks.
trait Shake: super::State {
    fn read(&self, out: &mut [u8]);
}

shake_state!(StateShake128, ::sha3::Shake128, "shake_128", 168);
shake_state!(StateShake256, ::sha3::Shake256, "shake_256", 136);

macro_rules! sha3_types {
    ($($payload:ident $ty:ident $spec:ident $table:ident $full:ident $python:literal $state:ident $inner:ty, $doc:literal, suffix $suffix:literal, more $more:expr;)*) => {$(
        hash_type!($payload, $ty, $spec, $table, $python, $state, 0);

        impl $payload {
            fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<Native<Self>>> {
                // CPython's parser knows all six by the first one's name.
                static SIGNATURE: Signature =
                    Signature::parse("sha3_224", "(data=b'', *, usedforsecurity=True, string=None)");
                let (mut storage, mut names) = (Vec::new(), None);
                let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
                start::<Self>(ty, $state(<$inner>::default()), &bound, 1)
            }

            fn suffix(_: &Native<Self>) -> PyResult<Ref<Bytes>> {
                Bytes::new(&[$suffix])
            }
        }

        static $full: TypeSpec = TypeSpec {
            doc: Some($doc),
            slots: &[Native::<$payload>::DEALLOC, tp_new($payload::new)],
            methods: $more,
            getset: &[
                getset_row(c"name", super::name::<$payload>, c"the algorithm's name"),
                getset_row(c"digest_size", super::digest_size::<$payload>, c"bytes of a digest, 0 where that is chosen"),
                getset_row(c"block_size", super::block_size::<$payload>, c"bytes of a block"),
                getset_row(c"_rate_bits", rate::<$payload>, c"bits taken in at a time"),
                getset_row(c"_capacity_bits", capacity::<$payload>, c"bits of the sponge that are never shown"),
                getset_row(c"_suffix", $payload::suffix, c"the byte that ends the data"),
            ],
            ..$spec
        };
    )*};
}

fn rate<H: Hash>(_: &Native<H>) -> usize {
    H::State::BLOCK * 8
}

fn capacity<H: Hash>(_: &Native<H>) -> usize {
    1600 - H::State::BLOCK * 8
}

/// The output of a SHAKE at a chosen length.
fn output<H: Hash>(hash: &Native<H>, args: &Args<'_>) -> PyResult<Vec<u8>>
where
    H::State: Shake,
{
    let length = args.required(0).to_index()?;
    if length.is_negative() {
        return Err(value_error("Cannot convert negative int"));
    }
    let length = length.to_u64().ok_or_else(|| overflow_error("Python int too large for C unsigned long"))?;
    if length >= 1 << 29 {
        return Err(value_error("length is too large"));
    }
    let mut out = Vec::new();
    out.try_reserve_exact(length as usize).map_err(|_| memory_error())?;
    out.resize(length as usize, 0);
    hash.state().borrow().read(&mut out);
    Ok(out)
}

fn shake_digest<H: Hash>(hash: &Native<H>, args: &Args<'_>) -> PyResult<Ref<Bytes>>
where
    H::State: Shake,
{
    Bytes::new(&output(hash, args)?)
}

fn shake_hexdigest<H: Hash>(hash: &Native<H>, args: &Args<'_>) -> PyResult<String>
where
    H::State: Shake,
{
    output(hash, args).map(|bytes| hex(&bytes))
}

macro_rules! shake_methods {
    ($table:ident, $payload:ident) => {
        taipan_object::methods! {
            static $table = {
                noargs "copy" "($self, /)" = super::copy::<$payload>, "A hash object that has seen the same data.";
                args "digest" "($self, /, length)" = shake_digest::<$payload>, "So many bytes of the digest of the data so far.";
                args "hexdigest" "($self, /, length)" = shake_hexdigest::<$payload>, "So many bytes of the digest of the data so far, as hexadecimal digits.";
                one "update" "($self, data, /)" = super::update::<$payload>, "Hash more data.";
            }
        }
    };
}

shake_methods!(SHAKE_128_METHODS, Shake128);
shake_methods!(SHAKE_256_METHODS, Shake256);

sha3_types! {
    Sha3_224 SHA3_224 BASE_224 METHODS_224 SPEC_224 c"_sha3.sha3_224" State224 ::sha3::Sha3_224, c"sha3_224([data], *, usedforsecurity=True) -> a SHA3-224 hash object", suffix 6, more METHODS_224;
    Sha3_256 SHA3_256 BASE_256 METHODS_256 SPEC_256 c"_sha3.sha3_256" State256 ::sha3::Sha3_256, c"sha3_256([data], *, usedforsecurity=True) -> a SHA3-256 hash object", suffix 6, more METHODS_256;
    Sha3_384 SHA3_384 BASE_384 METHODS_384 SPEC_384 c"_sha3.sha3_384" State384 ::sha3::Sha3_384, c"sha3_384([data], *, usedforsecurity=True) -> a SHA3-384 hash object", suffix 6, more METHODS_384;
    Sha3_512 SHA3_512 BASE_512 METHODS_512 SPEC_512 c"_sha3.sha3_512" State512 ::sha3::Sha3_512, c"sha3_512([data], *, usedforsecurity=True) -> a SHA3-512 hash object", suffix 6, more METHODS_512;
    Shake128 SHAKE_128 BASE_S128 METHODS_S128 SPEC_S128 c"_sha3.shake_128" StateShake128 ::sha3::Shake128, c"shake_128([data], *, usedforsecurity=True) -> a SHAKE-128 hash object", suffix 0x1F, more SHAKE_128_METHODS;
    Shake256 SHAKE_256 BASE_S256 METHODS_S256 SPEC_S256 c"_sha3.shake_256" StateShake256 ::sha3::Shake256, c"shake_256([data], *, usedforsecurity=True) -> a SHAKE-256 hash object", suffix 0x1F, more SHAKE_256_METHODS;
}

fn init(module: &Module) -> PyResult<()> {
    for (name, spec) in [
        ("sha3_224", &SPEC_224),
        ("sha3_256", &SPEC_256),
        ("sha3_384", &SPEC_384),
        ("sha3_512", &SPEC_512),
        ("shake_128", &SPEC_S128),
        ("shake_256", &SPEC_S256),
    ] {
        crate::util::add_type(module, name, spec)?;
    }
    module.add("implementation", &*Str::from_utf8("RustCrypto")?)?;
    module.add("_GIL_MINSIZE", &Int::from_i64(2048))
}

/// `_sha3`.
pub static SPEC: ModuleSpec = ModuleSpec { name: "_sha3", doc: "SHA-3.", methods: &[], init };
