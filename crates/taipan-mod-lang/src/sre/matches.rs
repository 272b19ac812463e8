//! `re.Match`.

use super::pattern::{View as PatternView, class_getitem};
use super::replace;
use super::subject::Subject;
use taipan_object::dict::Dict;
use taipan_object::err::{PyErr, index_error};
use taipan_object::int::Int;
use taipan_object::native::*;
use taipan_object::protocol::has_index;
use taipan_object::singletons::none;
use taipan_object::tuple::Tuple;
use taipan_object::{Object, PyResult, Ref, TypeSpec, abi, methods, payload};
use taipan_sre::Match as Found;
use taipan_types_collections::Text;

/// A match. It never changes.
pub struct Match {
    string: Ref,
    pub(super) pattern: Ref<PatternView>,
    pos: usize,
    endpos: usize,
    /// Group 0 is the whole match.
    spans: Vec<Option<(usize, usize)>>,
    lastindex: Option<usize>,
}
payload!(Match, MATCH, c"re.Match", GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION, [string, pattern]);

pub(super) type View = Native<Match>;

pub(super) fn make(
    pattern: &PatternView,
    string: &Object,
    pos: usize,
    endpos: usize,
    found: &Found,
) -> PyResult {
    let mut spans = Vec::with_capacity(found.groups.len() + 1);
    spans.push(Some((found.start, found.end)));
    spans.extend_from_slice(&found.groups);
    let payload = Match {
        string: string.new_ref(),
        pattern: Ref::of(pattern),
        pos,
        endpos,
        spans,
        lastindex: found.lastindex,
    };
    native_new(&MATCH, payload)?.into_py()
}

impl Match {
    /// The text of a group, or `default`.
    fn text(&self, group: usize, default: &Object) -> PyResult {
        match self.spans[group] {
            Some((from, to)) => Subject::new(&self.string)?.slice(from, to),
            None => Ok(default.new_ref()),
        }
    }

    /// The text of a group, `None` where it took no part.
    pub(super) fn group_text(&self, group: usize) -> PyResult<Option<Ref>> {
        match self.spans.get(group).copied().flatten() {
            Some((from, to)) => Subject::new(&self.string)?.slice(from, to).map(Some),
            None => Ok(None),
        }
    }

    /// The group that an argument means, by number or name.
    fn index(&self, key: &Object) -> PyResult<usize> {
        let number = if has_index(key) {
            Some(key.to_index_clamped(None)?)
        } else {
            let number = self.pattern.group_index.get(key)?;
            number.and_then(|number| number.downcast::<Int>()?.to_i64()).map(|n| n as isize)
        };
        number
            .and_then(|number| usize::try_from(number).ok())
            .filter(|&number| number < self.spans.len())
            .ok_or_else(no_such_group)
    }

    fn index_arg(&self, args: &Args<'_>) -> PyResult<usize> {
        args.get(0).map_or(Ok(0), |key| self.index(key))
    }

    fn span_of(&self, group: usize) -> (isize, isize) {
        self.spans[group].map_or((-1, -1), |(from, to)| (from.cast_signed(), to.cast_signed()))
    }
}

fn no_such_group() -> PyErr {
    index_error("no such group")
}

fn pair((from, to): (isize, isize)) -> PyResult {
    Tuple::from_array([Int::from_isize(from).upcast(), Int::from_isize(to).upcast()])?.into_py()
}

fn group(found: &View, args: &[&Object]) -> PyResult {
    match args {
        [] => found.text(0, none()),
        [only] => found.text(found.index(only)?, none()),
        many => {
            let all: PyResult<Vec<Ref>> =
                many.iter().map(|key| found.text(found.index(key)?, none())).collect();
            Tuple::from_vec(all?)?.into_py()
        }
    }
}

fn groups(found: &View, args: &Args<'_>) -> PyResult {
    let default = args.get(0).unwrap_or(none());
    let all: PyResult<Vec<Ref>> = (1..found.spans.len()).map(|group| found.text(group, default)).collect();
    Tuple::from_vec(all?)?.into_py()
}

fn group_dict(found: &View, args: &Args<'_>) -> PyResult {
    let default = args.get(0).unwrap_or(none());
    let result = Dict::new()?;
    for (name, number) in found.pattern.group_index.items_vec() {
        result.set(&name, &*found.text(found.index(&number)?, default)?)?;
    }
    result.into_py()
}

fn last_group(found: &View) -> PyResult {
    let name = found.lastindex.and_then(|index| found.pattern.index_group.get(index));
    Ok(name.unwrap_or(none()).new_ref())
}

fn regs(found: &View) -> PyResult {
    let all: PyResult<Vec<Ref>> = (0..found.spans.len()).map(|group| pair(found.span_of(group))).collect();
    Tuple::from_vec(all?)?.into_py()
}

fn repr(found: &View) -> PyResult {
    let mut text = Text::new();
    let (from, to) = found.span_of(0);
    text.text(found.object().ty().full_name())?;
    text.ascii(&format!(" object; span=({from}, {to}), match="));
    // A long match is cut off, in the middle of its quoted form.
    let shown = found.text(0, none())?.repr()?;
    text.push(&*shown.substring(0, shown.len().min(50))?);
    text.ascii(">");
    let mut whole = Text::new();
    whole.ascii("<");
    whole.push(&*text.finish()?);
    whole.finish()?.into_py()
}

methods! {
    static METHODS = {
        many "group" "" = group, "group([group1, ...]) -> the texts of groups, by number or name.\n\nWithout arguments, or for 0, the whole match.";
        args "start" "($self, group=0, /)" = |m: &View, a: &Args<'_>| m.index_arg(a).map(|group| m.span_of(group).0), "Where the text of a group begins.";
        args "end" "($self, group=0, /)" = |m: &View, a: &Args<'_>| m.index_arg(a).map(|group| m.span_of(group).1), "Where the text of a group ends.";
        args "span" "($self, group=0, /)" = |m: &View, a: &Args<'_>| pair(m.span_of(m.index_arg(a)?)), "Where the text of a group begins and ends.";
        args "groups" "($self, /, default=None)" = groups, "The texts of all groups, the default for those that took no part.";
        args "groupdict" "($self, /, default=None)" = group_dict, "The texts of the named groups, the default for those that took no part.";
        args "expand" "($self, /, template)" = replace::expand, "A replacement text for this match, as sub() would make it.";
        noargs "__copy__" "($self, /)" = |m: &View| m.object().new_ref(), "The match itself.";
        one "__deepcopy__" "($self, memo, /)" = |m: &View, _: &Object| m.object().new_ref(), "The match itself.";
        class one "__class_getitem__" "($type, object, /)" = class_getitem, "A generic alias, see PEP 585.";
    }
}

pub(super) static SPEC: TypeSpec = TypeSpec {
    doc: Some(c"What a regular expression has found.\nA Match object counts as true."),
    slots: &[
        View::DEALLOC,
        View::TRAVERSE,
        View::CLEAR,
        tp_repr(repr),
        mp_subscript(|found: &View, key: &Object| found.text(found.index(key)?, none())),
    ],
    methods: METHODS,
    getset: &[
        getset_row(c"string", |m: &View| m.string.clone(), c"What was searched.").with_setter(read_only),
        getset_row(c"re", |m: &View| m.pattern.clone(), c"The pattern.").with_setter(read_only),
        getset_row(c"pos", |m: &View| m.pos, c"Where the search began.").with_setter(read_only),
        getset_row(c"endpos", |m: &View| m.endpos, c"Where the search had to end.").with_setter(read_only),
        getset_row(c"lastindex", |m: &View| m.lastindex, c"The number of the group that matched last."),
        getset_row(c"lastgroup", last_group, c"The name of the group that matched last."),
        getset_row(c"regs", regs, c"The spans of all groups."),
    ],
    ..TypeSpec::new(&MATCH)
};
