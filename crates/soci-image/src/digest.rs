//! Content digests: `sha256:` and 64, or `sha512:` and 128 lower-case hex digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Error, Result, shorten};

/// A validated digest. Orders and compares as its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Box<str>);

/// The hash of a [`Digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// Reads `algorithm:hex`.
    pub fn parse(text: &str) -> Result<Self> {
        let fail = |reason| {
            Err(Error::Digest {
                value: shorten(text),
                reason,
            })
        };
        let Some((algorithm, hex)) = text.split_once(':') else {
            return fail("it has no `:` after the algorithm");
        };
        let digits = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return fail("the algorithm is neither sha256 nor sha512"),
        };
        if hex.len() != digits {
            return fail("the number of hex digits is wrong for the algorithm");
        }
        if !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return fail("it has characters other than 0-9 and a-f");
        }
        Ok(Self(text.into()))
    }

    /// The SHA-256 digest of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        let mut hasher = Self::hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    /// A SHA-256 hasher to be fed piece by piece.
    pub fn hasher() -> Hasher {
        Algorithm::Sha256.hasher()
    }

    /// The hash algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match self.0.as_bytes()[3] {
            b'2' => Algorithm::Sha256,
            _ => Algorithm::Sha512,
        }
    }

    /// The hex digits after the colon.
    pub fn hex(&self) -> &str {
        &self.0["sha256:".len()..]
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the digest of `bytes`.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let mut hasher = self.algorithm().hasher();
        hasher.update(bytes);
        hasher.finish() == *self
    }
}

impl Algorithm {
    /// The name before the colon.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// A hasher of this algorithm.
    pub fn hasher(self) -> Hasher {
        Hasher(match self {
            Self::Sha256 => State::Sha256(Sha256::new()),
            Self::Sha512 => State::Sha512(Sha512::new()),
        })
    }
}

/// A digest in the making.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Feeds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes fed so far.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(state) => from_hash("sha256:", &state.finalize()),
            State::Sha512(state) => from_hash("sha512:", &state.finalize()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn from_hash(prefix: &str, hash: &[u8]) -> Digest {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(prefix.len() + 2 * hash.len());
    text.push_str(prefix);
    for byte in hash {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
    Digest(text.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        assert_eq!(Digest::sha256(b"").as_str(), EMPTY);
        assert_eq!(Digest::sha256(b"").hex(), &EMPTY[7..]);
        let long = Algorithm::Sha512.hasher().finish();
        assert!(
            long.as_str()
                .starts_with("sha512:cf83e1357eefb8bdf1542850d66d8007")
        );
        assert_eq!(long.algorithm(), Algorithm::Sha512);
        assert_eq!(long.hex().len(), 128);
        assert!(long.matches(b"") && !long.matches(b"x"));
    }

    #[test]
    fn wrong_digests_say_what_is_wrong() {
        for (text, reason) in [
            ("", "no `:`"),
            ("sha256", "no `:`"),
            ("md5:00", "neither sha256 nor sha512"),
            ("sha256:00", "number of hex digits"),
            (&EMPTY.to_uppercase().replace("SHA", "sha"), "other than 0-9"),
            (&format!("{}é", &EMPTY[..EMPTY.len() - 2]), "other than 0-9"),
            (&format!("{EMPTY}0"), "number of hex digits"),
        ] {
            let error = Digest::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes: Vec<u8>, cut in 0usize..64) {
            let cut = cut.min(bytes.len());
            let mut hasher = Digest::hasher();
            hasher.update(&bytes[..cut]);
            hasher.update(&bytes[cut..]);
            let digest = hasher.finish();
            prop_assert_eq!(&digest, &Digest::sha256(&bytes));
            prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,90}") {
            let _ = Digest::parse(&text);
        }
    }
}
