//! What crosses the network during a conversion.

use std::collections::BTreeMap;

use soci_image::Digest;
use soci_registry::{Client, Traffic};

use super::report::{LayerReport, Report, TrafficReport};
use crate::registry::Wire;
use crate::store::{AnyDestination, AnySource};

/// The counters at the beginning.
pub(super) struct Meter {
    client: Client<Wire>,
    before: Traffic,
    from_registry: bool,
    to_registry: bool,
    /// Bytes of layers before they were rewritten, by their digest now.
    made_of: BTreeMap<Digest, u64>,
}

impl Meter {
    /// Starts to count; `None` if no registry takes part.
    pub(super) fn start(source: &AnySource, destination: &AnyDestination) -> Option<Self> {
        let from = source.registry().map(|source| source.repository().client());
        let to = match destination {
            AnyDestination::Registry(place) => Some(place.repository().client()),
            #[cfg(feature = "files")]
            _ => None,
        };
        // Both are of one client: there is one in a run.
        let client = from.or(to)?.clone();
        #[allow(unused_mut, reason = "layers are rewritten natively alone")]
        let (mut before, mut made_of) = (client.traffic(), BTreeMap::new());
        // Layers that were rewritten came before, and not in the size that they have now.
        #[cfg(feature = "native")]
        {
            let mut place = source;
            while let AnySource::Overlay(overlay) = place {
                before = overlay.traffic_before.unwrap_or(before);
                made_of.extend(overlay.made_of.clone());
                place = &overlay.base;
            }
        }
        Some(Self {
            made_of,
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
        let all = report.layers();
        let layers: u64 = all.iter().map(|layer| layer.size).sum();
        let size_before =
            |layer: &&LayerReport| self.made_of.get(&layer.digest).copied().unwrap_or(layer.size);
        let layers_before: u64 = all.iter().map(size_before).sum();
        let spared = |counts: bool, all: u64, moved: u64| if counts { all.saturating_sub(moved) } else { 0 };
        Some(TrafficReport {
            received,
            sent,
            layers,
            not_received: spared(self.from_registry, layers_before, received),
            not_sent: spared(self.to_registry, layers, sent),
        })
    }
}
