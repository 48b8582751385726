//! The estimate as people read it.

use indicatif::HumanBytes;

use super::{LinkReport, Report};
use crate::escape;

/// Files that are named.
const SHOWN: usize = 5;

/// The whole report.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(words.trim_end());
        text.push('\n');
    };
    let lazy = report
        .layers
        .iter()
        .filter(|layer| layer.ztoc_size.is_some())
        .count();
    let bytes: u64 = report.layers.iter().map(|layer| layer.size).sum();
    let spans: usize = report.layers.iter().filter_map(|layer| layer.spans).sum();
    let start = &report.start;
    line(format!(
        "image  {} in {}, {lazy} of them lazy",
        HumanBytes(bytes),
        many(report.layers.len(), "layer")
    ));
    line(format!(
        "start  {} opened, {} read of {}; {} of {spans} spans, {} of them compressed",
        many(start.files, "file"),
        HumanBytes(start.read_bytes),
        HumanBytes(start.bytes),
        start.spans,
        HumanBytes(start.span_bytes)
    ));
    for (paths, what) in [
        (
            &start.missing,
            "not in the image: made at run time, mounted, or of another image",
        ),
        (
            &start.unknown,
            "unknown: large layers without a zTOC are not read, and one of them decides",
        ),
    ] {
        if let Some(first) = paths.first() {
            line(format!(
                "       {}, the first {}",
                many(paths.len(), "path"),
                escape::terminal(first)
            ));
            line(format!("       {what}"));
        }
    }
    line(String::new());
    for link in &report.links {
        table(link, &mut line);
        line(String::new());
    }
    line("most bytes read".to_owned());
    for file in start.largest.iter().take(SHOWN) {
        line(format!(
            "  {:>11}  {}  (layer {})",
            HumanBytes(file.read_bytes).to_string(),
            escape::terminal(&file.path),
            file.layer + 1
        ));
    }
    line(String::new());
    line("Seconds until ready, without what the program itself computes: that is the same in all ways. By a model".to_owned());
    line(
        "of containerd with the soci-snapshotter (docs/estimate.md); Fargate's own hosts were not measured."
            .to_owned(),
    );
    if report
        .layers
        .iter()
        .any(|layer| layer.uncompressed_size.is_none())
    {
        line("A layer that was not read counts with its download alone: where it comes whole, it takes at least this.".to_owned());
    }
    text.trim_end().to_owned()
}

fn table(link: &LinkReport, line: &mut impl FnMut(String)) {
    line(format!(
        "{:<18}  {:>7}  {:>9}  {:>6}  {:>7}  {:>6}  {:>11}",
        link.link, "seconds", "documents", "zTOCs", "layers", "spans", "bytes"
    ));
    for way in &link.ways {
        let part = |seconds: f64| match seconds {
            0.0 => "–".to_owned(),
            seconds => format!("{seconds:.1}"),
        };
        line(format!(
            "{:<18}  {:>7.1}  {:>9}  {:>6}  {:>7}  {:>6}  {:>11}",
            way.way,
            way.seconds,
            part(way.documents),
            part(way.ztocs),
            part(way.layers),
            part(way.spans),
            HumanBytes(way.bytes).to_string()
        ));
    }
}

fn many(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
