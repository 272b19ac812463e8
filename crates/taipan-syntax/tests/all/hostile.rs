//! Input made to break a parser must end in a tree or an error, never in a crash.

use taipan_syntax::{ErrorKind, Flags, Mode, parse, source};

fn error_of(text: &str) -> Option<(ErrorKind, String)> {
    parse(text, Mode::Exec, &Flags::default()).err().map(|r| (r.error.kind, r.error.msg))
}

fn expect(text: &str, kind: ErrorKind, msg: &str) {
    assert_eq!(error_of(text), Some((kind, msg.to_owned())));
}

const OVERFLOW: &str = "Parser stack overflowed - Python source too complex to parse";

#[test]
fn a_million_brackets() {
    expect(&"(".repeat(1_000_000), ErrorKind::SyntaxError, "too many nested parentheses");
    expect(&"[".repeat(1_000_000), ErrorKind::SyntaxError, "too many nested parentheses");
    expect(&"{".repeat(1_000_000), ErrorKind::SyntaxError, "too many nested parentheses");
}

#[test]
fn two_hundred_thousand_unary_operators() {
    for operator in ["-", "~", "not ", "lambda: ", "a ** "] {
        let text = operator.repeat(200_000) + "a";
        if let Some((kind, msg)) = error_of(&text) {
            assert_eq!((kind, msg.as_str()), (ErrorKind::MemoryError, OVERFLOW), "{operator}");
        }
    }
}

#[test]
fn long_chains() {
    for link in [".b", "()", "[0]", " + a", " and a", " < a", " if a else a", " , a", ".b()[0]"] {
        let text = "a".to_owned() + &link.repeat(200_000);
        if let Some((kind, msg)) = error_of(&text) {
            assert_eq!((kind, msg.as_str()), (ErrorKind::MemoryError, OVERFLOW), "{link}");
        }
    }
    let branches = "if a: pass\n".to_owned() + &"elif a: pass\n".repeat(100_000);
    let _ = error_of(&branches);
    let _ = error_of(&"\"a\" ".repeat(100_000));
    let _ = error_of(&"f\"{a}\" ".repeat(100_000));
    let _ = error_of(&("a = ".repeat(100_000) + "1"));
}

#[test]
fn deep_blocks() {
    let mut text = String::new();
    for depth in 0..1000 {
        text.push_str(&" ".repeat(depth));
        text.push_str("if a:\n");
    }
    expect(&text, ErrorKind::IndentationError, "too many levels of indentation");
}

#[test]
fn long_lines() {
    let name = "a".repeat(10_000_000);
    assert_eq!(error_of(&name), None);
    let text = format!("x = '{}'", "é\\n".repeat(1_000_000));
    assert_eq!(error_of(&text), None);
    let digits = "1".repeat(1_000_000);
    assert!(matches!(error_of(&digits), Some((ErrorKind::SyntaxError, msg)) if msg.starts_with("Exceeds")));
    assert_eq!(error_of(&format!("0x{digits}")), None);
}

#[test]
fn null_and_bad_bytes() {
    expect("a\0b", ErrorKind::SyntaxError, "source code string cannot contain null bytes");
    let none = |_: &str, _: &[u8]| Ok(None);
    for bytes in [
        &b"\xff"[..],
        b"a = '\xc3'",
        b"# coding: nope\n",
        b"\xef\xbb\xbf# coding: latin-1\n",
        b"\xed\xa0\x80",
    ] {
        assert!(source::decode_source(bytes, &none).is_err());
    }
}

#[test]
fn every_prefix() {
    let text = include_str!("../../../../tests/oracle/parse_reference.py");
    for (end, _) in text.char_indices() {
        let _ = error_of(&text[..end]);
    }
}

#[test]
fn odd_nesting() {
    let _ = error_of(&"f'{".repeat(1000));
    let _ = error_of(&"f\"{f'{".repeat(500));
    let _ = error_of(&"t'{a:{".repeat(500));
    let _ = error_of(&"(lambda x=(lambda x=".repeat(90));
    let _ = error_of(&"[a for a in ".repeat(150));
    let _ = error_of(&"match a:\n case ".repeat(50));
    let _ = error_of(&("match a:\n case ".to_owned() + &"(".repeat(199)));
    let _ = error_of(&"with (".repeat(100));
    let _ = error_of(&"a(b=".repeat(199));
    let _ = error_of(&"{a:".repeat(199));
    let _ = error_of(&"async ".repeat(1000));
    let _ = error_of(&"@a\n".repeat(10_000));
}
