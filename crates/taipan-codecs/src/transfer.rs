//! Encodings of old mail: uuencode, quoted-printable, and the checksums that go with them.

/// Why `uu_decode` refuses, in CPython's words.
pub type UuError = &'static str;

/// Decodes one line of uuencoded data.
pub fn uu_decode(s: &[u8]) -> Result<Vec<u8>, UuError> {
    let (&first, mut rest) = s.split_first().ok_or("Missing length byte")?;
    let len = usize::from(first.wrapping_sub(b' ') & 63);
    let mut out = Vec::with_capacity(len);
    let (mut acc, mut bits) = (0u32, 0);
    while out.len() < len {
        // Spaces at the end of a line may have been eaten.
        let value = match rest.first() {
            None | Some(b'\n' | b'\r') => 0,
            Some(&c) if (b' '..=b' ' + 64).contains(&c) => c.wrapping_sub(b' ') & 63,
            Some(_) => return Err("Illegal char"),
        };
        rest = rest.get(1..).unwrap_or(&[]);
        acc = acc << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((acc >> bits) as u8);
            acc &= (1 << bits) - 1;
        }
    }
    if rest.iter().all(|c| matches!(c, b' ' | b'`' | b'\n' | b'\r')) {
        Ok(out)
    } else {
        Err("Trailing garbage")
    }
}

/// Encodes one line of at most 45 bytes; `backtick` stands for zero instead of a space.
pub fn uu_encode(s: &[u8], backtick: bool) -> Result<Vec<u8>, UuError> {
    if s.len() > 45 {
        return Err("At most 45 bytes at once");
    }
    let sign = |value: u8| if backtick && value == 0 { b'`' } else { value + b' ' };
    let mut out = vec![sign(s.len() as u8)];
    for group in s.chunks(3) {
        let byte = |k: usize| u32::from(group.get(k).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        out.extend([18, 12, 6, 0].map(|shift| sign((word >> shift & 63) as u8)));
    }
    out.push(b'\n');
    Ok(out)
}

fn hex(c: u8) -> Option<u8> {
    (c as char).to_digit(16).map(|d| d as u8)
}

/// Decodes quoted-printable; `header` makes underscores spaces.
pub fn qp_decode(s: &[u8], header: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(s.len());
    let mut at = 0;
    while let Some(&c) = s.get(at) {
        at += 1;
        if c != b'=' {
            out.push(if header && c == b'_' { b' ' } else { c });
            continue;
        }
        match (s.get(at), s.get(at + 1)) {
            (None, _) => break,
            (Some(b'\n' | b'\r'), _) => {
                // A soft line end: everything up to it goes.
                at += s[at..].iter().position(|&c| c == b'\n').map_or(s.len() - at, |n| n + 1);
            }
            (Some(b'='), _) => {
                out.push(b'=');
                at += 1;
            }
            (Some(&a), Some(&b)) if hex(a).is_some() && hex(b).is_some() => {
                out.push(hex(a).unwrap_or(0) << 4 | hex(b).unwrap_or(0));
                at += 2;
            }
            _ => out.push(b'='),
        }
    }
    out
}

/// How quoted-printable is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct QpOptions {
    /// Tabs and spaces are quoted too.
    pub quote_tabs: bool,
    /// Line ends stay as they are.
    pub text: bool,
    /// Spaces become underscores.
    pub header: bool,
}

const LINE: usize = 76;

fn must_quote(s: &[u8], at: usize, line: usize, options: QpOptions) -> bool {
    let (c, next) = (s[at], s.get(at + 1));
    c > 126
        || c == b'='
        || (options.header && c == b'_')
        || (c == b'.' && line == 0 && matches!(next, None | Some(b'\n' | b'\r' | 0)))
        || (!options.text && matches!(c, b'\r' | b'\n'))
        || (matches!(c, b'\t' | b' ') && next.is_none())
        || (c < 33 && !matches!(c, b'\r' | b'\n') && (options.quote_tabs || !matches!(c, b'\t' | b' ')))
}

fn quoted(c: u8, out: &mut Vec<u8>) {
    let digit = |d: u8| b"0123456789ABCDEF"[usize::from(d)];
    out.extend([b'=', digit(c >> 4), digit(c & 15)]);
}

/// Encodes as quoted-printable.
pub fn qp_encode(s: &[u8], options: QpOptions) -> Vec<u8> {
    let first = s.iter().position(|&c| c == b'\n');
    let end: &[u8] = if first.is_some_and(|at| at > 0 && s[at - 1] == b'\r') { b"\r\n" } else { b"\n" };
    let mut out = Vec::with_capacity(s.len());
    let (mut at, mut line) = (0, 0);
    while let Some(&c) = s.get(at) {
        if must_quote(s, at, line, options) {
            if line + 3 >= LINE {
                out.push(b'=');
                out.extend(end);
                line = 0;
            }
            quoted(c, &mut out);
            at += 1;
            line += 3;
        } else if options.text && (c == b'\n' || (c == b'\r' && s.get(at + 1) == Some(&b'\n'))) {
            line = 0;
            // White space at the end of a line would get lost.
            if let Some(last @ (b' ' | b'\t')) = out.last().copied() {
                out.pop();
                quoted(last, &mut out);
            }
            out.extend(end);
            at += if c == b'\r' { 2 } else { 1 };
        } else {
            if s.get(at + 1).is_some_and(|&next| next != b'\n') && line + 1 >= LINE {
                out.push(b'=');
                out.extend(end);
                line = 0;
            }
            line += 1;
            out.push(if options.header && c == b' ' { b'_' } else { c });
            at += 1;
        }
    }
    out
}

/// The CRC of BinHex (CCITT), going on from `crc`.
pub fn crc_hqx(s: &[u8], crc: u16) -> u16 {
    s.iter().fold(crc, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |c, _| if c & 0x8000 != 0 { c << 1 ^ 0x1021 } else { c << 1 })
    })
}

const CRC32: [u32; 256] = {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let (mut c, mut k) = (n as u32, 0);
        while k < 8 {
            c = if c & 1 != 0 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 };
            k += 1;
        }
        table[n] = c;
        n += 1;
    }
    table
};

/// The CRC-32 of zlib, going on from `crc`.
pub fn crc32(s: &[u8], crc: u32) -> u32 {
    !s.iter().fold(!crc, |c, &byte| CRC32[usize::from(c as u8 ^ byte)] ^ c >> 8)
}
