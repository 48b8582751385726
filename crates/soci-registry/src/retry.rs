//! When and how long to wait before asking again.

use std::time::Duration;

use crate::transport::Headers;

/// How often and after what pauses a request is repeated.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause of our own choice.
    pub longest_pause: Duration,
    /// The longest `Retry-After` that is waited for; a longer one ends the attempt with an error.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_pause: Duration::from_millis(300),
            longest_pause: Duration::from_secs(15),
            longest_retry_after: Duration::from_secs(120),
        }
    }
}

impl RetryPolicy {
    /// The pause before attempt `next` (the second attempt is 2), or `None` to give up.
    ///
    /// `random` spreads the pause over its upper half. A `Retry-After` is a lower bound.
    pub fn pause(&self, next: u32, retry_after: Option<Duration>, random: u64) -> Option<Duration> {
        if next > self.attempts {
            return None;
        }
        let doublings = next.saturating_sub(2).min(16);
        let full = self
            .first_pause
            .saturating_mul(1 << doublings)
            .min(self.longest_pause);
        let share = 0.5 + (random >> 11) as f64 / (1u64 << 53) as f64 / 2.0;
        let own = full.mul_f64(share);
        match retry_after {
            Some(asked) if asked > self.longest_retry_after => None,
            Some(asked) => Some(asked.max(own)),
            None => Some(own),
        }
    }
}

/// Whether a status may be gone a moment later.
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// `Retry-After`: seconds, or a date (RFC 9110 §10.2.3).
pub(crate) fn retry_after(headers: &Headers, now: Duration) -> Option<Duration> {
    let text = headers.get("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    Some(http_date(text)?.saturating_sub(now))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` as a time since 1970; the older forms are obsolete.
fn http_date(text: &str) -> Option<Duration> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(str::parse::<u64>);
    let mut next = || clock.next()?.ok();
    let (hour, minute, second) = (next()?, next()?, next()?);
    let in_range =
        (1970..=9999).contains(&year) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    if words.next() != Some("GMT") || !in_range {
        return None;
    }
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days_before_year = (1970..year)
        .map(|year| 365 + u64::from(is_leap(year)))
        .sum::<u64>();
    let lengths = [
        31,
        28 + u64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
    ];
    let days_before_month: u64 = lengths.iter().take(month as usize).sum();
    let days = days_before_year + days_before_month + day - 1;
    Some(Duration::from_secs(
        days * 86_400 + hour * 3600 + minute * 60 + second,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_within_their_bounds() {
        let policy = RetryPolicy {
            attempts: 4,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_millis(350),
            longest_retry_after: Duration::from_secs(2),
        };
        let low = |next| policy.pause(next, None, 0).map(|pause| pause.as_millis());
        assert_eq!(
            [low(2), low(3), low(4), low(5)],
            [Some(50), Some(100), Some(175), None]
        );
        let high = policy.pause(3, None, u64::MAX).unwrap();
        assert!(high > Duration::from_millis(199) && high <= Duration::from_millis(200));
        let asked = |seconds| policy.pause(2, Some(Duration::from_secs(seconds)), 0);
        assert_eq!(asked(1), Some(Duration::from_secs(1)));
        assert_eq!(asked(0), Some(Duration::from_millis(50)));
        assert_eq!(asked(3), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |text: &str, now| {
            let mut headers = Headers::default();
            headers.push("Retry-After", text);
            retry_after(&headers, Duration::from_secs(now)).map(|wait| wait.as_secs())
        };
        assert_eq!(read("7", 0), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_770), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_778), Some(0));
        assert_eq!(read("Tue, 24 Nov 2026 00:00:00 GMT", 1_795_478_400), Some(0));
        assert_eq!(read("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_700), Some(100));
        for text in [
            "soon",
            "-1",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1 08:49:37 GMT",
        ] {
            assert_eq!(read(text, 0), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn dates_never_panic(text in "[ -~]{0,40}", day in 0u64..99, year in 0u64..99_999) {
            http_date(&text);
            http_date(&format!("Sun, {day} Nov {year} 08:49:37 GMT"));
        }
    }
}
