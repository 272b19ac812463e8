//! `str`: `make` construction, `build` concatenation, `search`, `split`, `case` and predicates,
//! `table` translation, `format`, `repr`, `iter`.

mod build;
mod case;
mod format;
mod iter;
mod make;
mod repr;
mod search;
mod split;
mod table;

pub use build::{concat, concat_all, join, join_items, repeat};
pub(crate) use case::{ascii_swapcase, ascii_title};
pub use format::{format_str, format_value};
pub use iter::{ASCII_ITER_SPEC, ITER_SPEC, StrAsciiIter};
pub(crate) use make::check_names;
pub use make::{decode, encode, str_from_object};
pub use repr::{ascii_of, repr_of};
pub use search::{contains, find_in, matches_at};
pub use split::replaced;

use taipan_abi::Py_TPFLAGS_UNICODE_SUBCLASS;
use taipan_object::native::*;
use taipan_object::singletons::{new_bool, not_implemented};
use taipan_object::slice::{Slice, adjust};
use taipan_object::statics::{PyExc_TypeError, PyUnicode_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str, empty, latin1_char};
use taipan_object::{Object, PyResult, Ref, err, methods, protocol, raise};

/// An upper bound of the widest code point, exact in what storage it needs.
pub(crate) fn max_char(text: &Str) -> u32 {
    match text.kind() {
        1 if text.is_ascii() => 0x7f,
        1 => 0xff,
        2 => 0xffff,
        _ => 0x10_ffff,
    }
}

/// The str of one code point.
///
/// # Errors
/// `MemoryError`.
#[inline]
pub fn char_str(c: u32) -> PyResult<Ref<Str>> {
    match u8::try_from(c) {
        Ok(byte) => Ok(Ref::of(latin1_char(byte))),
        Err(_) => Str::from_code_points(&[c]),
    }
}

/// `text[index]` for a plain index.
///
/// # Errors
/// `IndexError`.
pub fn item(text: &Str, index: isize) -> PyResult<Ref<Str>> {
    let chars = text.chars();
    match usize::try_from(index) {
        Ok(index) if index < chars.len() => char_str(chars.at(index)),
        _ => Err(err::index_error("string index out of range")),
    }
}

fn subscript(text: &Str, key: &Object) -> PyResult<Ref<Str>> {
    if protocol::has_index(key) {
        let index = key.to_index_clamped(Some(&taipan_object::statics::PyExc_IndexError))?;
        return item(text, if index < 0 { index + text.len().cast_signed() } else { index });
    }
    let Some(slice) = key.downcast::<Slice>() else {
        return Err(raise!(
            PyExc_TypeError,
            "string indices must be integers, not '{}'",
            key.ty().message_name()
        ));
    };
    let (start, stop, step) = slice.unpack()?;
    let range = adjust(text.len(), start, stop, step);
    if range.count == 0 {
        return Ok(Ref::of(empty()));
    }
    if step == 1 {
        return text.substring(range.start as usize, range.start as usize + range.count);
    }
    let indices = (0..range.count).map(|i| range.at(i));
    match text.chars() {
        Chars::One(s) => Str::from_latin1(&indices.map(|i| s[i]).collect::<Vec<_>>()),
        Chars::Two(s) => Str::from_ucs2(&indices.map(|i| s[i]).collect::<Vec<_>>()),
        Chars::Four(s) => Str::from_code_points(&indices.map(|i| s[i]).collect::<Vec<_>>()),
    }
}

fn concat_slot(text: &Str, other: &Object) -> PyResult<Ref<Str>> {
    match other.downcast::<Str>() {
        Some(other) => concat(text, other),
        None => Err(raise!(
            PyExc_TypeError,
            "can only concatenate str (not \"{}\") to str",
            other.ty().message_name()
        )),
    }
}

fn compare(text: &Str, other: &Object, op: CompareOp) -> Ref {
    if !other.ty().has_flag(Py_TPFLAGS_UNICODE_SUBCLASS) {
        return not_implemented().new_ref();
    }
    let Some(other) = other.downcast::<Str>() else { return not_implemented().new_ref() };
    new_bool(match op {
        CompareOp::Eq => text.same_text(other),
        CompareOp::Ne => !text.same_text(other),
        op => op.holds(text.compare(other)),
    })
}

fn remainder(text: &Object, values: &Object) -> PyResult {
    match text.downcast::<Str>() {
        Some(text) => crate::percent::format_str(text, values).map(Ref::upcast),
        None => Ok(not_implemented().new_ref()),
    }
}

fn length(text: &Str) -> PyResult<isize> {
    Ok(text.len().cast_signed())
}

fn hash(text: &Str) -> PyResult<isize> {
    Ok(text.hash())
}

fn join_method(text: &Str, iterable: &Object) -> PyResult<Ref<Str>> {
    join(text, iterable)
}

fn encode_method(text: &Str, args: &Args<'_>) -> PyResult {
    let encoding =
        args.get(0).map(|name| crate::util::name_arg(name, "encode", " 'encoding'")).transpose()?;
    let errors = args.get(1).map(|name| crate::util::name_arg(name, "encode", " 'errors'")).transpose()?;
    check_names(encoding.as_deref(), errors.as_deref())?;
    encode(text, encoding.as_deref().unwrap_or("utf-8"), errors.as_deref().unwrap_or("strict"))
}

fn sizeof(text: &Str) -> usize {
    let unit = text.kind() as usize;
    let head = if !text.is_exact(&PyUnicode_Type) {
        64
    } else if text.is_ascii() {
        40
    } else {
        56
    };
    // SAFETY: non-ASCII strs have the wider layout with the cached UTF-8 form.
    let cached = if text.is_ascii() { 0 } else { unsafe { (*text.raw())._base.utf8_length } };
    let shares = text.is_ascii();
    head + (text.len() + 1) * unit + if cached > 0 && !shares { cached as usize + 1 } else { 0 }
}

fn getnewargs(text: &Str) -> PyResult<Ref<Tuple>> {
    let copy = Str::from_chars(text.chars())?;
    Tuple::from_array([copy.upcast()])
}

fn format_method(text: &Str, spec: &Object) -> PyResult<Ref<Str>> {
    format_str(text, crate::util::str_arg(spec, "__format__", "")?)
}

methods! {
    static TABLE = {
        args "encode" "($self, /, encoding='utf-8', errors='strict')" = encode_method, "The text as bytes of an encoding.\n\nerrors names what happens to characters that it lacks: 'strict' raises\nUnicodeEncodeError, others are 'ignore', 'replace', 'xmlcharrefreplace' and what\nis registered with the codecs module.";
        args "replace" "($self, old, new, /, count=-1)" = split::replace, "A copy in which old is replaced by new.\n\nAt most count times, from the left; -1 means every time.";
        args "split" "($self, /, sep=None, maxsplit=-1)" = split::split, "The parts between separators, as a list.\n\nWithout sep runs of blanks separate, and there are no empty parts.\nAt most maxsplit cuts are made from the left; -1 means all.";
        args "rsplit" "($self, /, sep=None, maxsplit=-1)" = split::rsplit, "The parts between separators, cut from the right.\n\nWithout sep runs of blanks separate, and there are no empty parts.\nAt most maxsplit cuts are made; -1 means all.";
        one "join" "($self, iterable, /)" = join_method, "The strings of an iterable, with this one between them.";
        noargs "capitalize" "($self, /)" = case::capitalize, "A copy that begins with a capital and goes on in lower case.";
        noargs "casefold" "($self, /)" = case::casefold, "A copy for comparisons that ignore case.";
        noargs "title" "($self, /)" = case::title, "A copy in which every word begins with a capital and goes on in lower case.";
        args "center" "($self, width, fillchar=' ', /)" = split::center, "A copy in the middle of width characters.";
        many "count" "($self, sub[, start[, end]], /)" = search::count, "How often sub occurs in the part from start to end, without overlap.";
        args "expandtabs" "($self, /, tabsize=8)" = split::expandtabs, "A copy in which tabs are blanks up to the next multiple of tabsize.";
        many "find" "($self, sub[, start[, end]], /)" = search::find, "The first place of sub in the part from start to end, or -1.";
        one "partition" "($self, sep, /)" = split::partition, "What stands before the first sep, sep itself, and what stands behind it.\n\nWithout sep in it: the text and two empty strings.";
        many "index" "($self, sub[, start[, end]], /)" = search::index, "The first place of sub in the part from start to end.\n\nRaises ValueError if there is none.";
        args "ljust" "($self, width, fillchar=' ', /)" = split::ljust, "A copy filled up at the right to width characters.";
        noargs "lower" "($self, /)" = case::lower, "A copy in lower case.";
        args "lstrip" "($self, chars=None, /)" = split::lstrip, "A copy without blanks, or characters of chars, at the left end.";
        many "rfind" "($self, sub[, start[, end]], /)" = search::rfind, "The last place of sub in the part from start to end, or -1.";
        many "rindex" "($self, sub[, start[, end]], /)" = search::rindex, "The last place of sub in the part from start to end.\n\nRaises ValueError if there is none.";
        args "rjust" "($self, width, fillchar=' ', /)" = split::rjust, "A copy filled up at the left to width characters.";
        args "rstrip" "($self, chars=None, /)" = split::rstrip, "A copy without blanks, or characters of chars, at the right end.";
        one "rpartition" "($self, sep, /)" = split::rpartition, "What stands before the last sep, sep itself, and what stands behind it.\n\nWithout sep in it: two empty strings and the text.";
        args "splitlines" "($self, /, keepends=False)" = split::splitlines, "The lines as a list, with their line ends if keepends is true.";
        args "strip" "($self, chars=None, /)" = split::strip, "A copy without blanks, or characters of chars, at both ends.";
        noargs "swapcase" "($self, /)" = case::swapcase, "A copy with capitals made small and small letters made capitals.";
        one "translate" "($self, table, /)" = table::translate, "A copy with each character replaced by what table[its number] gives.\n\nThat may be a number, a string, or None to drop it; a LookupError leaves it.";
        noargs "upper" "($self, /)" = case::upper, "A copy in upper case.";
        many "startswith" "($self, prefix[, start[, end]], /)" = search::startswith, "Whether the part from start to end begins with prefix, or one of a tuple of them.";
        many "endswith" "($self, suffix[, start[, end]], /)" = search::endswith, "Whether the part from start to end ends with suffix, or one of a tuple of them.";
        one "removeprefix" "($self, prefix, /)" = split::removeprefix, "A copy without prefix at its beginning, if it is there.";
        one "removesuffix" "($self, suffix, /)" = split::removesuffix, "A copy without suffix at its end, if it is there.";
        noargs "isascii" "($self, /)" = case::isascii, "Whether all characters are ASCII; true of the empty string.";
        noargs "islower" "($self, /)" = case::islower, "Whether there are letters with case and all of them are small.";
        noargs "isupper" "($self, /)" = case::isupper, "Whether there are letters with case and all of them are capitals.";
        noargs "istitle" "($self, /)" = case::istitle, "Whether capitals stand exactly at the beginning of words, and there are some.";
        noargs "isspace" "($self, /)" = case::isspace, "Whether all characters are blanks, and there are some.";
        noargs "isdecimal" "($self, /)" = case::isdecimal, "Whether all characters are decimal digits, and there are some.";
        noargs "isdigit" "($self, /)" = case::isdigit, "Whether all characters are digits, and there are some.";
        noargs "isnumeric" "($self, /)" = case::isnumeric, "Whether all characters stand for numbers, and there are some.";
        noargs "isalpha" "($self, /)" = case::isalpha, "Whether all characters are letters, and there are some.";
        noargs "isalnum" "($self, /)" = case::isalnum, "Whether all characters are letters or numbers, and there are some.";
        noargs "isidentifier" "($self, /)" = case::isidentifier, "Whether the string has the form of a name; keyword.iskeyword tells reserved words.";
        noargs "isprintable" "($self, /)" = case::isprintable, "Whether repr shows all characters as they are.";
        one "zfill" "($self, width, /)" = split::zfill, "A copy filled up with zeros behind its sign to width characters.";
        keywords "format" "($self, /, *args, **kwargs)" = format::format, "A copy in which {fields} are replaced by the arguments they name.";
        one "format_map" "($self, mapping, /)" = format::format_map, "As format, with the names looked up in mapping.";
        one "__format__" "($self, format_spec, /)" = format_method, "Lay the text out by a format specification.";
        static many "maketrans" "" = table::maketrans, "A table for translate.\n\nOne argument: a dict from characters or their numbers to replacements. Two: strings\nof the same length, each character of the first replaced by its counterpart. A third\nstring names characters to drop.";
        noargs "__sizeof__" "($self, /)" = sizeof, "The bytes of memory that the object takes.";
        noargs "__getnewargs__" "($self, /)" = getnewargs, "";
    }
}

/// `str`.
pub static SPEC: TypeSpec = TypeSpec {
    doc: Some(
        c"str(object='') -> str\nstr(bytes_or_buffer[, encoding[, errors]]) -> str\n\nThe text form of an object, as its __str__ gives it, or the text that bytes hold in\nan encoding (UTF-8 unless given).",
    ),
    slots: &[
        raw_dealloc(taipan_object::unicode::dealloc),
        tp_new(make::new),
        tp_vectorcall(make::vectorcall),
        tp_repr(repr::repr),
        tp_str(split::exact),
        tp_hash(hash),
        tp_richcompare(compare),
        tp_iter(iter::iter),
        nb_remainder(remainder),
        sq_length(length),
        sq_concat(concat_slot),
        sq_repeat(repeat),
        sq_item(item),
        sq_contains(search::contains_slot),
        mp_length(length),
        mp_subscript(subscript),
    ],
    methods: TABLE,
    ..TypeSpec::new(&PyUnicode_Type)
};
