//! The location table (PEP 626 and 657): which source range each instruction comes from.
//!
//! An entry covers up to eight code units. Its first byte has the top bit set, a form in bits 3 to 6 and the length
//! less one below; what follows depends on the form. Numbers are six bits a byte, lowest first, bit 6 set when more
//! follow; signed ones keep the sign in bit 0.

/// A source range; a line below 0 means that there is none, a column below 0 that it is unknown.
#[derive(Clone, Copy, Debug, Eq)]
pub struct Location {
    /// First line.
    pub lineno: i32,
    /// Last line.
    pub end_lineno: i32,
    /// Byte column of the first character.
    pub col_offset: i32,
    /// Byte column behind the last character.
    pub end_col_offset: i32,
}

/// In one test: whether two instructions come from the same place is a matter of chance, and a processor that guesses
/// field by field guesses wrong more than once.
impl PartialEq for Location {
    #[inline]
    fn eq(&self, other: &Location) -> bool {
        let lines = (self.lineno ^ other.lineno) | (self.end_lineno ^ other.end_lineno);
        let columns = (self.col_offset ^ other.col_offset) | (self.end_col_offset ^ other.end_col_offset);
        lines | columns == 0
    }
}

impl Location {
    /// No place in the source.
    pub const NONE: Location = Location { lineno: -1, end_lineno: -1, col_offset: -1, end_col_offset: -1 };
}

const SHORT_FORMS: u8 = 0;
const ONE_LINE_FORMS: u8 = 10;
const NO_COLUMNS: u8 = 13;
const LONG: u8 = 14;
const NONE: u8 = 15;

/// Bytes of the longest entry: four numbers of up to six bytes behind the first.
const LONGEST: usize = 25;

/// First byte of an entry.
#[inline]
fn first_byte(form: u8, units: u8) -> u8 {
    0x80 | (form << 3) | (units - 1)
}

/// Writes a location table.
pub struct LocationWriter {
    bytes: Vec<u8>,
    line: i32,
}

impl LocationWriter {
    /// A table that begins at the first line of its code object.
    pub fn new(firstlineno: i32) -> LocationWriter {
        LocationWriter::with_memory(firstlineno, Vec::with_capacity(64))
    }

    /// As [`new`](LocationWriter::new), in a vector whose content is given up.
    pub fn with_memory(firstlineno: i32, mut bytes: Vec<u8>) -> LocationWriter {
        bytes.clear();
        LocationWriter { bytes, line: firstlineno }
    }

    /// The finished table.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// Says that the next `units` code units come from `loc`.
    #[inline]
    pub fn push(&mut self, loc: &Location, mut units: usize) {
        while units > 8 {
            self.entry(loc, 8);
            units -= 8;
        }
        if units > 0 {
            self.entry(loc, units as u8);
        }
    }

    fn start(&mut self, form: u8, units: u8) {
        self.bytes.push(first_byte(form, units));
    }

    fn varint(&mut self, mut value: u32) {
        while value >= 64 {
            self.bytes.push(0x40 | (value & 63) as u8);
            value >>= 6;
        }
        self.bytes.push(value as u8);
    }

    fn signed_varint(&mut self, value: i32) {
        let magnitude = value.unsigned_abs().wrapping_shl(1);
        self.varint(if value < 0 { magnitude | 1 } else { magnitude });
    }

    /// One entry, in one of the two forms of nearly all when there is room. That takes few instructions as long as
    /// nothing is called but at the very end.
    #[inline(never)]
    fn entry(&mut self, loc: &Location, units: u8) {
        // Without a sign, what is below 0 is too much for either form.
        let delta = loc.lineno.wrapping_sub(self.line) as u32;
        let (column, end) = (loc.col_offset as u32, loc.end_col_offset as u32);
        let length = end.wrapping_sub(column);
        let room = self.bytes.capacity().wrapping_sub(self.bytes.len());
        if loc.end_lineno == loc.lineno && loc.lineno != -1 && room >= 3 {
            if (delta | length >> 4 == 0) & (column < 80) {
                let first = first_byte(SHORT_FORMS + (column >> 3) as u8, units);
                self.bytes.extend_from_slice(&[first, ((column & 7) << 4 | length) as u8]);
                return;
            }
            if (delta < 3) & (column | end < 128) {
                let first = first_byte(ONE_LINE_FORMS + delta as u8, units);
                self.bytes.extend_from_slice(&[first, column as u8, end as u8]);
                self.line = loc.lineno;
                return;
            }
        }
        self.any_entry(loc, units)
    }

    /// Makes room for an entry and writes it, in a form for places that are none, have no columns, or are far away
    /// or large if none of the short ones does.
    #[inline(never)]
    fn any_entry(&mut self, loc: &Location, units: u8) {
        if self.bytes.capacity() - self.bytes.len() < LONGEST {
            self.bytes.reserve(LONGEST);
            self.entry(loc, units);
            return;
        }
        if loc.lineno == -1 {
            self.start(NONE, units);
            return;
        }
        let delta = loc.lineno.wrapping_sub(self.line);
        self.line = loc.lineno;
        let no_columns = loc.col_offset < 0 || loc.end_col_offset < 0;
        if no_columns && (loc.end_lineno == loc.lineno || loc.end_lineno < 0) {
            self.start(NO_COLUMNS, units);
            self.signed_varint(delta);
            return;
        }
        self.start(LONG, units);
        self.signed_varint(delta);
        self.varint(loc.end_lineno.wrapping_sub(loc.lineno) as u32);
        self.varint(loc.col_offset.wrapping_add(1) as u32);
        self.varint(loc.end_col_offset.wrapping_add(1) as u32);
    }
}

/// Reads a location table: gives code units and their location, entry by entry. A broken table ends early.
pub struct LocationReader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: i32,
}

impl<'a> LocationReader<'a> {
    /// Reads `table` of a code object with that first line.
    pub fn new(table: &'a [u8], firstlineno: i32) -> LocationReader<'a> {
        LocationReader { bytes: table, at: 0, line: firstlineno }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            if shift < 32 {
                value |= u32::from(byte & 63) << shift;
            }
            shift += 6;
            if byte & 64 == 0 {
                return Some(value);
            }
        }
    }

    fn signed_varint(&mut self) -> Option<i32> {
        let value = self.varint()?;
        Some(if value & 1 != 0 { ((value >> 1) as i32).wrapping_neg() } else { (value >> 1) as i32 })
    }
}

/// The line that a code unit comes from; `None` when it has none or the table does not reach it. Columns are passed
/// over.
pub fn line_at(table: &[u8], firstlineno: i32, unit: usize) -> Option<i32> {
    let mut reader = LocationReader::new(table, firstlineno);
    let mut end = 0;
    while let Some(first) = reader.byte() {
        let form = (first >> 3) & 15;
        match form {
            LONG | NO_COLUMNS => reader.line = reader.line.wrapping_add(reader.signed_varint()?),
            ONE_LINE_FORMS..NO_COLUMNS => {
                reader.line = reader.line.wrapping_add(i32::from(form - ONE_LINE_FORMS));
            }
            _ => {}
        }
        end += usize::from(first & 7) + 1;
        if unit < end {
            return (form != NONE && reader.line >= 0).then_some(reader.line);
        }
        // The top bit marks the first byte of the next entry.
        while table.get(reader.at).is_some_and(|byte| byte & 0x80 == 0) {
            reader.at += 1;
        }
    }
    None
}

impl Iterator for LocationReader<'_> {
    type Item = (usize, Location);

    fn next(&mut self) -> Option<(usize, Location)> {
        let first = self.byte()?;
        let units = usize::from(first & 7) + 1;
        let form = (first >> 3) & 15;
        let line = |line: i32, column: i32, end: i32| Location {
            lineno: line,
            end_lineno: line,
            col_offset: column,
            end_col_offset: end,
        };
        let location = match form {
            NONE => Location::NONE,
            LONG => {
                self.line = self.line.wrapping_add(self.signed_varint()?);
                let end_lineno = self.line.wrapping_add(self.varint()? as i32);
                let col_offset = (self.varint()? as i32).wrapping_sub(1);
                let end_col_offset = (self.varint()? as i32).wrapping_sub(1);
                Location { lineno: self.line, end_lineno, col_offset, end_col_offset }
            }
            NO_COLUMNS => {
                self.line = self.line.wrapping_add(self.signed_varint()?);
                line(self.line, -1, -1)
            }
            ONE_LINE_FORMS..NO_COLUMNS => {
                self.line = self.line.wrapping_add(i32::from(form - ONE_LINE_FORMS));
                let column = self.byte()?;
                line(self.line, i32::from(column), i32::from(self.byte()?))
            }
            _ => {
                let second = i32::from(self.byte()?);
                let column = (i32::from(form) << 3) | (second >> 4);
                line(self.line, column, column + (second & 15))
            }
        };
        Some((units, location))
    }
}
