//! How a registry may misbehave, or differ from the plain one.

use std::time::Duration;

use super::http::{Delivery, Request};

/// How the registry is, for as long as it runs (or until it is changed).
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Answers the referrers API, and says `OCI-Subject` when it takes a manifest with one.
    pub native_referrers: bool,
    /// Entries per page of a list: of referrers, of tags.
    pub list_page: usize,
    /// Asks for bearer tokens.
    pub tokens: Option<TokenRules>,
    /// Refuses everything with this challenge.
    pub challenge: Option<String>,
    /// Asks for this user and password with every request.
    pub basic: Option<(String, String)>,
    /// Answers blob reads with a redirect to another host, where each address is good for one request.
    pub redirects: bool,
    /// The other host answers everything with a challenge that names itself, and gives a token to whoever asks.
    pub elsewhere_asks: Option<Asks>,
    /// Uploads are to go to the other host.
    pub uploads_elsewhere: bool,
    /// States the digest of a manifest in the answer to HEAD.
    pub head_digest: bool,
    /// Takes manifests whose descriptors hold their content inline; otherwise answers 405, as ECR does.
    pub inline_data: bool,
    /// Mounts blobs from other repositories; otherwise answers 202.
    pub mounts: bool,
    /// Takes manifests with a subject; otherwise answers 405.
    pub subjects: bool,
    /// Answers ranges; otherwise always sends everything.
    pub ranges: bool,
    /// Gives ETags and heeds `If-Match` and `If-None-Match`.
    pub conditions: bool,
    /// Tags that exist can be moved.
    pub mutable_tags: bool,
    /// Upload addresses in `Location` are relative to the request's path, otherwise to its host.
    pub relative_locations: bool,
    /// Every blob read is cut at some byte, this many times in all.
    pub cuts: usize,
    /// Bytes per second that one connection gets; and the time before each answer.
    pub link: Option<(u64, Duration)>,
}

/// The login that a foreign host asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// User and password.
    Basic,
    /// A token of its own realm.
    Bearer,
}

/// How bearer tokens work here.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// User and password for a token; anonymous tokens are given if `None`.
    pub user: Option<(String, String)>,
    /// A token is good for this many requests.
    pub uses: usize,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            native_referrers: true,
            list_page: 100,
            tokens: None,
            challenge: None,
            basic: None,
            redirects: false,
            elsewhere_asks: None,
            uploads_elsewhere: false,
            head_digest: true,
            inline_data: true,
            mounts: true,
            subjects: true,
            ranges: true,
            conditions: false,
            mutable_tags: true,
            relative_locations: true,
            cuts: 0,
            link: None,
        }
    }
}

/// One fault: which requests it meets, how often, and what it does.
#[derive(Clone, Debug)]
pub struct Fault {
    method: &'static str,
    path: String,
    skip: usize,
    times: usize,
    pub(super) effect: Effect,
}

/// What a fault does.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Answers with this status before doing anything, perhaps with a `Retry-After`.
    Refuse(u16, Option<String>),
    /// Answers with this status and this body before doing anything.
    RefuseWith(u16, String),
    /// Answers with this status and an error that says the `Authorization` field and what is in it again.
    Echo(u16),
    /// Answers with this status and this header field.
    AnswerWith(u16, &'static str, String),
    /// Does what was asked, and adds a header field to the answer.
    Add(&'static str, String),
    /// Answers with a redirect to this address.
    Redirect(String),
    /// Does what was asked, then answers with this status.
    LoseAnswer(u16),
    /// Does what was asked, then delivers the answer like this.
    Deliver(Delivery),
    /// Changes one byte of the body.
    Corrupt,
    /// Puts this body in place of the right one.
    Replace(Vec<u8>),
    /// Puts this manifest in place of the right one, with its digest.
    ReplaceManifest(Vec<u8>),
    /// Takes only this many bytes of the body, then closes the connection.
    TakePart(usize),
}

impl Fault {
    /// A fault for every request with this method (empty: any) whose path contains this text.
    pub fn new(method: &'static str, path: &str, effect: Effect) -> Self {
        Self {
            method,
            path: path.to_owned(),
            skip: 0,
            times: usize::MAX,
            effect,
        }
    }

    /// The same for other paths.
    #[must_use]
    pub fn at(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.path = change(&self.path);
        self
    }

    /// Only the first `times` requests that match.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Only after `skip` requests that match.
    #[must_use]
    pub fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    /// Whether it meets this request; counts down.
    pub(super) fn meets(&mut self, request: &Request) -> bool {
        let matches =
            (self.method.is_empty() || self.method == request.method) && request.path.contains(&self.path);
        if !matches || self.times == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}
