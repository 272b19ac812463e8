//! The exception table: which handler guards which stretch of code. Four numbers an entry (start, length, handler,
//! depth and lasti bit), in code units, six bits a byte, highest first; bit 6 means that more follow, bit 7 marks
//! the beginning of an entry so that a reader can find one from the middle.

/// One guarded stretch, in code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// First unit.
    pub start: u32,
    /// Unit behind the last one.
    pub end: u32,
    /// Where to go on.
    pub target: u32,
    /// Height to which the value stack is cut.
    pub depth: u32,
    /// Whether the offset of the raising instruction is pushed below the exception.
    pub lasti: bool,
}

/// Appends one entry.
pub fn write_guard(table: &mut Vec<u8>, guard: Guard) {
    let mut first = 0x80;
    let depth = (guard.depth << 1) | u32::from(guard.lasti);
    for value in [guard.start, guard.end - guard.start, guard.target, depth] {
        for shift in [24, 18, 12, 6] {
            if value >= 1 << shift {
                table.push(((value >> shift) & 63) as u8 | 0x40 | first);
                first = 0;
            }
        }
        table.push((value & 63) as u8 | first);
        first = 0;
    }
}

/// Reads a table; a broken one ends early.
pub fn read_guards(table: &[u8]) -> Vec<Guard> {
    let mut bytes = table.iter().copied();
    let mut number = || {
        let mut byte = bytes.next()?;
        let mut value = u32::from(byte & 63);
        while byte & 64 != 0 {
            byte = bytes.next()?;
            value = (value << 6) | u32::from(byte & 63);
        }
        Some(value)
    };
    let mut guards = Vec::new();
    while let Some(start) = number() {
        let (Some(length), Some(target), Some(depth)) = (number(), number(), number()) else { break };
        guards.push(Guard {
            start,
            end: start.saturating_add(length),
            target,
            depth: depth >> 1,
            lasti: depth & 1 != 0,
        });
    }
    guards
}
