//! `sub`, `subn` and `expand`: replacement texts.

use super::matches::{self, View as MatchView};
use super::pattern::View as PatternView;
use super::subject::{Poll, Subject, with_matcher};
use taipan_object::err::type_error;
use taipan_object::int::Int;
use taipan_object::list::List;
use taipan_object::native::*;
use taipan_object::singletons::is_none;
use taipan_object::statics::{PyByteArray_Type, PyBytes_Type, PyExc_TypeError, PyUnicode_Type};
use taipan_object::tuple::Tuple;
use taipan_object::unicode::{Chars, Str};
use taipan_object::{Object, PyResult, Ref, TypeSpec, abi, intern, payload, state};
use taipan_sre::{Match as Found, Matcher, Scanner};

/// A replacement text: a literal, then groups each with a literal behind it.
pub struct Template {
    literal: Ref,
    groups: Vec<usize>,
    literals: Vec<Ref>,
}

payload!(
    Template,
    TEMPLATE,
    c"_sre.SRE_Template",
    GC | abi::Py_TPFLAGS_DISALLOW_INSTANTIATION,
    [literal, literals]
);

type View = Native<Template>;

pub(super) fn make_template(parts: &[Ref]) -> PyResult {
    let bad = || type_error("invalid template");
    let Some((literal, rest)) = parts.split_first() else { return Err(bad()) };
    if !rest.len().is_multiple_of(2) {
        return Err(bad());
    }
    let (mut groups, mut literals) = (Vec::new(), Vec::new());
    for pair in rest.chunks_exact(2) {
        let Some(group) = pair[0].downcast::<Int>() else { return Err(type_error("an integer is required")) };
        groups.push(usize::try_from(group.to_isize()?).map_err(|_| bad())?);
        literals.push(pair[1].clone());
    }
    native_new(&TEMPLATE, Template { literal: literal.clone(), groups, literals })?.into_py()
}

/// What replaces a match.
enum Filter {
    Function(Ref),
    Literal(Ref),
    Template(Ref<View>),
}

fn has_backslash(subject: &Subject) -> bool {
    match subject.chars() {
        Chars::One(text) => text.contains(&b'\\'),
        Chars::Two(text) => text.contains(&u16::from(b'\\')),
        Chars::Four(text) => text.contains(&u32::from(b'\\')),
    }
}

/// Lets `re` read a replacement text; texts that cannot be hashed are tried again as bytes.
fn compile_template(pattern: &PatternView, text: &Object) -> PyResult<Filter> {
    let re = (state::interp().hooks.get().import_module)("re")?;
    let compile = re.getattr(intern!("_compile_template"))?;
    let compiled = match compile.call(&[pattern.object(), text]) {
        Err(error)
            if error.is(&PyExc_TypeError)
                && !text.is_exact(&PyUnicode_Type)
                && !text.is_exact(&PyBytes_Type) =>
        {
            // Not hashable, so not cacheable: a copy of a plain type may do.
            let copy = if text.downcast::<Str>().is_some() {
                PyUnicode_Type.call(&[text])?
            } else if text.is_exact(&PyByteArray_Type) || taipan_object::buffer::has_buffer(text) {
                PyBytes_Type.call(&[text])?
            } else {
                return Err(error);
            };
            compile.call(&[pattern.object(), &copy])?
        }
        other => other?,
    };
    match compiled.downcast_owned::<View>() {
        Ok(template) if template.groups.is_empty() => Ok(Filter::Literal(template.literal.clone())),
        Ok(template) => Ok(Filter::Template(template)),
        Err(other) => Ok(Filter::Literal(other)),
    }
}

fn filter_of(pattern: &PatternView, replacement: &Object) -> PyResult<Filter> {
    if replacement.is_callable() {
        return Ok(Filter::Function(replacement.new_ref()));
    }
    if let Ok(text) = Subject::new(replacement)
        && !has_backslash(&text)
    {
        return Ok(Filter::Literal(replacement.new_ref()));
    }
    compile_template(pattern, replacement)
}

/// Joins parts with nothing between them, to a str or bytes like `empty`.
fn join(empty: &Object, parts: Vec<Ref>) -> PyResult {
    if parts.is_empty() {
        return Ok(empty.new_ref());
    }
    empty.call_method(intern!("join"), &[&*List::from_vec(parts)?])
}

fn is_empty_literal(literal: &Object) -> bool {
    is_none(literal) || literal.len().is_ok_and(|len| len == 0)
}

/// The parts of a template for a match, whose groups `text_of` gives.
fn fill_template(
    template: &Template,
    parts: &mut Vec<Ref>,
    text_of: impl Fn(usize) -> PyResult<Option<Ref>>,
) -> PyResult<()> {
    if !is_empty_literal(&template.literal) {
        parts.push(template.literal.clone());
    }
    for (&group, literal) in template.groups.iter().zip(&template.literals) {
        parts.extend(text_of(group)?);
        if !is_empty_literal(literal) {
            parts.push(literal.clone());
        }
    }
    Ok(())
}

pub(super) fn expand(found: &MatchView, args: &Args<'_>) -> PyResult {
    match compile_template(&found.pattern, args.required(0))? {
        Filter::Function(result) | Filter::Literal(result) => Ok(result),
        Filter::Template(template) => {
            let mut parts = Vec::new();
            fill_template(&template, &mut parts, |group| found.group_text(group))?;
            join(&*template.literal_like()?, parts)
        }
    }
}

impl Template {
    /// An empty text of the template's kind.
    fn literal_like(&self) -> PyResult {
        Subject::new(&self.literal)?.slice(0, 0)
    }
}

/// One replacing: what goes in and what has come out so far.
struct Job<'a> {
    pattern: &'a PatternView,
    subject: &'a Subject,
    filter: Filter,
    limit: isize,
    parts: Vec<Ref>,
    done: isize,
}

impl Job<'_> {
    fn run<T: taipan_sre::Chars>(&mut self, matcher: &mut Matcher<'_, T>, poll: &Poll) -> PyResult<()> {
        let (mut scanner, mut last) = (Scanner::new(0), 0);
        let end = self.subject.len();
        while self.limit == 0 || self.done < self.limit {
            let Some(found) = scanner.search(matcher).map_err(|error| poll.error(error))? else { break };
            if last < found.start {
                self.parts.push(self.subject.slice(last, found.start)?);
            }
            self.replace(&found, end)?;
            last = found.end;
            self.done += 1;
        }
        if last < end {
            self.parts.push(self.subject.slice(last, end)?);
        }
        Ok(())
    }

    fn replace(&mut self, found: &Found, end: usize) -> PyResult<()> {
        match &self.filter {
            Filter::Literal(literal) => {
                if !is_none(literal) {
                    self.parts.push(literal.clone());
                }
            }
            Filter::Function(function) => {
                let found = matches::make(self.pattern, &self.subject.object, 0, end, found)?;
                let text = function.call(&[&found])?;
                if !is_none(&text) {
                    self.parts.push(text);
                }
            }
            Filter::Template(template) => {
                let subject = self.subject;
                let text_of = |group: usize| {
                    let span = if group == 0 {
                        Some((found.start, found.end))
                    } else {
                        found.groups.get(group - 1).copied().flatten()
                    };
                    span.map(|(from, to)| subject.slice(from, to)).transpose()
                };
                fill_template(template, &mut self.parts, text_of)?;
            }
        }
        Ok(())
    }
}

fn replace_all(pattern: &PatternView, args: &Args<'_>) -> PyResult<(Ref, isize)> {
    let limit = args.isize_or(2, 0)?;
    let filter = filter_of(pattern, args.required(0))?;
    let subject = Subject::for_pattern(args.required(1), pattern)?;
    let mut job = Job { pattern, subject: &subject, filter, limit, parts: Vec::new(), done: 0 };
    let endpos = subject.len();
    with_matcher!(pattern, subject, endpos, |matcher, poll| job.run(&mut matcher, &poll)?);
    let (parts, done) = (job.parts, job.done);
    Ok((join(&*subject.slice(0, 0)?, parts)?, done))
}

pub(super) fn sub(pattern: &PatternView, args: &Args<'_>) -> PyResult {
    Ok(replace_all(pattern, args)?.0)
}

pub(super) fn subn(pattern: &PatternView, args: &Args<'_>) -> PyResult {
    let (text, count) = replace_all(pattern, args)?;
    Tuple::from_array([text, Int::from_isize(count).upcast()])?.into_py()
}

pub(super) static SPEC: TypeSpec =
    TypeSpec { slots: &[View::DEALLOC, View::TRAVERSE, View::CLEAR], ..TypeSpec::new(&TEMPLATE) };
