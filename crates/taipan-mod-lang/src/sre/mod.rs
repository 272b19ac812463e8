//! `_sre`: compiled regular expressions as Python objects, over the engine in `taipan-sre`.
//!
//! `subject` makes text of str and buffers, `pattern` and `matches` are the classes, `replace` is what
//! `sub` and `expand` do.

mod matches;
mod pattern;
mod replace;
mod scanner;
mod subject;

use taipan_object::dict::Dict;
use taipan_object::err::{overflow_error, runtime_error, type_error};
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::{Args, IntoPy, make_ready};
use taipan_object::statics::{PyExc_OverflowError, PyExc_TypeError};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, methods, raise};
use taipan_sre::Program;

/// The words of the code.
fn code_words(code: &List) -> PyResult<Vec<u32>> {
    let mut words = Vec::with_capacity(code.len());
    for item in code.to_vec() {
        let Some(int) = item.downcast::<Int>() else { return Err(type_error("an integer is required")) };
        let word = int.to_u64().and_then(|word| u32::try_from(word).ok());
        words.push(word.ok_or_else(|| overflow_error("regular expression code size limit exceeded"))?);
    }
    Ok(words)
}

fn compile(_: &Object, args: &Args<'_>) -> PyResult {
    let flags = args.required(1).to_i32()?;
    let code = args.typed::<List>(2, "compile", "'code'")?;
    let groups = args.required(3).to_index_clamped(Some(&PyExc_OverflowError))?;
    let group_index = args.typed::<Dict>(4, "compile", "'groupindex'")?;
    let index_group = args.typed::<Tuple>(5, "compile", "'indexgroup'")?;
    let (Some(code), Some(group_index), Some(index_group)) = (code, group_index, index_group) else {
        return Err(type_error("compile() misses arguments"));
    };
    let words = code_words(code)?;
    let groups = usize::try_from(groups).map_err(|_| runtime_error("invalid SRE code"))?;
    if groups > taipan_sre::MAXGROUPS as usize {
        return Err(runtime_error("invalid SRE code"));
    }
    // The check goes as deep as the code nests, which may be deeper than the stack of a small thread.
    let program = taipan_object::state::with_stack(CHECK_STACK, || Program::new(words, groups));
    let program = program.and_then(Result::ok).ok_or_else(|| runtime_error("invalid SRE code"))?;
    pattern::make(args.required(0), flags, program, Ref::of(group_index), Ref::of(index_group))
}

/// Enough for the deepest code that the check accepts.
const CHECK_STACK: usize = 2 << 20;

fn template(_: &Object, args: &Args<'_>) -> PyResult {
    let list = args.required(1);
    let Some(list) = list.downcast::<List>() else {
        return Err(raise!(
            PyExc_TypeError,
            "template() argument 2 must be list, not {}",
            list.ty().message_name()
        ));
    };
    replace::make_template(&list.to_vec())
}

fn character(object: &Object) -> PyResult<u32> {
    object.to_i32().map(i32::cast_unsigned)
}

methods! {
    static METHODS = {
        args "compile" "($module, /, pattern, flags, code, groups, groupindex, indexgroup)" = compile, "A pattern from the code of its program.";
        args "template" "($module, pattern, template, /)" = template, "A replacement text from its parts: literals and group numbers in turn.";
        noargs "getcodesize" "($module, /)" = |_: &Object| taipan_sre::CODESIZE, "The bytes of a word of code.";
        one "ascii_iscased" "($module, character, /)" = |_: &Object, ch: &Object| character(ch).map(taipan_sre::ascii_iscased), "Whether an ASCII character has two cases.";
        one "unicode_iscased" "($module, character, /)" = |_: &Object, ch: &Object| character(ch).map(taipan_sre::unicode_iscased), "Whether a character has two cases.";
        one "ascii_tolower" "($module, character, /)" = |_: &Object, ch: &Object| character(ch).map(taipan_sre::ascii_tolower), "The lower case of an ASCII character.";
        one "unicode_tolower" "($module, character, /)" = |_: &Object, ch: &Object| character(ch).map(taipan_sre::unicode_tolower), "The lower case of a character.";
    }
}

fn init(module: &Module) -> PyResult<()> {
    for spec in [&pattern::SPEC, &matches::SPEC, &scanner::SPEC, &replace::SPEC] {
        make_ready(spec)?;
    }
    for (name, value) in [
        ("MAGIC", taipan_sre::MAGIC),
        ("CODESIZE", taipan_sre::CODESIZE),
        ("MAXREPEAT", taipan_sre::MAXREPEAT),
        ("MAXGROUPS", taipan_sre::MAXGROUPS),
    ] {
        module.add(name, &*value.into_py()?)?;
    }
    module.add("copyright", &*" Taipan's engine for the code of SRE 2.2.2 ".into_py()?)
}

/// `_sre`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_sre", doc: "The native part of re.", methods: METHODS, init };
