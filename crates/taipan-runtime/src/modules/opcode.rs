//! `_opcode`: the opcode table, for the library's `opcode` and `dis`.

use taipan_bytecode::{INTRINSICS_1, INTRINSICS_2, NB_OPS, Opcode, SPECIAL_METHODS, flag, stack_effect};
use taipan_object::err::value_error;
use taipan_object::list::List;
use taipan_object::module::{Module, ModuleSpec};
use taipan_object::native::Args;
use taipan_object::singletons::{bool_object, is_none};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::Str;
use taipan_object::{Object, PyResult, Ref};

fn opcode(args: &Args<'_>) -> PyResult<Option<Opcode>> {
    let number = args.required(0).to_i32()?;
    Ok(u16::try_from(number).ok().and_then(Opcode::from_u16))
}

fn has(args: &Args<'_>, bits: u16) -> PyResult<bool> {
    Ok(opcode(args)?.is_some_and(|opcode| opcode.has(bits)))
}

fn effect(_: &Object, args: &Args<'_>) -> PyResult<i64> {
    let oparg = match args.get_some(1) {
        Some(oparg) => oparg.to_i32()?.cast_unsigned(),
        None => 0,
    };
    let jumps: &[bool] = match args.get(2).filter(|jump| !is_none(jump)) {
        None => &[false, true],
        Some(jump) if jump.is(bool_object(true)) => &[true],
        Some(jump) if jump.is(bool_object(false)) => &[false],
        Some(_) => return Err(value_error("stack_effect: jump must be False, True or None")),
    };
    // Specialised and instrumented instructions never stand in a code object.
    let found = opcode(args)?
        .filter(|opcode| opcode.family() == *opcode && !opcode.name().starts_with("INSTRUMENTED_"));
    let effects = found.map(|opcode| jumps.iter().map(move |jump| stack_effect(opcode, oparg, *jump)));
    match effects
        .and_then(|effects| effects.collect::<Option<Vec<i64>>>())
        .and_then(|all| all.into_iter().max())
    {
        Some(effect) => Ok(effect),
        None => Err(value_error("invalid opcode or oparg")),
    }
}

fn names(all: &[(&str, &str)]) -> PyResult<Ref<List>> {
    let mut made = Vec::with_capacity(all.len());
    for (name, _) in all {
        made.push(Str::from_utf8(name)?.upcast());
    }
    List::from_vec(made)
}

fn special_method_names(_: &Object) -> PyResult<Ref<List>> {
    let mut made = Vec::with_capacity(SPECIAL_METHODS.len());
    for (_, method) in SPECIAL_METHODS {
        made.push(Str::from_utf8(method)?.upcast());
    }
    List::from_vec(made)
}

fn nb_ops(_: &Object) -> PyResult<Ref<List>> {
    let mut made = Vec::with_capacity(NB_OPS.len());
    for (name, operator) in NB_OPS {
        made.push(
            Tuple::from_array([Str::from_utf8(name)?.upcast(), Str::from_utf8(operator)?.upcast()])?.upcast(),
        );
    }
    List::from_vec(made)
}

taipan_object::methods! { static METHODS = {
    args "stack_effect" "($module, opcode, oparg=None, /, *, jump=None)" = effect, "How an instruction changes the height of the stack.";
    args "is_valid" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| -> PyResult<bool> { Ok(opcode(args)?.is_some()) }, "Whether there is such an opcode.";
    args "has_arg" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| has(args, flag::ARG), "Whether an opcode has an argument.";
    args "has_const" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| has(args, flag::CONST), "Whether the argument numbers a constant.";
    args "has_name" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| has(args, flag::NAME), "Whether the argument numbers a name.";
    args "has_jump" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| has(args, flag::JUMP), "Whether the argument is a jump.";
    args "has_free" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| has(args, flag::FREE), "Whether the argument numbers a free variable.";
    args "has_local" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| has(args, flag::LOCAL), "Whether the argument numbers a local variable.";
    args "has_exc" "($module, /, opcode)" = |_: &Object, args: &Args<'_>| -> PyResult<bool> {
        Ok(opcode(args)?.is_some_and(Opcode::is_block_push))
    }, "Whether an opcode sets up a handler.";
    noargs "get_intrinsic1_descs" "($module, /)" = |_: &Object| names(INTRINSICS_1), "The names of the one-argument intrinsics.";
    noargs "get_intrinsic2_descs" "($module, /)" = |_: &Object| names(INTRINSICS_2), "The names of the two-argument intrinsics.";
    noargs "get_special_method_names" "($module, /)" = special_method_names, "The methods that LOAD_SPECIAL looks up.";
    noargs "get_nb_ops" "($module, /)" = nb_ops, "The operators of BINARY_OP.";
    noargs "get_specialization_stats" "($module, /)" = |_: &Object| None::<Ref>, "Figures of the specializer, which this build does not collect.";
    args "get_executor" "($module, /, code, offset)" = |_: &Object, _: &Args<'_>| None::<Ref>, "The machine code at an offset; there is none.";
} }

fn init(module: &Module) -> PyResult<()> {
    module.add("ENABLE_SPECIALIZATION", bool_object(true))?;
    module.add("ENABLE_SPECIALIZATION_FT", bool_object(false))?;
    Ok(())
}

/// `_opcode`.
pub static SPEC: ModuleSpec =
    ModuleSpec { name: "_opcode", doc: "The opcode table.", methods: METHODS, init };
