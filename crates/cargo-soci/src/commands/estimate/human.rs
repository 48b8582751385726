//! The estimate as people read it.

use indicatif::HumanBytes;

use super::{CarriedReport, LinkReport, Report, ShareReport, Start};
use crate::lines::{Lines, row};
use crate::plural::count;

/// Files and directories that are named.
const SHOWN: usize = 5;

/// The whole report.
pub(super) fn report(report: &Report, columns: usize) -> String {
    let mut lines = Lines::new(columns);
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
    let layers = count(report.layers.len(), "layer");
    let mut head = vec![vec![
        "image".to_owned(),
        format!("{} in {layers}, {lazy} of them lazy", HumanBytes(bytes)),
    ]];
    if let Some(start) = &report.start {
        let spans: usize = report.layers.iter().filter_map(|layer| layer.spans).sum();
        touched(start, spans, &mut head);
        lines.table(0, &[], &head);
        largest(start, &mut lines);
        for link in &report.links {
            lines.gap();
            table(link, &mut lines);
        }
        lines.gap();
        lines.add(
            0,
            "Seconds until ready, without what the program itself computes: that is the same in all ways. By a model \
             of containerd with the soci-snapshotter (docs/estimate.md); Fargate's own hosts were not measured.",
        );
        if unread > 0 {
            lines.add(
                0,
                "A layer that was not read counts with its download alone: where it comes whole, it takes at least this.",
            );
        }
    } else {
        lines.table(0, &[], &head);
    }
    carried(&report.carried, &mut lines);
    if unread > 0 {
        lines.gap();
        let layers = count(unread, "layer");
        lines.add(
            0,
            &format!("What the image carries is not known of {layers}: large, and without a zTOC."),
        );
    }
    lines.finish()
}

fn touched(start: &Start, spans: usize, head: &mut Vec<Vec<String>>) {
    let files = format!(
        "{} opened, {} read of {}; {} of {spans} spans, {} of them compressed",
        count(start.files, "file"),
        HumanBytes(start.read_bytes),
        HumanBytes(start.bytes),
        start.spans,
        HumanBytes(start.span_bytes)
    );
    head.push(vec!["start".to_owned(), files]);
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
            let counted = count(paths.len(), "path");
            head.push(vec![String::new(), format!("{counted}, the first {first}")]);
            head.push(row(["", what]));
        }
    }
}

fn largest(start: &Start, lines: &mut Lines) {
    lines.gap();
    lines.add(0, "most bytes read");
    let rows: Vec<_> = start
        .largest
        .iter()
        .take(SHOWN)
        .map(|file| {
            let path = format!("{}  (layer {})", file.path, file.layer + 1);
            vec![HumanBytes(file.read_bytes).to_string(), path]
        })
        .collect();
    lines.table(2, &[0], &rows);
}

fn table(link: &LinkReport, lines: &mut Lines) {
    let head = ["seconds", "documents", "zTOCs", "layers", "spans", "bytes"];
    let head = std::iter::once(link.link.as_str()).chain(head);
    let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).collect()];
    for way in &link.ways {
        let part = |seconds: f64| match seconds {
            0.0 => "–".to_owned(),
            seconds => format!("{seconds:.1}"),
        };
        rows.push(vec![
            way.way.to_owned(),
            format!("{:.1}", way.seconds),
            part(way.documents),
            part(way.ztocs),
            part(way.layers),
            part(way.spans),
            HumanBytes(way.bytes).to_string(),
        ]);
    }
    lines.table(0, &[1, 2, 3, 4, 5, 6], &rows);
}

fn carried(carried: &CarriedReport, lines: &mut Lines) {
    lines.gap();
    let mut rows = vec![row(["carried for nothing", "files", "bytes", "compressed"])];
    let mut add = |name: &str, share: &ShareReport| {
        rows.push(vec![
            name.to_owned(),
            share.files.to_string(),
            HumanBytes(share.bytes).to_string(),
            HumanBytes(share.compressed_bytes).to_string(),
        ]);
    };
    add("replaced or deleted later", &carried.hidden);
    for kind in &carried.kinds {
        add(&kind.name, &kind.share);
    }
    if let Some(unopened) = &carried.unopened {
        add("not opened by this start", unopened);
    }
    lines.table(0, &[1, 2, 3], &rows);
    if carried.unopened.is_none() {
        return;
    }
    lines.gap();
    lines.add(0, "largest directories of which it opened nothing");
    let rows: Vec<_> = carried
        .directories
        .iter()
        .take(SHOWN)
        .map(|directory| {
            let bytes = HumanBytes(directory.share.compressed_bytes).to_string();
            vec![bytes, directory.name.clone()]
        })
        .collect();
    lines.table(2, &[0], &rows);
}
