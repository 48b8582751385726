//! Objections to options that cannot be.

use crate::error::Error;
use crate::options::{Acceptance, ImageFactsEntry, Options};
use crate::rules;

impl Options {
    /// Reads options from JSON; an empty text gives the defaults.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let options: Self = serde_json::from_str(text).map_err(|error| Error::Options {
            reason: error.to_string(),
        })?;
        options.check()?;
        Ok(options)
    }

    /// Objects to rules, kinds and versions that do not exist.
    pub fn check(&self) -> Result<(), Error> {
        let named = |place: &str, rule: &str| {
            if rules::matching(rule).next().is_some() {
                return Ok(());
            }
            Err(Error::UnknownRule {
                place: place.to_owned(),
                rule: rule.to_owned(),
            })
        };
        for rule in &self.select {
            named("select", rule)?;
        }
        for rule in &self.ignore {
            named("ignore", rule)?;
        }
        for rule in self.severity.keys() {
            named("severity", rule)?;
        }
        if let Some(kind) = self.kind
            && !kind.is_read()
        {
            return Err(Error::Kind {
                kind: kind.as_str().to_owned(),
            });
        }
        if let Some(version) = &self.platform_version {
            let number = version
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
            if !number && version != "LATEST" {
                return Err(Error::PlatformVersion {
                    version: version.clone(),
                });
            }
        }
        self.accept.iter().try_for_each(acceptance)?;
        facts(&self.image_facts)
    }
}

/// Objects to names that are none, to names that are there twice and to facts of another form.
fn facts(entries: &[ImageFactsEntry]) -> Result<(), Error> {
    for (at, entry) in entries.iter().enumerate() {
        let name = &entry.image;
        if name.trim().is_empty() {
            return Err(Error::FactsImage {
                reason: "an entry has an empty `image`".to_owned(),
            });
        }
        if entry.facts.schema != soci_image::facts::SCHEMA {
            return Err(Error::FactsImage {
                reason: format!(
                    "`{name}`: the form is `{}`, not `{}`",
                    entry.facts.schema,
                    soci_image::facts::SCHEMA
                ),
            });
        }
        if entries[..at].iter().any(|other| other.image == *name) {
            return Err(Error::FactsTwice { image: name.clone() });
        }
    }
    Ok(())
}

/// Objects to an entry that accepts nothing, or gives no reason.
fn acceptance(entry: &Acceptance) -> Result<(), Error> {
    let patterns = [&entry.container, &entry.image];
    let objection = if patterns.iter().all(|pattern| pattern.is_none()) {
        "an entry names neither `container` nor `image`".to_owned()
    } else if patterns
        .into_iter()
        .flatten()
        .any(|pattern| pattern.trim().is_empty())
    {
        format!("{}: a pattern is empty", entry.names())
    } else if entry.reason.trim().is_empty() {
        format!("{} has no `reason`", entry.names())
    } else {
        return Ok(());
    };
    Err(Error::Accept { reason: objection })
}
