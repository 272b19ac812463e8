//! Format strings: what they say, and where each value stands.

use super::StructError;
use crate::util::ModuleError;
use taipan_object::{PyErr, PyResult};

/// One entry of a format.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub code: u8,
    /// Bytes of one value.
    pub size: usize,
    pub offset: usize,
    /// How many values; 1 for `s` and `p`, whose count is their size.
    pub count: usize,
}

/// A parsed format.
#[derive(Debug)]
pub struct Format {
    pub items: Vec<Item>,
    pub size: usize,
    /// How many values there are.
    pub values: usize,
    pub big: bool,
}

/// Size and alignment of a code; native codes are aligned to their size.
fn size_of_code(code: u8, native: bool) -> Option<usize> {
    Some(match code {
        b'x' | b'c' | b'b' | b'B' | b'?' | b's' | b'p' => 1,
        b'h' | b'H' | b'e' => 2,
        b'i' | b'I' | b'f' => 4,
        b'l' | b'L' if native => 8,
        b'l' | b'L' => 4,
        b'q' | b'Q' | b'd' => 8,
        b'n' | b'N' | b'P' if native => 8,
        b'F' => 8,
        b'D' => 16,
        _ => return None,
    })
}

fn alignment(code: u8, size: usize) -> usize {
    match code {
        b's' | b'p' | b'x' => 1,
        b'F' => 4,
        b'D' => 8,
        _ => size,
    }
}

fn too_long() -> PyErr {
    StructError::error("total struct size too long")
}

impl Format {
    /// Parses a format.
    ///
    /// # Errors
    /// `struct.error`.
    pub fn parse(text: &[u8]) -> PyResult<Format> {
        if text.contains(&0) {
            return Err(StructError::error("embedded null character"));
        }
        let (native, big, rest) = match text.first() {
            Some(b'<') => (false, false, &text[1..]),
            Some(b'>' | b'!') => (false, true, &text[1..]),
            Some(b'=') => (false, cfg!(target_endian = "big"), &text[1..]),
            Some(b'@') => (true, cfg!(target_endian = "big"), &text[1..]),
            _ => (true, cfg!(target_endian = "big"), text),
        };
        let mut format = Format { items: Vec::new(), size: 0, values: 0, big };
        let mut at = 0;
        while let Some(&c) = rest.get(at) {
            at += 1;
            if c.is_ascii_whitespace() || c == 11 {
                continue;
            }
            let (mut count, mut code) = (1usize, c);
            if c.is_ascii_digit() {
                count = usize::from(c - b'0');
                loop {
                    let Some(&next) = rest.get(at) else {
                        return Err(StructError::error("repeat count given without format specifier"));
                    };
                    at += 1;
                    if !next.is_ascii_digit() {
                        code = next;
                        break;
                    }
                    count = count
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(usize::from(next - b'0')))
                        .filter(|n| isize::try_from(*n).is_ok())
                        .ok_or_else(too_long)?;
                }
            }
            format.add(code, count, native)?;
        }
        Ok(format)
    }

    fn add(&mut self, code: u8, count: usize, native: bool) -> PyResult<()> {
        let unit =
            size_of_code(code, native).ok_or_else(|| StructError::error("bad char in struct format"))?;
        if native {
            let align = alignment(code, unit);
            self.size = self.size.checked_next_multiple_of(align).ok_or_else(too_long)?;
        }
        let offset = self.size;
        let total = unit.checked_mul(count).ok_or_else(too_long)?;
        self.size = offset.checked_add(total).filter(|n| isize::try_from(*n).is_ok()).ok_or_else(too_long)?;
        match code {
            b'x' => {}
            b's' | b'p' => {
                self.items.push(Item { code, size: count, offset, count: 1 });
                self.values += 1;
            }
            _ if count > 0 => {
                self.items.push(Item { code, size: unit, offset, count });
                self.values += count;
            }
            _ => {}
        }
        Ok(())
    }
}
