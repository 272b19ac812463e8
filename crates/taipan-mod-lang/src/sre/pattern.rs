//! `re.Pattern`.

use super::matches;
use super::replace;
use super::scanner;
use super::subject::{Poll, Subject, with_matcher};
use taipan_object::dict::Dict;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::singletons::{is_none, not_implemented};
use taipan_object::statics::{Py_GenericAliasType, PyDictProxy_Type};
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, TypeSpec, abi, intern, methods, payload};
use taipan_sre::{Match as Found, Matcher, Program, Scanner};
use taipan_types_collections::Text;
use taipan_types_collections::iters::generic::callable_iterator;

/// A compiled pattern. It never changes.
pub struct Pattern {
    pub(super) program: Program,
    pattern: Ref,
    flags: i32,
    pub(super) group_index: Ref<Dict>,
    pub(super) index_group: Ref<Tuple>,
    /// What it was made of; `None` for a pattern that fits both.
    pub(super) is_bytes: Option<bool>,
}
payload!(
    Pattern,
    PATTERN,
    c"re.Pattern",
    GC | abi::Py_TPFLAGS_MANAGED_WEAKREF | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
    [pattern, group_index, index_group]
);

pub(super) type View = Native<Pattern>;

pub(super) fn make(
    pattern: &Object,
    flags: i32,
    program: Program,
    group_index: Ref<Dict>,
    index_group: Ref<Tuple>,
) -> PyResult {
    let is_bytes = if is_none(pattern) { None } else { Some(Subject::new(pattern)?.is_bytes()) };
    let payload = Pattern { program, pattern: pattern.new_ref(), flags, group_index, index_group, is_bytes };
    native_new(&PATTERN, payload)?.into_py()
}

/// The arguments `string, pos, endpos`.
fn text_and_bounds(pattern: &View, args: &Args<'_>) -> PyResult<(Subject, usize, usize)> {
    let (pos, endpos) = (args.isize_or(1, 0)?, args.isize_or(2, isize::MAX)?);
    let subject = Subject::for_pattern(args.required(0), pattern)?;
    let (pos, endpos) = subject.bounds(pos, endpos);
    Ok((subject, pos, endpos))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Match,
    Fullmatch,
    Search,
}

fn find_one(pattern: &View, args: &Args<'_>, how: How) -> PyResult {
    let (subject, pos, endpos) = text_and_bounds(pattern, args)?;
    if pos > endpos {
        return ().into_py();
    }
    let found = with_matcher!(pattern, subject, endpos, |matcher, poll| {
        let found = match how {
            How::Match => matcher.match_at(pos, false),
            How::Fullmatch => matcher.fullmatch(pos),
            How::Search => matcher.search(pos, false),
        };
        found.map_err(|error| poll.error(error))?
    });
    match found {
        Some(found) => matches::make(pattern, &subject.object, pos, endpos, &found),
        None => ().into_py(),
    }
}

/// The part of the subject that a group matched; `default` where it took no part.
fn group_or(subject: &Subject, found: &Found, group: usize, default: impl Fn() -> PyResult) -> PyResult {
    match found.groups.get(group).copied().flatten() {
        Some((from, to)) => subject.slice(from, to),
        None => default(),
    }
}

fn find_all(pattern: &View, args: &Args<'_>) -> PyResult {
    let (subject, pos, endpos) = text_and_bounds(pattern, args)?;
    let results = List::new()?;
    if pos <= endpos {
        with_matcher!(pattern, subject, endpos, |matcher, poll| {
            collect_all(&mut matcher, &poll, &subject, pos, &results)?;
        });
    }
    results.into_py()
}

fn collect_all<T: taipan_sre::Chars>(
    matcher: &mut Matcher<'_, T>,
    poll: &Poll,
    subject: &Subject,
    pos: usize,
    results: &List,
) -> PyResult<()> {
    let mut scanner = Scanner::new(pos);
    let empty = || subject.slice(0, 0);
    while let Some(found) = scanner.search(matcher).map_err(|error| poll.error(error))? {
        let item = match found.groups.len() {
            0 => subject.slice(found.start, found.end)?,
            1 => group_or(subject, &found, 0, empty)?,
            count => {
                let all: PyResult<Vec<Ref>> =
                    (0..count).map(|group| group_or(subject, &found, group, empty)).collect();
                Tuple::from_vec(all?)?.upcast()
            }
        };
        results.append(item)?;
    }
    Ok(())
}

fn split(pattern: &View, args: &Args<'_>) -> PyResult {
    let limit = args.isize_or(1, 0)?;
    let subject = Subject::for_pattern(args.required(0), pattern)?;
    let results = List::new()?;
    let endpos = subject.len();
    with_matcher!(pattern, subject, endpos, |matcher, poll| {
        split_all(&mut matcher, &poll, &subject, limit, &results)?;
    });
    results.into_py()
}

fn split_all<T: taipan_sre::Chars>(
    matcher: &mut Matcher<'_, T>,
    poll: &Poll,
    subject: &Subject,
    limit: isize,
    results: &List,
) -> PyResult<()> {
    let (mut scanner, mut last, mut done) = (Scanner::new(0), 0, 0);
    while limit == 0 || done < limit {
        let Some(found) = scanner.search(matcher).map_err(|error| poll.error(error))? else { break };
        results.append(subject.slice(last, found.start)?)?;
        for group in 0..found.groups.len() {
            results.append(group_or(subject, &found, group, || ().into_py())?)?;
        }
        last = found.end;
        done += 1;
    }
    results.append(subject.slice(last, subject.len())?)
}

fn make_scanner(pattern: &View, args: &Args<'_>) -> PyResult {
    let (subject, pos, endpos) = text_and_bounds(pattern, args)?;
    scanner::make(pattern, subject, pos, endpos)
}

fn find_iter(pattern: &View, args: &Args<'_>) -> PyResult {
    let search = make_scanner(pattern, args)?.getattr(intern!("search"))?;
    callable_iterator(&search, taipan_object::singletons::none())
}

/// Names of the flags, from the lowest bit on.
const FLAGS: [(i32, &str); 8] = [
    (1, "re.TEMPLATE"),
    (2, "re.IGNORECASE"),
    (4, "re.LOCALE"),
    (8, "re.MULTILINE"),
    (16, "re.DOTALL"),
    (32, "re.UNICODE"),
    (64, "re.VERBOSE"),
    (128, "re.DEBUG"),
];
const FLAG_ASCII: (i32, &str) = (256, "re.ASCII");
/// `LOCALE | UNICODE | ASCII`: what says which characters are letters.
const KINDS: i32 = 4 | 32 | 256;
const UNICODE: i32 = 32;

fn repr(pattern: &View) -> PyResult {
    let mut text = Text::new();
    text.ascii("re.compile(");
    let source = pattern.pattern.repr()?;
    text.push(&*source.substring(0, source.len().min(200))?);
    let mut flags = pattern.flags;
    if pattern.is_bytes == Some(false) && flags & KINDS == UNICODE {
        flags &= !UNICODE;
    }
    let mut names: Vec<String> = Vec::new();
    for (bit, name) in FLAGS.into_iter().skip(1).chain([FLAG_ASCII]) {
        if flags & bit != 0 {
            names.push(name.to_owned());
            flags &= !bit;
        }
    }
    if flags != 0 {
        names.push(format!("{flags:#x}"));
    }
    if !names.is_empty() {
        text.ascii(", ");
        text.ascii(&names.join("|"));
    }
    text.ascii(")");
    text.finish()?.into_py()
}

fn compare(pattern: &View, other: &Object, op: CompareOp) -> PyResult {
    let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast::<View>(), op) else {
        return Ok(not_implemented().new_ref());
    };
    let same = pattern.object().is(other.object())
        || (pattern.flags == other.flags
            && pattern.is_bytes == other.is_bytes
            && pattern.program.code() == other.program.code()
            && pattern.pattern.equals(&other.pattern)?);
    (same == (op == CompareOp::Eq)).into_py()
}

fn hash(pattern: &View) -> PyResult<isize> {
    let code: Vec<u8> = pattern.program.code().iter().flat_map(|word| word.to_ne_bytes()).collect();
    let hash = pattern.pattern.hash()?
        ^ taipan_object::unicode::hash_bytes(&code)
        ^ (pattern.flags as isize)
        ^ (pattern.is_bytes.map_or(-1, isize::from));
    Ok(if hash == -1 { -2 } else { hash })
}

methods! {
    static METHODS = {
        args "match" "($self, /, string, pos=0, endpos=sys.maxsize)" = |p: &View, a: &Args<'_>| find_one(p, a, How::Match), "The match at the beginning of the string, or None.";
        args "fullmatch" "($self, /, string, pos=0, endpos=sys.maxsize)" = |p: &View, a: &Args<'_>| find_one(p, a, How::Fullmatch), "The match of the whole string, or None.";
        args "search" "($self, /, string, pos=0, endpos=sys.maxsize)" = |p: &View, a: &Args<'_>| find_one(p, a, How::Search), "The first match in the string, or None.";
        args "sub" "($self, /, repl, string, count=0)" = replace::sub, "The string with its matches replaced.\n\nThe replacement is a text, in which backslashes name groups, or a function of the match.";
        args "subn" "($self, /, repl, string, count=0)" = replace::subn, "The string with its matches replaced, and how many there were.";
        args "findall" "($self, /, string, pos=0, endpos=sys.maxsize)" = find_all, "All matches that do not overlap, as texts.\n\nWith groups in the pattern, the texts of the groups are given instead.";
        args "split" "($self, /, string, maxsplit=0)" = split, "The parts of the string between the matches, with the texts of the groups.";
        args "finditer" "($self, /, string, pos=0, endpos=sys.maxsize)" = find_iter, "An iterator over all matches that do not overlap.";
        args "scanner" "($self, /, string, pos=0, endpos=sys.maxsize)" = make_scanner, "An object that goes from match to match.";
        noargs "__copy__" "($self, /)" = |p: &View| p.object().new_ref(), "The pattern itself.";
        one "__deepcopy__" "($self, memo, /)" = |p: &View, _: &Object| p.object().new_ref(), "The pattern itself.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
    }
}

pub(super) fn class_getitem(class: &Object, item: &Object) -> PyResult {
    Py_GenericAliasType.call(&[class, item])
}

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"A compiled regular expression."),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_repr(repr),
        tp_hash(hash),
        tp_richcompare(compare),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"pattern", |p: &View| p.pattern.clone(), c"What the pattern was compiled from.")
            .with_setter(read_only),
        getset_row(c"flags", |p: &View| p.flags, c"The flags, those in the pattern included.")
            .with_setter(read_only),
        getset_row(c"groups", |p: &View| p.program.groups(), c"How many groups the pattern has.")
            .with_setter(read_only),
        getset_row(
            c"groupindex",
            |p: &View| PyDictProxy_Type.call(&[&p.group_index]),
            c"The numbers of the named groups.",
        ),
    ],
    ..TypeSpec::new(&PATTERN)
};
