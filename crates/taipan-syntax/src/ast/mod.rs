//! The syntax tree, node for node CPython's `ast`.
//!
//! The node types are generated from `ast.table` (see `generated.rs`); this file holds what they
//! are made of: places, names, constants.
//!
//! A node with a place is a small struct (`Expr`, `Stmt`, `Pattern`, …) of a [`Range`] and a
//! `kind`; the kind's payload is boxed, so the struct itself can be moved and stored by value.
//! Trees can be very deep on one side (`a.b.b.b…`), so the payloads that can form such chains are
//! dropped in a loop (see `unwind.rs`), never by recursion.

mod generated;
mod unwind;

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

pub use generated::*;
pub use taipan_text::PyStr;

/// Where a node stands: lines from 1, columns in UTF-8 bytes from 0, as CPython's nodes have them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// First line.
    pub lineno: i32,
    /// Byte column of the first character.
    pub col_offset: i32,
    /// Last line.
    pub end_lineno: i32,
    /// Byte column behind the last character.
    pub end_col_offset: i32,
}

impl Range {
    /// From where `self` begins to where `other` ends.
    pub fn to(self, other: Range) -> Range {
        Range { end_lineno: other.end_lineno, end_col_offset: other.end_col_offset, ..self }
    }
}

/// An identifier, in normal form NFKC; clones share the text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(Rc<str>);

impl Identifier {
    /// The text of the identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared text.
    pub fn as_rc(&self) -> &Rc<str> {
        &self.0
    }
}

impl From<&str> for Identifier {
    fn from(text: &str) -> Identifier {
        Identifier(Rc::from(text))
    }
}

impl From<Rc<str>> for Identifier {
    fn from(text: Rc<str>) -> Identifier {
        Identifier(text)
    }
}

impl Deref for Identifier {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An integer too large for `i64`: sign and magnitude in base 2³⁰, least significant digit first,
/// no leading zero digit. This is also the form in which `marshal` and `int` objects keep it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BigInt {
    /// Whether the value is below zero.
    pub negative: bool,
    /// Digits below 2³⁰.
    pub digits: Box<[u32]>,
}

/// The value of a constant expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// `None`
    None,
    /// `True`, `False`
    Bool(bool),
    /// `...`
    Ellipsis,
    /// Text, possibly with lone surrogates.
    Str(PyStr),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// An integer that fits.
    Int(i64),
    /// An integer that does not fit `i64`.
    BigInt(Rc<BigInt>),
    /// A float.
    Float(f64),
    /// A complex number; a literal has the real part zero, folding can give it one.
    Complex {
        /// Real part.
        real: f64,
        /// Imaginary part.
        imag: f64,
    },
    /// A tuple of constants: never written by the parser, made by folding.
    Tuple(Rc<[Constant]>),
    /// A frozen set of constants: never written by the parser, made by folding.
    FrozenSet(Rc<[Constant]>),
}

/// How often a field holds its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly one.
    One,
    /// One or `None`.
    Optional,
    /// A list.
    Many,
    /// A list whose items may be `None`.
    ManyOptional,
}

/// One field of a node class.
#[derive(Debug)]
pub struct FieldDescription {
    /// CPython's name of the field.
    pub name: &'static str,
    /// Name of its type: a group of `ast.table`, or `identifier`, `string`, `int`, `constant`.
    pub kind: &'static str,
    /// How many of them.
    pub count: Count,
}

/// One node class as Python sees it.
#[derive(Debug)]
pub struct NodeDescription {
    /// Name of the class.
    pub name: &'static str,
    /// Name of its base class (`expr`, `stmt`, …, or `AST`).
    pub base: &'static str,
    /// Fields in order.
    pub fields: &'static [FieldDescription],
    /// Whether it carries `lineno`, `col_offset`, `end_lineno`, `end_col_offset`.
    pub located: bool,
}

/// One group of node classes as Python sees it (`expr`, `stmt`, …).
#[derive(Debug)]
pub struct GroupDescription {
    /// Name of the base class.
    pub name: &'static str,
    /// Whether it is a sum (its members subclass it) or a class of its own.
    pub is_sum: bool,
    /// Whether its members carry a place.
    pub located: bool,
    /// Its members.
    pub members: &'static [&'static NodeDescription],
}

/// What a field of a node holds; with [`NodeRef`] this lets dump, validation and the Python
/// classes walk any tree without knowing its node types.
#[derive(Clone, Copy)]
pub enum FieldRef<'a> {
    /// `None`.
    None,
    /// A node.
    Node(NodeRef<'a>),
    /// A list of nodes.
    Nodes(NodesRef<'a>),
    /// A name.
    Identifier(&'a Identifier),
    /// A list of names.
    Identifiers(&'a [Identifier]),
    /// Text.
    String(&'a PyStr),
    /// A number.
    Int(i32),
    /// A constant.
    Constant(&'a Constant),
}

/// A node from elsewhere, of which a tree is to be built: an instance of one of Python's node classes.
pub trait Source: Sized {
    /// What goes wrong.
    type Error;

    /// Runs `build` one level deeper.
    ///
    /// # Errors
    /// Its own, or that the tree is too deep.
    fn nested<T>(&self, build: impl FnOnce() -> Result<T, Self::Error>) -> Result<T, Self::Error>;
    /// The place of a node of this group.
    ///
    /// # Errors
    /// When it is missing.
    fn range(&self, group: &'static GroupDescription) -> Result<Range, Self::Error>;
    /// Which member of the group the node is.
    ///
    /// # Errors
    /// When it is none.
    fn class(&self, group: &'static GroupDescription) -> Result<usize, Self::Error>;
    /// A field that must be there.
    ///
    /// # Errors
    /// When it is missing.
    fn one(&self, node: &'static NodeDescription, field: usize) -> Result<Self, Self::Error>;
    /// A field that may be `None`.
    ///
    /// # Errors
    /// What reading it raises.
    fn optional(&self, node: &'static NodeDescription, field: usize) -> Result<Option<Self>, Self::Error>;
    /// The items of a list; `None` for items that are `None`.
    ///
    /// # Errors
    /// When it is no list, or has a `None` where there must be none.
    fn many(&self, node: &'static NodeDescription, field: usize) -> Result<Vec<Option<Self>>, Self::Error>;
    /// A name.
    ///
    /// # Errors
    /// When it is none.
    fn identifier(&self) -> Result<Identifier, Self::Error>;
    /// A text.
    ///
    /// # Errors
    /// When it is none.
    fn string(&self) -> Result<PyStr, Self::Error>;
    /// A number.
    ///
    /// # Errors
    /// When it is none.
    fn int(&self) -> Result<i32, Self::Error>;
    /// A constant.
    ///
    /// # Errors
    /// When it can be none.
    fn constant(&self) -> Result<Constant, Self::Error>;
}

/// What can be built from a [`Source`].
pub trait Build: Sized {
    /// Builds it.
    ///
    /// # Errors
    /// What the source says.
    fn build<S: Source>(source: &S) -> Result<Self, S::Error>;
}

impl Build for Identifier {
    fn build<S: Source>(source: &S) -> Result<Self, S::Error> {
        source.identifier()
    }
}

impl Build for PyStr {
    fn build<S: Source>(source: &S) -> Result<Self, S::Error> {
        source.string()
    }
}

impl Build for i32 {
    fn build<S: Source>(source: &S) -> Result<Self, S::Error> {
        source.int()
    }
}

impl Build for Constant {
    fn build<S: Source>(source: &S) -> Result<Self, S::Error> {
        source.constant()
    }
}

impl<T: Build> Build for Box<T> {
    fn build<S: Source>(source: &S) -> Result<Self, S::Error> {
        T::build(source).map(Box::new)
    }
}

fn optional<S: Source, T: Build>(
    source: &S,
    node: &'static NodeDescription,
    field: usize,
) -> Result<Option<T>, S::Error> {
    source.optional(node, field)?.map(|value| T::build(&value)).transpose()
}

fn many_optional<S: Source, T: Build>(
    source: &S,
    node: &'static NodeDescription,
    field: usize,
) -> Result<Vec<Option<T>>, S::Error> {
    source.many(node, field)?.into_iter().map(|item| item.map(|item| T::build(&item)).transpose()).collect()
}

fn many<S: Source, T: Build>(
    source: &S,
    node: &'static NodeDescription,
    field: usize,
) -> Result<Vec<T>, S::Error> {
    Ok(many_optional(source, node, field)?.into_iter().flatten().collect())
}
