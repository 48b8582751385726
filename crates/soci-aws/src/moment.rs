//! Points in time as AWS' tools print them: seconds since 1970 with a fraction, or text with an offset.

use std::fmt;

/// A point in time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// The years 0001 to 9999, in milliseconds.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

impl Moment {
    /// 1970-01-01: what reproducible builds write where they say no date.
    pub const EPOCH: Self = Self(0);

    /// From milliseconds since 1970; `None` outside of the years 1 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        RANGE.contains(&millis).then_some(Self(millis))
    }

    /// From seconds since 1970, as version 1 of the AWS command line and the API print it.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        let millis = (seconds * 1000.0).round();
        // Both ends of the range are exact as floats.
        let fits = millis >= *RANGE.start() as f64 && millis <= *RANGE.end() as f64;
        fits.then_some(Self(millis as i64))
    }

    /// From `2026-11-28T09:41:07.123Z` or `2026-11-28T10:41:07.123000+01:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |range: std::ops::Range<usize>| -> Option<i64> {
            let digits = text.get(range)?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse().ok())?
        };
        let is = |at: usize, allowed: &[u8]| bytes.get(at).is_some_and(|byte| allowed.contains(byte));
        let marks = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        let in_range =
            (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        if !marks || !in_range || year == 0 {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut millis = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let digits = &fraction[..length];
            millis = format!("{digits:0<3}").get(..3)?.parse().ok()?;
            rest = &fraction[length..];
        }
        let offset = offset(rest)?;
        let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
        Self::from_millis(seconds * 1000 + millis)
    }

    /// Milliseconds from an earlier point to this one; `None` if it is not earlier.
    pub fn since(self, earlier: Self) -> Option<u64> {
        u64::try_from(self.0 - earlier.0).ok()
    }
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|letter| *letter != ':').collect();
    let is_four = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = is_four.then(|| digits.parse().ok())??;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; years counted from March, so that a leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// `2026-11-28 09:41:07 UTC`.
impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1000);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_aws_prints_is_read() {
        for (text, shown) in [
            ("2026-11-28T09:41:07.123Z", "2026-11-28 09:41:07 UTC"),
            ("2026-11-28T10:41:07.123000+01:00", "2026-11-28 09:41:07 UTC"),
            ("2024-02-29T23:30:00-0130", "2024-03-01 01:00:00 UTC"),
            ("1969-12-31T23:59:59.9Z", "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(
                Moment::parse(text).map(|moment| moment.to_string()).as_deref(),
                Some(shown)
            );
        }
        let seconds = Moment::from_seconds(1_795_858_867.123).expect("in range");
        assert_eq!(
            seconds,
            Moment::parse("2026-11-28T09:41:07.123Z").expect("a moment")
        );
        for text in [
            "",
            "2026-11-28",
            "2026-13-28T09:41:07Z",
            "2026-11-28T09:41:07",
            "２026-11-28T09:41:07Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        for seconds in [f64::NAN, f64::INFINITY, -1e18, 1e18] {
            assert_eq!(Moment::from_seconds(seconds), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_shown_is_what_was_read(millis in RANGE) {
            let moment = Moment::from_millis(millis).expect("in range");
            let shown = moment.to_string().replace(" UTC", "Z");
            let read = Moment::parse(&shown).expect("our own form");
            proptest::prop_assert_eq!(moment.since(read).map(|apart| apart < 1000), Some(true));
        }

        #[test]
        fn no_text_is_too_odd(text: String) {
            let _ = Moment::parse(&text);
        }
    }
}
