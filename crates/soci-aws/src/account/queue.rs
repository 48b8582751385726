//! Messages into a queue of Amazon SQS.
//!
//! The calling identity needs `sqs:SendMessage`
//! (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>, 2026-11-29).

use super::error::{Trouble, trouble};
use super::{Account, AccountError};

impl Account {
    /// Puts a message into a queue, by the queue's URL, and gives the id that it has there.
    ///
    /// # Errors
    /// What SQS says, or why it could not be asked.
    pub fn send_message(&self, queue: &str, body: &str) -> Result<String, AccountError> {
        let client = aws_sdk_sqs::Client::new(&self.config);
        let what = "send a message to the queue";
        let failed = |problem: String| AccountError::Failed {
            what: what.to_owned(),
            problem,
        };
        self.wait(async {
            let call = client.send_message().queue_url(queue).message_body(body);
            let answer = call.send().await.map_err(|error| match trouble(what, &error) {
                Trouble::All(error) => error,
                Trouble::Denied(words) | Trouble::This(words) => failed(words),
            })?;
            Ok(answer.message_id().unwrap_or_default().to_owned())
        })
    }
}
