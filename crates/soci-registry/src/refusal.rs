//! The words of a registry that refuses, and which error they mean.
//!
//! The body is `{"errors": [{"code": "NAME_UNKNOWN", "message": "…", "detail": …}]}`, often; proxies
//! answer HTML, and then only the status speaks.

use serde::Deserialize;

use crate::client::{Answer, AnswerBody, Call, Host};
use crate::error::RegistryError;
use soci_image::EcrHost;

/// Bytes of a refusal's body that are read.
pub(crate) const MAX_REFUSAL: usize = 16 * 1024;

/// Characters of a registry's words that are shown.
const MAX_WORDS: usize = 400;

#[derive(Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What a refused call was about, where it matters for the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// Reading or writing blobs, lists.
    Other,
    /// Writing a manifest under a tag.
    Tag(&'a str),
    /// Writing a manifest that has a `subject`.
    Referrer,
}

/// The registry's words in one line; empty if it said nothing readable.
pub(crate) fn words<B>(answer: &Answer<B>) -> String {
    let parsed = errors(answer);
    let joined: Vec<String> = parsed
        .errors
        .iter()
        .map(|error| match (error.code.as_str(), error.message.as_str()) {
            (code, "") => code.to_owned(),
            ("", message) => message.to_owned(),
            (code, message) => format!("{code}: {message}"),
        })
        .collect();
    joined
        .join("; ")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_WORDS)
        .collect()
}

/// ECR says 403 where others say 401 when a token has ended.
pub(crate) fn is_expired_token<B>(answer: &Answer<B>) -> bool {
    words(answer).to_ascii_lowercase().contains("token has expired")
}

/// The error that a refusal means. The body has been read.
pub(crate) fn error<B>(
    host: &Host,
    call: &Call<'_>,
    subject: Subject<'_>,
    answer: &Answer<B>,
) -> RegistryError {
    let message = words(answer);
    let has = |code: &str| errors(answer).errors.iter().any(|error| error.code == code);
    let host_name = host.name.clone();
    let what = call.what.to_owned();
    let writes = call.scopes.iter().any(|scope| scope.pushes());
    match (answer.status, subject) {
        (405, Subject::Referrer) => RegistryError::NoSubjects {
            host: host_name,
            message,
        },
        (400 | 403 | 409 | 412, Subject::Tag(tag)) if is_immutable(&message) => RegistryError::ImmutableTag {
            repository: call.repository.to_owned(),
            tag: tag.to_owned(),
            message,
        },
        (403, _) => RegistryError::Denied {
            host: host_name,
            what,
            message,
            help: rights(&host.name, writes),
        },
        (404, _) if has("NAME_UNKNOWN") || message.contains("RepositoryNotFound") => {
            RegistryError::NoRepository {
                help: repository_help(host, call.repository),
                host: host_name,
                repository: call.repository.to_owned(),
                message,
            }
        }
        (404, _) => RegistryError::NotFound {
            host: host_name,
            what: what.strip_prefix("read ").unwrap_or(&what).to_owned(),
            message,
        },
        (status, _) => RegistryError::Refused {
            host: host_name,
            what,
            status,
            message,
        },
    }
}

/// ECR, Harbor, Quay and GitLab word it differently; all of them say one of these.
fn is_immutable(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("immutable")
        || message.contains("imagetagalreadyexists")
        || message.contains("cannot be overwritten")
}

fn rights(host: &str, writes: bool) -> String {
    match (EcrHost::parse(host).is_some(), writes) {
        (true, true) => "the identity needs ecr:BatchCheckLayerAvailability, ecr:InitiateLayerUpload, \
             ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:PutImage, ecr:BatchGetImage and \
             ecr:GetDownloadUrlForLayer on the repository"
            .into(),
        (true, false) => {
            "the identity needs ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on the repository".into()
        }
        (false, true) => "log in with an account that may push to the repository".into(),
        (false, false) => "log in with an account that may pull from the repository".into(),
    }
}

fn repository_help(host: &Host, repository: &str) -> String {
    match EcrHost::parse(&host.name) {
        Some(ecr) => format!(
            "create it: aws ecr create-repository --region {} --repository-name {repository}",
            ecr.region
        ),
        None => "check the name, or create the repository first".into(),
    }
}

fn errors<B>(answer: &Answer<B>) -> Errors {
    match &answer.body {
        AnswerBody::Read(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
        AnswerBody::Live(_) => Errors::default(),
    }
}
