//! The estimate as people read it.

use indicatif::HumanBytes;

use super::{CarriedReport, LinkReport, Report, ShareReport, Start};
use crate::escape;
use crate::plural::count;

/// Files and directories that are named.
const SHOWN: usize = 5;

/// Takes the lines of the report.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, words: &str) {
        self.0.push_str(words.trim_end());
        self.0.push('\n');
    }
}

/// The whole report.
pub(super) fn report(report: &Report) -> String {
    let mut lines = Lines::default();
    let lazy = report
        .layers
        .iter()
        .filter(|layer| layer.ztoc_size.is_some())
        .count();
    let bytes: u64 = report.layers.iter().map(|layer| layer.size).sum();
    let unread = report
        .layers
        .iter()
        .filter(|layer| layer.uncompressed_size.is_none())
        .count();
    lines.add(&format!(
        "image  {} in {}, {lazy} of them lazy",
        HumanBytes(bytes),
        count(report.layers.len(), "layer")
    ));
    if let Some(start) = &report.start {
        let spans: usize = report.layers.iter().filter_map(|layer| layer.spans).sum();
        touched(start, spans, &mut lines);
        for link in &report.links {
            lines.add("");
            table(link, &mut lines);
        }
        lines.add("");
        lines.add("Seconds until ready, without what the program itself computes: that is the same in all ways. By a model");
        lines.add("of containerd with the soci-snapshotter (docs/estimate.md); Fargate's own hosts were not measured.");
        if unread > 0 {
            lines.add("A layer that was not read counts with its download alone: where it comes whole, it takes at least this.");
        }
    }
    carried(&report.carried, &mut lines);
    if unread > 0 {
        lines.add("");
        lines.add(&format!(
            "What the image carries is not known of {}: large, and without a zTOC.",
            count(unread, "layer")
        ));
    }
    lines.0.trim_end().to_owned()
}

fn touched(start: &Start, spans: usize, lines: &mut Lines) {
    lines.add(&format!(
        "start  {} opened, {} read of {}; {} of {spans} spans, {} of them compressed",
        count(start.files, "file"),
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
            lines.add(&format!(
                "       {}, the first {}",
                count(paths.len(), "path"),
                escape::terminal(first)
            ));
            lines.add(&format!("       {what}"));
        }
    }
    lines.add("");
    lines.add("most bytes read");
    for file in start.largest.iter().take(SHOWN) {
        lines.add(&format!(
            "  {:>11}  {}  (layer {})",
            HumanBytes(file.read_bytes).to_string(),
            escape::terminal(&file.path),
            file.layer + 1
        ));
    }
}

fn table(link: &LinkReport, lines: &mut Lines) {
    lines.add(&format!(
        "{:<18}  {:>7}  {:>9}  {:>6}  {:>7}  {:>6}  {:>11}",
        link.link, "seconds", "documents", "zTOCs", "layers", "spans", "bytes"
    ));
    for way in &link.ways {
        let part = |seconds: f64| match seconds {
            0.0 => "–".to_owned(),
            seconds => format!("{seconds:.1}"),
        };
        lines.add(&format!(
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

fn carried(carried: &CarriedReport, lines: &mut Lines) {
    lines.add("");
    lines.add(&format!(
        "{:<34}  {:>9}  {:>11}  {:>11}",
        "carried for nothing", "files", "bytes", "compressed"
    ));
    let row = |name: &str, share: &ShareReport| {
        format!(
            "{name:<34}  {:>9}  {:>11}  {:>11}",
            share.files,
            HumanBytes(share.bytes).to_string(),
            HumanBytes(share.compressed_bytes).to_string()
        )
    };
    lines.add(&row("replaced or deleted later", &carried.hidden));
    for kind in &carried.kinds {
        lines.add(&row(&kind.name, &kind.share));
    }
    let Some(unopened) = &carried.unopened else {
        return;
    };
    lines.add(&row("not opened by this start", unopened));
    lines.add("");
    lines.add("largest directories of which it opened nothing");
    for directory in carried.directories.iter().take(SHOWN) {
        lines.add(&format!(
            "  {:>11}  {}",
            HumanBytes(directory.share.compressed_bytes).to_string(),
            escape::terminal(&directory.name)
        ));
    }
}
