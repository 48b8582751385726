//! What can go wrong between an account and us.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// An account cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// No region is known.
    #[error("no region is known")]
    NoRegion,
    /// There are no credentials, or they cannot be read.
    #[error("no AWS credentials: {0}")]
    NoCredentials(String),
    /// They have expired, or nobody knows them.
    #[error("AWS refuses the credentials: {0}")]
    Refused(String),
    /// AWS could not be reached or did not understand.
    #[error("cannot {what}: {problem}")]
    Failed {
        /// As in `list the tasks of shop`.
        what: String,
        /// What happened.
        problem: String,
    },
    /// It took too long.
    #[error("AWS was asked for {0} s, and not everything was said")]
    TimeUp(u64),
    /// This machine cannot run the client.
    #[error("cannot start the AWS client: {0}")]
    Runtime(String),
}

impl AccountError {
    /// What to do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoRegion => Some("pass --region, or set AWS_REGION or a region in ~/.aws/config"),
            Self::NoCredentials(_) => Some(
                "log in as for the aws command: a profile (--profile, AWS_PROFILE), `aws sso login`, AWS_ACCESS_KEY_ID …; without \
                 any: aws ecs describe-tasks … | cargo soci why -",
            ),
            Self::Refused(_) => {
                Some("log in again: `aws sso login`, or fresh keys; `aws sts get-caller-identity` tests it")
            }
            _ => None,
        }
    }
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The rights are missing: what was asked for is unknown.
    Denied(String),
    /// This one thing cannot be had.
    This(String),
    /// Nothing else can be had either.
    All(AccountError),
}

/// Codes of credentials that are not taken, from
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html> (2026-11-29).
const REFUSED: [&str; 8] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "UnrecognizedClientException",
];

/// Codes of rights that are missing.
const DENIED: [&str; 3] = ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"];

/// Reads the SDK's error.
pub(super) fn trouble<E>(what: &str, error: &SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let code = error.code().unwrap_or_default();
    let words = |code: &str| match error.message() {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    };
    if DENIED.contains(&code) {
        return Trouble::Denied(words(code));
    }
    if REFUSED.contains(&code) {
        return Trouble::All(AccountError::Refused(words(code)));
    }
    if !code.is_empty() {
        return Trouble::This(words(code));
    }
    let causes = causes(error);
    match error {
        // Credentials are looked for while a request is made.
        SdkError::DispatchFailure(failure) if failure.is_other() || failure.is_user() => {
            match is_about_credentials(&causes) {
                true => Trouble::All(AccountError::NoCredentials(causes)),
                false => failed(what, causes),
            }
        }
        SdkError::ConstructionFailure(_) if is_about_credentials(&causes) => {
            Trouble::All(AccountError::NoCredentials(causes))
        }
        _ => failed(what, causes),
    }
}

fn failed(what: &str, problem: String) -> Trouble {
    Trouble::All(AccountError::Failed {
        what: what.to_owned(),
        problem,
    })
}

fn is_about_credentials(causes: &str) -> bool {
    ["credential", "identity", "SSO", "token"]
        .iter()
        .any(|word| causes.contains(word))
}

/// Without what a process of the user's (`credential_process`) printed, which the SDK quotes: it may be anything.
fn own_words(text: &str) -> String {
    match text.split_once(" Stderr:") {
        Some((before, _)) => before.trim_end_matches('.').to_owned(),
        None => text.to_owned(),
    }
}

/// The causes of an error, the last word of each once.
fn causes(error: &dyn Error) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = own_words(&cause.to_string());
        // The seam of the HTTP client, which names itself.
        if text != "other" && !said.iter().any(|known| known.contains(&text)) {
            said.push(text);
        }
        next = cause.source();
    }
    match said.is_empty() {
        true => error.to_string(),
        false => said.join(": "),
    }
}

#[cfg(test)]
mod tests {
    use super::own_words;

    #[test]
    fn what_a_process_printed_is_nobodys_to_read() {
        let quoted = "external process exited with code exit status: 1. Stderr: hunter2";
        assert_eq!(
            own_words(quoted),
            "external process exited with code exit status: 1"
        );
        assert_eq!(own_words("no such profile"), "no such profile");
    }
}
