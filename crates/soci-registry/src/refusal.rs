//! The words of a registry that refuses, and which error they mean.
//!
//! The body is `{"errors": [{"code": "NAME_UNKNOWN", "message": "…", "detail": …}]}`, often; proxies
//! answer HTML, and then only the status speaks.

use serde::Deserialize;
use serde_json::Value;
use soci_image::EcrHost;

use crate::error::RegistryError;
use crate::redact::{Quoted, Secrets};
use crate::wire::{Answer, AnswerBody};

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
    /// Writing a manifest.
    Manifest(Written<'a>),
}

/// A manifest that was to be stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    /// The tag it was to get; `None` for its digest alone.
    pub(crate) tag: Option<&'a str>,
    /// It has a `subject`.
    pub(crate) refers: bool,
    /// A descriptor in it holds its content inline (`data`).
    pub(crate) inline_data: bool,
}

impl Written<'_> {
    /// What of these bytes registries may not take.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let lists = ["layers", "manifests", "blobs"];
        let listed = lists
            .iter()
            .filter_map(|name| document.get(name)?.as_array())
            .flatten();
        let single = ["config", "subject"].iter().filter_map(|name| document.get(name));
        Self {
            tag: None,
            refers: document.get("subject").is_some_and(Value::is_object),
            inline_data: listed.chain(single).any(|one| one.get("data").is_some()),
        }
    }
}

/// The call that was refused.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) host: &'a str,
    pub(crate) repository: &'a str,
    pub(crate) what: &'a str,
    /// Whether it needed the right to write.
    pub(crate) writes: bool,
    pub(crate) subject: Subject<'a>,
}

/// The registry's words in one line, without secrets; empty if it said nothing readable.
pub(crate) fn words<B>(answer: &Answer<B>, secrets: &Secrets) -> Quoted {
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
    secrets.quote(&joined.join("; "))
}

/// ECR says 403 where others say 401 when a token has ended.
pub(crate) fn is_expired_token<B>(answer: &Answer<B>) -> bool {
    let ended = |error: &One| error.message.to_ascii_lowercase().contains("token has expired");
    errors(answer).errors.iter().any(ended)
}

/// The error that a refusal means. The body has been read.
pub(crate) fn error<B>(asked: Asked<'_>, answer: &Answer<B>, secrets: &Secrets) -> RegistryError {
    let message = words(answer, secrets);
    let has = |code: &str| errors(answer).errors.iter().any(|error| error.code == code);
    let host = asked.host.to_owned();
    let what = asked.what.to_owned();
    let repository = asked.repository.to_owned();
    match (answer.status, asked.subject) {
        (405, Subject::Manifest(written)) if written.inline_data => {
            RegistryError::NoInlineData { host, what, message }
        }
        (405, Subject::Manifest(written)) if written.refers => RegistryError::NoSubjects { host, message },
        (400 | 403 | 409 | 412, Subject::Manifest(Written { tag: Some(tag), .. }))
            if is_immutable(message.as_str()) =>
        {
            RegistryError::ImmutableTag {
                repository,
                tag: tag.to_owned(),
                message,
            }
        }
        (412, Subject::Manifest(Written { tag: Some(tag), .. })) => RegistryError::TagMoved {
            repository,
            tag: tag.to_owned(),
        },
        (403, _) => RegistryError::Denied {
            help: rights(&host, asked.writes),
            host,
            what,
            message,
        },
        (404, _) if has("NAME_UNKNOWN") || message.as_str().contains("RepositoryNotFound") => {
            RegistryError::NoRepository {
                help: repository_help(&host, &repository),
                host,
                repository,
                message,
            }
        }
        (404, _) => RegistryError::NotFound {
            host,
            what: what.strip_prefix("read ").unwrap_or(&what).to_owned(),
            message,
        },
        (status, _) => RegistryError::Refused {
            host,
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

fn repository_help(host: &str, repository: &str) -> String {
    match EcrHost::parse(host) {
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
