//! What the function is told by its environment variables. Read once, at the start: what is wrong there is told before
//! the first event, all of it at once.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use globset::{Glob, GlobSet, GlobSetBuilder};
use soci_aws::queue_url::QueueUrl;
use soci_image::Platform;
use soci_store::parse_size;
use soci_store::workflow::{Options, TagModel};

/// What the function is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which tag names the SOCI-enabled image.
    pub tag_model: TagModel,
    /// Repositories whose pushes are acted on; every one if there is none.
    pub repositories: Option<Globs>,
    /// Tags that are acted on; every one if there is none.
    pub tags: Option<Globs>,
    /// Tags that are not.
    pub except_tags: Option<Globs>,
    /// Platforms to convert; every one that is there if the list is empty.
    pub platforms: Vec<Platform>,
    /// Least uncompressed bytes of a span.
    pub span_size: u64,
    /// Layers with fewer bytes stay without a zTOC.
    pub min_layer_size: u64,
    /// Where a call that runs out of time hands over what is left; none: it fails.
    pub queue_url: Option<QueueUrl>,
    /// How long before its deadline a call stops.
    pub margin: Duration,
    /// A file with certificates to trust besides the system's.
    pub ca_file: Option<String>,
    /// Where metrics go.
    pub metrics_namespace: String,
    /// Bytes for the tables of contents of an image: a quarter of the function's memory.
    pub tables: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let options = Options::default();
        Self {
            tag_model: TagModel::Replace,
            repositories: None,
            tags: None,
            except_tags: None,
            platforms: Vec::new(),
            span_size: options.span_size,
            min_layer_size: options.min_layer_size,
            queue_url: None,
            margin: Duration::from_secs(20),
            ca_file: None,
            metrics_namespace: "SOCI".to_owned(),
            tables: (SMALLEST_MEMORY / 4) << 20,
        }
    }
}

/// A variable that cannot be what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}={value:?}: {allowed}")]
pub struct WrongSetting {
    /// Its name.
    pub variable: String,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub allowed: String,
}

/// Every variable that begins so is a setting of ours.
const PREFIX: &str = "SOCI_";

/// What Lambda says of the function's memory, in MiB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>, 2026-11-29).
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// The least memory of a function, in MiB.
const SMALLEST_MEMORY: u64 = 128;

/// The settings, and what `docs/lambda.md` says of each.
pub const VARIABLES: [&str; 11] = [
    "SOCI_CA_FILE",
    "SOCI_DEADLINE_MARGIN",
    "SOCI_EXCEPT_TAGS",
    "SOCI_METRICS_NAMESPACE",
    "SOCI_MIN_LAYER_SIZE",
    "SOCI_PLATFORMS",
    "SOCI_QUEUE_URL",
    "SOCI_REPOSITORIES",
    "SOCI_SPAN_SIZE",
    "SOCI_TAGS",
    "SOCI_TAG_MODEL",
];

impl Settings {
    /// Reads the variables that are ours; an empty one counts as not set.
    ///
    /// # Errors
    /// Each variable that is wrong or that nobody knows, by name.
    pub fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<WrongSetting>> {
        let variables: BTreeMap<String, String> = variables
            .into_iter()
            .filter(|(name, value)| (name.starts_with(PREFIX) || name == MEMORY) && !value.is_empty())
            .collect();
        let mut settings = Self::default();
        let mut wrong = Vec::new();
        for (variable, value) in variables {
            if let Err(allowed) = settings.set(&variable, &value) {
                wrong.push(WrongSetting {
                    variable,
                    value,
                    allowed,
                });
            }
        }
        match wrong.is_empty() {
            true => Ok(settings),
            false => Err(wrong),
        }
    }

    /// Takes one variable; the error says what is allowed.
    fn set(&mut self, variable: &str, value: &str) -> Result<(), String> {
        match variable {
            "SOCI_TAG_MODEL" => {
                self.tag_model = match value {
                    "replace" => TagModel::Replace,
                    "sibling" => TagModel::Sibling,
                    _ => return Err("must be replace or sibling".to_owned()),
                }
            }
            "SOCI_REPOSITORIES" => self.repositories = Some(Globs::read(value)?),
            "SOCI_TAGS" => self.tags = Some(Globs::read(value)?),
            "SOCI_EXCEPT_TAGS" => self.except_tags = Some(Globs::read(value)?),
            "SOCI_PLATFORMS" => {
                self.platforms = words(value)
                    .map(|word| {
                        Platform::parse(word).map_err(|error| {
                            format!("must be platforms such as linux/amd64,linux/arm64: {error}")
                        })
                    })
                    .collect::<Result<_, _>>()?;
            }
            "SOCI_SPAN_SIZE" => self.span_size = size(value, SPAN_SIZES)?,
            "SOCI_MIN_LAYER_SIZE" => self.min_layer_size = size(value, (0, u64::MAX))?,
            MEMORY => {
                let megabytes: u64 = value.parse().map_err(|_| "must be a number of MiB".to_owned())?;
                self.tables = (megabytes.clamp(SMALLEST_MEMORY, 1 << 20) / 4) << 20;
            }
            "SOCI_QUEUE_URL" => {
                let queue = QueueUrl::parse(value).ok_or("must be the URL of a queue, https://…")?;
                self.queue_url = Some(queue);
            }
            "SOCI_DEADLINE_MARGIN" => {
                let seconds = value.parse().ok().filter(|seconds| (1..=600).contains(seconds));
                let seconds = seconds.ok_or("must be a number of seconds from 1 to 600")?;
                self.margin = Duration::from_secs(seconds);
            }
            "SOCI_CA_FILE" => self.ca_file = Some(value.to_owned()),
            "SOCI_METRICS_NAMESPACE" => {
                let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./#".contains(&byte);
                if value.len() > 255 || !value.bytes().all(is_good) || value.starts_with("AWS/") {
                    return Err(
                        "must be at most 255 letters, digits and ._-/#, and not begin with AWS/".to_owned(),
                    );
                }
                value.clone_into(&mut self.metrics_namespace);
            }
            _ => return Err(format!("is no setting; there are {}", VARIABLES.join(", "))),
        }
        Ok(())
    }
}

/// Spans beyond these make zTOCs larger than they are worth, or make a client fetch more than a file is worth.
const SPAN_SIZES: (u64, u64) = (64 << 10, 1 << 30);

fn size(value: &str, (least, most): (u64, u64)) -> Result<u64, String> {
    let allowed = || {
        let range = match most {
            u64::MAX => String::new(),
            most => format!(", from {least} to {most}"),
        };
        format!("must be a number of bytes or such as 4MiB{range}")
    };
    parse_size(value)
        .filter(|size| (least..=most).contains(size))
        .ok_or_else(allowed)
}

fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// Patterns, of which one has to match.
#[derive(Clone)]
pub struct Globs {
    set: GlobSet,
    written: String,
}

impl Globs {
    fn read(value: &str) -> Result<Self, String> {
        let wrong =
            |error: globset::Error| format!("must be patterns with * ? [a-z], separated by commas: {error}");
        let mut builder = GlobSetBuilder::new();
        for word in words(value) {
            builder.add(Glob::new(word).map_err(wrong)?);
        }
        Ok(Self {
            set: builder.build().map_err(wrong)?,
            written: value.to_owned(),
        })
    }

    /// Whether one of them matches; `*` stands for slashes, too.
    pub fn matches(&self, text: &str) -> bool {
        self.set.is_match(text)
    }
}

/// As they were written.
impl fmt::Debug for Globs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, Vec<WrongSetting>> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings::read(pairs.iter().map(owned))
    }

    #[test]
    fn without_variables_everything_is_converted_in_place() {
        let settings = read(&[("PATH", "/bin"), ("SOCI_TAGS", "")]).expect("good");
        assert_eq!(settings.tag_model, TagModel::Replace);
        assert_eq!(settings.span_size, 4 << 20);
        assert_eq!(settings.min_layer_size, 10 << 20);
        assert!(settings.tags.is_none() && settings.platforms.is_empty());
    }

    #[test]
    fn each_variable_is_heard() {
        let settings = read(&[
            ("SOCI_TAG_MODEL", "sibling"),
            ("SOCI_REPOSITORIES", "shop/*, tools"),
            ("SOCI_TAGS", "v*"),
            ("SOCI_EXCEPT_TAGS", "*-rc?,nightly"),
            ("SOCI_PLATFORMS", "linux/amd64, linux/arm64"),
            ("SOCI_SPAN_SIZE", "1MiB"),
            ("SOCI_MIN_LAYER_SIZE", "0"),
            ("SOCI_CA_FILE", "/opt/ca.pem"),
            (
                "SOCI_QUEUE_URL",
                "https://sqs.eu-west-1.amazonaws.com/123456789012/soci",
            ),
            ("SOCI_DEADLINE_MARGIN", "30"),
            ("SOCI_METRICS_NAMESPACE", "shop/soci"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
        ])
        .expect("good");
        assert_eq!(settings.tag_model, TagModel::Sibling);
        let repositories = settings.repositories.expect("some");
        assert!(repositories.matches("shop/web/front") && repositories.matches("tools"));
        assert!(!repositories.matches("other"));
        assert_eq!(settings.platforms.len(), 2);
        assert_eq!((settings.span_size, settings.min_layer_size), (1 << 20, 0));
        assert_eq!(settings.metrics_namespace, "shop/soci");
        assert_eq!(settings.tables, 256 << 20);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_what_is_allowed() {
        let wrong = read(&[
            ("SOCI_TAG_MODEL", "Replace"),
            ("SOCI_REPOSITORIES", "shop/[*"),
            ("SOCI_PLATFORMS", "linux/"),
            ("SOCI_SPAN_SIZE", "1KiB"),
            ("SOCI_MIN_LAYER_SIZE", "many"),
            ("SOCI_METRICS_NAMESPACE", "AWS/Lambda"),
            ("SOCI_QUEUE_URL", "arn:aws:sqs:eu-west-1:123456789012:soci"),
            ("SOCI_DEADLINE_MARGIN", "0"),
            ("SOCI_TAGMODEL", "sibling"),
        ])
        .expect_err("all of them");
        let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }
}
