//! Images that are handed to the function of AWS Lambda, by its queue, instead of being converted here.

use soci_aws::queue_url::QueueUrl;
use soci_image::Reference;

use super::report::Outcome;
use crate::context::Context;
use crate::error::CommandError;

/// A queue, and the account that it is asked with.
pub struct Queue {
    url: QueueUrl,
    #[cfg(feature = "aws")]
    logins: std::sync::Arc<soci_aws::account::Logins>,
}

impl Queue {
    /// Takes the URL of a queue; nothing is sent yet.
    pub fn open(url: &str, context: &Context) -> Result<Self, CommandError> {
        let Some(url) = QueueUrl::parse(url) else {
            return Err(
                CommandError::usage(format!("--queue {url:?} is no URL of a queue")).help(
                    "write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME; `aws sqs get-queue-url` tells it",
                ),
            );
        };
        Self::reach(url, context)
    }

    #[cfg(feature = "aws")]
    fn reach(url: QueueUrl, context: &Context) -> Result<Self, CommandError> {
        let options = soci_aws::account::AccountOptions {
            region: url.region().map(str::to_owned),
            ..Default::default()
        };
        Ok(Self {
            url,
            logins: context.registries.use_account(options, context)?,
        })
    }

    #[cfg(not(feature = "aws"))]
    fn reach(_url: QueueUrl, _context: &Context) -> Result<Self, CommandError> {
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
                queue: self.url.to_string(),
                message,
            },
            Err(reason) => Outcome::Failed { reason, help: None },
        }
    }

    #[cfg(feature = "aws")]
    fn put(&self, body: &str) -> Result<String, String> {
        self.logins
            .account()
            .and_then(|account| account.send_message(self.url.as_str(), body))
            .map_err(|error| error.to_string())
    }

    #[cfg(not(feature = "aws"))]
    fn put(&self, _body: &str) -> Result<String, String> {
        Err("this program was built without the feature `aws`".to_owned())
    }
}
