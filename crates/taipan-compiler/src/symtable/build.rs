//! The first walk: statements, and the book-keeping of blocks and definitions.

use taipan_syntax::ast::*;

use super::{
    BlockKind, Comprehension, DEF_ANNOT, DEF_COMP_ITER, DEF_GLOBAL, DEF_IMPORT, DEF_LOCAL, DEF_NONLOCAL,
    DEF_PARAM, DEF_TYPE_PARAM, Key, Part, Scope, ScopeId, SymbolTable, USE, key_of,
};
use crate::docstring;
use crate::error::{CompileError, Compiled, Depth, ErrorKind};
use crate::future::Future;
use crate::names::{FastMap, Name, NameMap, NameSet, Names, known};

/// State of the first walk.
pub struct Builder<'a> {
    pub names: &'a mut Names,
    pub table: SymbolTable,
    pub current: ScopeId,
    pub stack: Vec<ScopeId>,
    pub private: Option<Name>,
    pub future: &'a Future,
    pub top_level_await: bool,
    pub depth: Depth,
}

/// Collects the blocks of a tree.
pub fn collect(
    module: &Mod,
    names: &mut Names,
    future: &Future,
    top_level_await: bool,
    depth: Depth,
) -> Compiled<SymbolTable> {
    let blocks = FastMap::with_capacity_and_hasher(50, Default::default());
    let table = SymbolTable { scopes: Vec::new(), blocks };
    let mut builder = Builder {
        names,
        table,
        current: 0,
        stack: Vec::new(),
        private: None,
        future,
        top_level_await,
        depth,
    };
    builder.enter_block(known::TOP, BlockKind::Module, key_of(module, Part::Body), Range::default());
    match module {
        Mod::Module(node) => {
            builder.cur().has_docstring = docstring::of_body(&node.body).is_some();
            builder.stmts(&node.body)?;
        }
        Mod::Interactive(node) => builder.stmts(&node.body)?,
        Mod::Expression(node) => builder.expr(&node.body)?,
        Mod::FunctionType(_) => {
            return Err(CompileError::boxed(
                ErrorKind::Runtime,
                "this compiler does not handle FunctionTypes".to_owned(),
                None,
            ));
        }
    }
    builder.exit_block();
    Ok(builder.table)
}

fn has_kwonlydefaults(args: &Arguments) -> bool {
    args.kw_defaults.iter().any(Option::is_some)
}

impl Builder<'_> {
    #[inline]
    pub fn cur(&mut self) -> &mut Scope {
        &mut self.table.scopes[self.current]
    }

    fn new_scope(&mut self, name: Name, kind: BlockKind, key: Key, range: Range) -> ScopeId {
        let parent = self.stack.last().map(|_| &self.table.scopes[self.current]);
        let nested = parent.is_some_and(|parent| parent.nested || parent.is_function_like());
        let method = kind == BlockKind::Function && parent.is_some_and(|p| p.kind == BlockKind::Class);
        let id = self.table.scopes.len();
        self.table.scopes.push(Box::new(Scope {
            name,
            kind,
            range,
            symbols: NameMap::default(),
            varnames: NameSet::default(),
            children: Vec::new(),
            directives: Vec::new(),
            mangled_names: None,
            scope_info: None,
            nested,
            generator: false,
            coroutine: false,
            comprehension: Comprehension::None,
            varargs: false,
            varkeywords: false,
            annotations_used: false,
            needs_class_closure: false,
            needs_classdict: false,
            comp_inlined: false,
            can_see_class_scope: false,
            method,
            has_docstring: false,
            has_conditional_annotations: false,
            annotation_block: None,
            in_conditional_block: false,
            in_unevaluated_annotation: false,
            comp_iter_target: false,
            comp_iter_expr: 0,
        }));
        self.table.blocks.insert(key, id);
        id
    }

    fn enter_existing_block(&mut self, id: ScopeId, add_to_children: bool) {
        let previous = self.stack.last().copied();
        self.stack.push(id);
        if let Some(previous) = previous {
            let comp_iter_expr = self.table.scopes[previous].comp_iter_expr;
            let mangled = self.table.scopes[previous].mangled_names.clone();
            let scope = &mut self.table.scopes[id];
            scope.comp_iter_expr = comp_iter_expr;
            // In a class every name is mangled.
            if mangled.is_some() && scope.kind != BlockKind::Class {
                scope.mangled_names = mangled;
            }
        }
        self.current = id;
        // Annotations that become strings have no effect on the tables.
        if self.future.annotations() && self.table.scopes[id].kind == BlockKind::Annotation {
            return;
        }
        if add_to_children && let Some(previous) = previous {
            self.table.scopes[previous].children.push(id);
        }
    }

    pub fn enter_block(&mut self, name: Name, kind: BlockKind, key: Key, range: Range) {
        let id = self.new_scope(name, kind, key, range);
        self.enter_existing_block(id, true);
        if matches!(kind, BlockKind::Annotation | BlockKind::TypeVariable | BlockKind::TypeAlias) {
            let scope = self.cur();
            scope.symbols.push(known::FORMAT_PARAMETER, DEF_PARAM | USE);
            scope.varnames.push(known::FORMAT_PARAMETER, ());
        }
    }

    pub fn exit_block(&mut self) {
        self.stack.pop();
        if let Some(id) = self.stack.last() {
            self.current = *id;
        }
    }

    pub fn lookup_in(&mut self, id: ScopeId, name: Name) -> u32 {
        let scope = &self.table.scopes[id];
        let mangled = scope.mangle(self.names, self.private, name);
        scope.symbol(mangled)
    }

    pub fn lookup(&mut self, name: Name) -> u32 {
        self.lookup_in(self.current, name)
    }

    pub fn add_def_to(&mut self, id: ScopeId, name: Name, flag: u32, range: Range) -> Compiled<()> {
        let mangled = self.table.scopes[self.current].mangle(self.names, self.private, name);
        let scope = &mut self.table.scopes[id];
        let position = scope.symbols.position(mangled);
        let old = position.map_or(0, |at| *scope.symbols.entry(at).1);
        if old & flag & (DEF_PARAM | DEF_TYPE_PARAM) != 0 {
            return Err(self.duplicate(name, flag, range));
        }
        let mut flags = old | flag;
        if scope.comp_iter_target {
            if flags & (DEF_GLOBAL | DEF_NONLOCAL) != 0 {
                return Err(self.rebound_iteration_variable(name, range));
            }
            flags |= DEF_COMP_ITER;
        }
        match position {
            Some(at) => *scope.symbols.at_mut(at) = flags,
            None => scope.symbols.push(mangled, flags),
        }
        if flag & DEF_PARAM != 0 {
            // No parameter comes twice.
            scope.varnames.push(mangled, ());
        } else if flag & DEF_GLOBAL != 0 {
            let module = &mut self.table.scopes[0];
            let flags = module.symbol(mangled) | flag;
            module.symbols.insert(mangled, flags);
        }
        Ok(())
    }

    #[cold]
    fn duplicate(&self, name: Name, flag: u32, range: Range) -> Box<CompileError> {
        let name = self.names.text(name);
        let message = if flag & DEF_PARAM != 0 {
            format!("duplicate argument '{name}' in function definition")
        } else {
            format!("duplicate type parameter '{name}'")
        };
        CompileError::syntax(message, range)
    }

    #[cold]
    fn rebound_iteration_variable(&self, name: Name, range: Range) -> Box<CompileError> {
        let name = self.names.text(name);
        let message = format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
        CompileError::syntax(message, range)
    }

    pub fn check_name(&self, name: Name, range: Range, ctx: ExprContext) -> Compiled<()> {
        if name != known::DEBUG || ctx == ExprContext::Load {
            return Ok(());
        }
        let verb = if ctx == ExprContext::Store { "assign to" } else { "delete" };
        Err(CompileError::syntax(format!("cannot {verb} __debug__"), range))
    }

    pub fn add_def_ctx(&mut self, name: Name, flag: u32, range: Range, ctx: ExprContext) -> Compiled<()> {
        if flag & (DEF_PARAM | DEF_LOCAL | DEF_IMPORT) != 0 {
            self.check_name(name, range, ctx)?;
        }
        if flag & DEF_TYPE_PARAM != 0
            && let Some(mangled) = &self.table.scopes[self.current].mangled_names
        {
            mangled.borrow_mut().push(name);
        }
        self.add_def_to(self.current, name, flag, range)
    }

    pub fn add_def(&mut self, name: Name, flag: u32, range: Range) -> Compiled<()> {
        let ctx = if flag == USE { ExprContext::Load } else { ExprContext::Store };
        self.add_def_ctx(name, flag, range, ctx)
    }

    pub fn record_directive(&mut self, name: Name, range: Range) {
        let mangled = self.table.scopes[self.current].mangle(self.names, self.private, name);
        self.cur().directives.push((mangled, range));
    }

    fn enter_type_param_block(
        &mut self,
        name: Name,
        params: &Vec<TypeParam>,
        defaults: (bool, bool),
        of_class: bool,
        range: Range,
    ) -> Compiled<()> {
        let in_class = self.cur().kind == BlockKind::Class;
        self.enter_block(name, BlockKind::TypeParameters, key_of(params, Part::TypeParams), range);
        if in_class {
            self.cur().can_see_class_scope = true;
            self.add_def(known::CLASSDICT, USE, range)?;
        }
        if of_class {
            for name in [known::TYPE_PARAMS, known::GENERIC_BASE] {
                self.add_def(name, DEF_LOCAL, range)?;
                self.add_def(name, USE, range)?;
            }
        }
        if defaults.0 {
            self.add_def(known::DEFAULTS, DEF_PARAM, range)?;
        }
        if defaults.1 {
            self.add_def(known::KWDEFAULTS, DEF_PARAM, range)?;
        }
        Ok(())
    }

    pub fn stmts(&mut self, body: &[Stmt]) -> Compiled<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn conditional(&mut self, visit: impl FnOnce(&mut Self) -> Compiled<()>) -> Compiled<()> {
        let before = std::mem::replace(&mut self.cur().in_conditional_block, true);
        visit(self)?;
        self.cur().in_conditional_block = before;
        Ok(())
    }

    pub fn stmt(&mut self, stmt: &Stmt) -> Compiled<()> {
        self.depth.enter()?;
        let range = stmt.range;
        match &stmt.kind {
            StmtKind::FunctionDef(node) => self.function(
                FunctionParts {
                    name: &node.name,
                    args: &node.args,
                    body: &node.body,
                    decorators: &node.decorator_list,
                    returns: node.returns.as_ref(),
                    type_params: &node.type_params,
                    key: key_of(&**node, Part::Body),
                    is_async: false,
                },
                range,
            )?,
            StmtKind::AsyncFunctionDef(node) => self.function(
                FunctionParts {
                    name: &node.name,
                    args: &node.args,
                    body: &node.body,
                    decorators: &node.decorator_list,
                    returns: node.returns.as_ref(),
                    type_params: &node.type_params,
                    key: key_of(&**node, Part::Body),
                    is_async: true,
                },
                range,
            )?,
            StmtKind::ClassDef(node) => self.class(node, range)?,
            StmtKind::TypeAlias(node) => self.type_alias(node, range)?,
            StmtKind::Return(node) => self.optional_expr(node.value.as_ref())?,
            StmtKind::Delete(node) => self.exprs(&node.targets)?,
            StmtKind::Assign(node) => {
                self.exprs(&node.targets)?;
                self.expr(&node.value)?;
            }
            StmtKind::AnnAssign(node) => self.ann_assign(node, range)?,
            StmtKind::AugAssign(node) => {
                self.expr(&node.target)?;
                self.expr(&node.value)?;
            }
            StmtKind::For(node) => {
                self.expr(&node.target)?;
                self.expr(&node.iter)?;
                self.conditional(|this| {
                    this.stmts(&node.body)?;
                    this.stmts(&node.orelse)
                })?;
            }
            StmtKind::AsyncFor(node) => {
                self.require_coroutine("'async for' outside async function", range)?;
                self.expr(&node.target)?;
                self.expr(&node.iter)?;
                self.conditional(|this| {
                    this.stmts(&node.body)?;
                    this.stmts(&node.orelse)
                })?;
            }
            StmtKind::While(node) => {
                self.expr(&node.test)?;
                self.conditional(|this| {
                    this.stmts(&node.body)?;
                    this.stmts(&node.orelse)
                })?;
            }
            StmtKind::If(node) => self.if_chain(node)?,
            StmtKind::Match(node) => {
                self.expr(&node.subject)?;
                self.conditional(|this| {
                    for case in &node.cases {
                        this.pattern(&case.pattern)?;
                        this.optional_expr(case.guard.as_ref())?;
                        this.stmts(&case.body)?;
                    }
                    Ok(())
                })?;
            }
            StmtKind::Raise(node) => {
                if let Some(exc) = &node.exc {
                    self.expr(exc)?;
                    self.optional_expr(node.cause.as_ref())?;
                }
            }
            StmtKind::Try(node) => {
                self.try_parts(&node.body, &node.handlers, &node.orelse, &node.finalbody)?;
            }
            StmtKind::TryStar(node) => {
                self.try_parts(&node.body, &node.handlers, &node.orelse, &node.finalbody)?;
            }
            StmtKind::Assert(node) => {
                self.expr(&node.test)?;
                self.optional_expr(node.msg.as_ref())?;
            }
            StmtKind::Import(node) => node.names.iter().try_for_each(|alias| self.alias(alias))?,
            StmtKind::ImportFrom(node) => {
                node.names.iter().try_for_each(|alias| self.alias(alias))?;
                self.check_import_from(node, range)?;
            }
            StmtKind::Global(node) => self.declare(&node.names, DEF_GLOBAL, range)?,
            StmtKind::Nonlocal(node) => self.declare(&node.names, DEF_NONLOCAL, range)?,
            StmtKind::Expr(node) => self.expr(&node.value)?,
            StmtKind::With(node) => self.with_parts(&node.items, &node.body)?,
            StmtKind::AsyncWith(node) => {
                self.require_coroutine("'async with' outside async function", range)?;
                self.with_parts(&node.items, &node.body)?;
            }
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => {}
        }
        self.depth.leave();
        Ok(())
    }

    /// `if` and its `elif`s, which hang in one another's `orelse`.
    fn if_chain(&mut self, first: &StmtIf) -> Compiled<()> {
        self.expr(&first.test)?;
        self.conditional(|this| {
            let mut node = first;
            loop {
                this.stmts(&node.body)?;
                match node.orelse.as_slice() {
                    [Stmt { kind: StmtKind::If(next), .. }] => {
                        this.expr(&next.test)?;
                        node = next;
                    }
                    orelse => return this.stmts(orelse),
                }
            }
        })
    }

    fn with_parts(&mut self, items: &[WithItem], body: &[Stmt]) -> Compiled<()> {
        self.conditional(|this| {
            for item in items {
                this.expr(&item.context_expr)?;
                this.optional_expr(item.optional_vars.as_ref())?;
            }
            this.stmts(body)
        })
    }

    fn try_parts(
        &mut self,
        body: &[Stmt],
        handlers: &[ExceptHandler],
        orelse: &[Stmt],
        finalbody: &[Stmt],
    ) -> Compiled<()> {
        self.conditional(|this| {
            this.stmts(body)?;
            for handler in handlers {
                this.optional_expr(handler.type_.as_ref())?;
                if let Some(name) = &handler.name {
                    let name = this.names.intern(name);
                    this.add_def(name, DEF_LOCAL, handler.range)?;
                }
                this.stmts(&handler.body)?;
            }
            this.stmts(orelse)?;
            this.stmts(finalbody)
        })
    }

    fn function(&mut self, parts: FunctionParts<'_>, range: Range) -> Compiled<()> {
        let name = self.names.intern(parts.name);
        self.add_def(name, DEF_LOCAL, range)?;
        self.exprs(&parts.args.defaults)?;
        parts.args.kw_defaults.iter().flatten().try_for_each(|default| self.expr(default))?;
        self.exprs(parts.decorators)?;
        let generic = !parts.type_params.is_empty();
        if generic {
            // The parameter for positional defaults is there whether there are any or not.
            let defaults = (true, has_kwonlydefaults(parts.args));
            self.enter_type_param_block(name, parts.type_params, defaults, false, range)?;
            self.type_params(parts.type_params)?;
        }
        let id = self.new_scope(name, BlockKind::Function, parts.key, range);
        self.table.scopes[id].has_docstring = docstring::of_body(parts.body).is_some();
        self.function_annotations(parts.args, parts.returns, range)?;
        self.enter_existing_block(id, true);
        self.cur().coroutine = parts.is_async;
        self.arguments(parts.args)?;
        self.stmts(parts.body)?;
        self.exit_block();
        if generic {
            self.exit_block();
        }
        Ok(())
    }

    fn class(&mut self, node: &StmtClassDef, range: Range) -> Compiled<()> {
        let name = self.names.intern(&node.name);
        self.add_def(name, DEF_LOCAL, range)?;
        self.exprs(&node.decorator_list)?;
        let private = self.private;
        let generic = !node.type_params.is_empty();
        if generic {
            self.enter_type_param_block(name, &node.type_params, (false, false), true, range)?;
            self.private = Some(name);
            self.cur().mangled_names = Some(Default::default());
            self.type_params(&node.type_params)?;
        }
        self.exprs(&node.bases)?;
        self.keywords(&node.keywords)?;
        self.enter_block(name, BlockKind::Class, key_of(node, Part::Body), range);
        self.private = Some(name);
        if generic {
            self.add_def(known::DUNDER_TYPE_PARAMS, DEF_LOCAL, range)?;
            self.add_def(known::TYPE_PARAMS, USE, range)?;
        }
        self.cur().has_docstring = docstring::of_body(&node.body).is_some();
        self.stmts(&node.body)?;
        self.exit_block();
        if generic {
            self.exit_block();
        }
        self.private = private;
        Ok(())
    }

    fn type_alias(&mut self, node: &StmtTypeAlias, range: Range) -> Compiled<()> {
        self.expr(&node.name)?;
        let ExprKind::Name(target) = &node.name.kind else {
            return Err(CompileError::system("type alias without a name"));
        };
        let name = self.names.intern(&target.id);
        let in_class = self.cur().kind == BlockKind::Class;
        let generic = !node.type_params.is_empty();
        if generic {
            self.enter_type_param_block(name, &node.type_params, (false, false), false, range)?;
            self.type_params(&node.type_params)?;
        }
        self.enter_block(name, BlockKind::TypeAlias, key_of(node, Part::Body), range);
        self.cur().can_see_class_scope = in_class;
        if in_class {
            self.add_def(known::CLASSDICT, USE, node.value.range)?;
        }
        self.expr(&node.value)?;
        self.exit_block();
        if generic {
            self.exit_block();
        }
        Ok(())
    }

    fn ann_assign(&mut self, node: &StmtAnnAssign, range: Range) -> Compiled<()> {
        self.cur().annotations_used = true;
        if let ExprKind::Name(target) = &node.target.kind {
            let name = self.names.intern(&target.id);
            let flags = self.lookup(name);
            if flags & (DEF_GLOBAL | DEF_NONLOCAL) != 0 && self.current != 0 && node.simple != 0 {
                let what = if flags & DEF_GLOBAL != 0 { "global" } else { "nonlocal" };
                return Err(CompileError::syntax(
                    format!("annotated name '{}' can't be {what}", self.names.text(name)),
                    range,
                ));
            }
            if node.simple != 0 {
                self.add_def(name, DEF_ANNOT | DEF_LOCAL, node.target.range)?;
            } else if node.value.is_some() {
                self.add_def(name, DEF_LOCAL, node.target.range)?;
            }
        } else {
            self.expr(&node.target)?;
        }
        self.variable_annotation(&node.annotation)?;
        self.optional_expr(node.value.as_ref())
    }

    fn variable_annotation(&mut self, annotation: &Expr) -> Compiled<()> {
        let parent = self.current;
        let unevaluated = self.cur().kind == BlockKind::Function;
        // A module may be executed in part only, so its annotations are all conditional.
        let conditional = self.cur().kind == BlockKind::Module
            || (self.cur().kind == BlockKind::Class && self.cur().in_conditional_block);
        if conditional && !self.cur().has_conditional_annotations {
            self.cur().has_conditional_annotations = true;
            self.add_def(known::CONDITIONAL_ANNOTATIONS, USE, annotation.range)?;
        }
        match self.cur().annotation_block {
            Some(block) => self.enter_existing_block(block, false),
            None => {
                let in_class = self.cur().kind == BlockKind::Class;
                // Found through `annotation_block`; the key only has to be unique.
                let key = (usize::MAX - parent, Part::Annotations);
                self.enter_block(known::ANNOTATE, BlockKind::Annotation, key, annotation.range);
                self.table.scopes[parent].annotation_block = Some(self.current);
                if in_class && !self.future.annotations() {
                    self.cur().can_see_class_scope = true;
                    self.add_def(known::CLASSDICT, USE, annotation.range)?;
                }
            }
        }
        if unevaluated {
            self.cur().in_unevaluated_annotation = true;
        }
        self.expr(annotation)?;
        if unevaluated {
            self.cur().in_unevaluated_annotation = false;
        }
        self.exit_block();
        Ok(())
    }

    fn annotation_of(&mut self, annotation: Option<&Expr>) -> Compiled<()> {
        if let Some(annotation) = annotation {
            self.cur().annotations_used = true;
            self.expr(annotation)?;
        }
        Ok(())
    }

    fn function_annotations(
        &mut self,
        args: &Arguments,
        returns: Option<&Expr>,
        range: Range,
    ) -> Compiled<()> {
        let sees_class = self.cur().can_see_class_scope || self.cur().kind == BlockKind::Class;
        let key = key_of(args, Part::Annotations);
        self.enter_block(known::ANNOTATE, BlockKind::Annotation, key, range);
        if sees_class {
            self.cur().can_see_class_scope = true;
            self.add_def(known::CLASSDICT, USE, range)?;
        }
        let starred = [args.vararg.as_deref(), args.kwarg.as_deref()];
        for arg in args.posonlyargs.iter().chain(&args.args) {
            self.annotation_of(arg.annotation.as_ref())?;
        }
        for arg in starred.into_iter().flatten().chain(&args.kwonlyargs) {
            self.annotation_of(arg.annotation.as_ref())?;
        }
        self.annotation_of(returns)?;
        self.exit_block();
        Ok(())
    }

    pub fn arguments(&mut self, args: &Arguments) -> Compiled<()> {
        for arg in args.posonlyargs.iter().chain(&args.args).chain(&args.kwonlyargs) {
            let name = self.names.intern(&arg.arg);
            self.add_def(name, DEF_PARAM, arg.range)?;
        }
        if let Some(arg) = &args.vararg {
            let name = self.names.intern(&arg.arg);
            self.add_def(name, DEF_PARAM, arg.range)?;
            self.cur().varargs = true;
        }
        if let Some(arg) = &args.kwarg {
            let name = self.names.intern(&arg.arg);
            self.add_def(name, DEF_PARAM, arg.range)?;
            self.cur().varkeywords = true;
        }
        Ok(())
    }

    fn declare(&mut self, identifiers: &[Identifier], flag: u32, range: Range) -> Compiled<()> {
        let word = if flag == DEF_GLOBAL { "global" } else { "nonlocal" };
        for identifier in identifiers {
            let name = self.names.intern(identifier);
            let flags = self.lookup(name);
            let conflict = if flags & DEF_PARAM != 0 {
                Some(format!("name '{identifier}' is parameter and {word}"))
            } else if flags & USE != 0 {
                Some(format!("name '{identifier}' is used prior to {word} declaration"))
            } else if flags & DEF_ANNOT != 0 {
                Some(format!("annotated name '{identifier}' can't be {word}"))
            } else if flags & DEF_LOCAL != 0 {
                Some(format!("name '{identifier}' is assigned to before {word} declaration"))
            } else {
                None
            };
            if let Some(message) = conflict {
                return Err(CompileError::syntax(message, range));
            }
            self.add_def(name, flag, range)?;
            self.record_directive(name, range);
        }
        Ok(())
    }

    fn alias(&mut self, alias: &Alias) -> Compiled<()> {
        let name = alias.asname.as_ref().unwrap_or(&alias.name);
        if name.as_str() == "*" {
            if self.cur().kind != BlockKind::Module {
                return Err(CompileError::syntax("import * only allowed at module level", alias.range));
            }
            return Ok(());
        }
        let bound = match name.as_str().split_once('.') {
            Some((first, _)) => self.names.intern_str(first),
            None => self.names.intern(name),
        };
        self.add_def(bound, DEF_IMPORT, alias.range)
    }

    fn check_import_from(&mut self, node: &StmtImportFrom, range: Range) -> Compiled<()> {
        let is_future = node.level == 0 && node.module.as_ref().is_some_and(|m| m.as_str() == "__future__");
        let last = self.future.range;
        if is_future
            && (range.lineno > last.lineno
                || (range.lineno == last.end_lineno && range.col_offset > last.end_col_offset))
        {
            return Err(CompileError::syntax(
                "from __future__ imports must occur at the beginning of the file",
                range,
            ));
        }
        Ok(())
    }

    pub fn allows_top_level_await(&mut self) -> bool {
        self.top_level_await && self.cur().kind == BlockKind::Module
    }

    fn require_coroutine(&mut self, message: &str, range: Range) -> Compiled<()> {
        if self.allows_top_level_await() {
            self.cur().coroutine = true;
        }
        if self.cur().coroutine { Ok(()) } else { Err(CompileError::syntax(message, range)) }
    }
}

struct FunctionParts<'a> {
    name: &'a Identifier,
    args: &'a Arguments,
    body: &'a [Stmt],
    decorators: &'a [Expr],
    returns: Option<&'a Expr>,
    type_params: &'a Vec<TypeParam>,
    key: Key,
    is_async: bool,
}
