//! Constants of a compilation: each value is kept once and known by number.
//!
//! Two constants are the same when type and value agree (`1`, `1.0` and `True` differ, so do `0.0` and `-0.0`), and
//! tuples when their items do. A NaN is equal to nothing, so every NaN gets a number of its own.

use std::rc::Rc;

use taipan_bytecode::Constant;
use taipan_syntax::ast;
use taipan_text::hash::{FastMap, NumberTable, fast_hash};

/// Number of a constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ConstId(pub u32);

/// All constants of a compilation.
#[derive(Default)]
pub struct ConstantPool {
    values: Vec<Constant>,
    index: NumberTable,
    /// The number of None and of small integers, for the commonest constants need no search.
    none: Option<ConstId>,
    small: Vec<Option<ConstId>>,
}

/// Integers below this one have a place in [`ConstantPool::small`].
const SMALL: usize = 64;

/// Whether a constant is a NaN, or a complex number with one.
pub fn holds_nan(value: &Constant) -> bool {
    match value {
        Constant::Float(value) => value.is_nan(),
        Constant::Complex(real, imag) => real.is_nan() || imag.is_nan(),
        _ => false,
    }
}

impl ConstantPool {
    /// The number of a value.
    pub fn add(&mut self, value: Constant) -> ConstId {
        match value {
            Constant::None => {
                let next = ConstId(self.values.len() as u32);
                *self.none.get_or_insert_with(|| {
                    self.values.push(Constant::None);
                    next
                })
            }
            Constant::Int(small) if (0..SMALL as i64).contains(&small) => {
                if self.small.is_empty() {
                    self.small.resize(SMALL, None);
                }
                let next = ConstId(self.values.len() as u32);
                *self.small[small as usize].get_or_insert_with(|| {
                    self.values.push(value);
                    next
                })
            }
            value => self.search(value),
        }
    }

    fn search(&mut self, value: Constant) -> ConstId {
        let values = &self.values;
        let (hash, found) = match &value {
            // Most are strings.
            Constant::Str(text) => {
                let is_it = |id| matches!(&values[id as usize], Constant::Str(other) if other == text);
                let hash = fast_hash(text);
                (hash, self.index.find(hash, is_it))
            }
            value => {
                let hash = fast_hash(value);
                (hash, self.index.find(hash, |id| values[id as usize] == *value))
            }
        };
        if let Some(id) = found {
            return ConstId(id);
        }
        let id = self.values.len() as u32;
        if !holds_nan(&value) {
            self.index.insert(hash, id);
        }
        self.values.push(value);
        ConstId(id)
    }

    /// The value of a number.
    #[inline]
    pub fn get(&self, id: ConstId) -> &Constant {
        &self.values[id.0 as usize]
    }
}

/// Constants of one code object, in order. Short lists are searched, long ones indexed.
#[derive(Default)]
pub struct UnitConstants {
    /// The list.
    pub list: Vec<ConstId>,
    index: FastMap<ConstId, u32>,
}

const SEARCH_LIMIT: usize = 32;

impl UnitConstants {
    /// Takes all constants out.
    pub fn clear(&mut self) {
        self.list.clear();
        self.index.clear();
    }

    /// Appends a constant whether it is new or not.
    pub fn give(&mut self, id: ConstId) {
        let next = self.list.len() as u32;
        self.list.push(id);
        if self.list.len() > SEARCH_LIMIT {
            if self.index.is_empty() {
                for (id, at) in self.list.iter().zip(0..) {
                    self.index.entry(*id).or_insert(at);
                }
            } else {
                self.index.entry(id).or_insert(next);
            }
        }
    }

    /// Index of a constant, which is appended when it is new.
    #[inline]
    pub fn add(&mut self, id: ConstId) -> u32 {
        let next = self.list.len() as u32;
        let found = if self.list.len() <= SEARCH_LIMIT {
            self.list.iter().position(|other| *other == id).map(|at| at as u32)
        } else {
            self.index.get(&id).copied()
        };
        if let Some(at) = found {
            return at;
        }
        self.list.push(id);
        if self.list.len() > SEARCH_LIMIT {
            if self.index.is_empty() {
                self.index = self.list.iter().zip(0..).map(|(id, at)| (*id, at)).collect();
            } else {
                self.index.insert(id, next);
            }
        }
        next
    }
}

/// A constant of the syntax tree as a constant of bytecode.
pub fn from_ast(value: &ast::Constant) -> Constant {
    match value {
        ast::Constant::None => Constant::None,
        ast::Constant::Bool(value) => Constant::Bool(*value),
        ast::Constant::Ellipsis => Constant::Ellipsis,
        ast::Constant::Str(value) => Constant::Str(value.clone()),
        ast::Constant::Bytes(value) => Constant::Bytes(value.clone()),
        ast::Constant::Int(value) => Constant::Int(*value),
        ast::Constant::BigInt(value) => Constant::BigInt(Rc::new(taipan_bytecode::BigInt {
            negative: value.negative,
            digits: value.digits.clone(),
        })),
        ast::Constant::Float(value) => Constant::Float(*value),
        ast::Constant::Complex { real, imag } => Constant::Complex(*real, *imag),
        ast::Constant::Tuple(items) => Constant::Tuple(items.iter().map(from_ast).collect()),
        ast::Constant::FrozenSet(items) => Constant::FrozenSet(items.iter().map(from_ast).collect()),
    }
}

/// Python's truth of a constant.
pub fn truth(value: &Constant) -> bool {
    match value {
        Constant::None => false,
        Constant::Bool(value) => *value,
        Constant::Int(value) => *value != 0,
        Constant::Float(value) => *value != 0.0,
        Constant::Complex(real, imag) => *real != 0.0 || *imag != 0.0,
        Constant::Str(value) => !value.is_empty(),
        Constant::Bytes(value) => !value.is_empty(),
        Constant::Tuple(items) | Constant::FrozenSet(items) => !items.is_empty(),
        Constant::Ellipsis | Constant::BigInt(_) | Constant::Slice(_) | Constant::Code(_) => true,
    }
}

/// A constant of bytecode as one of the syntax tree, where there is such a one.
pub fn to_ast(value: &Constant) -> Option<ast::Constant> {
    Some(match value {
        Constant::None => ast::Constant::None,
        Constant::Bool(value) => ast::Constant::Bool(*value),
        Constant::Ellipsis => ast::Constant::Ellipsis,
        Constant::Str(value) => ast::Constant::Str(value.clone()),
        Constant::Bytes(value) => ast::Constant::Bytes(value.clone()),
        Constant::Int(value) => ast::Constant::Int(*value),
        Constant::BigInt(value) => ast::Constant::BigInt(Rc::new(ast::BigInt {
            negative: value.negative,
            digits: value.digits.clone(),
        })),
        Constant::Float(value) => ast::Constant::Float(*value),
        Constant::Complex(real, imag) => ast::Constant::Complex { real: *real, imag: *imag },
        _ => return None,
    })
}
