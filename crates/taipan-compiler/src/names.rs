//! Names as small numbers.
//!
//! Every identifier of a compilation is interned once; from then on scopes, variable tables and the code generator
//! deal in [`Name`], a `u32`. [`NameMap`] is what Python's dict is to CPython's compiler: a map that remembers the
//! order of insertion, which decides indices and the order of generated code.

use std::rc::Rc;
use std::sync::LazyLock;

use taipan_bytecode::PyStr;
use taipan_syntax::ast::Identifier;
pub use taipan_text::hash::{FastHasher, FastMap};
use taipan_text::hash::{NumberTable, fast_hash_text};

/// An interned name.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Name(pub u32);

macro_rules! known_names {
    ($($constant:ident = $text:literal,)*) => {
        known_names!(@number 0u32; $($constant)*);
        const KNOWN: &[&str] = &[$($text),*];
    };
    (@number $at:expr; $first:ident $($rest:ident)*) => {
        #[allow(missing_docs, reason = "the constant is the name it holds")]
        pub const $first: Name = Name($at);
        known_names!(@number $at + 1; $($rest)*);
    };
    (@number $at:expr;) => {};
}

/// Names that the compiler itself uses.
pub mod known {
    use super::Name;

    known_names! {
        CLASS = "__class__",
        CLASSDICT = "__classdict__",
        CONDITIONAL_ANNOTATIONS = "__conditional_annotations__",
        ANNOTATE = "__annotate__",
        ANNOTATE_FUNC = "__annotate_func__",
        ANNOTATIONS = "__annotations__",
        FORMAT_PARAMETER = ".format",
        FORMAT = "format",
        TYPE_PARAMS = ".type_params",
        GENERIC_BASE = ".generic_base",
        DEFAULTS = ".defaults",
        KWDEFAULTS = ".kwdefaults",
        DUNDER_TYPE_PARAMS = "__type_params__",
        ITERABLE = ".0",
        SUPER = "super",
        DEBUG = "__debug__",
        DOC = "__doc__",
        NAME = "__name__",
        MODULE = "__module__",
        QUALNAME = "__qualname__",
        FIRSTLINENO = "__firstlineno__",
        STATIC_ATTRIBUTES = "__static_attributes__",
        CLASSDICTCELL = "__classdictcell__",
        CLASSCELL = "__classcell__",
        RETURN = "return",
        JOIN = "join",
        TOP = "top",
        LAMBDA = "lambda",
        GENEXPR = "genexpr",
        LISTCOMP = "listcomp",
        SETCOMP = "setcomp",
        DICTCOMP = "dictcomp",
        ANON_MODULE = "<module>",
        ANON_LAMBDA = "<lambda>",
        ANON_GENEXPR = "<genexpr>",
        ANON_LISTCOMP = "<listcomp>",
        ANON_SETCOMP = "<setcomp>",
        ANON_DICTCOMP = "<dictcomp>",
        EMPTY = "",
        ALL = "all",
        ANY = "any",
        TUPLE = "tuple",
    }

    pub(super) const fn texts() -> &'static [&'static str] {
        KNOWN
    }
}

/// The table of names. The [`known`] ones come first.
pub struct Names {
    /// The other names, from the first that is not known.
    texts: Vec<Rc<str>>,
    /// Whether a name is a private one, which classes mangle.
    private: Vec<bool>,
    strings: Vec<Option<PyStr>>,
    index: NumberTable,
    /// Names last asked for, by the address of the text: a tree shares the text of equal names. Only texts that
    /// `texts` holds are in it, so no address in it can belong to another text.
    recent: Box<[(usize, Name)]>,
}

/// Entries of [`Names::recent`], a power of two.
const RECENT: usize = 512;

/// How many names are known.
const KNOWN: u32 = known::texts().len() as u32;

/// Where the known names are, for every compilation.
static KNOWN_INDEX: LazyLock<NumberTable> = LazyLock::new(|| {
    let mut index = NumberTable::with_capacity(known::texts().len());
    for (text, number) in known::texts().iter().zip(0..) {
        index.insert(fast_hash_text(text), number);
    }
    index
});

fn is_private(text: &str) -> bool {
    text.starts_with("__") && !text.ends_with("__") && !text.contains('.')
}

impl Default for Names {
    fn default() -> Names {
        Names::new()
    }
}

impl Names {
    /// A table that holds the [`known`] names.
    pub fn new() -> Names {
        let room = 256;
        let mut strings = Vec::with_capacity(room);
        strings.resize(KNOWN as usize, None);
        Names {
            texts: Vec::with_capacity(room),
            private: Vec::with_capacity(room),
            strings,
            index: NumberTable::with_capacity(room),
            recent: vec![(0, Name(0)); RECENT].into(),
        }
    }

    fn add(&mut self, text: Rc<str>, hash: u64) -> Name {
        let name = KNOWN + self.texts.len() as u32;
        self.private.push(is_private(&text));
        self.texts.push(text);
        self.strings.push(None);
        self.index.insert(hash, name);
        Name(name)
    }

    fn find(&self, text: &str, hash: u64) -> Option<Name> {
        let own = self.index.find(hash, |name| *self.texts[(name - KNOWN) as usize] == *text);
        let known = || KNOWN_INDEX.find(hash, |name| known::texts()[name as usize] == text);
        own.or_else(known).map(Name)
    }

    /// The number of an identifier.
    #[inline]
    pub fn intern(&mut self, identifier: &Identifier) -> Name {
        let text = identifier.as_rc();
        let address = Rc::as_ptr(text).addr();
        let slot = (address >> 5) & (RECENT - 1);
        let (known, name) = self.recent[slot];
        if known == address {
            return name;
        }
        self.intern_slowly(text, address, slot)
    }

    fn intern_slowly(&mut self, text: &Rc<str>, address: usize, slot: usize) -> Name {
        let hash = fast_hash_text(text);
        let name = match self.find(text, hash) {
            Some(name) => name,
            None => self.add(text.clone(), hash),
        };
        let own = name.0.checked_sub(KNOWN).map(|at| &self.texts[at as usize]);
        if own.is_some_and(|own| Rc::ptr_eq(text, own)) {
            self.recent[slot] = (address, name);
        }
        name
    }

    /// The number of a text.
    pub fn intern_str(&mut self, text: &str) -> Name {
        let hash = fast_hash_text(text);
        match self.find(text, hash) {
            Some(name) => name,
            None => self.add(Rc::from(text), hash),
        }
    }

    /// The text of a name.
    #[inline]
    pub fn text(&self, name: Name) -> &str {
        match name.0.checked_sub(KNOWN) {
            Some(at) => &self.texts[at as usize],
            None => known::texts()[name.0 as usize],
        }
    }

    /// The name as a Python string; made once.
    pub fn string(&mut self, name: Name) -> PyStr {
        let texts = &self.texts;
        let make = || match name.0.checked_sub(KNOWN) {
            Some(at) => PyStr::from(texts[at as usize].clone()),
            None => PyStr::from(known::texts()[name.0 as usize]),
        };
        self.strings[name.0 as usize].get_or_insert_with(make).clone()
    }

    /// Name mangling: `__private` in class `Class` is `_Class__private`.
    #[inline]
    pub fn mangle(&mut self, private: Option<Name>, name: Name) -> Name {
        match (private, name.0.checked_sub(KNOWN)) {
            (Some(private), Some(at)) if self.private[at as usize] => self.mangled(private, name),
            _ => name,
        }
    }

    fn mangled(&mut self, private: Name, name: Name) -> Name {
        let text = self.text(name);
        let class = self.text(private).trim_start_matches('_');
        if class.is_empty() {
            return name;
        }
        let mangled = format!("_{class}{text}");
        self.intern_str(&mangled)
    }
}

/// A map from names that keeps the order of insertion. Small ones are searched, large ones indexed.
#[derive(Clone, Debug)]
pub struct NameMap<V> {
    entries: Vec<(Name, V)>,
    index: Option<Box<FastMap<Name, u32>>>,
}

const SEARCH_LIMIT: usize = 12;

impl<V> Default for NameMap<V> {
    fn default() -> NameMap<V> {
        NameMap { entries: Vec::new(), index: None }
    }
}

impl<V> NameMap<V> {
    /// Position of a name.
    #[inline]
    pub fn position(&self, name: Name) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(&name).map(|at| *at as usize),
            None => self.entries.iter().position(|entry| entry.0 == name),
        }
    }

    /// Value of a name.
    #[inline]
    pub fn get(&self, name: Name) -> Option<&V> {
        self.position(name).map(|at| &self.entries[at].1)
    }

    /// Value of a name, to be changed.
    #[inline]
    pub fn get_mut(&mut self, name: Name) -> Option<&mut V> {
        self.position(name).map(|at| &mut self.entries[at].1)
    }

    /// Is the name there?
    #[inline]
    pub fn contains(&self, name: Name) -> bool {
        self.position(name).is_some()
    }

    /// Gives a name a value, in its old place when it is there already. Returns the place.
    pub fn insert(&mut self, name: Name, value: V) -> usize {
        match self.position(name) {
            Some(at) => {
                self.entries[at].1 = value;
                at
            }
            None => {
                self.push(name, value);
                self.entries.len() - 1
            }
        }
    }

    /// Value at a place, to be changed.
    #[inline]
    pub fn at_mut(&mut self, at: usize) -> &mut V {
        &mut self.entries[at].1
    }

    /// Gives a name that is not there a value.
    pub fn push(&mut self, name: Name, value: V) {
        let at = self.entries.len();
        if self.entries.capacity() == 0 {
            self.entries = Vec::with_capacity(8);
        }
        self.entries.push((name, value));
        match &mut self.index {
            Some(index) => {
                index.insert(name, at as u32);
            }
            None if at >= SEARCH_LIMIT => self.reindex(),
            None => {}
        }
    }

    fn reindex(&mut self) {
        let index = self.entries.iter().enumerate().map(|(at, entry)| (entry.0, at as u32)).collect();
        self.index = Some(Box::new(index));
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: Name) {
        if let Some(at) = self.position(name) {
            self.entries.remove(at);
            if self.index.is_some() {
                self.reindex();
            }
        }
    }

    /// Takes all names out.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.index = None;
    }

    /// Number of names.
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entry at a place.
    #[inline]
    pub fn entry(&self, at: usize) -> (Name, &V) {
        (self.entries[at].0, &self.entries[at].1)
    }

    /// Entries in order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (Name, &V)> {
        self.entries.iter().map(|entry| (entry.0, &entry.1))
    }

    /// Entries in order of insertion, whose values can be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Name, &mut V)> {
        self.entries.iter_mut().map(|entry| (entry.0, &mut entry.1))
    }

    /// Names in order of insertion.
    pub fn keys(&self) -> impl Iterator<Item = Name> + '_ {
        self.entries.iter().map(|entry| entry.0)
    }
}

impl NameMap<()> {
    /// Becomes a copy of another set.
    pub fn copy_from(&mut self, other: &NameSet) {
        self.entries.clone_from(&other.entries);
        self.index.clone_from(&other.index);
    }

    /// The place of a name, which is added at the end when it is new.
    #[inline]
    pub fn add(&mut self, name: Name) -> usize {
        match self.position(name) {
            Some(at) => at,
            None => {
                self.push(name, ());
                self.entries.len() - 1
            }
        }
    }
}

/// A set of names.
pub type NameSet = NameMap<()>;
