//! Token kinds and tokens: one table for names, numbers, spellings and keywords.

macro_rules! token_kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal $(, $text:literal)?;)*) => {
        /// The kind of a token, numbered as in CPython's `token` module up to `NT_OFFSET`;
        /// keywords, which are plain `NAME` there, follow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, missing_docs, reason = "CPython's names")]
        pub enum Kind { $($(#[$doc])* $name = $number),* }

        /// Kind, name and spelling (empty where it varies) of every token kind.
        pub const KINDS: &[(Kind, &str, &str)] = &[$((Kind::$name, stringify!($name), concat!($($text)?))),*];
    };
}

token_kinds! {
    ENDMARKER = 0; NAME = 1; NUMBER = 2; STRING = 3; NEWLINE = 4; INDENT = 5; DEDENT = 6;
    LPAR = 7, "("; RPAR = 8, ")"; LSQB = 9, "["; RSQB = 10, "]"; COLON = 11, ":"; COMMA = 12, ",";
    SEMI = 13, ";"; PLUS = 14, "+"; MINUS = 15, "-"; STAR = 16, "*"; SLASH = 17, "/"; VBAR = 18, "|";
    AMPER = 19, "&"; LESS = 20, "<"; GREATER = 21, ">"; EQUAL = 22, "="; DOT = 23, "."; PERCENT = 24, "%";
    LBRACE = 25, "{"; RBRACE = 26, "}"; EQEQUAL = 27, "=="; NOTEQUAL = 28, "!="; LESSEQUAL = 29, "<=";
    GREATEREQUAL = 30, ">="; TILDE = 31, "~"; CIRCUMFLEX = 32, "^"; LEFTSHIFT = 33, "<<";
    RIGHTSHIFT = 34, ">>"; DOUBLESTAR = 35, "**"; PLUSEQUAL = 36, "+="; MINEQUAL = 37, "-=";
    STAREQUAL = 38, "*="; SLASHEQUAL = 39, "/="; PERCENTEQUAL = 40, "%="; AMPEREQUAL = 41, "&=";
    VBAREQUAL = 42, "|="; CIRCUMFLEXEQUAL = 43, "^="; LEFTSHIFTEQUAL = 44, "<<=";
    RIGHTSHIFTEQUAL = 45, ">>="; DOUBLESTAREQUAL = 46, "**="; DOUBLESLASH = 47, "//";
    DOUBLESLASHEQUAL = 48, "//="; AT = 49, "@"; ATEQUAL = 50, "@="; RARROW = 51, "->";
    ELLIPSIS = 52, "..."; COLONEQUAL = 53, ":="; EXCLAMATION = 54, "!"; OP = 55; TYPE_IGNORE = 56;
    TYPE_COMMENT = 57; SOFT_KEYWORD = 58; FSTRING_START = 59; FSTRING_MIDDLE = 60; FSTRING_END = 61;
    TSTRING_START = 62; TSTRING_MIDDLE = 63; TSTRING_END = 64; COMMENT = 65; NL = 66; ERRORTOKEN = 67;
    FALSE = 100, "False"; NONE = 101, "None"; TRUE = 102, "True"; AND = 103, "and"; AS = 104, "as";
    ASSERT = 105, "assert"; ASYNC = 106, "async"; AWAIT = 107, "await"; BREAK = 108, "break";
    CLASS = 109, "class"; CONTINUE = 110, "continue"; DEF = 111, "def"; DEL = 112, "del";
    ELIF = 113, "elif"; ELSE = 114, "else"; EXCEPT = 115, "except"; FINALLY = 116, "finally";
    FOR = 117, "for"; FROM = 118, "from"; GLOBAL = 119, "global"; IF = 120, "if"; IMPORT = 121, "import";
    IN = 122, "in"; IS = 123, "is"; LAMBDA = 124, "lambda"; NONLOCAL = 125, "nonlocal"; NOT = 126, "not";
    OR = 127, "or"; PASS = 128, "pass"; RAISE = 129, "raise"; RETURN = 130, "return"; TRY = 131, "try";
    WHILE = 132, "while"; WITH = 133, "with"; YIELD = 134, "yield";
}

/// Names that are keywords only where the grammar says so.
pub const SOFT_KEYWORDS: &[&str] = &["_", "case", "match", "type"];

static BEGINS_KEYWORD: [bool; 256] = {
    let mut table = [false; 256];
    let letters = b"FNTabcdefgilnoprtwy";
    let mut i = 0;
    while i < letters.len() {
        table[letters[i] as usize] = true;
        i += 1;
    }
    table
};

impl Kind {
    /// Whether the kind is a reserved word.
    pub fn is_keyword(self) -> bool {
        self as u8 >= Kind::FALSE as u8
    }

    /// The kind spelt `text`, for operators and keywords.
    pub fn from_text(text: &str) -> Option<Kind> {
        KINDS.iter().find(|row| !row.2.is_empty() && row.2 == text).map(|row| row.0)
    }

    /// The reserved word `word`, or `NAME`.
    #[inline]
    pub fn of_word(word: &[u8]) -> Kind {
        // Most names are told from keywords by their length and first letter.
        if word.len() < 2 || word.len() > 8 || !BEGINS_KEYWORD[usize::from(word[0])] {
            return Kind::NAME;
        }
        Kind::of_candidate(word)
    }

    #[inline(never)]
    fn of_candidate(word: &[u8]) -> Kind {
        match word.len() {
            2 => Kind::of_length_2(word),
            3 => Kind::of_length_3(word),
            4 => Kind::of_length_4(word),
            5 => Kind::of_length_5(word),
            _ => Kind::of_long_word(word),
        }
    }

    fn of_length_2(word: &[u8]) -> Kind {
        match word {
            b"as" => Kind::AS,
            b"if" => Kind::IF,
            b"in" => Kind::IN,
            b"is" => Kind::IS,
            b"or" => Kind::OR,
            _ => Kind::NAME,
        }
    }

    fn of_length_3(word: &[u8]) -> Kind {
        match word {
            b"and" => Kind::AND,
            b"def" => Kind::DEF,
            b"del" => Kind::DEL,
            b"for" => Kind::FOR,
            b"not" => Kind::NOT,
            b"try" => Kind::TRY,
            _ => Kind::NAME,
        }
    }

    fn of_length_4(word: &[u8]) -> Kind {
        match word {
            b"None" => Kind::NONE,
            b"True" => Kind::TRUE,
            b"elif" => Kind::ELIF,
            b"else" => Kind::ELSE,
            b"from" => Kind::FROM,
            b"pass" => Kind::PASS,
            b"with" => Kind::WITH,
            _ => Kind::NAME,
        }
    }

    fn of_length_5(word: &[u8]) -> Kind {
        match word {
            b"False" => Kind::FALSE,
            b"async" => Kind::ASYNC,
            b"await" => Kind::AWAIT,
            b"break" => Kind::BREAK,
            b"class" => Kind::CLASS,
            b"raise" => Kind::RAISE,
            b"while" => Kind::WHILE,
            b"yield" => Kind::YIELD,
            _ => Kind::NAME,
        }
    }

    fn of_long_word(word: &[u8]) -> Kind {
        match word {
            b"assert" => Kind::ASSERT,
            b"continue" => Kind::CONTINUE,
            b"except" => Kind::EXCEPT,
            b"finally" => Kind::FINALLY,
            b"global" => Kind::GLOBAL,
            b"import" => Kind::IMPORT,
            b"lambda" => Kind::LAMBDA,
            b"nonlocal" => Kind::NONLOCAL,
            b"return" => Kind::RETURN,
            _ => Kind::NAME,
        }
    }
}

/// A token by value: kind and place; its text is a slice of the source.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Kind.
    pub kind: Kind,
    /// Depth of open brackets around it, counted after the token (255 at most).
    pub level: u8,
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset behind the last byte.
    pub end: u32,
    /// First line, from 1.
    pub lineno: i32,
    /// Byte column of the start, −1 where the token has no text.
    pub col: i32,
    /// Last line.
    pub end_lineno: i32,
    /// Byte column of the end, −1 where the token has no text.
    pub end_col: i32,
}

impl Token {
    /// The token's text in `source`.
    #[inline]
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        &source[self.start as usize..self.end as usize]
    }
}
