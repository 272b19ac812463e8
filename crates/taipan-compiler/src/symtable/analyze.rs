//! The second walk: from what blocks say about their names to the scope of each name.
//!
//! A block is told which names are bound in functions around it and which were declared global; it reports which of
//! its names are free. On the way up a name bound by the block turns from local to cell when an inner block reports
//! it free.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use super::*;
use crate::error::CompileError;
use crate::names::{FastHasher, known};

type Set = HashSet<Name, BuildHasherDefault<FastHasher>>;

/// Cells that a class has without binding them.
const IMPLICIT_CELLS: [Name; 3] = [known::CLASS, known::CLASSDICT, known::CONDITIONAL_ANNOTATIONS];

/// What an outer block hands to an inner one.
///
/// The sets are shared by the blocks within, few of which change them.
#[derive(Clone, Default)]
struct Outer {
    /// Names bound in functions around; None at module level.
    bound: Option<Shared>,
    /// Names declared global around.
    global: Shared,
    /// Names of type parameters around.
    type_params: Shared,
}

/// A set that is copied when it is changed.
#[derive(Clone, Default)]
struct Shared(Option<Rc<Set>>);

impl Shared {
    fn contains(&self, name: Name) -> bool {
        self.0.as_ref().is_some_and(|set| set.contains(&name))
    }

    fn writable(&mut self) -> &mut Set {
        Rc::make_mut(self.0.get_or_insert_default())
    }

    fn remove(&mut self, name: Name) {
        if self.contains(name) {
            self.writable().remove(&name);
        }
    }
}

/// Names in no order. Nearly all of these sets have few names or none, but programs may have sets of any size.
#[derive(Default)]
struct Few {
    list: Vec<Name>,
    /// All the names, when there are too many to search the list, which is empty then.
    many: Set,
}

const FEW: usize = 12;

impl Few {
    fn contains(&self, name: Name) -> bool {
        self.list.contains(&name) || self.many.contains(&name)
    }

    fn is_empty(&self) -> bool {
        self.list.is_empty() && self.many.is_empty()
    }

    fn insert(&mut self, name: Name) {
        if !self.many.is_empty() {
            self.many.insert(name);
        } else if !self.list.contains(&name) {
            self.list.push(name);
            if self.list.len() > FEW {
                self.many.extend(self.list.drain(..));
            }
        }
    }

    /// Takes a name out; whether it was there is given back.
    fn remove(&mut self, name: Name) -> bool {
        match self.list.iter().position(|other| *other == name) {
            Some(at) => {
                self.list.swap_remove(at);
                true
            }
            None => self.many.remove(&name),
        }
    }

    fn iter(&self) -> impl Iterator<Item = Name> {
        self.list.iter().chain(&self.many).copied()
    }

    fn unite(&mut self, more: Few) {
        if self.is_empty() {
            *self = more;
        } else {
            more.iter().for_each(|name| self.insert(name));
        }
    }
}

/// Decides the scope of all names.
pub fn analyze(table: &mut SymbolTable, names: &Names) -> Compiled<()> {
    let mut analysis = Analysis { table, names };
    analysis.block(0, Outer::default(), None, &mut Few::default())
}

struct Analysis<'a> {
    table: &'a mut SymbolTable,
    names: &'a Names,
}

impl Analysis<'_> {
    fn directive_error(&self, id: ScopeId, name: Name, message: String) -> Box<CompileError> {
        let place = self.table.scopes[id].directives.iter().find(|directive| directive.0 == name);
        match place {
            Some((_, range)) => CompileError::syntax(message, *range),
            None => CompileError::system("no directive for a declared name"),
        }
    }

    fn name(
        &self,
        id: ScopeId,
        name: Name,
        flags: u32,
        outer: &mut Outer,
        free: &mut Few,
        class: Option<ScopeId>,
    ) -> Compiled<u32> {
        if flags & DEF_GLOBAL != 0 {
            if flags & DEF_NONLOCAL != 0 {
                let message = format!("name '{}' is nonlocal and global", self.names.text(name));
                return Err(self.directive_error(id, name, message));
            }
            outer.global.writable().insert(name);
            if let Some(bound) = &mut outer.bound {
                bound.remove(name);
            }
            return Ok(GLOBAL_EXPLICIT);
        }
        if flags & DEF_NONLOCAL != 0 {
            let text = self.names.text(name);
            let problem = match &outer.bound {
                None => Some("nonlocal declaration not allowed at module level".to_owned()),
                Some(bound) if !bound.contains(name) => {
                    Some(format!("no binding for nonlocal '{text}' found"))
                }
                Some(_) if outer.type_params.contains(name) => {
                    Some(format!("nonlocal binding not allowed for type parameter '{text}'"))
                }
                Some(_) => None,
            };
            if let Some(message) = problem {
                return Err(self.directive_error(id, name, message));
            }
            free.insert(name);
            return Ok(FREE);
        }
        if flags & DEF_BOUND != 0 {
            outer.global.remove(name);
            if flags & DEF_TYPE_PARAM != 0 {
                outer.type_params.writable().insert(name);
            } else {
                outer.type_params.remove(name);
            }
            return Ok(LOCAL);
        }
        // In a block that looks names up in a class, the class's own bindings hide those of functions around it.
        // The class's dictionary itself is always the implicit cell.
        if let Some(class) = class
            && name != known::CLASSDICT
        {
            let class_flags = self.table.scopes[class].symbol(name);
            if class_flags & DEF_GLOBAL != 0 {
                return Ok(GLOBAL_EXPLICIT);
            }
            if class_flags & DEF_BOUND != 0 && class_flags & DEF_NONLOCAL == 0 {
                return Ok(GLOBAL_IMPLICIT);
            }
        }
        if outer.bound.as_ref().is_some_and(|bound| bound.contains(name)) {
            free.insert(name);
            return Ok(FREE);
        }
        Ok(GLOBAL_IMPLICIT)
    }

    /// Analyses a block; the names that are free in it are added to `free`.
    fn block(
        &mut self,
        id: ScopeId,
        mut outer: Outer,
        class: Option<ScopeId>,
        free: &mut Few,
    ) -> Compiled<()> {
        let kind = self.table.scopes[id].kind;
        let is_class = kind == BlockKind::Class;
        let is_function_like = self.table.scopes[id].is_function_like();
        let sees_class = self.table.scopes[id].can_see_class_scope;
        // What a class binds is not seen by the blocks within, so they get what was known before.
        let mut inner = Outer::default();
        if is_class {
            inner.global = outer.global.clone();
            inner.bound = Some(outer.bound.clone().unwrap_or_default());
        }
        let mut symbols = std::mem::take(&mut self.table.scopes[id].symbols);
        for (name, flags) in symbols.iter_mut() {
            *flags |= self.name(id, name, *flags, &mut outer, free, class)? << SCOPE_OFFSET;
        }
        self.table.scopes[id].symbols = symbols;
        if self.table.scopes[id].children.is_empty() {
            // Nobody to tell, and nobody who has something to tell.
            return Ok(());
        }
        if is_class {
            inner.bound.get_or_insert_default().writable().extend(IMPLICIT_CELLS);
        } else {
            let mut bound = outer.bound.clone().unwrap_or_default();
            if is_function_like {
                let symbols = self.table.scopes[id].symbols.iter();
                let local = symbols.filter(|(_, flags)| scope_of(**flags) == LOCAL).map(|(name, _)| name);
                bound.writable().extend(local);
            }
            inner.bound = Some(bound);
            inner.global = outer.global.clone();
        }
        inner.type_params = std::mem::take(&mut outer.type_params);

        let (mut inner_free, mut inlined_cells) = (Few::default(), Few::default());
        for at in 0..self.table.scopes[id].children.len() {
            let child = self.table.scopes[id].children[at];
            let scope = &self.table.scopes[child];
            let child_class = match scope.can_see_class_scope {
                true if is_class => Some(id),
                true => class,
                false => None,
            };
            let inline = scope.comprehension != Comprehension::None && !scope.generator && !sees_class;
            if !inline {
                self.block(child, inner.clone(), child_class, &mut inner_free)?;
                continue;
            }
            let mut child_free = Few::default();
            self.block(child, inner.clone(), child_class, &mut child_free)?;
            self.inline_comprehension(id, child, &mut inlined_cells, &mut child_free);
            self.table.scopes[child].comp_inlined = true;
            inner_free.unite(child_free);
        }
        self.splice_inlined_children(id);

        if is_function_like {
            if !inner_free.is_empty() || !inlined_cells.is_empty() {
                for (name, flags) in self.table.scopes[id].symbols.iter_mut() {
                    let shared = || inner_free.contains(name) || inlined_cells.contains(name);
                    if scope_of(*flags) == LOCAL && shared() {
                        *flags ^= (LOCAL ^ CELL) << SCOPE_OFFSET;
                        inner_free.remove(name);
                    }
                }
            }
        } else if is_class {
            let scope = &mut self.table.scopes[id];
            scope.needs_class_closure |= inner_free.remove(known::CLASS);
            scope.needs_classdict |= inner_free.remove(known::CLASSDICT);
            scope.has_conditional_annotations |= inner_free.remove(known::CONDITIONAL_ANNOTATIONS);
        }
        self.update_symbols(id, &inlined_cells, outer.bound.as_ref(), &inner_free, is_class || sees_class);
        free.unite(inner_free);
        Ok(())
    }

    fn splice_inlined_children(&mut self, id: ScopeId) {
        let children = &self.table.scopes[id].children;
        if !children.iter().any(|child| self.table.scopes[*child].comp_inlined) {
            return;
        }
        let mut spliced = Vec::with_capacity(children.len());
        for child in children {
            let scope = &self.table.scopes[*child];
            if scope.comp_inlined {
                spliced.extend(&scope.children);
            } else {
                spliced.push(*child);
            }
        }
        self.table.scopes[id].children = spliced;
    }

    fn is_free_in_any_child(&self, id: ScopeId, name: Name) -> bool {
        self.table.scopes[id].children.iter().any(|child| self.table.scopes[*child].scope(name) == FREE)
    }

    fn inline_comprehension(
        &mut self,
        id: ScopeId,
        comp: ScopeId,
        inlined_cells: &mut Few,
        comp_free: &mut Few,
    ) {
        let in_class = self.table.scopes[id].kind == BlockKind::Class;
        let mut implicit = Vec::new();
        for at in 0..self.table.scopes[comp].symbols.len() {
            let (name, flags) = self.table.scopes[comp].symbols.entry(at);
            let flags = *flags;
            if flags & DEF_PARAM != 0 {
                continue;
            }
            let mut scope = scope_of(flags);
            let only_flags = flags & ((1 << SCOPE_OFFSET) - 1);
            if scope == CELL || only_flags & DEF_COMP_CELL != 0 {
                inlined_cells.insert(name);
            }
            // The implicit cells of a class are never free through it; functions within still share them.
            if scope == FREE && in_class && IMPLICIT_CELLS.contains(&name) {
                scope = GLOBAL_IMPLICIT;
                if !self.is_free_in_any_child(comp, name) {
                    comp_free.remove(name);
                }
                implicit.push(name);
            }
            match self.table.scopes[id].symbols.get(name).copied() {
                None => {
                    self.table.scopes[id].symbols.push(name, only_flags | (scope << SCOPE_OFFSET));
                }
                Some(outer_flags) => {
                    if outer_flags & DEF_BOUND != 0 && !in_class {
                        if !self.is_free_in_any_child(comp, name) {
                            comp_free.remove(name);
                        }
                        // What was read in the comprehension is now read here.
                        if scope == FREE
                            && let Some(flags) = self.table.scopes[id].symbols.get_mut(name)
                        {
                            *flags |= only_flags & USE;
                        }
                    }
                }
            }
        }
        for name in implicit {
            self.table.scopes[comp].symbols.remove(name);
        }
    }

    fn update_symbols(
        &mut self,
        id: ScopeId,
        inlined_cells: &Few,
        bound: Option<&Shared>,
        free: &Few,
        sees_class: bool,
    ) {
        let symbols = &mut self.table.scopes[id].symbols;
        if !inlined_cells.is_empty() {
            for (name, flags) in symbols.iter_mut() {
                if inlined_cells.contains(name) {
                    *flags |= DEF_COMP_CELL;
                }
            }
        }
        if free.is_empty() {
            return;
        }
        let mut free: Vec<Name> = free.iter().collect();
        free.sort_unstable();
        for name in free {
            if let Some(flags) = symbols.get_mut(name) {
                if sees_class {
                    *flags |= DEF_FREE_CLASS;
                }
            } else if bound.is_none_or(|bound| bound.contains(name)) {
                symbols.insert(name, FREE << SCOPE_OFFSET);
            }
        }
    }
}
