//! The proleptic Gregorian calendar as arithmetic on plain numbers.
//!
//! A day has an ordinal: 1 is the first of January of the year 1, a Monday. The functions take any
//! fields without overflow, since unpickling may have made dates that no calendar has.

/// The first and the last year.
pub const MIN_YEAR: i32 = 1;
pub const MAX_YEAR: i32 = 9999;
/// The ordinal of the last day of the last year.
pub const MAX_ORDINAL: i64 = 3_652_059;
/// The ordinal of the first of January of 1970.
pub const UNIX_ORDINAL: i64 = 719_163;

/// Days of 400, 100 and 4 years.
const DAYS_400: i64 = 146_097;
const DAYS_100: i64 = 36_524;
const DAYS_4: i64 = 1_461;

/// Days of the year before each month, in years without a 29th of February.
const BEFORE_MONTH: [i32; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// A date as the calendar shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    pub year: i32,
    pub month: i32,
    pub day: i32,
}

/// A time of day as a clock shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock {
    pub hour: i32,
    pub minute: i32,
    pub second: i32,
    pub micro: i32,
}

pub const MIDNIGHT: Clock = Clock { hour: 0, minute: 0, second: 0, micro: 0 };

impl Clock {
    /// Seconds since midnight.
    pub fn seconds(self) -> i64 {
        (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second)
    }
}

pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of the year before a month from 1 to 12.
fn before_month(year: i32, month: i32) -> i32 {
    let index = usize::try_from(month - 1).unwrap_or(0).min(12);
    BEFORE_MONTH[index] + i32::from(month > 2 && is_leap(year))
}

pub fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        2 => 28 + i32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Day {
    pub const fn new(year: i32, month: i32, day: i32) -> Self {
        Self { year, month, day }
    }

    pub fn ordinal(self) -> i64 {
        let before = i64::from(self.year) - 1;
        let leaps = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
        before * 365 + leaps + i64::from(before_month(self.year, self.month)) + i64::from(self.day)
    }

    /// The day with an ordinal from 1 on. Years too large to be told apart are all the largest one.
    pub fn from_ordinal(ordinal: i64) -> Self {
        let zero_based = ordinal - 1;
        let (cycles, rest) = (zero_based.div_euclid(DAYS_400), zero_based.rem_euclid(DAYS_400));
        // The last day of a cycle ends its fourth century, the last day of four years the fourth year.
        let centuries = (rest / DAYS_100).min(3);
        let rest = rest - centuries * DAYS_100;
        let (fours, rest) = (rest / DAYS_4, rest % DAYS_4);
        let years = (rest / 365).min(3);
        let day_of_year = i32::try_from(rest - years * 365).unwrap_or(0);
        let year = cycles * 400 + centuries * 100 + fours * 4 + years + 1;
        let year = i32::try_from(year).unwrap_or(i32::MAX);
        // No month is longer than 32 days, so the guess is right or one too small.
        let guess = day_of_year / 32 + 1;
        let month = if day_of_year >= before_month(year, guess + 1) { guess + 1 } else { guess };
        Self { year, month, day: day_of_year - before_month(year, month) + 1 }
    }

    /// From 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> i32 {
        i32::try_from((self.ordinal() + 6).rem_euclid(7)).unwrap_or(0)
    }

    /// The day's number in its year, from 1 on.
    pub fn of_year(self) -> i32 {
        before_month(self.year, self.month) + self.day
    }

    /// Year, week and weekday (from 1) of ISO 8601.
    pub fn iso(self) -> (i32, i32, i32) {
        let ordinal = self.ordinal();
        let mut year = self.year;
        let mut begin = iso_year_begin(year);
        if ordinal < begin {
            year -= 1;
            begin = iso_year_begin(year);
        } else {
            let next = iso_year_begin(year + 1);
            if ordinal >= next {
                year += 1;
                begin = next;
            }
        }
        let days = ordinal - begin;
        let small = |value: i64| i32::try_from(value).unwrap_or(0);
        (year, small(days.div_euclid(7)) + 1, small(days.rem_euclid(7)) + 1)
    }

    /// The whole days and seconds since the beginning of the year 1, plus one day.
    pub fn seconds_at(self, clock: Clock) -> i64 {
        self.ordinal() * 86_400 + clock.seconds()
    }
}

/// The ordinal of the Monday on which an ISO year begins: the week with the year's first Thursday.
fn iso_year_begin(year: i32) -> i64 {
    let first = Day::new(year, 1, 1).ordinal();
    let weekday = (first + 6).rem_euclid(7);
    let monday = first - weekday;
    if weekday > 3 { monday + 7 } else { monday }
}

/// What is wrong with the fields of an ISO week date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IsoFlaw {
    Year,
    Week,
    Weekday,
}

/// The day of an ISO week date; at the end of the last year it may lie in the year after.
pub fn from_iso(year: i32, week: i32, weekday: i32) -> Result<Day, IsoFlaw> {
    if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
        return Err(IsoFlaw::Year);
    }
    let begin = iso_year_begin(year);
    let weeks = if iso_year_begin(year + 1) - begin > 364 { 53 } else { 52 };
    if !(1..=weeks).contains(&week) {
        return Err(IsoFlaw::Week);
    }
    if !(1..=7).contains(&weekday) {
        return Err(IsoFlaw::Weekday);
    }
    let ordinal = begin + i64::from(week - 1) * 7 + i64::from(weekday - 1);
    Ok(Day::from_ordinal(ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_and_days_are_inverse() {
        let mut expected = Day::new(1, 1, 1);
        for ordinal in 1..=MAX_ORDINAL {
            assert_eq!(Day::from_ordinal(ordinal), expected);
            assert_eq!(expected.ordinal(), ordinal);
            expected.day += 1;
            if expected.day > days_in_month(expected.year, expected.month) {
                expected.day = 1;
                expected.month += 1;
                if expected.month > 12 {
                    expected = Day::new(expected.year + 1, 1, 1);
                }
            }
        }
        assert_eq!(expected, Day::new(10_000, 1, 1));
    }

    #[test]
    fn iso_weeks() {
        for ordinal in (1..=MAX_ORDINAL).step_by(3) {
            let day = Day::from_ordinal(ordinal);
            let (year, week, weekday) = day.iso();
            if (MIN_YEAR..=MAX_YEAR).contains(&year) {
                assert_eq!(from_iso(year, week, weekday), Ok(day));
            }
        }
        assert_eq!(Day::new(2021, 1, 3).iso(), (2020, 53, 7));
        assert_eq!(from_iso(2021, 53, 1), Err(IsoFlaw::Week));
    }

    #[test]
    fn impossible_days_do_no_harm() {
        for day in [Day::new(0, 1, 0), Day::new(65_535, 12, 255), Day::new(0, 12, 255)] {
            let _ = (day.iso(), day.weekday(), day.of_year(), day.seconds_at(MIDNIGHT));
        }
        assert_eq!(Day::from_ordinal(i64::from(i32::MAX)).year, 5_879_611);
    }
}
