//! What can go wrong with a registry, and what to do about it.

use crate::redact::Quoted;
use crate::transport::TransportError;
use crate::url::UrlError;

/// A registry could not be asked, refused, or answered what it must not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The exchange did not happen or did not end, also after repetitions.
    #[error("cannot {what} at {host}: {source}{}", repeated(*attempts))]
    Transport {
        /// The registry or token server.
        host: String,
        /// What was to be done, as in "read the manifest app:1".
        what: String,
        /// How often it was tried.
        attempts: u32,
        /// The last failure.
        source: TransportError,
    },

    /// The registry wants a login and takes none that is known.
    #[error(
        "{host} refuses the login for {repository}{}{}",
        detail(message),
        tried_list(tried)
    )]
    Login {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// The registry's own words.
        message: Quoted,
        /// The ways that were tried, in their order.
        tried: Vec<String>,
        /// What to do.
        help: String,
    },

    /// The login is fine, its rights are not.
    #[error("{host} does not allow to {what}{}", detail(message))]
    Denied {
        /// The registry.
        host: String,
        /// What was to be done.
        what: String,
        /// The registry's own words.
        message: Quoted,
        /// What to do.
        help: String,
    },

    /// There is no such manifest, tag or blob.
    #[error("{what} is not at {host}{}", detail(message))]
    NotFound {
        /// The registry.
        host: String,
        /// "manifest app:1"
        what: String,
        /// The registry's own words.
        message: Quoted,
    },

    /// There is no such repository and the registry does not make one.
    #[error("the repository {repository} does not exist at {host}{}", detail(message))]
    NoRepository {
        /// The registry.
        host: String,
        /// The repository.
        repository: String,
        /// The registry's own words.
        message: Quoted,
        /// What to do.
        help: String,
    },

    /// The tag exists and may not be moved.
    #[error("the tag {tag} of {repository} cannot be overwritten{}", detail(message))]
    ImmutableTag {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
        /// The registry's own words.
        message: Quoted,
    },

    /// 405 for a manifest with a `subject`.
    #[error(
        "{host} takes no manifests that refer to an image (subject), as SOCI index v1 does{}",
        detail(message)
    )]
    NoSubjects {
        /// The registry.
        host: String,
        /// The registry's own words.
        message: Quoted,
    },

    /// The tag names another manifest than it did.
    #[error("the tag {tag} of {repository} was moved meanwhile")]
    TagMoved {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
    },

    /// 405 for a manifest with a descriptor that holds its content inline.
    #[error(
        "{host} refuses to {what}, whose descriptors hold their content inline (data), as buildx writes attestations{}",
        detail(message)
    )]
    NoInlineData {
        /// The registry.
        host: String,
        /// "store the manifest app@sha256:…"
        what: String,
        /// The registry's own words.
        message: Quoted,
    },

    /// Another refusal.
    #[error("{host} answered {status} when asked to {what}{}", detail(message))]
    Refused {
        /// The registry.
        host: String,
        /// What was to be done.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The registry's own words.
        message: Quoted,
    },

    /// The answer is not what the protocol allows.
    #[error("{host} broke the protocol when asked to {what}: {problem}")]
    Protocol {
        /// The registry.
        host: String,
        /// What was to be done.
        what: String,
        /// What was wrong with the answer.
        problem: Quoted,
    },

    /// More came than may.
    #[error("{host} sent more than {limit} bytes when asked to {what}")]
    TooLarge {
        /// The registry.
        host: String,
        /// What was to be done.
        what: String,
        /// The limit in bytes.
        limit: u64,
    },

    /// It came too slowly.
    #[error("{host} sent too slowly when asked to {what}: {problem}")]
    TooSlow {
        /// The registry.
        host: String,
        /// What was to be done.
        what: String,
        /// Which limit was missed.
        problem: String,
    },

    /// The bytes are not those that were asked for.
    #[error("{what} from {host} has the digest {found} instead of {expected}")]
    Digest {
        /// The registry.
        host: String,
        /// "manifest app:1"
        what: String,
        /// What was asked for or promised.
        expected: String,
        /// What came.
        found: String,
    },

    /// The upload's session is gone and with it what was sent.
    #[error("{host} lost the upload of {digest}{}", detail(message))]
    UploadLost {
        /// The registry.
        host: String,
        /// The blob.
        digest: String,
        /// The last failure.
        message: Quoted,
    },

    /// A registry on plain http names another host for the login: anybody on the way could have done that.
    #[error("{host} is reached without encryption and names {realm} for the login, which is not sent there")]
    ForeignRealm {
        /// The registry.
        host: String,
        /// The host of the token realm, in the registry's own words.
        realm: Quoted,
    },

    /// A login was asked for by somebody else than the registry.
    #[error("{host} sends us to {other} to {what}, and {other} asks for a login, which it does not get")]
    ForeignChallenge {
        /// The registry.
        host: String,
        /// Who asked, in the registry's own words.
        other: Quoted,
        /// What was to be done.
        what: String,
    },

    /// Plain http outside of this machine.
    #[error("{host} would be reached without encryption")]
    Insecure {
        /// The host, in the words of who wanted to go there.
        host: Quoted,
        /// Who wanted to go there: "a redirect", "the token realm".
        who: &'static str,
    },

    /// An address from outside cannot be used.
    #[error("{who} of {host} cannot be used: {source}")]
    Address {
        /// The registry.
        host: String,
        /// "the Location", "the token realm".
        who: &'static str,
        /// Why.
        source: UrlError,
    },

    /// A reference that lacks what the call needs.
    #[error("{0}")]
    Reference(String),

    /// Another writer was faster, several times.
    #[error("the list of referrers at {host} kept changing under {attempts} attempts to add to it")]
    Contended {
        /// The registry.
        host: String,
        /// How often it was tried.
        attempts: u32,
    },
}

impl RegistryError {
    /// What the user can do, where there is something.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Login { help, .. } | Self::Denied { help, .. } | Self::NoRepository { help, .. } => {
                help.as_str()
            }
            Self::Transport { source, .. } => transport_help(source),
            Self::ImmutableTag { .. } => {
                "convert into a new tag (convert SRC DST), or allow overwriting in the repository's settings"
            }
            Self::NoSubjects { .. } => {
                "use `convert` (SOCI index v2), which needs no subject, or write v1 into another registry"
            }
            Self::NoInlineData { .. } => {
                "build the image without attestations: docker buildx build --provenance=false --sbom=false"
            }
            Self::TagMoved { .. } => "run the command again: the tag names another image now",
            Self::Insecure { .. } => {
                "reach it over https, or name the host with --plain-http if the network is trusted"
            }
            Self::ForeignRealm { .. } => "reach the registry over https",
            Self::NotFound { .. } => "check the name, the tag and that the image was pushed",
            Self::UploadLost { .. } => "run the command again: what arrived already is not sent again",
            Self::Contended { .. } => "run the command again when the other writers are done",
            Self::TooSlow { .. } => "run the command again, or look at the network",
            Self::Refused { status: 413, .. } => {
                "the registry or a proxy before it limits the size of uploads"
            }
            Self::Refused { status: 429, .. } => {
                "the registry limits requests: wait, or log in for a higher limit"
            }
            Self::Refused { status: 500.., .. } => "the registry has trouble: run the command again later",
            _ => return None,
        };
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether the error says that something asked for is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::NoRepository { .. })
    }

    /// Whether the run was interrupted from outside.
    pub fn is_interrupted(&self) -> bool {
        use crate::transport::TransportFault::Interrupted;
        matches!(self, Self::Transport { source, .. } if source.fault == Interrupted)
    }
}

fn transport_help(source: &TransportError) -> &'static str {
    use crate::transport::TransportFault::{Connect, Tls};
    match source.fault {
        Connect => "check the host's name, the network and HTTPS_PROXY / NO_PROXY",
        Tls => "for a certificate of your own authority pass --ca-file, or set SSL_CERT_FILE",
        _ => "",
    }
}

fn repeated(attempts: u32) -> String {
    if attempts > 1 {
        format!(" ({attempts} attempts)")
    } else {
        String::new()
    }
}

fn detail(message: &Quoted) -> String {
    if message.as_str().is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

fn tried_list(tried: &[String]) -> String {
    if tried.is_empty() {
        return String::new();
    }
    format!("\n  tried: {}", tried.join("\n         "))
}
