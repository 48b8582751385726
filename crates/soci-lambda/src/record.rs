//! What is written of each image: one line of JSON, which CloudWatch reads as a log entry and, by the part under
//! `_aws`, as metrics.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//! (2026-11-29)

use serde_json::{Value, json};
use soci_image::Digest;

/// What became of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has a SOCI index now.
    Converted {
        /// The name of the SOCI-enabled image.
        name: String,
        /// The image under it.
        digest: Digest,
        /// Layers that were read.
        indexed: usize,
        /// Layers whose zTOC was there already.
        reused: usize,
        /// Bytes that came from the registry.
        received: u64,
        /// Bytes that went to it.
        sent: u64,
    },
    /// The same conversion gave the same image.
    Already {
        /// The image.
        digest: Digest,
    },
    /// The time was up; the rest is in the queue.
    Continued {
        /// The message there.
        message: String,
        /// Layers that are done.
        layers: u64,
    },
    /// It is not for us: why.
    Ignored {
        /// In words.
        reason: String,
    },
    /// Nothing of it can be loaded lazily: why.
    NothingToIndex {
        /// In words.
        reason: String,
    },
    /// It is as it was: why.
    Failed {
        /// In words.
        reason: String,
    },
}

impl Outcome {
    /// A word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Converted { .. } => "converted",
            Self::Already { .. } => "already",
            Self::Continued { .. } => "continued",
            Self::Ignored { .. } => "ignored",
            Self::NothingToIndex { .. } => "nothing-to-index",
            Self::Failed { .. } => "failed",
        }
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed { reason } => Some(reason),
            _ => None,
        }
    }
}

/// What is known of the call beside the image.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The call's id.
    pub request: String,
    /// The function's name.
    pub function: String,
    /// The message of a queue, if it came in one.
    pub message: Option<String>,
    /// The image, if the call names one.
    pub image: Option<String>,
    /// Where metrics go.
    pub namespace: String,
    /// Milliseconds since 1970.
    pub now: u64,
    /// How long the image took, in milliseconds.
    pub took: u64,
}

/// The line, without its end.
pub fn line(about: &About, outcome: &Outcome) -> String {
    let count = |is: bool| u8::from(is);
    let mut line = json!({
        "level": if outcome.failure().is_some() { "ERROR" } else { "INFO" },
        "outcome": outcome.word(),
        "requestId": about.request,
        "FunctionName": about.function,
        "Converted": count(matches!(outcome, Outcome::Converted { .. })),
        "Failed": count(outcome.failure().is_some()),
        "Ignored": count(matches!(outcome, Outcome::Ignored { .. })),
        "Continued": count(matches!(outcome, Outcome::Continued { .. })),
        "Duration": about.took,
    });
    let mut put = |key: &str, value: Value| line[key] = value;
    if let Some(message) = &about.message {
        put("messageId", json!(message));
    }
    if let Some(image) = &about.image {
        put("image", json!(image));
    }
    let mut metrics = vec![
        ("Converted", "Count"),
        ("Failed", "Count"),
        ("Ignored", "Count"),
        ("Continued", "Count"),
        ("Duration", "Milliseconds"),
    ];
    match outcome {
        Outcome::Converted {
            name,
            digest,
            indexed,
            reused,
            received,
            sent,
        } => {
            put("name", json!(name));
            put("digest", json!(digest));
            put("LayersIndexed", json!(indexed));
            put("LayersReused", json!(reused));
            put("BytesReceived", json!(received));
            put("BytesSent", json!(sent));
            metrics.extend([
                ("LayersIndexed", "Count"),
                ("LayersReused", "Count"),
                ("BytesReceived", "Bytes"),
                ("BytesSent", "Bytes"),
            ]);
        }
        Outcome::Continued { message, layers } => {
            put("continuedIn", json!(message));
            put("layersDone", json!(layers));
        }
        Outcome::Already { digest } => put("digest", json!(digest)),
        Outcome::Ignored { reason } | Outcome::NothingToIndex { reason } | Outcome::Failed { reason } => {
            put("reason", json!(reason));
        }
    }
    let metrics: Vec<Value> = metrics
        .into_iter()
        .map(|(name, unit)| json!({"Name": name, "Unit": unit}))
        .collect();
    line["_aws"] = json!({
        "Timestamp": about.now,
        "CloudWatchMetrics": [{
            "Namespace": about.namespace,
            "Dimensions": [["FunctionName"]],
            "Metrics": metrics,
        }],
    });
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About {
            request: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
            function: "soci".to_owned(),
            message: Some("059f36b4".to_owned()),
            image: Some("r.example/app:1".to_owned()),
            namespace: "SOCI".to_owned(),
            now: 1_796_000_000_000,
            took: 1234,
        }
    }

    #[test]
    fn a_line_is_a_log_entry_and_its_metrics() {
        let converted = Outcome::Converted {
            name: "r.example/app:1".to_owned(),
            digest: Digest::sha256(b""),
            indexed: 2,
            reused: 1,
            received: 1000,
            sent: 10,
        };
        let failed = Outcome::Failed {
            reason: "two\nlines and \"quotes\"".to_owned(),
        };
        let lines = [line(&about(), &converted), line(&about(), &failed)];
        assert!(lines.iter().all(|line| !line.contains('\n')));
        let shown: Vec<String> = lines
            .iter()
            .map(|line| {
                let value: Value = serde_json::from_str(line).expect("JSON");
                serde_json::to_string_pretty(&value).expect("JSON")
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn every_metric_has_its_value() {
        for outcome in [
            Outcome::Already {
                digest: Digest::sha256(b""),
            },
            Outcome::Ignored {
                reason: String::new(),
            },
            Outcome::Continued {
                message: String::new(),
                layers: 1,
            },
            Outcome::NothingToIndex {
                reason: String::new(),
            },
        ] {
            let line: Value = serde_json::from_str(&line(&about(), &outcome)).expect("JSON");
            for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
                .as_array()
                .expect("a list")
            {
                let name = metric["Name"].as_str().expect("a name");
                assert!(line[name].is_u64(), "{name} in {line}");
            }
        }
    }
}
