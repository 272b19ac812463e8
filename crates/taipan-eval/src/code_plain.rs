//! Code objects of what the compiler made.
//!
//! The compiler keeps equal constants and names of a compilation once, behind shared pointers. So do the objects:
//! what is one in the plain data becomes one object, and tables and tuples with equal content are shared among the
//! code objects of a compilation, as CPython shares them.

use std::hash::Hasher;
use std::rc::Rc;

use crate::code::{Code, Parts, text};
use taipan_bytecode::{self as bytecode, Constant, PyStr};
use taipan_object::bytes::Bytes;
use taipan_object::int::Int;
use taipan_object::statics::*;
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{self, Str};
use taipan_object::{PyResult, Ref, protocol, singletons};
use taipan_text::hash::{FastHasher, FastMap, FastSet};

/// The objects made so far.
struct Maker<'a> {
    filename: &'a Str,
    /// Names by the address of their text.
    names: FastMap<usize, Ref<Str>>,
    /// Constants by the address of what they share.
    shared: FastMap<usize, Ref>,
    /// Floats by their bits.
    floats: FastMap<u64, Ref>,
    complexes: FastMap<(u64, u64), Ref>,
    /// Tables by the hash of their content; where another has that already, by the next number that is free.
    tables: FastMap<u64, Ref<Bytes>>,
    /// Tuples by the hash of their items' addresses, in the same way. They keep the items alive.
    tuples: FastMap<u64, Ref<Tuple>>,
}

impl Code {
    /// The code object of what the compiler made.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_plain(plain: &bytecode::Code, filename: &Str) -> PyResult<Ref<Code>> {
        let mut maker = Maker::new(filename);
        maker.make_room(plain);
        maker.intern_names(plain)?;
        maker.code(plain)
    }

    /// As [`from_plain`](Code::from_plain), with these objects for constants.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn from_plain_with(
        plain: &bytecode::Code,
        filename: &Str,
        consts: Ref<Tuple>,
    ) -> PyResult<Ref<Code>> {
        Maker::new(filename).code_with(plain, consts)
    }

    /// The objects of constants; `filename` is that of the code among them.
    ///
    /// # Errors
    /// `MemoryError`.
    pub fn constants_from_plain(plain: &[Constant], filename: &Str) -> PyResult<Vec<Ref>> {
        let mut maker = Maker::new(filename);
        plain.iter().map(|constant| maker.constant(constant)).collect()
    }
}

impl Maker<'_> {
    fn new(filename: &Str) -> Maker<'_> {
        Maker {
            filename,
            names: FastMap::default(),
            shared: FastMap::default(),
            floats: FastMap::default(),
            complexes: FastMap::default(),
            tables: FastMap::default(),
            tuples: FastMap::default(),
        }
    }

    /// Room for what a module of this size usually has, so that the tables need not grow step by step.
    fn make_room(&mut self, module: &bytecode::Code) {
        let within = |code: &bytecode::Code| {
            code.consts.iter().filter(|constant| matches!(constant, Constant::Code(_))).count()
        };
        let codes: usize = module
            .consts
            .iter()
            .map(|constant| match constant {
                Constant::Code(code) => 1 + within(code),
                _ => 0,
            })
            .sum();
        self.names.reserve(6 * codes);
        self.shared.reserve(3 * codes);
        self.tables.reserve(2 * codes);
        self.tuples.reserve(2 * codes);
    }

    fn code(&mut self, plain: &bytecode::Code) -> PyResult<Ref<Code>> {
        let mut consts = Vec::with_capacity(plain.consts.len());
        for constant in plain.consts.iter() {
            consts.push(self.constant(constant)?);
        }
        let consts = self.tuple(consts)?;
        self.code_with(plain, consts)
    }

    fn code_with(&mut self, plain: &bytecode::Code, consts: Ref<Tuple>) -> PyResult<Ref<Code>> {
        Code::from_parts(Parts {
            argcount: plain.argcount,
            posonlyargcount: plain.posonlyargcount,
            kwonlyargcount: plain.kwonlyargcount,
            stacksize: plain.stacksize,
            flags: plain.flags,
            code: &plain.code,
            consts,
            names: self.names(&plain.names)?,
            localsplusnames: self.names(&plain.localsplusnames)?,
            localspluskinds: self.table(&plain.localspluskinds)?,
            filename: Ref::of(self.filename),
            name: self.name(&plain.name)?,
            qualname: self.name(&plain.qualname)?,
            firstlineno: plain.firstlineno,
            linetable: self.table(&plain.linetable)?,
            exceptiontable: self.table(&plain.exceptiontable)?,
        })
    }

    /// Interns the names and the strs that look like names of a code object and of all within it, many at once.
    fn intern_names<'p>(&mut self, module: &'p bytecode::Code) -> PyResult<()> {
        let (mut addresses, mut texts) = (Vec::new(), Vec::new());
        let mut seen = FastSet::default();
        seen.reserve(self.names.capacity());
        let mut codes = vec![module];
        while let Some(code) = codes.pop() {
            let mut note = |plain: &'p PyStr| {
                let text = plain.as_bytes();
                let address = text.as_ptr().addr();
                if text.is_ascii() && seen.insert(address) {
                    addresses.push(address);
                    texts.push(text);
                }
            };
            code.names
                .iter()
                .chain(code.localsplusnames.iter())
                .chain([&code.name, &code.qualname])
                .for_each(&mut note);
            for constant in code.consts.iter() {
                match constant {
                    Constant::Str(plain) if plain.is_name_like() => note(plain),
                    Constant::Code(code) => codes.push(code),
                    _ => {}
                }
            }
        }
        let names = unicode::intern_immortal_ascii(&texts)?;
        self.names.extend(addresses.into_iter().zip(names));
        Ok(())
    }

    fn name(&mut self, plain: &PyStr) -> PyResult<Ref<Str>> {
        let address = plain.as_bytes().as_ptr().addr();
        if let Some(name) = self.names.get(&address) {
            return Ok(name.clone());
        }
        let name = unicode::intern_immortal(text(plain)?);
        self.names.insert(address, name.clone());
        Ok(name)
    }

    fn names(&mut self, plain: &[PyStr]) -> PyResult<Ref<Tuple>> {
        let mut all = Vec::with_capacity(plain.len());
        for name in plain {
            all.push(self.name(name)?.upcast());
        }
        self.tuple(all)
    }

    fn table(&mut self, plain: &[u8]) -> PyResult<Ref<Bytes>> {
        let mut hasher = FastHasher::default();
        hasher.write(plain);
        let mut key = hasher.finish();
        while let Some(table) = self.tables.get(&key) {
            if table.as_slice() == plain {
                return Ok(table.clone());
            }
            key = key.wrapping_add(1);
        }
        let table = Bytes::new(plain)?;
        self.tables.insert(key, table.clone());
        Ok(table)
    }

    fn tuple(&mut self, items: Vec<Ref>) -> PyResult<Ref<Tuple>> {
        let mut hasher = FastHasher::default();
        for item in &items {
            hasher.write_usize(item.as_ptr().addr());
        }
        let mut key = hasher.finish();
        while let Some(tuple) = self.tuples.get(&key) {
            if tuple.items().len() == items.len()
                && tuple.items().iter().zip(&items).all(|(one, other)| one.as_ptr() == other.as_ptr())
            {
                return Ok(tuple.clone());
            }
            key = key.wrapping_add(1);
        }
        let tuple = Tuple::from_vec(items)?;
        self.tuples.insert(key, tuple.clone());
        Ok(tuple)
    }

    fn constants(&mut self, plain: &[Constant]) -> PyResult<Ref<Tuple>> {
        let mut all = Vec::with_capacity(plain.len());
        for constant in plain {
            all.push(self.constant(constant)?);
        }
        self.tuple(all)
    }

    fn constant(&mut self, constant: &Constant) -> PyResult {
        let address = match constant {
            Constant::None => return Ok(singletons::new_none()),
            Constant::Bool(value) => return Ok(singletons::new_bool(*value)),
            Constant::Ellipsis => return Ok(singletons::ellipsis().new_ref()),
            Constant::Int(value) => return Ok(Int::from_i64(*value).upcast()),
            // No NaN is another.
            Constant::Float(value) if value.is_nan() => {
                return Ok(taipan_object::float::Float::new(*value).upcast());
            }
            Constant::Complex(real, imag) if real.is_nan() || imag.is_nan() => {
                return Ok(taipan_object::float::Complex::new(*real, *imag)?.upcast());
            }
            Constant::Float(value) => {
                let make = || taipan_object::float::Float::new(*value).upcast();
                return Ok(self.floats.entry(value.to_bits()).or_insert_with(make).clone());
            }
            Constant::Complex(real, imag) => {
                let key = (real.to_bits(), imag.to_bits());
                if let Some(made) = self.complexes.get(&key) {
                    return Ok(made.clone());
                }
                let made = taipan_object::float::Complex::new(*real, *imag)?.upcast();
                self.complexes.insert(key, made.clone());
                return Ok(made);
            }
            Constant::Str(value) => value.as_bytes().as_ptr().addr(),
            Constant::Bytes(value) => Rc::as_ptr(value).addr(),
            Constant::BigInt(value) => Rc::as_ptr(value).addr(),
            Constant::Tuple(items) | Constant::FrozenSet(items) => Rc::as_ptr(items).addr(),
            Constant::Slice(parts) => Rc::as_ptr(parts).addr(),
            Constant::Code(code) => Rc::as_ptr(code).addr(),
        };
        if let Some(made) = self.shared.get(&address) {
            return Ok(made.clone());
        }
        let made = self.fresh_constant(constant)?;
        self.shared.insert(address, made.clone());
        Ok(made)
    }

    fn fresh_constant(&mut self, constant: &Constant) -> PyResult {
        Ok(match constant {
            // Strs that look like names are interned, as CPython does.
            Constant::Str(value) if value.is_name_like() => self.name(value)?.upcast(),
            Constant::Str(value) => text(value)?.upcast(),
            Constant::Bytes(value) => Bytes::new(value)?.upcast(),
            Constant::BigInt(big) => Int::from_digits(big.negative, &big.digits)?.upcast(),
            Constant::Tuple(items) => {
                protocol::recursive(" during compilation", || self.constants(items).map(Ref::upcast))?
            }
            Constant::FrozenSet(items) => PyFrozenSet_Type.call(&[&*self.constants(items)?])?,
            Constant::Slice(parts) => {
                let parts = self.constants(&parts[..])?;
                PySlice_Type.call(parts.items())?
            }
            Constant::Code(code) => {
                protocol::recursive(" during compilation", || self.code(code).map(Ref::upcast))?
            }
            simple => self.constant(simple)?,
        })
    }
}
