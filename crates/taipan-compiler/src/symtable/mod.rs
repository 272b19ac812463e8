//! Symbol tables: for every block of code, what each of its names is.
//!
//! A first walk over the tree ([`build`]) notes how names are used in each block; a second one over the blocks
//! ([`analyze`]) decides which are local, global, free or shared with inner functions, and which comprehensions are
//! inlined (PEP 709). The result is plain data and also what Python's `symtable` module shows.

mod analyze;
mod build;
mod visit_expr;

use taipan_syntax::ast::{self, Range};

use crate::error::{Compiled, Depth};
use crate::names::{FastMap, Name, NameMap, NameSet, Names};

/// `global` statement.
pub const DEF_GLOBAL: u32 = 1;
/// Assigned to.
pub const DEF_LOCAL: u32 = 2;
/// Parameter.
pub const DEF_PARAM: u32 = 4;
/// `nonlocal` statement.
pub const DEF_NONLOCAL: u32 = 8;
/// Read.
pub const USE: u32 = 16;
/// Free in a method, but something of its own in the class.
pub const DEF_FREE_CLASS: u32 = 64;
/// Bound by an import.
pub const DEF_IMPORT: u32 = 128;
/// Annotated.
pub const DEF_ANNOT: u32 = 256;
/// Iteration variable of a comprehension.
pub const DEF_COMP_ITER: u32 = 512;
/// Type parameter.
pub const DEF_TYPE_PARAM: u32 = 1024;
/// A cell of an inlined comprehension.
pub const DEF_COMP_CELL: u32 = 2048;
/// Bound in this block, one way or another.
pub const DEF_BOUND: u32 = DEF_LOCAL | DEF_PARAM | DEF_IMPORT | DEF_TYPE_PARAM;
/// The scope stands above the flags.
pub const SCOPE_OFFSET: u32 = 12;

/// Bound here.
pub const LOCAL: u32 = 1;
/// Declared global.
pub const GLOBAL_EXPLICIT: u32 = 2;
/// Global because bound nowhere around.
pub const GLOBAL_IMPLICIT: u32 = 3;
/// Bound in a function around.
pub const FREE: u32 = 4;
/// Bound here and free in a function within.
pub const CELL: u32 = 5;

/// The scope of a symbol's flags.
#[inline]
pub fn scope_of(flags: u32) -> u32 {
    (flags >> SCOPE_OFFSET) & 15
}

/// Sort of block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockKind {
    /// Function, lambda or comprehension.
    Function,
    /// Class body.
    Class,
    /// Module, expression or interactive statement.
    Module,
    /// Annotations (PEP 649).
    Annotation,
    /// Bound, constraint or default of a type parameter.
    TypeVariable,
    /// Value of a type alias.
    TypeAlias,
    /// The type parameters of a function, class or alias.
    TypeParameters,
}

/// Sort of comprehension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comprehension {
    /// Not one.
    None,
    /// `[…]`
    List,
    /// `{…}`
    Set,
    /// `{…: …}`
    Dict,
    /// `(…)`
    Generator,
}

/// Number of a block.
pub type ScopeId = usize;

/// Which block of a tree node: a node may own several.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// The body.
    Body,
    /// The type parameters around it.
    TypeParams,
    /// The annotations of its parameters.
    Annotations,
    /// The default of a type parameter.
    Default,
}

/// Address of a tree node together with the part; the tree does not move while it is compiled.
pub type Key = (usize, Part);

/// The key of a node.
#[inline]
pub fn key_of<T>(node: &T, part: Part) -> Key {
    (std::ptr::from_ref(node) as usize, part)
}

/// One block.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Name of the function or class.
    pub name: Name,
    /// Sort.
    pub kind: BlockKind,
    /// Place.
    pub range: Range,
    /// Names with their flags and, after the analysis, scope.
    pub symbols: NameMap<u32>,
    /// Parameters in order.
    pub varnames: NameSet,
    /// Blocks within.
    pub children: Vec<ScopeId>,
    /// Places of `global` and `nonlocal` statements.
    pub directives: Vec<(Name, Range)>,
    /// Names to be mangled, when not all are (type parameters of a class).
    pub mangled_names: Option<std::rc::Rc<std::cell::RefCell<Vec<Name>>>>,
    /// What a type variable block is for, in error messages.
    pub scope_info: Option<&'static str>,
    /// Inside a function.
    pub nested: bool,
    /// Has a `yield`.
    pub generator: bool,
    /// Is asynchronous.
    pub coroutine: bool,
    /// Sort of comprehension.
    pub comprehension: Comprehension,
    /// Has `*args`.
    pub varargs: bool,
    /// Has `**kwargs`.
    pub varkeywords: bool,
    /// Has annotations.
    pub annotations_used: bool,
    /// Needs a `__class__` cell.
    pub needs_class_closure: bool,
    /// Needs a `__classdict__` cell.
    pub needs_classdict: bool,
    /// Is a comprehension that became part of the block around it.
    pub comp_inlined: bool,
    /// Looks names up in the class around it.
    pub can_see_class_scope: bool,
    /// Is a function right in a class.
    pub method: bool,
    /// Begins with a docstring.
    pub has_docstring: bool,
    /// Has annotations that may not come to be.
    pub has_conditional_annotations: bool,
    /// The block of its variables' annotations.
    pub annotation_block: Option<ScopeId>,
    in_conditional_block: bool,
    in_unevaluated_annotation: bool,
    comp_iter_target: bool,
    comp_iter_expr: u32,
}

impl Scope {
    /// Are its names local variables?
    #[inline]
    pub fn is_function_like(&self) -> bool {
        !matches!(self.kind, BlockKind::Class | BlockKind::Module)
    }

    /// Flags of a name, 0 when it does not occur.
    #[inline]
    pub fn symbol(&self, name: Name) -> u32 {
        self.symbols.get(name).copied().unwrap_or(0)
    }

    /// Scope of a name, 0 when it does not occur.
    #[inline]
    pub fn scope(&self, name: Name) -> u32 {
        scope_of(self.symbol(name))
    }

    /// Mangles a name as names in this block are.
    pub fn mangle(&self, names: &mut Names, private: Option<Name>, name: Name) -> Name {
        if let Some(mangled) = &self.mangled_names
            && !mangled.borrow().contains(&name)
        {
            return name;
        }
        names.mangle(private, name)
    }
}

/// All blocks of a tree.
pub struct SymbolTable {
    /// The blocks; the first is the module. They are boxed because they are large, and not to be moved when one
    /// more comes.
    pub scopes: Vec<Box<Scope>>,
    blocks: FastMap<Key, ScopeId>,
}

impl SymbolTable {
    /// Builds and analyses the tables of a tree.
    pub fn build(
        module: &ast::Mod,
        names: &mut Names,
        future: &crate::future::Future,
        top_level_await: bool,
        depth: Depth,
    ) -> Compiled<SymbolTable> {
        let mut table = build::collect(module, names, future, top_level_await, depth)?;
        analyze::analyze(&mut table, names)?;
        Ok(table)
    }

    /// The block of a node.
    pub fn lookup(&self, key: Key) -> Option<ScopeId> {
        self.blocks.get(&key).copied()
    }
}
