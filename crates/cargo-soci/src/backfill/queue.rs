//! Images that are handed to the function of AWS Lambda, by its queue, instead of being converted here.

use soci_image::Reference;

use super::report::Outcome;
use crate::context::Context;
use crate::error::CommandError;

/// A queue, and the account that it is asked with.
pub struct Queue {
    url: String,
    #[cfg(feature = "aws")]
    logins: std::sync::Arc<soci_aws::account::Logins>,
}

impl Queue {
    /// Takes the URL of a queue; nothing is sent yet.
    pub fn open(url: &str, context: &Context) -> Result<Self, CommandError> {
        if !url.starts_with("https://") && !url.starts_with("http://127.0.0.1:") {
            return Err(
                CommandError::usage(format!("--queue {url:?} is no URL of a queue")).help(
                    "write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME; `aws sqs get-queue-url` tells it",
                ),
            );
        }
        Self::reach(url, context)
    }

    #[cfg(feature = "aws")]
    fn reach(url: &str, context: &Context) -> Result<Self, CommandError> {
        let options = soci_aws::account::AccountOptions {
            region: region(url).map(str::to_owned),
            ..Default::default()
        };
        Ok(Self {
            url: url.to_owned(),
            logins: context.registries.use_account(options, context)?,
        })
    }

    #[cfg(not(feature = "aws"))]
    fn reach(_url: &str, _context: &Context) -> Result<Self, CommandError> {
        Err(
            CommandError::usage("this program was built without the feature `aws`")
                .help("send {\"image\": \"HOST/REPOSITORY:TAG\"} to the queue: aws sqs send-message"),
        )
    }

    /// Hands an image over.
    pub(super) fn send(&self, image: &Reference) -> Outcome {
        let body = serde_json::json!({ "image": image.to_string() }).to_string();
        match self.put(&body) {
            Ok(message) => Outcome::Queued {
                queue: self.url.clone(),
                message,
            },
            Err(reason) => Outcome::Failed { reason, help: None },
        }
    }

    #[cfg(feature = "aws")]
    fn put(&self, body: &str) -> Result<String, String> {
        self.logins
            .account()
            .and_then(|account| account.send_message(&self.url, body))
            .map_err(|error| error.to_string())
    }

    #[cfg(not(feature = "aws"))]
    fn put(&self, _body: &str) -> Result<String, String> {
        Err("this program was built without the feature `aws`".to_owned())
    }
}

/// The region in `https://sqs.REGION.amazonaws.com/…`.
#[cfg(feature = "aws")]
fn region(url: &str) -> Option<&str> {
    url.strip_prefix("https://sqs.")?
        .split_once('.')
        .map(|(region, _)| region)
}

#[cfg(all(test, feature = "aws"))]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_a_queue_is_in_its_url() {
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/soci";
        assert_eq!(region(url), Some("eu-west-1"));
        assert_eq!(region("http://127.0.0.1:5000/123456789012/soci"), None);
    }
}
