//! Reads `python.grammar` into a form that the matcher can follow.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::token::{KINDS, Kind};

/// What a node stands for, as far as messages care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    Absent,
    Token,
    Seq,
    Other,
    Args,
    Attribute,
    Await,
    Bytes,
    Call,
    Compare,
    Dict,
    DictComp,
    Field,
    GeneratorExp,
    IfExp,
    In,
    JoinedStr,
    Kwarg,
    KwargUnpack,
    Lambda,
    List,
    ListComp,
    NamedExpr,
    Op,
    Param,
    Set,
    SetComp,
    Slice,
    Starred,
    Str,
    Subscript,
    TemplateStr,
    Tuple,
    Yield,
}

impl NodeKind {
    fn from_name(name: &str) -> NodeKind {
        use NodeKind::*;
        let all = [
            Seq,
            Other,
            Args,
            Attribute,
            Await,
            Bytes,
            Call,
            Compare,
            Dict,
            DictComp,
            Field,
            GeneratorExp,
            IfExp,
            In,
            JoinedStr,
            Kwarg,
            KwargUnpack,
            Lambda,
            List,
            ListComp,
            NamedExpr,
            Op,
            Param,
            Set,
            SetComp,
            Slice,
            Starred,
            Str,
            Subscript,
            TemplateStr,
            Tuple,
            Yield,
        ];
        *all.iter().find(|kind| format!("{kind:?}") == name).unwrap_or_else(|| panic!("no node kind {name}"))
    }
}

pub(super) enum Item {
    Token(Kind),
    Soft(String),
    AnySoft,
    Rule(usize),
    Group(Vec<Alternative>),
    Optional(Box<Item>),
    Loop { item: Box<Item>, least: usize },
    Separated { item: Box<Item>, separator: Box<Item> },
    Ahead { item: Box<Item>, wanted: bool },
    Cut,
    Forced(Kind, String),
}

pub(super) enum Action {
    Default,
    Make(NodeKind),
    Pass(char),
    Raise { how: String, captures: Vec<char>, message: String },
}

pub(super) struct Alternative {
    pub items: Vec<(Option<char>, Item)>,
    pub action: Action,
    pub bad: bool,
}

pub(super) struct Rule {
    pub memo: bool,
    pub left_recursive: bool,
    /// Inside this rule the search for messages is off.
    pub quiet: bool,
    pub alternatives: Vec<Alternative>,
}

pub(super) struct Grammar {
    pub rules: Vec<Rule>,
    names: HashMap<String, usize>,
}

impl Grammar {
    /// The grammar, read once.
    pub fn get() -> &'static Grammar {
        static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
        GRAMMAR.get_or_init(|| read(include_str!("python.grammar")))
    }

    pub fn rule(&self, name: &str) -> usize {
        self.names[name]
    }
}

fn read(text: &str) -> Grammar {
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(':').expect("a rule has a colon"))
        .collect();
    let mut names = HashMap::new();
    for (index, (head, _)) in lines.iter().enumerate() {
        let name = head.split('[').next().unwrap_or(head).to_owned();
        assert!(names.insert(name, index).is_none(), "rule {head} stands twice");
    }
    let rules = lines
        .iter()
        .map(|(head, body)| {
            let (name, marks) = head.split_once('[').unwrap_or((head, ""));
            let mut reader = Reader { text: body, at: 0, names: &names };
            let alternatives = reader.alternatives();
            assert!(reader.peek().is_empty(), "rest of rule {name}: {}", reader.peek());
            Rule {
                memo: marks.contains('m') || marks.contains('l'),
                left_recursive: marks.contains('l'),
                quiet: marks.contains('q'),
                alternatives,
            }
        })
        .collect();
    Grammar { rules, names }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    names: &'t HashMap<String, usize>,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn eat(&mut self, mark: &str) -> bool {
        let found = self.peek().starts_with(mark);
        if found {
            self.at += mark.len();
        }
        found
    }

    fn word(&mut self) -> &'t str {
        let rest = self.peek();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn quoted(&mut self, quote: char) -> String {
        let mut out = String::new();
        let rest = &self.peek()[1..];
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => out.extend(chars.next().map(|(_, c)| c)),
                _ if c == quote => {
                    self.at += at + 2;
                    return out;
                }
                _ => out.push(c),
            }
        }
        panic!("open quote in the grammar: {rest}");
    }

    fn alternatives(&mut self) -> Vec<Alternative> {
        let mut all = vec![self.alternative()];
        while self.eat("|") {
            all.push(self.alternative());
        }
        all
    }

    fn alternative(&mut self) -> Alternative {
        let mut items = Vec::new();
        loop {
            let rest = self.peek();
            if rest.is_empty()
                || rest.starts_with(['|', ')'])
                || rest.starts_with("->")
                || rest.starts_with("=>")
            {
                break;
            }
            let bytes = rest.as_bytes();
            let capture = (bytes.len() > 1 && bytes[1] == b'=' && bytes[0].is_ascii_lowercase())
                .then(|| bytes[0] as char);
            if capture.is_some() {
                self.at += 2;
            }
            items.push((capture, self.item()));
        }
        let bad = items.iter().any(|(_, item)| matches!(item, Item::Rule(r) if self.is_bad(*r)));
        Alternative { items, action: self.action(), bad }
    }

    fn is_bad(&self, rule: usize) -> bool {
        self.names.iter().any(|(name, &index)| {
            index == rule && name.starts_with("bad_") && name != "bad_ann_assign_target"
        })
    }

    fn action(&mut self) -> Action {
        if self.eat("->") {
            return match self.eat("@") {
                true => Action::Pass(self.word().chars().next().expect("a capture")),
                false => Action::Make(NodeKind::from_name(self.word())),
            };
        }
        if !self.eat("=>") {
            return Action::Default;
        }
        let how = self.word().to_owned();
        let mut captures = Vec::new();
        while self.peek().starts_with(|c: char| c.is_ascii_lowercase()) {
            captures.extend(self.word().chars().next());
        }
        let message = if self.peek().starts_with('"') { self.quoted('"') } else { String::new() };
        Action::Raise { how, captures, message }
    }

    fn item(&mut self) -> Item {
        if self.eat("~") {
            return Item::Cut;
        }
        if self.eat("!!") {
            let text = self.quoted('\'');
            return Item::Forced(token_kind(&text), text);
        }
        if self.eat("&") {
            return Item::Ahead { item: Box::new(self.item()), wanted: true };
        }
        if self.eat("!") {
            return Item::Ahead { item: Box::new(self.item()), wanted: false };
        }
        let mut item = self.primary();
        loop {
            // Marks stand directly behind what they mark.
            let next = self.text[self.at..].chars().next();
            item = match next {
                Some('?') => Item::Optional(Box::new(item)),
                Some('*') => Item::Loop { item: Box::new(item), least: 0 },
                Some('+') => Item::Loop { item: Box::new(item), least: 1 },
                Some('%') => {
                    self.at += 1;
                    let separator = Box::new(self.primary());
                    item = Item::Separated { item: Box::new(item), separator };
                    continue;
                }
                _ => return item,
            };
            self.at += 1;
        }
    }

    fn primary(&mut self) -> Item {
        match self.peek().chars().next() {
            Some('\'') => Item::Token(token_kind(&self.quoted('\''))),
            Some('"') => Item::Soft(self.quoted('"')),
            Some('(') => {
                self.at += 1;
                let alternatives = self.alternatives();
                assert!(self.eat(")"), "open bracket in the grammar");
                Item::Group(alternatives)
            }
            _ => {
                let word = self.word();
                if word == "SOFT_KEYWORD" {
                    return Item::AnySoft;
                }
                if word.starts_with(|c: char| c.is_ascii_uppercase()) {
                    let row = KINDS.iter().find(|row| row.1 == word);
                    return Item::Token(row.unwrap_or_else(|| panic!("no token {word}")).0);
                }
                Item::Rule(*self.names.get(word).unwrap_or_else(|| panic!("no rule {word:?}")))
            }
        }
    }
}

fn token_kind(text: &str) -> Kind {
    Kind::from_text(text).unwrap_or_else(|| panic!("no token {text}"))
}
