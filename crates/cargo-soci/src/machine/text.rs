//! The same for people.

use indicatif::HumanBytes;

use super::report::{Fetched, LayerReport};
use crate::plural::count;

/// `image    408 MB in 5 layers, 4 of them lazy` and what of it was fetched.
pub(crate) fn fetched(layers: &[LayerReport], fetched: &Fetched) -> String {
    let lazy = layers.iter().filter(|layer| layer.spans.is_some()).count();
    let bytes: u64 = layers.iter().map(|layer| layer.size).sum();
    let total = fetched.span_bytes + fetched.ztoc_bytes + fetched.whole_bytes;
    let mut parts = Vec::new();
    for (bytes, what) in [
        (fetched.ztoc_bytes, "zTOCs"),
        (fetched.whole_bytes, "whole layers"),
        (fetched.span_bytes, "spans"),
    ] {
        if bytes > 0 {
            parts.push(format!("{} of {what}", HumanBytes(bytes)));
        }
    }
    let of_what = match parts.is_empty() {
        true => String::new(),
        false => format!(": {}", parts.join(", ")),
    };
    format!(
        "image    {} in {}, {lazy} of them lazy\n\
         fetched  {} of it, {:.1} %{of_what}\n\
         spans    {} of {}",
        HumanBytes(bytes),
        count(layers.len(), "layer"),
        HumanBytes(total),
        fetched.share * 100.0,
        fetched.spans,
        fetched.of_spans
    )
}
