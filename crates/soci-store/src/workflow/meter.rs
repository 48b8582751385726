//! What crosses the network during a conversion.

use soci_registry::{NativeClient, Traffic};

use super::report::{Report, TrafficReport};
use crate::store::{AnyDestination, AnySource};

/// The counters at the beginning.
pub(super) struct Meter {
    client: NativeClient,
    before: Traffic,
    from_registry: bool,
    to_registry: bool,
}

impl Meter {
    /// Starts to count; `None` if no registry takes part.
    pub(super) fn start(source: &AnySource, destination: &AnyDestination) -> Option<Self> {
        let from = source.registry().map(|source| source.repository().client());
        let to = match destination {
            AnyDestination::Registry(place) => Some(place.repository().client()),
            _ => None,
        };
        // Both are of one client: there is one in a run.
        let client = from.or(to)?.clone();
        let before = client.traffic();
        Some(Self {
            from_registry: from.is_some(),
            to_registry: to.is_some(),
            client,
            before,
        })
    }

    /// What was counted since.
    pub(super) fn read(self, report: &Report) -> Option<TrafficReport> {
        let now = self.client.traffic();
        let received = now.received - self.before.received;
        let sent = now.sent - self.before.sent;
        let layers: u64 = report.layers().iter().map(|layer| layer.size).sum();
        let spared = |counts: bool, moved: u64| if counts { layers.saturating_sub(moved) } else { 0 };
        Some(TrafficReport {
            received,
            sent,
            layers,
            not_received: spared(self.from_registry, received),
            not_sent: spared(self.to_registry, sent),
        })
    }
}
