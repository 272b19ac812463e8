//! The scanner behind `finditer`: goes from match to match.

use super::matches;
use super::pattern::{Pattern, View as PatternView};
use super::subject::{Subject, with_matcher};
use core::cell::Cell;
use taipan_object::err::value_error;
use taipan_object::native::*;
use taipan_object::statics::StaticType;
use taipan_object::{PyResult, Ref, TypeSpec, abi, methods};
use taipan_sre::Scanner;

/// Where a scan stands.
pub struct Scan {
    pattern: Ref<PatternView>,
    subject: Subject,
    pos: usize,
    endpos: usize,
    place: Cell<Scanner>,
    executing: Cell<bool>,
}

/// The type object.
pub static SCANNER: StaticType = StaticType::native(
    c"_sre.SRE_Scanner",
    Native::<Scan>::SIZE,
    GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
);

impl Payload for Scan {
    const TYPE: &'static StaticType = &SCANNER;
    fn traverse(&self, visitor: &mut Visitor) {
        visitor.visit(&self.pattern);
        visitor.visit(&self.subject.object);
    }
}

type View = Native<Scan>;

pub(super) fn make(pattern: &PatternView, subject: Subject, pos: usize, endpos: usize) -> PyResult {
    let scan = Scan {
        pattern: Ref::of(pattern),
        subject,
        pos,
        endpos,
        place: Cell::new(Scanner::new(pos)),
        executing: Cell::new(false),
    };
    native_new(&SCANNER, scan)?.into_py()
}

fn step(scan: &View, search: bool) -> PyResult {
    if scan.pos > scan.endpos {
        return ().into_py();
    }
    if scan.executing.replace(true) {
        return Err(value_error("regular expression scanner already executing"));
    }
    let mut place = scan.place.get();
    let pattern: &Pattern = &scan.pattern;
    let found = with_matcher!(pattern, scan.subject, scan.endpos, |matcher, poll| {
        let found = if search { place.search(&mut matcher) } else { place.matching(&mut matcher) };
        found.map_err(|error| poll.error(error))
    });
    scan.executing.set(false);
    let found = found?;
    scan.place.set(place);
    match found {
        Some(found) => matches::make(&scan.pattern, &scan.subject.object, scan.pos, scan.endpos, &found),
        None => ().into_py(),
    }
}

methods! {
    static METHODS = {
        noargs "match" "($self, /)" = |scan: &View| step(scan, false), "The next match, which begins where the last one ended.";
        noargs "search" "($self, /)" = |scan: &View| step(scan, true), "The next match.";
    }
}

pub(super) static SPEC: TypeSpec = TypeSpec {
    slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR],
    methods: METHODS,
    getset: &[
        getset_row(c"pattern", |scan: &View| scan.pattern.clone(), c"The pattern.").with_setter(read_only)
    ],
    ..TypeSpec::new(&SCANNER)
};
