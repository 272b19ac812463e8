//! The digests that `hashlib` falls back on: `_md5`, `_sha1`, `_sha2`, `_sha3`, `_blake2`.
//!
//! One set of methods serves all: a hash object is a [`State`] behind a type of its own.

pub mod blake2;
pub mod md5;
pub mod sha1;
pub mod sha2;
pub mod sha3;

use core::cell::RefCell;
use taipan_object::buffer::{Buffer, has_buffer};
use taipan_object::bytes::Bytes;
use taipan_object::err::{buffer_error, type_error};
use taipan_object::native::{Args, Native, Payload, native_new};
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, Type};

/// An algorithm at work.
pub trait State: Clone + 'static {
    /// Block size in bytes.
    const BLOCK: usize;
    fn name(&self) -> &'static str;
    /// Digest size in bytes; 0 where it is chosen at the end.
    fn size(&self) -> usize;
    fn feed(&mut self, data: &[u8]);
    fn digest(&self) -> Vec<u8>;
}

/// A payload with a state.
pub trait Hash: Payload {
    type State: State;
    fn state(&self) -> &RefCell<Self::State>;
    fn wrap(state: Self::State) -> Self;
}

/// The bytes of something to be hashed.
///
/// # Errors
/// `TypeError` for text and for what has no buffer, `BufferError` for more than one dimension.
pub fn input(object: &Object) -> PyResult<Buffer> {
    if object.downcast::<Str>().is_some() {
        return Err(type_error("Strings must be encoded before hashing"));
    }
    if !has_buffer(object) {
        return Err(type_error("object supporting the buffer API required"));
    }
    let buffer = Buffer::simple(object)?;
    if buffer.view().ndim > 1 {
        return Err(buffer_error("Buffer must be single dimension"));
    }
    Ok(buffer)
}

/// A new hash object from the arguments `data`, `usedforsecurity` and `string` at these places.
///
/// # Errors
/// `TypeError`.
pub fn start<H: Hash>(
    ty: &Type,
    mut state: H::State,
    args: &Args<'_>,
    security: usize,
) -> PyResult<Ref<Native<H>>> {
    let (data, string) = (args.get(0), args.get(security + 1));
    args.bool_or(security, true)?;
    if data.is_some() && string.is_some() {
        return Err(type_error(
            "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal in a future version.",
        ));
    }
    if let Some(data) = data.or(string) {
        state.feed(input(data)?.as_slice());
    }
    native_new(ty, H::wrap(state))
}

pub fn update<H: Hash>(hash: &Native<H>, data: &Object) -> PyResult<()> {
    let data = input(data)?;
    hash.state().borrow_mut().feed(data.as_slice());
    Ok(())
}

pub fn digest<H: Hash>(hash: &Native<H>) -> PyResult<Ref<Bytes>> {
    let made = hash.state().borrow().digest();
    Bytes::new(&made)
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub fn hexdigest<H: Hash>(hash: &Native<H>) -> String {
    hex(&hash.state().borrow().digest())
}

pub fn copy<H: Hash>(hash: &Native<H>) -> PyResult<Ref<Native<H>>> {
    let state = hash.state().borrow().clone();
    native_new(hash.object().ty(), H::wrap(state))
}

pub fn name<H: Hash>(hash: &Native<H>) -> &'static str {
    hash.state().borrow().name()
}

pub fn digest_size<H: Hash>(hash: &Native<H>) -> usize {
    hash.state().borrow().size()
}

pub fn block_size<H: Hash>(_: &Native<H>) -> usize {
    H::State::BLOCK
}

/// Declares a hash type: `hash_type!(Md5, MD5, c"_md5.md5", md5::Md5, "md5", 16, 64, METHODS…);`
macro_rules! hash_type {
    ($payload:ident, $ty:ident, $spec:ident, $table:ident, $python:literal, $state:ty, $flags:expr) => {
        struct $payload(core::cell::RefCell<$state>);

        static $ty: taipan_object::statics::StaticType = taipan_object::statics::StaticType::native(
            $python,
            taipan_object::native::Native::<$payload>::SIZE,
            $flags,
        );

        impl taipan_object::native::Payload for $payload {
            const TYPE: &'static taipan_object::statics::StaticType = &$ty;
        }

        impl $crate::hashes::Hash for $payload {
            type State = $state;
            fn state(&self) -> &core::cell::RefCell<$state> {
                &self.0
            }
            fn wrap(state: $state) -> Self {
                Self(core::cell::RefCell::new(state))
            }
        }

        taipan_object::methods! {
            static $table = {
                noargs "copy" "($self, /)" = $crate::hashes::copy::<$payload>, "A hash object that has seen the same data.";
                noargs "digest" "($self, /)" = $crate::hashes::digest::<$payload>, "The digest of the data so far.";
                noargs "hexdigest" "($self, /)" = $crate::hashes::hexdigest::<$payload>, "The digest of the data so far, as hexadecimal digits.";
                one "update" "($self, obj, /)" = $crate::hashes::update::<$payload>, "Hash more data.";
            }
        }

        static $spec: taipan_object::TypeSpec = taipan_object::TypeSpec {
            slots: &[taipan_object::native::Native::<$payload>::DEALLOC],
            methods: $table,
            getset: &[
                taipan_object::native::getset_row(c"name", $crate::hashes::name::<$payload>, c"the algorithm's name"),
                taipan_object::native::getset_row(c"digest_size", $crate::hashes::digest_size::<$payload>, c"bytes of a digest"),
                taipan_object::native::getset_row(c"block_size", $crate::hashes::block_size::<$payload>, c"bytes of a block"),
            ],
            ..taipan_object::TypeSpec::new(&$ty)
        };
    };
}
pub(crate) use hash_type;

/// Makes an algorithm of the `digest` crate a state.
macro_rules! digest_state {
    ($state:ident, $inner:ty, $name:literal, $size:literal, $block:literal) => {
        #[derive(Clone)]
        struct $state($inner);

        impl $crate::hashes::State for $state {
            const BLOCK: usize = $block;
            fn name(&self) -> &'static str {
                $name
            }
            fn size(&self) -> usize {
                $size
            }
            fn feed(&mut self, data: &[u8]) {
                digest::Digest::update(&mut self.0, data);
            }
            fn digest(&self) -> Vec<u8> {
                digest::Digest::finalize(self.0.clone()).to_vec()
            }
        }
    };
}
pub(crate) use digest_state;

/// Declares a module of one or more algorithms that are made by functions.
macro_rules! hash_functions {
    ($($payload:ident $state:ident $inner:ty, $ty:ident $function:ident $name:literal;)*) => {$(
        fn $function(_: &taipan_object::Object, args: &taipan_object::native::Args<'_>) -> taipan_object::PyResult<taipan_object::Ref<taipan_object::native::Native<$payload>>> {
            $crate::hashes::start::<$payload>(&$ty, $state(<$inner>::default()), args, 1)
        }
    )*};
}
pub(crate) use hash_functions;

/// Adds a hash type that only functions make, and the size from which hashing releases the lock.
macro_rules! hash_module {
    ($name:literal, $doc:literal, $methods:ident, [$($attr:literal $spec:ident),*]) => {
        /// The module.
        pub static SPEC: taipan_object::module::ModuleSpec = taipan_object::module::ModuleSpec {
            name: $name,
            doc: $doc,
            methods: $methods,
            init: |module| {
                $($crate::util::add_type(module, $attr, &$spec)?;)*
                module.add("_GIL_MINSIZE", &taipan_object::int::Int::from_i64(2048))
            },
        };
    };
}
pub(crate) use hash_module;
