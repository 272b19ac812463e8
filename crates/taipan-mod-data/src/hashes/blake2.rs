//! `_blake2`: BLAKE2b and BLAKE2s with keys, salts and trees.

use super::{hash_type, start};
use taipan_object::buffer::Buffer;
use taipan_object::dict::Dict;
use taipan_object::err::{overflow_error, value_error};
use taipan_object::int::Int;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, Native, Signature, TypeSpec, tp_new};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, Type};

/// The arguments of both constructors, checked.
struct Parameters {
    digest_size: usize,
    key: Vec<u8>,
    salt: Vec<u8>,
    person: Vec<u8>,
    fanout: u8,
    depth: u8,
    leaf_size: u32,
    node_offset: u64,
    node_depth: u8,
    inner_size: usize,
    last_node: bool,
}

/// What the two algorithms differ in.
struct Limits {
    name: &'static str,
    size: usize,
    salt: usize,
    /// Bits of the node's offset.
    offset: u32,
}

fn small(args: &Args<'_>, index: usize, default: i32, least: i32, name: &str) -> PyResult<u8> {
    let value = match args.get(index) {
        Some(object) => object
            .to_index()?
            .to_i64()
            .and_then(|n| i32::try_from(n).ok())
            .ok_or_else(|| overflow_error("Python int too large to convert to C int"))?,
        None => default,
    };
    if (least..=255).contains(&value) {
        return Ok(value as u8);
    }
    Err(value_error(&format!("{name} must be between {least} and 255")))
}

/// A number without sign.
fn unsigned(object: &Object, kind: &str) -> PyResult<u64> {
    let number = object.to_index()?;
    if number.is_negative() {
        return Err(value_error("Cannot convert negative int"));
    }
    number.to_u64().ok_or_else(|| overflow_error(&format!("Python int too large for C {kind}")))
}

/// Bytes of at most so many.
fn text(args: &Args<'_>, index: usize, most: usize, name: &str) -> PyResult<Vec<u8>> {
    let Some(object) = args.get(index) else { return Ok(Vec::new()) };
    let bytes = Buffer::simple(object)?.to_vec();
    if bytes.len() <= most {
        return Ok(bytes);
    }
    Err(value_error(&format!("maximum {name} length is {most} bytes")))
}

impl Parameters {
    fn of(args: &Args<'_>, limits: &Limits) -> PyResult<Self> {
        let most = limits.size;
        let int = |index: usize, default: i64| -> PyResult<i64> {
            let Some(object) = args.get(index) else { return Ok(default) };
            let number = object.to_index()?.to_i64().filter(|&n| i32::try_from(n).is_ok());
            number.ok_or_else(|| overflow_error("Python int too large to convert to C int"))
        };
        let digest_size = int(1, most as i64)?;
        if !(1..=most as i64).contains(&digest_size) {
            return Err(value_error(&format!(
                "digest_size for {} must be between 1 and {most} bytes, here it is {digest_size}",
                limits.name
            )));
        }
        let salt = text(args, 3, limits.salt, "salt")?;
        let person = text(args, 4, limits.salt, "person")?;
        let fanout = small(args, 5, 1, 0, "fanout")?;
        let depth = small(args, 6, 1, 1, "depth")?;
        let leaf_size = args.get(7).map_or(Ok(0), |object| unsigned(object, "unsigned long"))?;
        let leaf_size = u32::try_from(leaf_size).map_err(|_| overflow_error("leaf_size is too large"))?;
        let node_offset = args.get(8).map_or(Ok(0), |object| unsigned(object, "unsigned long long"))?;
        if limits.offset < 64 && node_offset >> limits.offset != 0 {
            return Err(overflow_error("node_offset is too large"));
        }
        let node_depth = small(args, 9, 0, 0, "node_depth")?;
        let inner_size = int(10, 0)?;
        if !(0..=most as i64).contains(&inner_size) {
            return Err(value_error(&format!("inner_size must be between 0 and is {most}")));
        }
        let key = text(args, 2, most, "key")?;
        let last_node = args.bool_or(11, false)?;
        Ok(Self {
            digest_size: digest_size as usize,
            key,
            salt,
            person,
            fanout,
            depth,
            leaf_size,
            node_offset,
            node_depth,
            inner_size: inner_size as usize,
            last_node,
        })
    }
}

macro_rules! blake2 {
    ($state:ident $library:ident $payload:ident $ty:ident $base:ident $spec:ident $table:ident $python:literal $name:literal $title:literal,
        size $size:literal, block $block:literal, salt $salt:literal, offset $offset:literal, $doc:literal) => {
        #[derive(Clone)]
        struct $state {
            inner: $library::State,
            size: usize,
        }

        impl super::State for $state {
            const BLOCK: usize = $block;
            fn name(&self) -> &'static str {
                $name
            }
            fn size(&self) -> usize {
                self.size
            }
            fn feed(&mut self, data: &[u8]) {
                self.inner.update(data);
            }
            fn digest(&self) -> Vec<u8> {
                self.inner.finalize().as_bytes().to_vec()
            }
        }

        hash_type!($payload, $ty, $base, $table, $python, $state, taipan_object::abi::Py_TPFLAGS_BASETYPE);

        impl $payload {
            fn new(ty: &Type, args: &Tuple, kwargs: Option<&Dict>) -> PyResult<Ref<Native<Self>>> {
                static SIGNATURE: Signature = Signature::parse(
                    $name,
                    "(data=b'', *, digest_size=0, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, string=None)",
                );
                let (mut storage, mut names) = (Vec::new(), None);
                let bound = SIGNATURE.bind_tuple(args, kwargs, &mut storage, &mut names)?;
                let limits = Limits { name: $title, size: $size, salt: $salt, offset: $offset };
                let given = Parameters::of(&bound, &limits)?;
                let mut params = $library::Params::new();
                params
                    .hash_length(given.digest_size)
                    .key(&given.key)
                    .salt(&given.salt)
                    .personal(&given.person)
                    .fanout(given.fanout)
                    .max_depth(given.depth)
                    .max_leaf_length(given.leaf_size)
                    .node_offset(given.node_offset)
                    .node_depth(given.node_depth)
                    .inner_hash_length(given.inner_size)
                    .last_node(given.last_node);
                start::<Self>(ty, $state { inner: params.to_state(), size: given.digest_size }, &bound, 12)
            }
        }

        static $spec: TypeSpec = TypeSpec {
            doc: Some($doc),
            slots: &[Native::<$payload>::DEALLOC, tp_new($payload::new)],
            ..$base
        };
    };
}

blake2!(StateB blake2b_simd Blake2b BLAKE2B BASE_B SPEC_B METHODS_B c"_blake2.blake2b" "blake2b" "Blake2b",
    size 64, block 128, salt 16, offset 64,
    c"blake2b(data=b'', *, digest_size=_blake2.blake2b.MAX_DIGEST_SIZE,\n        key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n        node_offset=0, node_depth=0, inner_size=0, last_node=False,\n        usedforsecurity=True, string=None)\n--\n\nA new BLAKE2b hash object.");
blake2!(StateS blake2s_simd Blake2s BLAKE2S BASE_S SPEC_S METHODS_S c"_blake2.blake2s" "blake2s" "Blake2s",
    size 32, block 64, salt 8, offset 48,
    c"blake2s(data=b'', *, digest_size=_blake2.blake2s.MAX_DIGEST_SIZE,\n        key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0,\n        node_offset=0, node_depth=0, inner_size=0, last_node=False,\n        usedforsecurity=True, string=None)\n--\n\nA new BLAKE2s hash object.");

fn init(module: &Module) -> PyResult<()> {
    for (name, spec, size, salt) in [("blake2b", &SPEC_B, 64, 16), ("blake2s", &SPEC_S, 32, 8)] {
        crate::util::add_type(module, name, spec)?;
        let constants =
            [("SALT_SIZE", salt), ("PERSON_SIZE", salt), ("MAX_KEY_SIZE", size), ("MAX_DIGEST_SIZE", size)];
        for (constant, value) in constants {
            spec.ty.set_own(constant, &Int::from_i64(value))?;
        }
    }
    module.add("_GIL_MINSIZE", &Int::from_i64(2048))
}

/// `_blake2`.
pub static SPEC: ModuleSpec = ModuleSpec { name: "_blake2", doc: "BLAKE2.", methods: &[], init };
