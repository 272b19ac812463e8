//! The matcher: ordered choice with memory over the grammar.

use std::collections::HashMap;

use super::grammar::{Action, Alternative, Grammar, Item, NodeKind};
use crate::error::{ErrorKind, ParseError, Warning};
use crate::lexer::{LexError, LexOptions, Lexer};
use crate::token::{Kind, SOFT_KEYWORDS, Token};
use crate::{Flags, Mode};

/// An error was raised; it is kept in the matcher.
pub(super) struct Raised;

pub(super) type NodeId = u32;
pub(super) type Match = Result<Option<NodeId>, Raised>;

/// The node for what is optional and not there.
pub(super) const ABSENT: NodeId = 0;

/// What was matched: tokens `start..=end` and the parts of interest.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub start: u32,
    pub end: u32,
    first_child: u32,
    children: u32,
}

pub(super) struct Matcher<'s> {
    pub(super) source: &'s str,
    pub(super) mode: Mode,
    pub(super) flags: Flags,
    grammar: &'static Grammar,
    pub(super) lexer: Lexer<'s>,
    pub(super) tokens: Vec<Token>,
    pub(super) mark: usize,
    pub(super) messages: bool,
    pub(super) error: Option<ParseError>,
    pub(super) warnings: Vec<Warning>,
    pub(super) barry: bool,
    nodes: Vec<Node>,
    children: Vec<NodeId>,
    memory: HashMap<(u32, u16), (Option<NodeId>, u32)>,
    captures: Vec<(char, NodeId)>,
    level: u32,
    max_level: u32,
    started: bool,
    statement_rule: usize,
    /// Line and column of the last compound statement that was matched.
    pub(super) last_statement: (i32, i32),
}

impl<'s> Matcher<'s> {
    pub fn new(source: &'s str, mode: Mode, flags: &Flags, max_level: u32) -> Matcher<'s> {
        let options = LexOptions { type_comments: flags.type_comments, extra_tokens: false };
        let absent = Node { kind: NodeKind::Absent, start: 0, end: 0, first_child: 0, children: 0 };
        Matcher {
            source,
            mode,
            flags: *flags,
            grammar: Grammar::get(),
            statement_rule: Grammar::get().rule("compound_stmt"),
            last_statement: (0, 0),
            lexer: Lexer::new(source, options),
            tokens: Vec::new(),
            mark: 0,
            messages: false,
            error: None,
            warnings: Vec::new(),
            barry: flags.barry_as_bdfl,
            nodes: vec![absent],
            children: Vec::new(),
            memory: HashMap::new(),
            captures: Vec::new(),
            level: 0,
            max_level,
            started: false,
        }
    }

    /// Matches the whole text from the start; says whether it fits.
    pub fn run(&mut self, rule: &str) -> Result<bool, Raised> {
        self.mark = 0;
        self.level = 0;
        self.captures.clear();
        let rule = self.grammar.rule(rule);
        self.rule(rule).map(|found| found.is_some())
    }

    /// Turns on the rules that describe wrong programs.
    pub fn search_messages(&mut self) {
        self.messages = true;
        self.memory.clear();
    }

    pub fn take_warnings(&mut self) -> Vec<Warning> {
        let mut later = self.lexer.take_warnings();
        self.warnings.append(&mut later);
        std::mem::take(&mut self.warnings)
    }

    pub(super) fn node(&self, id: NodeId) -> Node {
        self.nodes[id as usize]
    }

    pub(super) fn children_of(&self, id: NodeId) -> &[NodeId] {
        let node = &self.nodes[id as usize];
        &self.children[node.first_child as usize..][..node.children as usize]
    }

    pub(super) fn make(&mut self, kind: NodeKind, start: usize, parts: &[NodeId]) -> NodeId {
        let mut end = self.mark;
        // Line ends and blocks do not belong to what they end.
        while end > 0 {
            end -= 1;
            let kind = self.tokens[end].kind;
            if !matches!(kind, Kind::NEWLINE | Kind::INDENT | Kind::DEDENT | Kind::ENDMARKER) {
                break;
            }
        }
        let first_child = self.children.len() as u32;
        self.children.extend_from_slice(parts);
        self.nodes.push(Node {
            kind,
            start: start as u32,
            end: end as u32,
            first_child,
            children: parts.len() as u32,
        });
        self.nodes.len() as u32 - 1
    }

    /// The token at the mark, read if it was not yet.
    pub(super) fn token(&mut self) -> Result<Token, Raised> {
        if self.mark == self.tokens.len() {
            self.read_token()?;
        }
        Ok(self.tokens[self.mark])
    }

    fn read_token(&mut self) -> Result<(), Raised> {
        let mut token = self.lexer.next_token();
        while token.kind == Kind::TYPE_IGNORE {
            token = self.lexer.next_token();
        }
        if self.mode == Mode::Single && token.kind == Kind::ENDMARKER && self.started {
            token.kind = Kind::NEWLINE;
            self.started = false;
            if !self.flags.dont_imply_dedent {
                self.lexer.close_blocks();
            }
        } else {
            self.started = true;
        }
        self.tokens.push(token);
        let mut warnings = self.lexer.take_warnings();
        self.warnings.append(&mut warnings);
        if token.kind == Kind::ERRORTOKEN {
            let error = self.lexer.error().cloned().unwrap_or(LexError::Eof);
            self.tokenizer_error(&error);
            return Err(Raised);
        }
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), Raised> {
        self.level += 1;
        if self.level > self.max_level {
            let msg = "Parser stack overflowed - Python source too complex to parse";
            self.error = Some(ParseError::bare(ErrorKind::MemoryError, msg));
            return Err(Raised);
        }
        Ok(())
    }

    fn rule(&mut self, index: usize) -> Match {
        let rule = &self.grammar.rules[index];
        let start = self.mark;
        let key = (start as u32, index as u16);
        self.deeper()?;
        if rule.memo
            && let Some(&(found, mark)) = self.memory.get(&key)
        {
            self.level -= 1;
            self.mark = mark as usize;
            return Ok(found);
        }
        let messages = self.messages;
        if rule.quiet {
            self.messages = false;
        }
        let found = if rule.left_recursive {
            self.grow(key, &rule.alternatives)?
        } else {
            let found = self.alternatives(&rule.alternatives)?;
            if rule.memo {
                self.memory.insert(key, (found, self.mark as u32));
            }
            found
        };
        self.messages = messages;
        self.level -= 1;
        if index == self.statement_rule && found.is_some() {
            self.note_statement(start);
        }
        Ok(found)
    }

    /// Remembers where a compound statement begins, unless one further down is known. Functions do not count, nor
    /// does anything with decorators.
    fn note_statement(&mut self, start: usize) {
        let kind = |at: usize| self.tokens.get(at).map(|token| token.kind);
        let function = match kind(start) {
            Some(Kind::DEF | Kind::AT) => true,
            Some(Kind::ASYNC) => kind(start + 1) == Some(Kind::DEF),
            _ => false,
        };
        if let Some(token) = self.tokens.get(start)
            && !function
            && token.lineno >= self.last_statement.0
        {
            self.last_statement = (token.lineno, token.col);
        }
    }

    /// Left recursion: begins with a failure and lets the rule use its own last result until the
    /// match grows no longer.
    fn grow(&mut self, key: (u32, u16), alternatives: &'static [Alternative]) -> Match {
        let start = self.mark;
        let (mut best, mut best_mark) = (None, start);
        loop {
            self.memory.insert(key, (best, best_mark as u32));
            self.mark = start;
            self.deeper()?;
            let found = self.alternatives(alternatives)?;
            self.level -= 1;
            if found.is_none() || self.mark <= best_mark {
                break;
            }
            (best, best_mark) = (found, self.mark);
        }
        self.mark = best_mark;
        Ok(best)
    }

    fn alternatives(&mut self, alternatives: &'static [Alternative]) -> Match {
        let start = self.mark;
        let base = self.captures.len();
        for alternative in alternatives {
            if alternative.bad && !self.messages {
                continue;
            }
            self.mark = start;
            let (result, cut) = self.alternative(alternative, start)?;
            self.captures.truncate(base);
            match result {
                Outcome::Found(id) => return Ok(Some(id)),
                Outcome::Refused => return Ok(None),
                Outcome::Missing if cut => return Ok(None),
                Outcome::Missing => {}
            }
        }
        self.mark = start;
        Ok(None)
    }

    fn alternative(
        &mut self,
        alternative: &'static Alternative,
        start: usize,
    ) -> Result<(Outcome, bool), Raised> {
        let mut cut = false;
        let mut parts = [ABSENT; 16];
        let mut count = 0;
        for (capture, item) in &alternative.items {
            if matches!(item, Item::Cut) {
                cut = true;
                continue;
            }
            let Some(id) = self.item(item)? else { return Ok((Outcome::Missing, cut)) };
            if let Some(name) = capture {
                self.captures.push((*name, id));
            }
            if !matches!(item, Item::Ahead { .. }) {
                parts[count] = id;
                count += 1;
            }
        }
        let parts = &parts[..count];
        let id = match &alternative.action {
            Action::Default if count == 1 => parts[0],
            Action::Default => self.make(NodeKind::Other, start, parts),
            Action::Make(kind) => self.make(*kind, start, parts),
            Action::Pass(name) => self.captured(*name),
            Action::Raise { how, captures, message } => {
                let mut args = [ABSENT; 2];
                for (slot, name) in args.iter_mut().zip(captures) {
                    *slot = self.captured(*name);
                }
                return match self.act(how, args, message, start)? {
                    Some(id) => Ok((Outcome::Found(id), cut)),
                    None => Ok((Outcome::Refused, cut)),
                };
            }
        };
        Ok((Outcome::Found(id), cut))
    }

    fn captured(&self, name: char) -> NodeId {
        self.captures.iter().rev().find(|(n, _)| *n == name).map_or(ABSENT, |(_, id)| *id)
    }

    fn expect(&mut self, kind: Kind) -> Match {
        if self.token()?.kind != kind {
            return Ok(None);
        }
        self.take()
    }

    fn take(&mut self) -> Match {
        let start = self.mark;
        self.mark += 1;
        let id = self.make(NodeKind::Token, start, &[]);
        self.nodes[id as usize].end = start as u32;
        Ok(Some(id))
    }

    fn item(&mut self, item: &'static Item) -> Match {
        match item {
            Item::Token(kind) => {
                let found = self.expect(*kind)?;
                if *kind == Kind::NUMBER && found.is_some() {
                    self.check_number()?;
                }
                Ok(found)
            }
            Item::Soft(word) => {
                let token = self.token()?;
                if token.kind == Kind::NAME && token.text(self.source) == word {
                    self.take()
                } else {
                    Ok(None)
                }
            }
            Item::AnySoft => {
                let token = self.token()?;
                let soft = token.kind == Kind::NAME && SOFT_KEYWORDS.contains(&token.text(self.source));
                if soft { self.take() } else { Ok(None) }
            }
            Item::Rule(index) => self.rule(*index),
            Item::Group(alternatives) => {
                self.deeper()?;
                let found = self.alternatives(alternatives)?;
                self.level -= 1;
                Ok(found)
            }
            Item::Optional(inner) => Ok(Some(self.item(inner)?.unwrap_or(ABSENT))),
            Item::Loop { item, least } => self.repeat(item, *least),
            Item::Separated { item, separator } => self.separated(item, separator),
            Item::Ahead { item, wanted } => {
                let mark = self.mark;
                let found = self.item(item)?;
                self.mark = mark;
                Ok((found.is_some() == *wanted).then_some(ABSENT))
            }
            Item::Cut => Ok(Some(ABSENT)),
            Item::Forced(kind, text) => {
                if let Some(id) = self.expect(*kind)? {
                    return Ok(Some(id));
                }
                if !self.messages {
                    return Ok(None);
                }
                let token = self.token()?;
                self.raise_token(token, &format!("expected '{text}'"));
                Err(Raised)
            }
        }
    }

    fn repeat(&mut self, item: &'static Item, least: usize) -> Match {
        self.deeper()?;
        let start = self.mark;
        let mut found = Vec::new();
        loop {
            let mark = self.mark;
            match self.item(item)? {
                Some(id) => found.push(id),
                None => {
                    self.mark = mark;
                    break;
                }
            }
        }
        self.level -= 1;
        if found.len() < least {
            self.mark = start;
            return Ok(None);
        }
        Ok(Some(self.make(NodeKind::Seq, start, &found)))
    }

    fn separated(&mut self, item: &'static Item, separator: &'static Item) -> Match {
        self.deeper()?;
        let start = self.mark;
        let Some(first) = self.item(item)? else {
            self.level -= 1;
            self.mark = start;
            return Ok(None);
        };
        let mut found = vec![first];
        loop {
            let mark = self.mark;
            if self.item(separator)?.is_some()
                && let Some(id) = self.item(item)?
            {
                found.push(id);
                continue;
            }
            self.mark = mark;
            break;
        }
        self.level -= 1;
        Ok(Some(self.make(NodeKind::Seq, start, &found)))
    }
}

/// How an alternative ended.
enum Outcome {
    Found(NodeId),
    /// An item did not match: the next alternative is tried.
    Missing,
    /// The action found nothing to say: the rule as a whole gives nothing.
    Refused,
}
