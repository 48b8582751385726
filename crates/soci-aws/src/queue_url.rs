//! URLs of queues of Amazon SQS: `https://sqs.eu-west-1.amazonaws.com/123456789012/soci`.

use std::fmt;

/// The URL of a queue: HTTPS, or HTTP to a server on this machine's `127.0.0.1`.
///
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html> (2026-11-29)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrl(String);

impl QueueUrl {
    /// Takes a URL; `None` for what is none of a queue, such as its ARN.
    pub fn parse(text: &str) -> Option<Self> {
        let is_url = text.starts_with("https://") || text.starts_with("http://127.0.0.1:");
        (is_url && !text.contains(char::is_whitespace)).then(|| Self(text.to_owned()))
    }

    /// The region in `https://sqs.REGION.amazonaws.com/…`.
    pub fn region(&self) -> Option<&str> {
        self.0
            .strip_prefix("https://sqs.")?
            .split_once('.')
            .map(|(region, _)| region)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_of_a_queue_is_in_its_url() {
        let region = |url| QueueUrl::parse(url).expect("a URL").region().map(str::to_owned);
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/soci";
        assert_eq!(region(url).as_deref(), Some("eu-west-1"));
        assert_eq!(region("http://127.0.0.1:5000/123456789012/soci"), None);
    }

    #[test]
    fn what_is_no_url_of_a_queue_is_none() {
        for text in [
            "",
            "soci",
            "arn:aws:sqs:eu-west-1:123456789012:soci",
            "http://sqs.eu-west-1.amazonaws.com/123456789012/soci",
            "http://127.0.0.1.example/soci",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/so ci",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/soci\n",
        ] {
            assert_eq!(QueueUrl::parse(text), None, "{text:?}");
        }
    }
}
