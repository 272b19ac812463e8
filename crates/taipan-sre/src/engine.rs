//! The backtracking machine.
//!
//! The state of a match is a place in the code, a place in the text, the record of the innermost open
//! repeat, and the group marks. Where two ways are open the machine pushes a choice: enough to come back
//! and take the other way. Marks are undone by a trail, repeats are records that are never changed but
//! replaced, so going back is cutting two vectors to an earlier length.
//!
//! Look-around, atomic groups and possessive repeats run their bodies above a *barrier* on the choice
//! stack. SUCCESS within a body looks at the topmost barrier: the body's remaining choices are dropped
//! and its owner goes on. A barrier reached by backtracking means that the body failed.
//!
//! Invariant: `barrier` is always the index of the topmost barrier on the stack.

use crate::Program;
use crate::charset::{LocaleTable, ascii_word, unicode_word};
use crate::constants::{MAXREPEAT, at, op};
use crate::matcher::Chars;

/// Why a match was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SreError {
    /// Backtracking needs more memory than there is: `MemoryError`.
    NoMemory,
    /// The poll function asked to stop (a signal handler raised).
    Interrupted,
}

const NONE: u32 = u32::MAX;
const UNSET: usize = usize::MAX;
/// Choices and trail entries past this count are a `MemoryError`.
const MAX_ENTRIES: usize = 1 << 27;
/// Steps between two polls.
const POLL_EVERY: u32 = 1 << 14;

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Go on at `pc`.
    Jump,
    /// Go on at `pc`, behind a greedy repeat whose body failed once more.
    Tail,
    /// Greedy one-character repeat: give back one, down to `extra`.
    RepeatOne,
    /// Lazy one-character repeat: take one more; `extra` taken so far.
    MinRepeatOne,
    /// Lazy repeat whose tail failed: try the body once more.
    MinUntil,
    /// Barriers; `extra` holds the barrier below.
    Assert,
    AssertNot,
    Atomic,
    Possessive,
}

#[derive(Clone, Copy, Debug)]
struct Choice {
    kind: Kind,
    pc: u32,
    repeat: u32,
    /// Iterations done, for possessive repeats.
    count: u32,
    repeats_len: u32,
    trail_len: u32,
    ptr: usize,
    extra: usize,
}

/// An open repeat. `until` is the place of its UNTIL.
#[derive(Clone, Copy, Debug)]
struct Repeat {
    at: u32,
    count: u32,
    prev: u32,
    last_ptr: usize,
}

#[derive(Clone, Copy, Debug)]
struct Undo {
    mark: u32,
    lastmark: i32,
    lastindex: u32,
    old: usize,
}

pub(crate) struct Machine<'a, T> {
    pub program: &'a Program,
    text: T,
    end: usize,
    locale: &'a LocaleTable,
    poll: &'a mut dyn FnMut() -> bool,
    steps: u32,
    pub start: usize,
    pub ptr: usize,
    must_advance: Option<usize>,
    match_all: bool,
    marks: Vec<usize>,
    lastmark: i32,
    lastindex: u32,
    choices: Vec<Choice>,
    trail: Vec<Undo>,
    repeats: Vec<Repeat>,
    repeat: u32,
    barrier: usize,
}

impl<'a, T: Chars> Machine<'a, T> {
    pub fn new(
        program: &'a Program,
        text: T,
        end: usize,
        locale: &'a LocaleTable,
        poll: &'a mut dyn FnMut() -> bool,
    ) -> Self {
        Machine {
            program,
            text,
            end,
            locale,
            poll,
            steps: 0,
            start: 0,
            ptr: 0,
            must_advance: None,
            match_all: false,
            marks: vec![UNSET; program.groups * 2],
            lastmark: -1,
            lastindex: NONE,
            choices: Vec::new(),
            trail: Vec::new(),
            repeats: Vec::new(),
            repeat: NONE,
            barrier: UNSET,
        }
    }

    /// Span of a group (from 0) if it took part in the match.
    pub fn group(&self, g: usize) -> Option<(usize, usize)> {
        if (2 * g as i64 + 1) > self.lastmark as i64 {
            return None;
        }
        let (a, b) = (self.marks[2 * g], self.marks[2 * g + 1]);
        (a != UNSET && b != UNSET).then_some((a, b))
    }

    pub fn lastindex(&self) -> Option<usize> {
        (self.lastindex != NONE).then_some(self.lastindex as usize)
    }

    fn reset(&mut self, start: usize) {
        self.start = start;
        self.ptr = start;
        self.lastmark = -1;
        self.lastindex = NONE;
        self.choices.clear();
        self.trail.clear();
        self.repeats.clear();
        self.repeat = NONE;
        self.barrier = UNSET;
    }

    pub fn match_at(&mut self, pos: usize, must_advance: bool, all: bool) -> Result<bool, SreError> {
        if pos > self.end {
            return Ok(false);
        }
        self.must_advance = must_advance.then_some(pos);
        self.match_all = all;
        self.reset(pos);
        self.run(0)
    }

    pub fn search(&mut self, pos: usize, must_advance: bool) -> Result<bool, SreError> {
        if pos > self.end {
            return Ok(false);
        }
        self.must_advance = must_advance.then_some(pos);
        self.match_all = false;
        let info = &self.program.info;
        let mut last = self.end;
        if info.min_width > 1 {
            if self.end - pos < info.min_width {
                return Ok(false);
            }
            last = self.end - (info.min_width - 1);
        }
        if !info.prefix.is_empty() {
            return self.search_prefix(pos);
        }
        if let Some(set) = info.set {
            return self.search_set(pos, last, set as usize);
        }
        let code = &self.program.code;
        let anchored = code.get(info.start) == Some(&op::AT)
            && matches!(code[info.start + 1], at::BEGINNING | at::BEGINNING_STRING);
        for i in pos..=last {
            self.reset(i);
            if self.run(info.start)? {
                return Ok(true);
            }
            self.must_advance = None;
            if anchored {
                break;
            }
        }
        Ok(false)
    }

    /// Candidates are where the whole literal prefix stands.
    fn search_prefix(&mut self, pos: usize) -> Result<bool, SreError> {
        let info = &self.program.info;
        self.must_advance = None;
        let mut i = pos;
        while i <= self.end {
            let found = match *info.prefix {
                [one] => self.text.find(one, i, self.end),
                _ => self.text.find_word(&info.prefix, i, self.end),
            };
            let Some(p) = found else { return Ok(false) };
            self.reset(p);
            self.ptr = p + info.prefix_skip;
            if info.literal {
                self.ptr = p + info.prefix.len();
                return Ok(true);
            }
            if self.run(info.start + 2 * info.prefix_skip)? {
                return Ok(true);
            }
            i = p + 1;
        }
        Ok(false)
    }

    fn search_set(&mut self, pos: usize, last: usize, set: usize) -> Result<bool, SreError> {
        self.must_advance = None;
        let set = &self.program.sets[set];
        let start = self.program.info.start;
        let last = last.min(self.end.saturating_sub(1)) + usize::from(self.end > 0);
        for i in pos..last {
            if set.has(&self.program.code, self.text.at(i), self.locale) {
                self.reset(i);
                if self.run(start)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    #[inline]
    fn push(&mut self, kind: Kind, pc: usize, ptr: usize, extra: usize) -> Result<(), SreError> {
        self.push_counted(kind, pc, ptr, extra, 0)
    }

    #[inline]
    fn push_counted(
        &mut self,
        kind: Kind,
        pc: usize,
        ptr: usize,
        extra: usize,
        count: u32,
    ) -> Result<(), SreError> {
        if self.choices.len() == self.choices.capacity() {
            grow(&mut self.choices)?;
        }
        self.choices.push(Choice {
            kind,
            pc: pc as u32,
            repeat: self.repeat,
            count,
            repeats_len: self.repeats.len() as u32,
            trail_len: self.trail.len() as u32,
            ptr,
            extra,
        });
        Ok(())
    }

    fn push_barrier(&mut self, kind: Kind, pc: usize, ptr: usize, count: u32) -> Result<(), SreError> {
        let below = self.barrier;
        self.push_counted(kind, pc, ptr, below, count)?;
        self.barrier = self.choices.len() - 1;
        Ok(())
    }

    fn push_repeat(&mut self, r: Repeat) -> Result<(), SreError> {
        if self.repeats.len() == self.repeats.capacity() {
            grow(&mut self.repeats)?;
        }
        self.repeats.push(r);
        self.repeat = self.repeats.len() as u32 - 1;
        Ok(())
    }

    #[inline]
    fn set_mark(&mut self, i: usize, ptr: usize) -> Result<(), SreError> {
        if !self.choices.is_empty() {
            if self.trail.len() == self.trail.capacity() {
                grow(&mut self.trail)?;
            }
            self.trail.push(Undo {
                mark: i as u32,
                lastmark: self.lastmark,
                lastindex: self.lastindex,
                old: self.marks[i],
            });
        }
        if i & 1 == 1 {
            self.lastindex = i as u32 / 2 + 1;
        }
        if i as i32 > self.lastmark {
            // Marks above the last valid one are stale.
            for m in &mut self.marks[(self.lastmark + 1) as usize..i] {
                *m = UNSET;
            }
            self.lastmark = i as i32;
        }
        self.marks[i] = ptr;
        Ok(())
    }

    /// Takes marks and repeats back to what they were when `c` was pushed.
    ///
    /// As in CPython, outside of any repeat only the number of the last valid mark goes back: a group that
    /// closes after others can then keep the end of a way given up, which conditions on it can see.
    #[inline]
    fn restore(&mut self, c: &Choice) {
        while self.trail.len() > c.trail_len as usize {
            if let Some(u) = self.trail.pop() {
                if c.repeat != NONE || matches!(c.kind, Kind::Tail | Kind::Possessive) {
                    self.marks[u.mark as usize] = u.old;
                }
                self.lastmark = u.lastmark;
                self.lastindex = u.lastindex;
            }
        }
        self.repeats.truncate(c.repeats_len as usize);
        self.repeat = c.repeat;
    }

    fn tick(&mut self) -> Result<(), SreError> {
        self.steps += 1;
        if self.steps >= POLL_EVERY {
            self.steps = 0;
            if (self.poll)() {
                return Err(SreError::Interrupted);
            }
        }
        Ok(())
    }

    /// Whether the single-character operator at `pc` takes `ch`.
    #[inline(always)]
    fn takes(&self, pc: usize, ch: u32) -> bool {
        let p = self.program;
        match p.code[pc] {
            op::ANY => ch != 10,
            op::ANY_ALL => true,
            op::LITERAL => ch == p.code[pc + 1],
            op::NOT_LITERAL => ch != p.code[pc + 1],
            op::IN | op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE => {
                p.sets[p.set_at[pc] as usize].has(&p.code, ch, self.locale)
            }
            other => self.takes_folded(other, p.code[pc + 1], ch),
        }
    }

    fn takes_folded(&self, operator: u32, want: u32, ch: u32) -> bool {
        match operator {
            op::LITERAL_IGNORE => crate::ascii_tolower(ch) == want,
            op::NOT_LITERAL_IGNORE => crate::ascii_tolower(ch) != want,
            op::LITERAL_UNI_IGNORE => crate::unicode_tolower(ch) == want,
            op::NOT_LITERAL_UNI_IGNORE => crate::unicode_tolower(ch) != want,
            op::LITERAL_LOC_IGNORE => self.same_in_locale(want, ch),
            _ => !self.same_in_locale(want, ch),
        }
    }

    fn same_in_locale(&self, want: u32, ch: u32) -> bool {
        ch == want || self.locale.lower(ch) == want || self.locale.upper(ch) == want
    }

    /// How many characters from `ptr`, at most `max`, the operator at `pc` takes.
    fn count(&self, pc: usize, ptr: usize, max: u32) -> usize {
        let p = self.program;
        let room = self.end - ptr;
        let to = ptr + if max == MAXREPEAT { room } else { room.min(max as usize) };
        let t = self.text;
        let mut i = ptr;
        match p.code[pc] {
            op::ANY => i = t.find(10, ptr, to).unwrap_or(to),
            op::ANY_ALL => i = to,
            op::LITERAL => {
                let c = p.code[pc + 1];
                while i < to && t.at(i) == c {
                    i += 1;
                }
            }
            op::NOT_LITERAL => i = t.find(p.code[pc + 1], ptr, to).unwrap_or(to),
            op::IN | op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE => {
                let set = &p.sets[p.set_at[pc] as usize];
                while i < to && set.has(&p.code, t.at(i), self.locale) {
                    i += 1;
                }
            }
            _ => {
                while i < to && self.takes(pc, t.at(i)) {
                    i += 1;
                }
            }
        }
        i - ptr
    }

    fn at_position(&self, code: u32, ptr: usize) -> bool {
        let t = self.text;
        let boundary = |word: &dyn Fn(u32) -> bool| {
            let before = ptr > 0 && word(t.at(ptr - 1));
            let here = ptr < self.end && word(t.at(ptr));
            before != here
        };
        match code {
            at::BEGINNING | at::BEGINNING_STRING => ptr == 0,
            at::BEGINNING_LINE => ptr == 0 || t.at(ptr - 1) == 10,
            at::END => ptr == self.end || (ptr + 1 == self.end && t.at(ptr) == 10),
            at::END_LINE => ptr == self.end || t.at(ptr) == 10,
            at::END_STRING => ptr == self.end,
            at::BOUNDARY => boundary(&ascii_word),
            at::NON_BOUNDARY => !boundary(&ascii_word),
            at::LOC_BOUNDARY => boundary(&|c| self.locale.is_word(c)),
            at::LOC_NON_BOUNDARY => !boundary(&|c| self.locale.is_word(c)),
            at::UNI_BOUNDARY => boundary(&unicode_word),
            _ => !boundary(&unicode_word),
        }
    }

    /// The end of the text after the same characters as group `g`; `None` when they differ.
    fn backref(&self, operator: u32, g: usize, ptr: usize) -> Option<usize> {
        let (a, b) = self.group(g)?;
        if b < a || self.end - ptr < b - a {
            return None;
        }
        let t = self.text;
        let same = |x: u32, y: u32| match operator {
            op::GROUPREF => x == y,
            op::GROUPREF_IGNORE => crate::ascii_tolower(x) == crate::ascii_tolower(y),
            op::GROUPREF_UNI_IGNORE => crate::unicode_tolower(x) == crate::unicode_tolower(y),
            _ => self.locale.lower(x) == self.locale.lower(y),
        };
        (a..b).enumerate().all(|(k, i)| same(t.at(ptr + k), t.at(i))).then_some(ptr + (b - a))
    }

    /// Runs from `pc` at `self.ptr`. On success `self.ptr` is the end of the match.
    fn run(&mut self, mut pc: usize) -> Result<bool, SreError> {
        let program = self.program;
        let code = &program.code[..];
        let mut ptr = self.ptr;
        loop {
            self.tick()?;
            // Each arm either goes on with `continue` or falls out to backtracking.
            match code[pc] {
                op::LITERAL => {
                    if ptr < self.end && self.text.at(ptr) == code[pc + 1] {
                        ptr += 1;
                        pc += 2;
                        continue;
                    }
                }
                op::IN => {
                    let set = &program.sets[program.set_at[pc] as usize];
                    if ptr < self.end && set.has(code, self.text.at(ptr), self.locale) {
                        ptr += 1;
                        pc += 1 + code[pc + 1] as usize;
                        continue;
                    }
                }
                op::MARK => {
                    self.set_mark(code[pc + 1] as usize, ptr)?;
                    pc += 2;
                    continue;
                }
                op::SUCCESS => {
                    if self.barrier == UNSET {
                        if !(self.match_all && ptr != self.end) && self.must_advance != Some(ptr) {
                            self.ptr = ptr;
                            return Ok(true);
                        }
                    } else if self.leave_body(&mut pc, &mut ptr)? {
                        continue;
                    }
                }
                op::JUMP => {
                    pc += 1 + code[pc + 1] as usize;
                    continue;
                }
                op::AT => {
                    if self.at_position(code[pc + 1], ptr) {
                        pc += 2;
                        continue;
                    }
                }
                op::BRANCH => {
                    if self.branch(&mut pc, ptr)? {
                        continue;
                    }
                }
                op::REPEAT_ONE => {
                    let min = code[pc + 2] as usize;
                    let n = self.count(pc + 4, ptr, code[pc + 3]);
                    if n >= min
                        && let Some(p) = self.give_back(pc, ptr + n, ptr + min)
                    {
                        if p > ptr + min {
                            self.push(Kind::RepeatOne, pc, p, ptr + min)?;
                        }
                        ptr = p;
                        pc += 1 + code[pc + 1] as usize;
                        continue;
                    }
                }
                op::MIN_REPEAT_ONE => {
                    let min = code[pc + 2];
                    let n = if min == 0 { 0 } else { self.count(pc + 4, ptr, min) };
                    if n >= min as usize {
                        ptr += n;
                        self.push(Kind::MinRepeatOne, pc, ptr, n)?;
                        pc += 1 + code[pc + 1] as usize;
                        continue;
                    }
                }
                op::POSSESSIVE_REPEAT_ONE => {
                    let n = self.count(pc + 4, ptr, code[pc + 3]);
                    if n >= code[pc + 2] as usize {
                        ptr += n;
                        pc += 1 + code[pc + 1] as usize;
                        continue;
                    }
                }
                op::REPEAT => {
                    let prev = self.repeat;
                    self.push_repeat(Repeat { at: pc as u32, count: 0, prev, last_ptr: UNSET })?;
                    pc += 1 + code[pc + 1] as usize;
                    continue;
                }
                op::MAX_UNTIL => {
                    if self.max_until(&mut pc, ptr)? {
                        continue;
                    }
                }
                op::MIN_UNTIL => {
                    if self.min_until(&mut pc, ptr)? {
                        continue;
                    }
                }
                op::ASSERT | op::ASSERT_NOT => {
                    let back = code[pc + 2] as usize;
                    let not = code[pc] == op::ASSERT_NOT;
                    if ptr >= back {
                        let kind = if not { Kind::AssertNot } else { Kind::Assert };
                        self.push_barrier(kind, pc, ptr, 0)?;
                        ptr -= back;
                        pc += 3;
                        continue;
                    }
                    if not {
                        pc += 1 + code[pc + 1] as usize;
                        continue;
                    }
                }
                op::ATOMIC_GROUP => {
                    self.push_barrier(Kind::Atomic, pc, ptr, 0)?;
                    pc += 2;
                    continue;
                }
                op::POSSESSIVE_REPEAT => {
                    self.push_barrier(Kind::Possessive, pc, ptr, 0)?;
                    if code[pc + 3] == 0 {
                        self.leave_empty_possessive(&mut pc);
                    } else {
                        self.enter_possessive()?;
                        pc += 4;
                    }
                    continue;
                }
                operator @ (op::GROUPREF
                | op::GROUPREF_IGNORE
                | op::GROUPREF_UNI_IGNORE
                | op::GROUPREF_LOC_IGNORE) => {
                    if let Some(p) = self.backref(operator, code[pc + 1] as usize, ptr) {
                        ptr = p;
                        pc += 2;
                        continue;
                    }
                }
                op::GROUPREF_EXISTS => {
                    let there = self.group(code[pc + 1] as usize).is_some_and(|(a, b)| b >= a);
                    pc += if there { 3 } else { 1 + code[pc + 2] as usize };
                    continue;
                }
                op::INFO => {
                    pc += 1 + code[pc + 1] as usize;
                    continue;
                }
                op::FAILURE => {}
                _ => {
                    if ptr < self.end && self.takes(pc, self.text.at(ptr)) {
                        ptr += 1;
                        pc += match code[pc] {
                            op::ANY | op::ANY_ALL => 1,
                            op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE => {
                                1 + code[pc + 1] as usize
                            }
                            _ => 2,
                        };
                        continue;
                    }
                }
            }
            if !self.backtrack(&mut pc, &mut ptr)? {
                return Ok(false);
            }
        }
    }

    /// The greatest place in `min..=from` after which the tail of the repeat at `pc` may go on. Where the
    /// tail starts with a literal only places before that character count.
    #[inline]
    fn give_back(&self, pc: usize, from: usize, min: usize) -> Option<usize> {
        let code = &self.program.code;
        let tail = pc + 1 + code[pc + 1] as usize;
        if code[tail] != op::LITERAL {
            return Some(from);
        }
        let want = code[tail + 1];
        let mut p = from;
        loop {
            if p < self.end && self.text.at(p) == want {
                return Some(p);
            }
            if p == min {
                return None;
            }
            p -= 1;
        }
    }

    /// Enters the first alternative that may match; pushes a choice for the rest.
    #[inline]
    fn branch(&mut self, pc: &mut usize, ptr: usize) -> Result<bool, SreError> {
        let code = &self.program.code;
        let mut at = *pc + 1;
        let here = if ptr < self.end { self.text.at(ptr) } else { u32::MAX };
        let may = |at: usize| match code[at + 1] {
            op::LITERAL => here == code[at + 2],
            op::IN => here != u32::MAX && self.takes(at + 1, here),
            _ => true,
        };
        while code[at] != 0 && !may(at) {
            at += code[at] as usize;
        }
        if code[at] == 0 {
            return Ok(false);
        }
        let enter = at + 1;
        at += code[at] as usize;
        while code[at] != 0 && !may(at) {
            at += code[at] as usize;
        }
        if code[at] != 0 {
            // The choice comes back as a BRANCH that starts at the next alternative.
            self.push(Kind::Jump, at - 1, ptr, BRANCH_AGAIN)?;
        }
        *pc = enter;
        Ok(true)
    }

    fn max_until(&mut self, pc: &mut usize, ptr: usize) -> Result<bool, SreError> {
        let Some(&r) = self.repeats.get(self.repeat as usize) else { return Ok(false) };
        let code = &self.program.code;
        let (min, max) = (code[r.at as usize + 2], code[r.at as usize + 3]);
        let body = r.at as usize + 4;
        if r.count < min {
            self.push_repeat(Repeat { count: r.count + 1, ..r })?;
            *pc = body;
            return Ok(true);
        }
        if (r.count < max || max == MAXREPEAT) && ptr != r.last_ptr {
            // The tail runs outside this repeat when the body fails.
            let inside = self.repeat;
            self.repeat = r.prev;
            self.push(Kind::Tail, *pc + 1, ptr, 0)?;
            self.repeat = inside;
            self.push_repeat(Repeat { count: r.count.saturating_add(1), last_ptr: ptr, ..r })?;
            *pc = body;
            return Ok(true);
        }
        self.repeat = r.prev;
        *pc += 1;
        Ok(true)
    }

    fn min_until(&mut self, pc: &mut usize, ptr: usize) -> Result<bool, SreError> {
        let Some(&r) = self.repeats.get(self.repeat as usize) else { return Ok(false) };
        let code = &self.program.code;
        let (min, max) = (code[r.at as usize + 2], code[r.at as usize + 3]);
        if r.count < min {
            self.push_repeat(Repeat { count: r.count + 1, ..r })?;
            *pc = r.at as usize + 4;
            return Ok(true);
        }
        if (r.count < max || max == MAXREPEAT) && ptr != r.last_ptr {
            self.push(Kind::MinUntil, *pc, ptr, 0)?;
        }
        self.repeat = r.prev;
        *pc += 1;
        Ok(true)
    }

    /// SUCCESS inside a body: tells its owner. False means: backtrack.
    fn leave_body(&mut self, pc: &mut usize, ptr: &mut usize) -> Result<bool, SreError> {
        let c = self.choices[self.barrier];
        self.choices.truncate(self.barrier);
        self.barrier = c.extra;
        let at = c.pc as usize;
        let code = &self.program.code;
        let after = at + 1 + code[at + 1] as usize;
        match c.kind {
            Kind::AssertNot => {
                self.restore(&c);
                return Ok(false);
            }
            Kind::Possessive => {
                let n = c.count.saturating_add(1);
                let (min, max) = (code[at + 2], code[at + 3]);
                // An empty iteration beyond the minimum would never end.
                let again = n < min || ((n < max || max == MAXREPEAT) && *ptr != c.ptr);
                self.keep_marks(&c);
                if again {
                    self.push_barrier(Kind::Possessive, at, *ptr, n)?;
                    self.enter_possessive()?;
                    *pc = at + 4;
                } else {
                    *pc = after + 1;
                }
                return Ok(true);
            }
            Kind::Assert => *ptr = c.ptr,
            _ => {}
        }
        self.keep_marks(&c);
        *pc = after;
        Ok(true)
    }

    /// A body succeeded and its choices are gone: its repeat records can go too.
    fn keep_marks(&mut self, c: &Choice) {
        self.repeats.truncate(c.repeats_len as usize);
        self.repeat = c.repeat;
    }

    /// Inside a possessive repeat marks are restored as inside any repeat.
    fn enter_possessive(&mut self) -> Result<(), SreError> {
        let prev = self.repeat;
        self.push_repeat(Repeat { at: 0, count: 0, prev, last_ptr: UNSET })
    }

    fn leave_empty_possessive(&mut self, pc: &mut usize) {
        if let Some(c) = self.choices.pop() {
            self.barrier = c.extra;
        }
        *pc += 2 + self.program.code[*pc + 1] as usize;
    }

    /// Goes back to the last open choice. False when there is none.
    fn backtrack(&mut self, pc: &mut usize, ptr: &mut usize) -> Result<bool, SreError> {
        let code = &self.program.code[..];
        while let Some(&c) = self.choices.last() {
            self.restore(&c);
            let at = c.pc as usize;
            match c.kind {
                Kind::Jump | Kind::Tail => {
                    self.choices.pop();
                    *pc = at;
                    *ptr = c.ptr;
                    if c.extra == BRANCH_AGAIN && !self.branch(pc, c.ptr)? {
                        continue;
                    }
                    return Ok(true);
                }
                Kind::RepeatOne => {
                    let Some(p) = self.give_back(at, c.ptr - 1, c.extra) else {
                        self.choices.pop();
                        continue;
                    };
                    if p == c.extra {
                        self.choices.pop();
                    } else if let Some(top) = self.choices.last_mut() {
                        top.ptr = p;
                    }
                    *ptr = p;
                    *pc = at + 1 + code[at + 1] as usize;
                    return Ok(true);
                }
                Kind::MinRepeatOne => {
                    let max = code[at + 3];
                    let more = (max == MAXREPEAT || c.extra < max as usize)
                        && c.ptr < self.end
                        && self.takes(at + 4, self.text.at(c.ptr));
                    if !more {
                        self.choices.pop();
                        continue;
                    }
                    if let Some(top) = self.choices.last_mut() {
                        top.ptr += 1;
                        top.extra += 1;
                    }
                    *ptr = c.ptr + 1;
                    *pc = at + 1 + code[at + 1] as usize;
                    return Ok(true);
                }
                Kind::MinUntil => {
                    self.choices.pop();
                    let r = self.repeats[c.repeat as usize];
                    self.push_repeat(Repeat { count: r.count.saturating_add(1), last_ptr: c.ptr, ..r })?;
                    *ptr = c.ptr;
                    *pc = r.at as usize + 4;
                    return Ok(true);
                }
                Kind::Assert | Kind::Atomic => {
                    self.choices.pop();
                    self.barrier = c.extra;
                }
                Kind::AssertNot | Kind::Possessive => {
                    self.choices.pop();
                    self.barrier = c.extra;
                    let after = at + 1 + code[at + 1] as usize;
                    if matches!(c.kind, Kind::AssertNot) {
                        *pc = after;
                    } else if c.count >= code[at + 2] {
                        *pc = after + 1;
                    } else {
                        continue;
                    }
                    *ptr = c.ptr;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Marks a choice that re-enters a BRANCH.
const BRANCH_AGAIN: usize = 1;

#[cold]
fn grow<X>(v: &mut Vec<X>) -> Result<(), SreError> {
    if v.len() >= MAX_ENTRIES {
        return Err(SreError::NoMemory);
    }
    v.try_reserve(v.len().max(64)).map_err(|_| SreError::NoMemory)
}
