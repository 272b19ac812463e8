//! From bytes to the text the lexer reads.
//!
//! PEP 263: a byte order mark or a coding cookie in the first two lines names the encoding; without
//! either the text is UTF-8. Line ends become `\n`.

use std::borrow::Cow;

use crate::Mode;
use crate::error::{ErrorKind, ErrorPlace, ParseError};

/// Decodes bytes in a named encoding that this crate does not know: `Ok(None)` where nobody knows
/// it, an error message where the bytes do not fit it.
pub type Codec<'a> = &'a dyn Fn(&str, &[u8]) -> Result<Option<String>, String>;

/// The text as the lexer reads it: `\n` line ends, and for a module a newline at its end.
pub fn prepare(source: &str, mode: Mode) -> Result<Cow<'_, str>, ParseError> {
    if memchr::memchr(0, source.as_bytes()).is_some() {
        let msg = "source code string cannot contain null bytes";
        return Err(ParseError::bare(ErrorKind::SyntaxError, msg));
    }
    if source.len() > i32::MAX as usize - 1 {
        let msg = "Parser column offset overflow - source line is too big";
        return Err(ParseError::bare(ErrorKind::OverflowError, msg));
    }
    let needs_newline = mode == Mode::Exec && !source.is_empty() && !source.ends_with(['\n', '\r']);
    if memchr::memchr(b'\r', source.as_bytes()).is_none() {
        return Ok(if needs_newline { Cow::Owned(format!("{source}\n")) } else { Cow::Borrowed(source) });
    }
    let mut text = String::with_capacity(source.len() + 1);
    let mut pieces = source.split('\r');
    text.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        if !piece.starts_with('\n') {
            text.push('\n');
        }
        text.push_str(piece);
    }
    if needs_newline {
        text.push('\n');
    }
    Ok(Cow::Owned(text))
}

/// CPython's short names of the encodings it treats alike.
fn normal_name(name: &str) -> String {
    let lower: String =
        name.chars().take(12).map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    if lower == "utf-8" || lower.starts_with("utf-8-") {
        return "utf-8".into();
    }
    for latin in ["latin-1", "iso-8859-1", "iso-latin-1"] {
        if lower == latin || lower.starts_with(&format!("{latin}-")) {
            return "iso-8859-1".into();
        }
    }
    name.to_owned()
}

/// The encoding a comment line names.
fn cookie(line: &[u8]) -> Option<String> {
    let comment = line.iter().position(|b| !matches!(b, b' ' | b'\t' | 12))?;
    if line[comment] != b'#' {
        return None;
    }
    let rest = &line[comment..];
    let mut at = 0;
    while at + 6 < rest.len() {
        if rest[at..].starts_with(b"coding") && matches!(rest[at + 6], b':' | b'=') {
            let tail = &rest[at + 7..];
            let begin = tail.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(tail.len());
            let name: String = tail[begin..]
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                .map(|&b| b as char)
                .collect();
            if !name.is_empty() {
                return Some(normal_name(&name));
            }
        }
        at += 1;
    }
    None
}

/// Whether a line holds nothing but white space and perhaps a comment: only behind such a first
/// line does the second count.
fn is_blank(line: &[u8]) -> bool {
    line.iter().find(|b| !matches!(b, b' ' | b'\t' | 12)).is_none_or(|b| matches!(b, b'#' | b'\n' | b'\r'))
}

fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let mut lines = bytes.split_inclusive(|&b| b == b'\n' || b == b'\r');
    let first = lines.next()?;
    if let Some(name) = cookie(first) {
        return Some(name);
    }
    if !is_blank(first) {
        return None;
    }
    let mut second = lines.next()?;
    if first.ends_with(b"\r") && second == b"\n" {
        second = lines.next()?;
    }
    cookie(second)
}

/// An error in naming an encoding or in what it names: CPython gives it no real place.
fn unplaced(msg: String) -> ParseError {
    let place = ErrorPlace { lineno: 0, offset: -1, end_lineno: None, end_offset: None, text: None };
    ParseError { kind: ErrorKind::SyntaxError, msg, place: Some(place) }
}

/// Text of a source file: decoded as its beginning says, the byte order mark gone.
pub fn decode_source<'a>(bytes: &'a [u8], codec: Codec<'_>) -> Result<Cow<'a, str>, ParseError> {
    decode_script(bytes, codec, None)
}

/// As [`decode_source`], for the program's own file, which messages name.
pub fn decode_script<'a>(
    bytes: &'a [u8],
    codec: Codec<'_>,
    file: Option<&str>,
) -> Result<Cow<'a, str>, ParseError> {
    if memchr::memchr(0, bytes).is_some() {
        let msg = "source code string cannot contain null bytes";
        return Err(ParseError::bare(ErrorKind::SyntaxError, msg));
    }
    let (marked, bytes) = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let declared = declared_encoding(bytes);
    if let (true, Some(name)) = (marked, &declared)
        && name != "utf-8"
    {
        return Err(encoding_with_mark(name, bytes));
    }
    match declared.as_deref() {
        None | Some("utf-8") => decode_utf8(bytes, file),
        Some("iso-8859-1") => Ok(Cow::Owned(bytes.iter().map(|&b| b as char).collect())),
        Some(name) => match codec(name, bytes) {
            Ok(Some(text)) => Ok(Cow::Owned(text)),
            Ok(None) => Err(unplaced(format!("unknown encoding: {name}"))),
            Err(msg) => Err(unplaced(msg)),
        },
    }
}

fn encoding_with_mark(name: &str, bytes: &[u8]) -> ParseError {
    let mut lines = bytes.split(|&b| b == b'\n' || b == b'\r').zip(1..);
    let (line, lineno) = lines.find(|(line, _)| cookie(line).is_some()).unwrap_or((bytes, 1));
    let text = String::from_utf8_lossy(line).into_owned();
    ParseError {
        kind: ErrorKind::SyntaxError,
        msg: format!("encoding problem: {name} with BOM"),
        place: Some(ErrorPlace {
            lineno,
            offset: 0,
            end_lineno: Some(lineno),
            end_offset: Some(text.chars().count() as i32),
            text: Some(text),
        }),
    }
}

fn decode_utf8<'a>(bytes: &'a [u8], file: Option<&str>) -> Result<Cow<'a, str>, ParseError> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(Cow::Borrowed(text)),
        Err(error) => error,
    };
    let at = error.valid_up_to();
    let lineno = bytes[..at].iter().filter(|&&b| b == b'\n').count() as i32 + 1;
    let line_start = bytes[..at].iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
    let line_end = bytes[at..].iter().position(|&b| b == b'\n').map_or(bytes.len(), |n| at + n);
    let text = String::from_utf8_lossy(&bytes[line_start..line_end]).into_owned();
    let column = String::from_utf8_lossy(&bytes[line_start..at]).chars().count() as i32 + 1;
    let file = file.map(|file| format!(" in file {file}")).unwrap_or_default();
    let msg = format!(
        "Non-UTF-8 code starting with '\\x{:02x}'{file} on line {lineno}, but no encoding declared; \
         see https://peps.python.org/pep-0263/ for details",
        bytes[at]
    );
    Err(ParseError {
        kind: ErrorKind::SyntaxError,
        msg,
        place: Some(ErrorPlace {
            lineno,
            offset: column,
            end_lineno: Some(lineno),
            end_offset: Some(column),
            text: Some(text),
        }),
    })
}
