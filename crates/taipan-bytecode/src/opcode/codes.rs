//! The meaning of arguments: operators, intrinsics, comparisons, common constants, special methods, flags.

/// Declares a group of numbered names: constants plus a table of the names in numeric order.
macro_rules! numbered {
    ($(#[$meta:meta])* $table:ident: $type:ty; $($(#[$doc:meta])* $name:ident = $value:literal => $text:literal,)*) => {
        $($(#[$doc])* pub const $name: $type = $value;)*
        $(#[$meta])*
        pub const $table: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

numbered! {
    /// Arguments of `BINARY_OP` in numeric order: name and operator.
    NB_OPS: u32;
    /// `+`
    NB_ADD = 0 => "+",
    /// `&`
    NB_AND = 1 => "&",
    /// `//`
    NB_FLOOR_DIVIDE = 2 => "//",
    /// `<<`
    NB_LSHIFT = 3 => "<<",
    /// `@`
    NB_MATRIX_MULTIPLY = 4 => "@",
    /// `*`
    NB_MULTIPLY = 5 => "*",
    /// `%`
    NB_REMAINDER = 6 => "%",
    /// `|`
    NB_OR = 7 => "|",
    /// `**`
    NB_POWER = 8 => "**",
    /// `>>`
    NB_RSHIFT = 9 => ">>",
    /// `-`
    NB_SUBTRACT = 10 => "-",
    /// `/`
    NB_TRUE_DIVIDE = 11 => "/",
    /// `^`
    NB_XOR = 12 => "^",
    /// `+=`
    NB_INPLACE_ADD = 13 => "+=",
    /// `&=`
    NB_INPLACE_AND = 14 => "&=",
    /// `//=`
    NB_INPLACE_FLOOR_DIVIDE = 15 => "//=",
    /// `<<=`
    NB_INPLACE_LSHIFT = 16 => "<<=",
    /// `@=`
    NB_INPLACE_MATRIX_MULTIPLY = 17 => "@=",
    /// `*=`
    NB_INPLACE_MULTIPLY = 18 => "*=",
    /// `%=`
    NB_INPLACE_REMAINDER = 19 => "%=",
    /// `|=`
    NB_INPLACE_OR = 20 => "|=",
    /// `**=`
    NB_INPLACE_POWER = 21 => "**=",
    /// `>>=`
    NB_INPLACE_RSHIFT = 22 => ">>=",
    /// `-=`
    NB_INPLACE_SUBTRACT = 23 => "-=",
    /// `/=`
    NB_INPLACE_TRUE_DIVIDE = 24 => "/=",
    /// `^=`
    NB_INPLACE_XOR = 25 => "^=",
    /// `container[key]`
    NB_SUBSCR = 26 => "[]",
}

numbered! {
    /// Arguments of `CALL_INTRINSIC_1` in numeric order: name and what it does.
    INTRINSICS_1: u32;
    /// Not a function.
    INTRINSIC_1_INVALID = 0 => "never called",
    /// Show a value through `sys.displayhook`.
    INTRINSIC_PRINT = 1 => "show a value through sys.displayhook",
    /// `from module import *`.
    INTRINSIC_IMPORT_STAR = 2 => "import all public names of a module",
    /// Turn a StopIteration that leaves a generator into RuntimeError.
    INTRINSIC_STOPITERATION_ERROR = 3 => "turn an escaping StopIteration into RuntimeError",
    /// Wrap a value yielded by an asynchronous generator.
    INTRINSIC_ASYNC_GEN_WRAP = 4 => "wrap a value of an asynchronous generator",
    /// `+value`.
    INTRINSIC_UNARY_POSITIVE = 5 => "unary plus",
    /// Make a tuple of a list.
    INTRINSIC_LIST_TO_TUPLE = 6 => "make a tuple of a list",
    /// Make a type variable.
    INTRINSIC_TYPEVAR = 7 => "make a type variable",
    /// Make a parameter specification.
    INTRINSIC_PARAMSPEC = 8 => "make a parameter specification",
    /// Make a type variable tuple.
    INTRINSIC_TYPEVARTUPLE = 9 => "make a type variable tuple",
    /// Subscribe `typing.Generic`.
    INTRINSIC_SUBSCRIPT_GENERIC = 10 => "subscribe typing.Generic",
    /// Make a type alias.
    INTRINSIC_TYPEALIAS = 11 => "make a type alias",
}

numbered! {
    /// Arguments of `CALL_INTRINSIC_2` in numeric order: name and what it does.
    INTRINSICS_2: u32;
    /// Not a function.
    INTRINSIC_2_INVALID = 0 => "never called",
    /// Compose the exception that is left after `except*` clauses.
    INTRINSIC_PREP_RERAISE_STAR = 1 => "compose what is left after except*",
    /// Make a type variable with a bound.
    INTRINSIC_TYPEVAR_WITH_BOUND = 2 => "make a type variable with a bound",
    /// Make a type variable with constraints.
    INTRINSIC_TYPEVAR_WITH_CONSTRAINTS = 3 => "make a type variable with constraints",
    /// Give a function its `__type_params__`.
    INTRINSIC_SET_FUNCTION_TYPE_PARAMS = 4 => "give a function its __type_params__",
    /// Give a type parameter its default.
    INTRINSIC_SET_TYPEPARAM_DEFAULT = 5 => "give a type parameter its default",
}

numbered! {
    /// Arguments of `LOAD_COMMON_CONSTANT` in numeric order: name and the object's name in `builtins`.
    COMMON_CONSTANTS: u32;
    /// `AssertionError`
    CONSTANT_ASSERTIONERROR = 0 => "AssertionError",
    /// `NotImplementedError`
    CONSTANT_NOTIMPLEMENTEDERROR = 1 => "NotImplementedError",
    /// `tuple`
    CONSTANT_BUILTIN_TUPLE = 2 => "tuple",
    /// `all`
    CONSTANT_BUILTIN_ALL = 3 => "all",
    /// `any`
    CONSTANT_BUILTIN_ANY = 4 => "any",
}

numbered! {
    /// Arguments of `LOAD_SPECIAL` in numeric order: name and method.
    SPECIAL_METHODS: u32;
    /// `__enter__`
    SPECIAL___ENTER__ = 0 => "__enter__",
    /// `__exit__`
    SPECIAL___EXIT__ = 1 => "__exit__",
    /// `__aenter__`
    SPECIAL___AENTER__ = 2 => "__aenter__",
    /// `__aexit__`
    SPECIAL___AEXIT__ = 3 => "__aexit__",
}

numbered! {
    /// Rich comparisons in numeric order: name and operator.
    COMPARISONS: u32;
    /// `<`
    PY_LT = 0 => "<",
    /// `<=`
    PY_LE = 1 => "<=",
    /// `==`
    PY_EQ = 2 => "==",
    /// `!=`
    PY_NE = 3 => "!=",
    /// `>`
    PY_GT = 4 => ">",
    /// `>=`
    PY_GE = 5 => ">=",
}

/// Bit of `COMPARE_OP`'s argument: the result is wanted as a bool.
pub const COMPARE_TO_BOOL: u32 = 16;
/// Comparison mask bit: the operands cannot be ordered (NaN).
pub const COMPARISON_UNORDERED: u32 = 1;
/// Comparison mask bit: left is less.
pub const COMPARISON_LESS_THAN: u32 = 2;
/// Comparison mask bit: left is greater.
pub const COMPARISON_GREATER_THAN: u32 = 4;
/// Comparison mask bit: equal.
pub const COMPARISON_EQUALS: u32 = 8;

/// The argument of `COMPARE_OP` for a comparison (`PY_LT` …): its number from bit 5 on, below it the outcomes for
/// which it is true.
pub const fn compare_oparg(comparison: u32) -> u32 {
    let mask = match comparison {
        PY_LT => COMPARISON_LESS_THAN,
        PY_LE => COMPARISON_LESS_THAN | COMPARISON_EQUALS,
        PY_EQ => COMPARISON_EQUALS,
        PY_NE => COMPARISON_UNORDERED | COMPARISON_LESS_THAN | COMPARISON_GREATER_THAN,
        PY_GT => COMPARISON_GREATER_THAN,
        _ => COMPARISON_GREATER_THAN | COMPARISON_EQUALS,
    };
    (comparison << 5) | mask
}

/// `RESUME` at the start of a function.
pub const RESUME_AT_FUNC_START: u32 = 0;
/// `RESUME` after `yield`.
pub const RESUME_AFTER_YIELD: u32 = 1;
/// `RESUME` after `yield from`.
pub const RESUME_AFTER_YIELD_FROM: u32 = 2;
/// `RESUME` after `await`.
pub const RESUME_AFTER_AWAIT: u32 = 3;
/// The bits of `RESUME`'s argument that tell the place.
pub const RESUME_OPARG_LOCATION_MASK: u32 = 3;
/// Bit of `RESUME`'s argument: only one exception handler (the generator's own) encloses it.
pub const RESUME_OPARG_DEPTH1_MASK: u32 = 4;

/// `SET_FUNCTION_ATTRIBUTE`: tuple of positional defaults.
pub const MAKE_FUNCTION_DEFAULTS: u32 = 0x01;
/// `SET_FUNCTION_ATTRIBUTE`: dict of keyword-only defaults.
pub const MAKE_FUNCTION_KWDEFAULTS: u32 = 0x02;
/// `SET_FUNCTION_ATTRIBUTE`: annotations.
pub const MAKE_FUNCTION_ANNOTATIONS: u32 = 0x04;
/// `SET_FUNCTION_ATTRIBUTE`: tuple of cells.
pub const MAKE_FUNCTION_CLOSURE: u32 = 0x08;
/// `SET_FUNCTION_ATTRIBUTE`: the `__annotate__` function.
pub const MAKE_FUNCTION_ANNOTATE: u32 = 0x10;

/// `CONVERT_VALUE`: `!s`.
pub const FVC_STR: u32 = 1;
/// `CONVERT_VALUE`: `!r`.
pub const FVC_REPR: u32 = 2;
/// `CONVERT_VALUE`: `!a`.
pub const FVC_ASCII: u32 = 3;

/// Locals live in the fast array.
pub const CO_OPTIMIZED: u32 = 0x0001;
/// A new namespace is made for each call.
pub const CO_NEWLOCALS: u32 = 0x0002;
/// Has `*args`.
pub const CO_VARARGS: u32 = 0x0004;
/// Has `**kwargs`.
pub const CO_VARKEYWORDS: u32 = 0x0008;
/// Stands inside another function.
pub const CO_NESTED: u32 = 0x0010;
/// Is a generator.
pub const CO_GENERATOR: u32 = 0x0020;
/// Is a coroutine.
pub const CO_COROUTINE: u32 = 0x0080;
/// Is a generator usable with `await`.
pub const CO_ITERABLE_COROUTINE: u32 = 0x0100;
/// Is an asynchronous generator.
pub const CO_ASYNC_GENERATOR: u32 = 0x0200;
/// `from __future__ import division`
pub const CO_FUTURE_DIVISION: u32 = 0x20000;
/// `from __future__ import absolute_import`
pub const CO_FUTURE_ABSOLUTE_IMPORT: u32 = 0x40000;
/// `from __future__ import with_statement`
pub const CO_FUTURE_WITH_STATEMENT: u32 = 0x80000;
/// `from __future__ import print_function`
pub const CO_FUTURE_PRINT_FUNCTION: u32 = 0x100000;
/// `from __future__ import unicode_literals`
pub const CO_FUTURE_UNICODE_LITERALS: u32 = 0x200000;
/// `from __future__ import barry_as_FLUFL`
pub const CO_FUTURE_BARRY_AS_BDFL: u32 = 0x400000;
/// `from __future__ import generator_stop`
pub const CO_FUTURE_GENERATOR_STOP: u32 = 0x800000;
/// `from __future__ import annotations`
pub const CO_FUTURE_ANNOTATIONS: u32 = 0x1000000;
/// No monitoring events are sent for it.
pub const CO_NO_MONITORING_EVENTS: u32 = 0x2000000;
/// The first constant is the docstring.
pub const CO_HAS_DOCSTRING: u32 = 0x4000000;
/// Defined in the body of a class.
pub const CO_METHOD: u32 = 0x8000000;
