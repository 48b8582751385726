//! The time line: a row for each file that is waited for, with the spans that come for it. Files that came with the spans of
//! others are counted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use indicatif::HumanBytes;
use soci_start::{FileTime, SpanTime, Timeline, Touched};

use crate::html_page::text as html;
use crate::plural::count;

/// Writes the time line over a link; those behind the first are folded.
pub(super) fn draw(link: &str, line: &Timeline, touched: &Touched, is_open: bool, out: &mut String) {
    let end = line.end().max(f64::MIN_POSITIVE);
    let step = step(end);
    let _ = writeln!(
        out,
        "<details class=\"line\"{}><summary>Lazily over {}: {:.1} s</summary>",
        if is_open { " open" } else { "" },
        html(link),
        line.end()
    );
    if is_open {
        out.push_str(
            "<ul class=\"legend\"><li><i class=\"before\"></i>before the container is created</li><li><i class=\"wire\"></i>a span on \
             its way</li><li><i class=\"inflating\"></i>inflated and checked</li></ul>\n",
        );
    }
    let _ = write!(
        out,
        "<div class=\"chart\" style=\"--step:{:.3}%\">\n<div class=\"axis\"><span></span><span>",
        step / end * 100.0
    );
    let mut tick = 0.0;
    // A mark at the very end would stick out.
    while tick < end * 0.97 {
        let _ = write!(
            out,
            "<i style=\"left:{:.2}%\">{}&nbsp;s</i>",
            tick / end * 100.0,
            number(tick)
        );
        tick += step;
    }
    out.push_str("</span></div>\n<ol>\n");
    let mut before = |name: &str, begin: f64, to: f64| {
        if to > begin {
            let bar = bar("before", begin, to, end, &time(begin, to));
            let _ = writeln!(
                out,
                "<li><span class=\"name\">{name}</span><span class=\"track\">{bar}</span></li>"
            );
        }
    };
    before("documents, setting up", 0.0, line.documents);
    before("zTOCs", line.documents, line.ztocs);
    before("layers that come whole", line.ztocs, line.layers);
    let (waited, there): (Vec<&FileTime>, Vec<&FileTime>) =
        line.files.iter().partition(|file| !file.spans.is_empty());
    for run in runs(&waited) {
        row(run, touched, end, out);
    }
    out.push_str("</ol>\n</div>\n");
    if !there.is_empty() {
        let files = count(there.len(), "more file");
        let _ = writeln!(out, "<p>{files} came with the spans of these.</p>");
    }
    out.push_str("</details>\n");
}

/// Files in rows: those that are waited for longest have one of their own, the others share one with their neighbours.
fn runs<'a, 'f>(files: &'a [&'f FileTime]) -> Vec<&'a [&'f FileTime]> {
    let mut longest: Vec<usize> = (0..files.len()).collect();
    let taken = |at: usize| files[at].end - files[at].begin;
    longest.sort_by(|one, two| taken(*two).total_cmp(&taken(*one)).then(one.cmp(two)));
    let alone: BTreeSet<usize> = longest.into_iter().take(ALONE).collect();
    let mut runs = Vec::new();
    let mut begin = 0;
    for at in 0..files.len() {
        if alone.contains(&at) {
            runs.extend([&files[begin..at], &files[at..=at]]);
            begin = at + 1;
        }
    }
    runs.push(&files[begin..]);
    runs.retain(|run| !run.is_empty());
    runs
}

fn row(run: &[&FileTime], touched: &Touched, end: f64, out: &mut String) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return;
    };
    let path = |file: &FileTime| {
        touched.files.get(file.file).map_or_else(String::new, |file| {
            String::from_utf8_lossy(&file.path).into_owned()
        })
    };
    let (name, class) = match run {
        [file] => (path(file), "name"),
        _ => (count(run.len(), "more file"), "name shared"),
    };
    let told = match run {
        [file] => path(file),
        _ => format!("{} to {}", path(first), path(last)),
    };
    let _ = write!(
        out,
        "<li><span class=\"{class}\" title=\"{}\">{}</span><span class=\"track\">",
        html(&told),
        ending(&name)
    );
    let spans: Vec<&SpanTime> = run.iter().flat_map(|file| &file.spans).collect();
    let at_once = spans.len().div_ceil(BARS).max(1);
    for spans in spans.chunks(at_once) {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            continue;
        };
        let bytes = HumanBytes(spans.iter().map(|span| span.compressed).sum());
        let what = match spans {
            [span] => format!("span {} of layer {}", span.id, span.layer + 1),
            _ => count(spans.len(), "span"),
        };
        let told = format!("{what}, {bytes}, {}", time(first.begin, last.end));
        // Of several the wire has its share, as if they had come in one piece.
        let wire: f64 = spans.iter().map(|span| span.arrived - span.begin).sum();
        let work: f64 = spans.iter().map(|span| span.end - span.arrived).sum();
        let part = wire / (wire + work).max(f64::MIN_POSITIVE);
        let arrived = first.begin + (last.end - first.begin) * part;
        out.push_str(&bar("wire", first.begin, arrived, end, &told));
        out.push_str(&bar("inflating", arrived, last.end, end, &told));
    }
    out.push_str("</span></li>\n");
}

/// A path whose end stays visible where there is no room for all of it.
fn ending(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("<span>{}</span><b>/{}</b>", html(folder), html(name)),
        None => format!("<b>{}</b>", html(path)),
    }
}

fn bar(class: &str, begin: f64, to: f64, end: f64, told: &str) -> String {
    format!(
        "<i class=\"{class}\" style=\"left:{:.3}%;width:{:.3}%\" title=\"{}\"></i>",
        begin / end * 100.0,
        (to - begin) / end * 100.0,
        html(told)
    )
}

fn time(begin: f64, to: f64) -> String {
    format!("{begin:.3} to {to:.3} s")
}

/// Seconds between marks: 1, 2 or 5 of a power of ten, at most ten marks.
fn step(end: f64) -> f64 {
    let mut power = 1e-3;
    loop {
        if let Some(step) = [1.0, 2.0, 5.0]
            .map(|times| times * power)
            .into_iter()
            .find(|step| end / step <= 10.0)
        {
            return step;
        }
        power *= 10.0;
    }
}

fn number(seconds: f64) -> String {
    let text = format!("{seconds:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Files that have a row of their own.
const ALONE: usize = 20;

/// Spans that are drawn in a row; of more, several are one.
const BARS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        for (end, expected) in [(0.31, 0.05), (1.0, 0.1), (8.77, 1.0), (22.7, 5.0), (431.0, 50.0)] {
            assert!((step(end) - expected).abs() < 1e-9, "{end}: {}", step(end));
        }
        assert_eq!(["0", "0.05", "10"], [0.0, 0.05, 10.0].map(number)[..]);
    }
}
