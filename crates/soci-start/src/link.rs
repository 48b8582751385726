//! The way between a host and a registry.

use std::fmt::{self, Display};
use std::str::FromStr;

/// Bandwidth and round trip, written `200Mbit/2ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    bits_per_second: f64,
    round_trip: f64,
}

/// What is wrong with a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no link: write bandwidth and round trip such as 200Mbit/2ms or 1Gbit/500us")]
pub struct LinkError {
    text: String,
}

impl Link {
    /// A link of so many bits per second, and so many seconds from a request to the first byte of its answer.
    /// `None` where that is no link: nothing passes, or time runs backwards.
    pub fn new(bits_per_second: f64, round_trip: f64) -> Option<Self> {
        let is_link = bits_per_second.is_finite()
            && bits_per_second > 0.0
            && round_trip.is_finite()
            && round_trip >= 0.0;
        is_link.then_some(Self {
            bits_per_second,
            round_trip,
        })
    }

    /// Seconds until these bytes are through, the first one waiting for nothing.
    pub fn transfer(&self, bytes: u64) -> f64 {
        bytes as f64 * 8.0 / self.bits_per_second
    }

    /// Seconds from a request to the first byte of its answer.
    pub fn round_trip(&self) -> f64 {
        self.round_trip
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let read = || {
            let (bandwidth, round_trip) = text.split_once('/')?;
            let bits = number(bandwidth, &[("kbit", 1e3), ("Mbit", 1e6), ("Gbit", 1e9)])?;
            let seconds = number(round_trip, &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0)])?;
            Self::new(bits, seconds)
        };
        read().ok_or_else(|| LinkError {
            text: text.to_owned(),
        })
    }
}

/// A number with one of these units.
fn number(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    units.iter().find_map(|(unit, factor)| {
        let digits = text.strip_suffix(unit)?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_plain
            .then(|| digits.parse::<f64>().ok())
            .flatten()
            .map(|number| number * factor)
    })
}

impl Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bits, unit) = match self.bits_per_second {
            bits if bits >= 1e9 => (bits / 1e9, "Gbit"),
            bits if bits >= 1e6 => (bits / 1e6, "Mbit"),
            bits => (bits / 1e3, "kbit"),
        };
        let (time, time_unit) = match self.round_trip {
            seconds if seconds >= 1.0 => (seconds, "s"),
            seconds if seconds >= 1e-3 || seconds == 0.0 => (seconds * 1e3, "ms"),
            seconds => (seconds * 1e6, "us"),
        };
        write!(formatter, "{}{unit}/{}{time_unit}", round(bits), round(time))
    }
}

/// Three digits behind the point are more than anybody measures.
fn round(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_and_written() {
        for text in [
            "200Mbit/2ms",
            "1Gbit/1ms",
            "2.5Gbit/500us",
            "800kbit/1.5s",
            "1Gbit/0ms",
        ] {
            let link: Link = text.parse().expect(text);
            assert_eq!(link.to_string(), text);
        }
        let link: Link = "200Mbit/2ms".parse().expect("a link");
        assert_eq!(link.transfer(25_000_000), 1.0);
        assert_eq!(link.round_trip(), 0.002);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "/",
            "1Gbit",
            "1ms",
            "1Gbit/",
            "/1ms",
            "0Mbit/1ms",
            "-1Mbit/1ms",
            "1Mbit/-1ms",
            "NaNMbit/1ms",
            "infMbit/1ms",
            "1e9Mbit/1ms",
            "1MB/1ms",
            "1Gbit/1ms/1ms",
            ".Mbit/1ms",
        ] {
            assert!(text.parse::<Link>().is_err(), "{text}");
        }
        let error = "fast".parse::<Link>().expect_err("no link").to_string();
        assert!(error.contains("200Mbit/2ms"), "{error}");
    }
}
