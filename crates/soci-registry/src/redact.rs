//! The words of others, with the secrets of this run taken out.
//!
//! A server knows what it was sent and may say it again: in an error, in an address, in plain or encoded. Whatever is
//! quoted passes [`Secrets::quote`]; the errors hold [`Quoted`] and nothing else of others.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::url::percent_encoded;

/// Characters of a peer's words that are shown.
const MAX_WORDS: usize = 400;

/// What stands in the place of a secret.
const MARK: &str = "[secret]";

/// A shorter secret is part of ordinary words: a text that holds one is not quoted at all.
const SHORT: usize = 6;

/// Words of others: one line, shortened, without control characters and without the run's secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Words of our own, for a place that usually holds those of others.
    pub(crate) fn own(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Every secret that was used in this run, in the forms in which it may come back, in small letters. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<RwLock<Vec<String>>>);

impl Secrets {
    /// Remembers a secret.
    pub(crate) fn add(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let mut forms = vec![secret.to_owned()];
        forms.extend(base64_forms(secret.as_bytes()));
        let encoded = percent_encoded(secret);
        forms.push(encoded.replace("%20", "+"));
        forms.push(encoded);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(forms.iter().map(|form| form.to_ascii_lowercase()));
        // The longest come first: `user:password` goes as a whole.
        known.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        known.dedup();
    }

    /// The text with every secret replaced, in whatever case its letters come back: a host's name has small ones.
    pub(crate) fn redact(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        let mut small = text.to_ascii_lowercase();
        for form in known.iter() {
            let places: Vec<usize> = small.match_indices(form).map(|(at, _)| at).collect();
            if places.is_empty() {
                continue;
            }
            if form.len() < SHORT {
                return MARK.to_owned();
            }
            for at in places.into_iter().rev() {
                text.replace_range(at..at + form.len(), MARK);
                small.replace_range(at..at + form.len(), MARK);
            }
        }
        text
    }

    /// Words of others as they may be shown.
    pub(crate) fn quote(&self, text: &str) -> Quoted {
        let line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        // Cut last: half a secret would not be recognised.
        Quoted(self.redact(&line).chars().take(MAX_WORDS).collect())
    }
}

/// What base64 makes of the bytes, at each of the three places in a group where they may begin. Characters that also
/// hold bits of a neighbour are left out.
fn base64_forms(bytes: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for lead in 0..3 {
        let mut padded = vec![0; lead];
        padded.extend_from_slice(bytes);
        let from = (lead * 8).div_ceil(6);
        let to = padded.len() * 8 / 6;
        // Too few characters say little, and are found everywhere.
        if to < from + SHORT {
            continue;
        }
        for text in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(text[from..to].to_owned());
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn knowing(secrets: &[&str]) -> Secrets {
        let known = Secrets::default();
        secrets.iter().for_each(|secret| known.add(secret));
        known
    }

    #[test]
    fn secrets_are_taken_out_in_every_form() {
        let known = knowing(&["p&ss w/rd+1"]);
        for text in [
            "plain p&ss w/rd+1 here".to_owned(),
            "url p%26ss%20w%2Frd%2B1".to_owned(),
            "url p%26ss%20w%2frd%2b1".to_owned(),
            "form p%26ss+w%2Frd%2B1".to_owned(),
            "host P&SS W/RD+1".to_owned(),
            format!("basic {}", STANDARD.encode("user:p&ss w/rd+1")),
            format!("basic {}", STANDARD.encode("user1:p&ss w/rd+1")),
            format!("json {}", STANDARD.encode("{\"password\":\"p&ss w/rd+1\"}")),
        ] {
            let shown = known.quote(&text).to_string();
            assert!(shown.contains(MARK), "{text} became {shown}");
            assert!(!shown.to_lowercase().contains("w/rd"), "{shown}");
        }
        assert_eq!(known.quote("denied\n##[error]").as_str(), "denied ##[error]");
    }

    #[test]
    fn a_text_with_a_short_secret_is_not_shown() {
        let known = knowing(&["a1"]);
        assert_eq!(known.quote("the password a1 is wrong").as_str(), MARK);
        assert_eq!(known.quote("no access").as_str(), "no access");
    }

    #[test]
    fn a_secret_at_the_cut_is_taken_out_first() {
        let known = knowing(&["hunter2-and-more"]);
        let text = format!("{}hunter2-and-more", "x".repeat(MAX_WORDS - 7));
        assert!(!known.quote(&text).as_str().contains("hunter"));
    }

    proptest! {
        #[test]
        fn no_encoding_of_a_secret_comes_through(
            secret in "[ -~]{8,40}",
            before in "[ -~]{0,7}",
            after in "[ -~]{0,7}",
        ) {
            let known = knowing(&[&secret]);
            let encoded = STANDARD.encode(format!("{before}{secret}{after}"));
            for text in [format!("{before}{secret}{after}"), percent_encoded(&secret), encoded] {
                let shown = known.quote(&text).to_string();
                prop_assert!(shown.contains(MARK));
                prop_assert!(!shown.contains(&secret));
            }
        }
    }
}
