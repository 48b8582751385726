//! What a client does and does not do, and what it counts.

use std::sync::Arc;
use std::time::Duration;

use crate::retry::RetryPolicy;

/// Documents (manifests, indexes, configs) larger than this are refused: registries do the same.
pub const DOCUMENT_LIMIT: u64 = 4 << 20;

/// Takes one line.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

/// What a client does and does not do.
#[derive(Clone, Default)]
pub struct ClientOptions {
    /// Repetitions and pauses.
    pub retry: RetryPolicy,
    /// What comes from outside is cut off here.
    pub limits: Limits,
    /// Hosts (with port, as in references) that are reached over plain http besides loopback.
    pub plain_http: Vec<String>,
    /// Requests at the same time for one large blob; 1 reads it in one stream. `None`: one, and several
    /// once the network turns out to be slower than the reader.
    pub connections_per_blob: Option<usize>,
    /// Told one line per exchange, without secrets.
    pub trace: Option<Trace>,
    /// Told what was left out because it is not needed and could not be had.
    pub note: Option<Trace>,
}

/// Limits on what comes from outside. Manifests have their own: [`DOCUMENT_LIMIT`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Redirects that are followed for one request.
    pub redirects: u32,
    /// Bytes of a token answer.
    pub token: u64,
    /// The whole time for a document, repetitions not counted; also for all pages of a list.
    pub document_time: Duration,
    /// The whole time for the body of a refusal; what came until then is quoted.
    pub refusal_time: Duration,
    /// Nothing is tried again later than this after its first attempt.
    pub repeating: Duration,
    /// What a blob may cost in interruptions: opening it again, reading again what is there already.
    pub reopening: Duration,
    /// The stretch of time over which [`Limits::slowest`] is measured.
    pub pace_window: Duration,
    /// The slowest a body may come, in bytes per second: bodies that trickle are cut off.
    pub slowest: u64,
    /// Pages of a list: of referrers, of tags.
    pub pages: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            redirects: 5,
            token: 64 * 1024,
            document_time: Duration::from_secs(120),
            refusal_time: Duration::from_secs(5),
            repeating: Duration::from_secs(10 * 60),
            reopening: Duration::from_secs(10 * 60),
            pace_window: Duration::from_secs(60),
            slowest: 1024,
            pages: 100,
        }
    }
}

/// Bytes of bodies that crossed the network, headers not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes that came.
    pub received: u64,
    /// Bytes that went.
    pub sent: u64,
}
