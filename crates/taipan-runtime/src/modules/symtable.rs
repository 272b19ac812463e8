//! `_symtable`: the compiler's symbol tables as objects.
//!
//! The tables are made anew for the module that asks, and shown as plain values: nothing points back
//! into the compiler.

use crate::builtins::code::{file_name, mode_text, source_text_of};
use crate::compile::{Settings, symbols_of_text};
use taipan_compiler::names::{Name, Names};
use taipan_compiler::symtable::{self as tables, BlockKind, Scope, ScopeId, SymbolTable};
use taipan_object::dict::Dict;
use taipan_object::err::value_error;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::*;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref, TypeSpec, methods, payload, protocol};
use taipan_syntax::Mode;

/// The table of one block.
pub struct Entry {
    name: Ref,
    symbols: Ref,
    varnames: Ref,
    children: Ref,
    kind: i32,
    lineno: i32,
    nested: bool,
}
payload!(Entry, ENTRY, c"symtable entry", GC, [name, symbols, varnames, children]);

type View = Native<Entry>;

/// The blocks in the order of their numbers.
const KINDS: [(&str, BlockKind); 7] = [
    ("TYPE_FUNCTION", BlockKind::Function),
    ("TYPE_CLASS", BlockKind::Class),
    ("TYPE_MODULE", BlockKind::Module),
    ("TYPE_ANNOTATION", BlockKind::Annotation),
    ("TYPE_TYPE_ALIAS", BlockKind::TypeAlias),
    ("TYPE_TYPE_PARAMETERS", BlockKind::TypeParameters),
    ("TYPE_TYPE_VARIABLE", BlockKind::TypeVariable),
];

fn text(names: &Names, name: Name) -> PyResult {
    Str::from_utf8(names.text(name)).map(Ref::upcast)
}

fn entry(table: &SymbolTable, names: &Names, id: ScopeId) -> PyResult {
    let scope: &Scope = &table.scopes[id];
    let symbols = Dict::new()?;
    for (name, flags) in scope.symbols.iter() {
        symbols.set(&*text(names, name)?, &Int::from_i64(i64::from(*flags)))?;
    }
    let varnames = List::new()?;
    for name in scope.varnames.keys() {
        varnames.append(text(names, name)?)?;
    }
    let children = List::new()?;
    for &child in &scope.children {
        children.append(protocol::recursive(" in symtable", || entry(table, names, child))?)?;
    }
    let kind = KINDS.iter().position(|(_, kind)| *kind == scope.kind).unwrap_or(0);
    let payload = Entry {
        name: text(names, scope.name)?,
        symbols: symbols.upcast(),
        varnames: varnames.upcast(),
        children: children.upcast(),
        kind: kind as i32,
        lineno: scope.range.lineno,
        nested: scope.nested,
    };
    native_new(&ENTRY, payload)?.into_py()
}

fn symtable(_: &Object, args: &Args<'_>) -> PyResult {
    let filename = file_name(args.required(1))?;
    let mode = match mode_text(args.required(2), "symtable() argument 3")?.as_str() {
        "exec" => Mode::Exec,
        "eval" => Mode::Eval,
        "single" => Mode::Single,
        _ => return Err(value_error("symtable() arg 3 must be 'exec' or 'eval' or 'single'")),
    };
    let source = source_text_of(args.required(0), "symtable", "string or bytes object", &filename)?;
    let (table, names) = symbols_of_text(&source, &filename, Settings::new(mode))?;
    entry(&table, &names, 0)
}

methods! {
    static METHODS = {
        args "symtable" "($module, source, filename, startstr, /)" = symtable, "The symbol tables of a source, from the outermost block inwards.";
    }
}

fn repr(entry: &View) -> String {
    let id = entry.object().as_ptr().addr();
    format!("<symtable entry {}({id}), line {}>", entry.name.str_lossy(), entry.lineno)
}

static SPEC_ENTRY: TypeSpec = TypeSpec {
    slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR, tp_repr(|entry: &View| repr(entry))],
    getset: &[
        getset_row(c"id", |entry: &View| entry.object().as_ptr().addr(), c"").with_setter(read_only),
        getset_row(c"name", |entry: &View| entry.name.clone(), c"").with_setter(read_only),
        getset_row(c"symbols", |entry: &View| entry.symbols.clone(), c"").with_setter(read_only),
        getset_row(c"varnames", |entry: &View| entry.varnames.clone(), c"").with_setter(read_only),
        getset_row(c"children", |entry: &View| entry.children.clone(), c"").with_setter(read_only),
        getset_row(c"nested", |entry: &View| i32::from(entry.nested), c"").with_setter(read_only),
        getset_row(c"type", |entry: &View| entry.kind, c"").with_setter(read_only),
        getset_row(c"lineno", |entry: &View| entry.lineno, c"").with_setter(read_only),
    ],
    ..TypeSpec::new(&ENTRY)
};

fn init(module: &Module) -> PyResult<()> {
    make_ready(&SPEC_ENTRY)?;
    // What Python calls bound leaves type parameters out.
    let bound = tables::DEF_LOCAL | tables::DEF_PARAM | tables::DEF_IMPORT;
    let numbers = [
        ("USE", tables::USE),
        ("DEF_GLOBAL", tables::DEF_GLOBAL),
        ("DEF_NONLOCAL", tables::DEF_NONLOCAL),
        ("DEF_LOCAL", tables::DEF_LOCAL),
        ("DEF_PARAM", tables::DEF_PARAM),
        ("DEF_TYPE_PARAM", tables::DEF_TYPE_PARAM),
        ("DEF_FREE_CLASS", tables::DEF_FREE_CLASS),
        ("DEF_IMPORT", tables::DEF_IMPORT),
        ("DEF_BOUND", bound),
        ("DEF_ANNOT", tables::DEF_ANNOT),
        ("DEF_COMP_ITER", tables::DEF_COMP_ITER),
        ("DEF_COMP_CELL", tables::DEF_COMP_CELL),
        ("LOCAL", tables::LOCAL),
        ("GLOBAL_EXPLICIT", tables::GLOBAL_EXPLICIT),
        ("GLOBAL_IMPLICIT", tables::GLOBAL_IMPLICIT),
        ("FREE", tables::FREE),
        ("CELL", tables::CELL),
        ("SCOPE_OFF", tables::SCOPE_OFFSET),
        ("SCOPE_MASK", 15),
    ];
    for (name, value) in numbers {
        module.add(name, &*value.into_py()?)?;
    }
    for (index, (name, _)) in KINDS.iter().enumerate() {
        module.add(name, &*index.into_py()?)?;
    }
    Ok(())
}

/// `_symtable`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_symtable", doc: "The compiler's symbol tables.", methods: METHODS, init };
