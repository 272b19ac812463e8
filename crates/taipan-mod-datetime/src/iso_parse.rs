//! Reading ISO 8601, as far as `fromisoformat` does.
//!
//! Works on the bytes of UTF-8: everything but the separator between date and time is ASCII. A null
//! ends a text as it does in CPython, where a text of C is read.

use crate::calendar::{Clock, Day, from_iso};

/// A time with the offset of its zone, if there is one, in seconds and microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub clock: Clock,
    pub offset: Option<(i64, i64)>,
}

/// Reads bytes one after the other; behind the end there are nulls.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn ended(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte && !self.ended();
        self.at += usize::from(there);
        there
    }

    /// A number of exactly so many digits, at most 6.
    fn number(&mut self, digits: usize) -> Option<i32> {
        let text = self.bytes.get(self.at..self.at + digits)?;
        self.at += digits;
        text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')))
    }
}

/// A date in one of the forms `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-Www[-D]` and `YYYYWww[D]`. Whether there is
/// such a day of the month is left to be checked.
pub fn date(text: &[u8]) -> Option<Day> {
    let mut reader = Reader::new(text);
    let year = reader.number(4)?;
    let dashes = reader.eat(b'-');
    if reader.eat(b'W') {
        let week = reader.number(2)?;
        let mut weekday = 1;
        if !reader.ended() {
            if dashes && !reader.eat(b'-') {
                return None;
            }
            weekday = reader.number(1)?;
        }
        return from_iso(year, week, weekday).ok();
    }
    let month = reader.number(2)?;
    if dashes && !reader.eat(b'-') {
        return None;
    }
    let day = reader.number(2)?;
    Some(Day::new(year, month, day))
}

/// A date alone, whose length tells its form.
pub fn whole_date(text: &[u8]) -> Option<Day> {
    if matches!(text.len(), 7 | 8 | 10) { date(text) } else { None }
}

/// Where the date of a text ends. Dates come in several lengths, and the separator may be any
/// character, even a digit: the fifth and sixth characters tell the forms apart, and where a week may
/// or may not have a day, what follows must make sense.
fn date_length(text: &[u8]) -> Option<usize> {
    let digit = |index: usize| text.get(index).is_some_and(u8::is_ascii_digit);
    let at = |index: usize| text.get(index).copied().unwrap_or(0);
    if text.len() == 7 {
        return Some(7);
    }
    if at(4) == b'-' {
        if at(5) != b'W' {
            return Some(10);
        }
        if text.len() < 8 || text.len() == 9 && at(8) == b'-' {
            return None;
        }
        // `-Www-D…`, unless the dash is the separator and two digits of an hour follow.
        return Some(if at(8) == b'-' && !digit(10) { 10 } else { 8 });
    }
    if at(4) != b'W' {
        return Some(8);
    }
    let digits_end = 7 + text.iter().skip(7).take_while(|byte| byte.is_ascii_digit()).count();
    // Times have an even number of digits: with a separator before them that is a digit, too, an even
    // end means that the day was left out.
    Some(match digits_end {
        7 | 8 => digits_end,
        end if end % 2 == 0 => 7,
        _ => 8,
    })
}

/// The bytes of the character at the beginning.
fn first_char(text: &[u8]) -> usize {
    match text.first().copied().unwrap_or(0) {
        0..=0x7f => 1,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 2,
    }
}

/// A date, and a time behind any one character.
pub fn date_time(text: &[u8]) -> Option<(Day, Moment)> {
    let length = date_length(text)?;
    let day = date(text.get(..length.min(text.len()))?)?;
    if text.len() < length {
        return None;
    }
    if text.len() == length {
        return Some((day, Moment { clock: Clock::default(), offset: None }));
    }
    let rest = text.get(length..)?;
    let time = rest.get(first_char(rest)..)?;
    Some((day, moment(time)?))
}

/// A time, with the offset of a zone or without.
pub fn moment(text: &[u8]) -> Option<Moment> {
    let zone = text.iter().position(|byte| matches!(byte, b'+' | b'-' | b'Z'));
    let Some(zone) = zone else {
        let (clock, complete) = clock(text, 0)?;
        return complete.then_some(Moment { clock, offset: None });
    };
    let (clock, _) = clock(text.get(..zone)?, text[zone])?;
    let rest = &text[zone + 1..];
    if text[zone] == b'Z' {
        let nothing = rest.first().is_none_or(|&byte| byte == 0);
        return nothing.then_some(Moment { clock, offset: Some((0, 0)) });
    }
    let (offset, complete) = self::clock(rest, 0)?;
    if !complete {
        return None;
    }
    let sign = if text[zone] == b'-' { -1 } else { 1 };
    Some(Moment { clock, offset: Some((sign * offset.seconds(), sign * i64::from(offset.micro))) })
}

/// `HH[:MM[:SS[.fff…]]]` or the same without colons, and whether nothing is left. `next` is the byte behind
/// the text.
fn clock(text: &[u8], next: u8) -> Option<(Clock, bool)> {
    let mut reader = Reader::new(text);
    let mut fields = [0; 3];
    let mut colons = true;
    for index in 0..3 {
        fields[index] = reader.number(2)?;
        let byte = if reader.ended() { next } else { reader.peek() };
        if index == 0 {
            colons = byte == b':';
        }
        if reader.at + 1 >= text.len() {
            // A decimal mark needs digits behind it.
            if matches!(byte, b'.' | b',') {
                return None;
            }
            // One byte that is left over may be a null.
            let [hour, minute, second] = fields;
            return Some((Clock { hour, minute, second, micro: 0 }, byte == 0));
        }
        match byte {
            b':' if colons => {
                if index == 2 {
                    return None;
                }
                reader.at += 1;
            }
            b'.' | b',' => {
                if index < 2 {
                    return None;
                }
                reader.at += 1;
            }
            _ if colons => return None,
            _ => {}
        }
    }
    let digits = (text.len() - reader.at).min(6);
    if digits == 0 {
        return None;
    }
    let mut micro = reader.number(digits)?;
    for _ in digits..6 {
        micro *= 10;
    }
    while reader.peek().is_ascii_digit() {
        reader.at += 1;
    }
    let [hour, minute, second] = fields;
    let byte = if reader.ended() { next } else { reader.peek() };
    Some((Clock { hour, minute, second, micro }, byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_end_where_they_should() {
        for (text, length) in [
            ("2020-01-01T01", Some(10)),
            ("20200101T01", Some(8)),
            ("2020-W01-1T01", Some(10)),
            ("2020-W01-01", Some(8)),
            ("2020-W01T01", Some(8)),
            ("2020W01T01", Some(7)),
            ("2020W011T01", Some(8)),
            ("2020W01101", Some(7)),
            ("2020-W01-", None),
        ] {
            assert_eq!(date_length(text.as_bytes()), length, "{text}");
        }
    }

    #[test]
    fn times() {
        let read = |text: &str| moment(text.as_bytes());
        let plain = |hour, minute, second, micro| {
            Some(Moment { clock: Clock { hour, minute, second, micro }, offset: None })
        };
        assert_eq!(read("01"), plain(1, 0, 0, 0));
        assert_eq!(read("010203.5"), plain(1, 2, 3, 500_000));
        assert_eq!(read("01:02:03,1234567"), plain(1, 2, 3, 123_456));
        assert_eq!(read("01:0203"), None);
        assert_eq!(read("01Z").map(|m| m.offset), Some(Some((0, 0))));
        assert_eq!(read("01-01:00:00.5").map(|m| m.offset), Some(Some((-3600, -500_000))));
        for text in ["", "1", "01:", "01.5", "01+", "01Zx", "+01", "Z", ":", "010203.", "010203.Z", "０1"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
