//! Checks code before it may run.
//!
//! After this check every operand is present, every jump goes forward to the start of an operator inside
//! the code, sets end, groups exist, and each sub-pattern ends as its owner expects: the engine can index
//! without fear and always ends.

use crate::charset::{Fold, Set};
use crate::constants::*;
use crate::{Info, InvalidCode, Program};

type Checked<T> = Result<T, InvalidCode>;

/// Deeper nesting than the parser can make; keeps the check itself off the stack's end.
const MAX_DEPTH: usize = 4000;

struct Checker<'c> {
    code: &'c [u32],
    groups: usize,
    set_at: Vec<u32>,
    sets: Vec<Set>,
}

/// Checks `code` and makes the program.
pub(crate) fn build(code: Vec<u32>, groups: usize) -> Checked<Program> {
    if code.last() != Some(&op::SUCCESS) || groups >= MAXGROUPS as usize || code.len() > u32::MAX as usize / 2
    {
        return Err(InvalidCode);
    }
    let mut c = Checker { code: &code, groups, set_at: vec![0; code.len()], sets: Vec::new() };
    c.sequence(0, code.len() - 1, 0)?;
    let mut info = Info::default();
    if code[0] == op::INFO {
        read_info(&code, &mut c.sets, &mut info);
    }
    let (set_at, sets) = (c.set_at, c.sets);
    Ok(Program { code, set_at, sets, groups, info })
}

fn read_info(code: &[u32], sets: &mut Vec<Set>, info: &mut Info) {
    info.start = 1 + code[1] as usize;
    info.min_width = code[3] as usize;
    if code[2] & INFO_PREFIX != 0 {
        let n = code[5] as usize;
        info.prefix_skip = code[6] as usize;
        info.prefix = code[7..7 + n].to_vec();
        info.literal = code[2] & INFO_LITERAL != 0;
    } else if code[2] & INFO_CHARSET != 0 {
        sets.push(Set::new(code, 5, Fold::None));
        info.set = Some(sets.len() as u32 - 1);
    }
}

fn demand(ok: bool) -> Checked<()> {
    if ok { Ok(()) } else { Err(InvalidCode) }
}

impl Checker<'_> {
    fn word(&self, i: usize, end: usize) -> Checked<u32> {
        if i < end { Ok(self.code[i]) } else { Err(InvalidCode) }
    }

    /// The target of a skip stored at `i`, at most `end`.
    fn target(&self, i: usize, end: usize) -> Checked<usize> {
        let t = i + self.word(i, end)? as usize;
        demand(t > i && t <= end)?;
        Ok(t)
    }

    /// Operators from `i` up to exactly `end`.
    fn sequence(&mut self, mut i: usize, end: usize, depth: usize) -> Checked<()> {
        demand(i <= end && depth < MAX_DEPTH)?;
        while i < end {
            i = self.operator(i, end, depth)?;
        }
        demand(i == end)
    }

    fn operator(&mut self, i: usize, end: usize, depth: usize) -> Checked<usize> {
        let code = self.code[i];
        match code {
            op::SUCCESS | op::FAILURE | op::ANY | op::ANY_ALL => Ok(i + 1),
            op::MARK => {
                demand((self.word(i + 1, end)? as usize) < 2 * self.groups)?;
                Ok(i + 2)
            }
            op::LITERAL
            | op::NOT_LITERAL
            | op::LITERAL_IGNORE
            | op::NOT_LITERAL_IGNORE
            | op::LITERAL_UNI_IGNORE
            | op::NOT_LITERAL_UNI_IGNORE
            | op::LITERAL_LOC_IGNORE
            | op::NOT_LITERAL_LOC_IGNORE => {
                self.word(i + 1, end)?;
                Ok(i + 2)
            }
            op::AT => {
                demand(self.word(i + 1, end)? <= at::LAST)?;
                Ok(i + 2)
            }
            op::GROUPREF | op::GROUPREF_IGNORE | op::GROUPREF_UNI_IGNORE | op::GROUPREF_LOC_IGNORE => {
                demand((self.word(i + 1, end)? as usize) < self.groups)?;
                Ok(i + 2)
            }
            op::IN | op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE => self.set(i, end),
            op::INFO => self.info(i, end),
            op::BRANCH => self.branch(i, end, depth),
            op::REPEAT_ONE | op::MIN_REPEAT_ONE | op::POSSESSIVE_REPEAT_ONE => self.repeat_one(i, end),
            op::REPEAT | op::POSSESSIVE_REPEAT => {
                let t = self.target(i + 1, end)?;
                self.limits(i + 2, end)?;
                let last = self.word(t, end)?;
                self.sequence(i + 4, t, depth + 1)?;
                demand(match code {
                    op::REPEAT => last == op::MAX_UNTIL || last == op::MIN_UNTIL,
                    _ => last == op::SUCCESS,
                })?;
                Ok(t + 1)
            }
            op::ATOMIC_GROUP => self.body(i + 1, i + 2, end, depth),
            op::ASSERT | op::ASSERT_NOT => {
                demand(self.word(i + 2, end)? >> 31 == 0)?;
                self.body(i + 1, i + 3, end, depth)
            }
            op::GROUPREF_EXISTS => self.conditional(i, end, depth),
            _ => Err(InvalidCode),
        }
    }

    /// A sub-pattern from `start` whose skip is at `skip` and whose last word is SUCCESS.
    fn body(&mut self, skip: usize, start: usize, end: usize, depth: usize) -> Checked<usize> {
        let t = self.target(skip, end)?;
        demand(t > start && self.code[t - 1] == op::SUCCESS)?;
        self.sequence(start, t - 1, depth + 1)?;
        Ok(t)
    }

    fn limits(&self, i: usize, end: usize) -> Checked<()> {
        demand(self.word(i, end)? <= self.word(i + 1, end)?)
    }

    fn set(&mut self, i: usize, end: usize) -> Checked<usize> {
        let t = self.target(i + 1, end)?;
        demand(t >= i + 3 && self.code[t - 1] == op::FAILURE)?;
        self.items(i + 2, t - 1)?;
        let fold = match self.code[i] {
            op::IN => Fold::None,
            op::IN_IGNORE => Fold::Ascii,
            op::IN_UNI_IGNORE => Fold::Unicode,
            _ => Fold::Locale,
        };
        self.set_at[i] = self.sets.len() as u32;
        self.sets.push(Set::new(self.code, i + 2, fold));
        Ok(t)
    }

    /// Items of a set from `i` to exactly `end`.
    fn items(&self, mut i: usize, end: usize) -> Checked<()> {
        while i < end {
            i += match self.code[i] {
                op::NEGATE => 1,
                op::LITERAL => 2,
                op::RANGE | op::RANGE_UNI_IGNORE => 3,
                op::CATEGORY => {
                    demand(self.word(i + 1, end)? <= cat::LAST)?;
                    2
                }
                op::CHARSET => 9,
                op::BIGCHARSET => {
                    let blocks = self.word(i + 1, end)? as usize;
                    demand(blocks <= 256 && i + 66 + blocks * 8 <= end)?;
                    let used = self.code[i + 2..i + 66].iter().flat_map(|w| w.to_le_bytes());
                    demand(used.into_iter().all(|b| (b as usize) < blocks))?;
                    66 + blocks * 8
                }
                _ => return Err(InvalidCode),
            };
        }
        demand(i == end)
    }

    fn info(&mut self, i: usize, end: usize) -> Checked<usize> {
        let t = self.target(i + 1, end)?;
        demand(t >= i + 5)?;
        let flags = self.code[i + 2];
        demand(flags & !(INFO_PREFIX | INFO_LITERAL | INFO_CHARSET) == 0)?;
        demand(flags & INFO_PREFIX == 0 || flags & INFO_CHARSET == 0)?;
        demand(flags & INFO_LITERAL == 0 || flags & INFO_PREFIX != 0)?;
        let mut at = i + 5;
        if flags & INFO_PREFIX != 0 {
            let n = self.word(at, t)? as usize;
            let skip = self.word(at + 1, t)? as usize;
            demand(n > 0 && skip <= n && at + 2 + 2 * n <= t)?;
            demand(self.code[at + 2 + n..at + 2 + 2 * n].iter().all(|&o| (o as usize) < n))?;
            // The skipped literals must be there to be skipped.
            for k in 0..skip {
                demand(self.code.get(t + 2 * k) == Some(&op::LITERAL))?;
            }
            at += 2 + 2 * n;
        }
        if flags & INFO_CHARSET != 0 {
            demand(t > at && self.code[t - 1] == op::FAILURE)?;
            self.items(at, t - 1)?;
            at = t;
        }
        demand(at == t)?;
        Ok(t)
    }

    fn branch(&mut self, i: usize, end: usize, depth: usize) -> Checked<usize> {
        let mut at = i + 1;
        let mut tail = None;
        while self.word(at, end)? != 0 {
            let next = self.target(at, end)?;
            demand(next >= at + 3 && self.code[next - 2] == op::JUMP)?;
            self.sequence(at + 1, next - 2, depth + 1)?;
            let to = self.target(next - 1, end)?;
            demand(*tail.get_or_insert(to) == to)?;
            at = next;
        }
        // The alternatives end with a zero; all jump to just behind it.
        demand(tail.is_none_or(|t| t == at + 1))?;
        Ok(at + 1)
    }

    fn repeat_one(&mut self, i: usize, end: usize) -> Checked<usize> {
        let t = self.target(i + 1, end)?;
        self.limits(i + 2, end)?;
        demand(t > i + 4 && self.code[t - 1] == op::SUCCESS)?;
        let item = self.code[i + 4];
        demand(
            matches!(
                item,
                op::ANY | op::ANY_ALL | op::IN | op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE
            ) || matches!(item, op::LITERAL | op::NOT_LITERAL)
                || (op::LITERAL_IGNORE..=op::NOT_LITERAL_IGNORE).contains(&item)
                || (op::LITERAL_LOC_IGNORE..=op::NOT_LITERAL_LOC_IGNORE).contains(&item)
                || (op::LITERAL_UNI_IGNORE..=op::NOT_LITERAL_UNI_IGNORE).contains(&item),
        )?;
        demand(self.operator(i + 4, t - 1, 0)? == t - 1)?;
        Ok(t)
    }

    fn conditional(&mut self, i: usize, end: usize, depth: usize) -> Checked<usize> {
        demand((self.word(i + 1, end)? as usize) < self.groups)?;
        let skip = self.word(i + 2, end)? as usize;
        let no = i + 1 + skip;
        demand(skip >= 2 && no <= end)?;
        if no >= i + 5 && self.code[no - 2] == op::JUMP {
            let to = self.code[no - 1] as usize + no - 1;
            if to >= no && to <= end && self.sequence(i + 3, no - 2, depth + 1).is_ok() {
                self.sequence(no, to, depth + 1)?;
                return Ok(to);
            }
        }
        self.sequence(i + 3, no, depth + 1)?;
        Ok(no)
    }
}
