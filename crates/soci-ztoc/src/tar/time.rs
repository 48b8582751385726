//! Modification times: from headers and PAX records, to RFC 3339 (`docs/tar.md`, section 4).

use core::ops::Range;

use super::number::decimal;

/// A point in time: seconds since 1970-01-01T00:00:00Z and nanoseconds after that second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

impl Timestamp {
    /// Whole seconds, rounded down.
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    /// 0 to 999,999,999.
    pub fn nanoseconds(&self) -> u32 {
        self.nanoseconds
    }

    /// The time of a header field.
    pub(super) fn from_seconds(seconds: i64) -> Self {
        Timestamp {
            seconds,
            nanoseconds: 0,
        }
    }

    /// `[-]digits[.digits]`; digits after the ninth are dropped.
    pub(super) fn from_pax(text: &[u8]) -> Option<Self> {
        let dot = text.iter().position(|&byte| byte == b'.');
        let (whole, fraction) = match dot {
            Some(dot) => (&text[..dot], &text[dot + 1..]),
            None => (text, &text[text.len()..]),
        };
        let seconds = decimal(whole)?;
        if !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let nanoseconds = nanoseconds(fraction);
        // "-0.5" counts as negative although its seconds do not. The smallest number wraps around:
        // both sides of the wrap lie far outside the years that can be written.
        Some(if whole[0] == b'-' && nanoseconds > 0 {
            Timestamp {
                seconds: seconds.wrapping_sub(1),
                nanoseconds: 1_000_000_000 - nanoseconds,
            }
        } else {
            Timestamp { seconds, nanoseconds }
        })
    }

    /// Reads RFC 3339 with any offset from UTC; the fraction is cut after nine digits.
    pub fn from_rfc_3339(text: &[u8]) -> Option<Self> {
        let (date, rest) = text.split_at_checked(19)?;
        let mark = |at: usize, mark: u8| (date[at] == mark).then_some(());
        let number = |range: Range<usize>| digits(&date[range]);
        for (at, byte) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
            mark(at, byte)?;
        }
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if !(1..=12).contains(&month) || day == 0 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = day_number(year, month, day);
        if civil(days) != (year, month as u32, day as u32) {
            return None;
        }
        let fraction = rest.strip_prefix(b".").unwrap_or(b"");
        let fraction_length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let dot = usize::from(rest.first() == Some(&b'.'));
        if dot == 1 && fraction_length == 0 {
            return None;
        }
        let offset = match &rest[dot + fraction_length..] {
            b"Z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let minutes = digits(&[*h1, *h2])? * 60 + digits(&[*m1, *m2])?;
                if *sign == b'-' {
                    -60 * minutes
                } else {
                    60 * minutes
                }
            }
            _ => return None,
        };
        Some(Timestamp {
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset,
            nanoseconds: nanoseconds(&fraction[..fraction_length]),
        })
    }

    /// RFC 3339 in UTC, the fraction without trailing zeros; empty outside the years 0 to 9999.
    pub fn rfc_3339(&self) -> Rfc3339 {
        let mut text = Rfc3339 {
            bytes: [0; 30],
            length: 0,
        };
        let days = self.seconds.div_euclid(86_400);
        let second = self.seconds.rem_euclid(86_400) as u32;
        let (year, month, day) = civil(days);
        if !(0..=9999).contains(&year) {
            return text;
        }
        text.digits(year as u32, 4);
        for (mark, value) in [
            (b'-', month),
            (b'-', day),
            (b'T', second / 3600),
            (b':', second / 60 % 60),
            (b':', second % 60),
        ] {
            text.push(mark);
            text.digits(value, 2);
        }
        if self.nanoseconds != 0 {
            text.push(b'.');
            text.digits(self.nanoseconds, 9);
            while text.bytes[text.length - 1] == b'0' {
                text.length -= 1;
            }
        }
        text.push(b'Z');
        text
    }
}

/// A time as text, without an allocation.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339 {
    bytes: [u8; 30],
    length: usize,
}

impl Rfc3339 {
    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    fn digits(&mut self, value: u32, width: u32) {
        for power in (0..width).rev() {
            self.push(b'0' + (value / 10_u32.pow(power) % 10) as u8);
        }
    }
}

/// The first nine digits of a fraction, which has digits only.
fn nanoseconds(fraction: &[u8]) -> u32 {
    (0..9).fold(0, |value, index| {
        value * 10 + fraction.get(index).map_or(0, |&digit| u32::from(digit - b'0'))
    })
}

/// A few digits as a number.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, digit| {
        digit
            .is_ascii_digit()
            .then(|| value * 10 + i64::from(digit - b'0'))
    })
}

/// The day number of a date; the counterpart of [`civil`].
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - TO_YEAR_0_MARCH
}

/// From 0000-03-01 to 1970-01-01.
const TO_YEAR_0_MARCH: i64 = 719_468;

/// Year, month and day of a day number (0 is 1970-01-01) in the Gregorian calendar.
///
/// Counts from 1 March, so that the leap day is the last of its year; 400 years are 146,097 days.
fn civil(days: i64) -> (i64, u32, u32) {
    let shifted = days + TO_YEAR_0_MARCH;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months from March have 31, 30, 31, 30, 31 days, again and again: 153 days in five months.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month as u32, day)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn text(time: Timestamp) -> String {
        String::from_utf8(time.rfc_3339().as_bytes().to_vec()).expect("digits and marks are ASCII")
    }

    fn pax(value: &str) -> Option<String> {
        Timestamp::from_pax(value.as_bytes()).map(text)
    }

    #[test]
    fn seconds_become_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, ""),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (-62_167_219_201, ""),
            (i64::MAX, ""),
            (i64::MIN, ""),
        ] {
            assert_eq!(text(Timestamp::from_seconds(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn text_is_read_back_with_any_offset() {
        for (input, expected) in [
            ("2023-11-14T17:13:20-05:00", Some("2023-11-14T22:13:20Z")),
            ("2000-02-29T00:00:00.25+00:30", Some("2000-02-28T23:30:00.25Z")),
            ("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00Z")),
            (
                "9999-12-31T23:59:59.999999999Z",
                Some("9999-12-31T23:59:59.999999999Z"),
            ),
            ("2001-02-29T00:00:00Z", None),
            ("2001-02-28T24:00:00Z", None),
            ("2001-02-28T00:00:00", None),
            ("2001-02-28T00:00:00.Z", None),
            ("2001-02-28 00:00:00Z", None),
            ("", None),
        ] {
            let read = Timestamp::from_rfc_3339(input.as_bytes()).map(text);
            assert_eq!(read.as_deref(), expected, "{input}");
        }
    }

    #[test]
    fn fractions_are_cut_after_nine_digits_and_trimmed() {
        for (value, expected) in [
            ("1.5", "1970-01-01T00:00:01.5Z"),
            ("5.", "1970-01-01T00:00:05Z"),
            ("0.1234567899", "1970-01-01T00:00:00.123456789Z"),
            ("1.500", "1970-01-01T00:00:01.5Z"),
            ("-1.5", "1969-12-31T23:59:58.5Z"),
            ("-0.25", "1969-12-31T23:59:59.75Z"),
            ("-9223372036854775808.5", ""),
        ] {
            assert_eq!(pax(value).as_deref(), Some(expected), "{value}");
        }
        for bad in ["", ".5", "1e3", " 1", "1.a", "1.5 "] {
            assert_eq!(pax(bad), None, "{bad}");
        }
    }
}
