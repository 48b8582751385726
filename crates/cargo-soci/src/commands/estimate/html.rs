//! The estimate as one page for a browser: nothing is loaded, nothing runs.

mod timeline;
mod treemap;

use std::fmt::Write as _;

use indicatif::HumanBytes;
use soci_start::{Directory, Parts, Timeline, Touched};

use super::{CarriedReport, LinkReport, Report, ShareReport, Start, WayReport};
use crate::html_page::{self, text as html};
use crate::plural::count;
use treemap::{Area, Place};

const STYLE: &str = include_str!("html/page.css");

/// What the pictures show beside the report.
pub(super) struct Pictures<'a> {
    /// The image as it was named.
    pub image: &'a str,
    /// Its files.
    pub tree: Directory,
    /// What the start touches, and its time line over each link of the report.
    pub start: Option<(&'a Touched, Vec<Timeline>)>,
}

/// Writes the page. All text from outside passes one function.
pub(super) fn render(report: &Report, pictures: &Pictures<'_>) -> String {
    let image_name = html(pictures.image);
    let mut out = html_page::begin(&format!("How a start goes: {image_name}"), STYLE, false);
    let _ = writeln!(
        out,
        "<main>\n<h1>How a start goes</h1>\n<p class=\"image\"><code>{image_name}</code></p>"
    );
    figures(report, &mut out);
    for (at, link) in report.links.iter().enumerate() {
        ways(link, at == 0, &mut out);
    }
    if !report.links.is_empty() {
        out.push_str(
            "<p>Seconds until ready, without what the program itself computes: that is the same in all ways. By a model of \
             containerd with the soci-snapshotter; Fargate’s own hosts were not measured.</p>\n",
        );
    }
    if let Some((touched, timelines)) = &pictures.start {
        out.push_str("<h2>Second by second</h2>\n");
        for (at, (link, line)) in report.links.iter().zip(timelines).enumerate() {
            timeline::draw(&link.link, line, touched, at == 0, &mut out);
        }
    }
    image(report, &pictures.tree, &mut out);
    carried(&report.carried, &mut out);
    notes(report, &mut out);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// The figures that matter, large.
fn figures(report: &Report, out: &mut String) {
    out.push_str("<dl class=\"figures\">\n");
    let mut figure = |name: &str, value: &str, more: &str| {
        let _ = writeln!(
            out,
            "<div><dt>{name}</dt><dd><strong>{value}</strong> <span>{more}</span></dd></div>"
        );
    };
    let lazy = report.layers.iter().filter(|layer| layer.ztoc_size.is_some());
    let bytes: u64 = report.layers.iter().map(|layer| layer.size).sum();
    let layers = count(report.layers.len(), "layer");
    let more = format!("in {layers}, {} of them lazy", lazy.count());
    figure("Image", &HumanBytes(bytes).to_string(), &more);
    if let (Some(start), Some(link)) = (&report.start, report.links.first()) {
        if let [whole, lazy, ..] = &link.ways[..] {
            let more = format!(
                "pulled whole {}, over {}",
                seconds(whole.seconds),
                html(&link.link)
            );
            let name = capital(lazy.way);
            figure(&name, &seconds(lazy.seconds), &more);
        }
        let all: usize = report.layers.iter().filter_map(|layer| layer.spans).sum();
        let more = format!("of {all} spans, {}", HumanBytes(start.span_bytes));
        figure("The start fetches", &start.spans.to_string(), &more);
        let more = format!("in {}", count(start.files, "file"));
        figure(
            "The start reads",
            &HumanBytes(start.read_bytes).to_string(),
            &more,
        );
    } else {
        let hidden = report.carried.hidden.compressed_bytes;
        figure(
            "Replaced or deleted later",
            &HumanBytes(hidden).to_string(),
            "pulled with it all the same",
        );
    }
    out.push_str("</dl>\n");
}

/// A part of a start: its name, which is its class too, and its seconds.
type Part = (&'static str, fn(&WayReport) -> f64);

/// The parts that take the time of a start.
const PARTS: [Part; 4] = [
    ("documents", |way| way.documents),
    ("zTOCs", |way| way.ztocs),
    ("layers", |way| way.layers),
    ("spans", |way| way.spans),
];

fn ways(link: &LinkReport, is_first: bool, out: &mut String) {
    let name = html(&link.link);
    let _ = writeln!(out, "<h2>Ways over {name}</h2>");
    if is_first {
        out.push_str("<ul class=\"legend\">");
        for (part, _) in PARTS {
            let _ = write!(out, "<li><i class=\"{}\"></i>{part}</li>", part.to_lowercase());
        }
        out.push_str("</ul>\n");
    }
    let _ = write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Ways over {name}\"><table>\n<thead><tr>\
         <th scope=\"col\">Way</th><th scope=\"col\" class=\"number\">Seconds</th><th scope=\"col\" class=\"wide\">Of these</th>"
    );
    for (part, _) in PARTS {
        let _ = write!(out, "<th scope=\"col\" class=\"number\">{part}</th>");
    }
    out.push_str("<th scope=\"col\" class=\"number\">bytes</th></tr></thead>\n<tbody>\n");
    let longest = (link.ways.iter().map(|way| way.seconds)).fold(f64::MIN_POSITIVE, f64::max);
    for way in &link.ways {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"number\"><strong>{:.1}</strong></td><td class=\"wide\"><div class=\"stack\">",
            html(way.way),
            way.seconds
        );
        for (part, of) in PARTS {
            if of(way) > 0.0 {
                let _ = write!(
                    out,
                    "<i class=\"{}\" style=\"width:{:.2}%\"></i>",
                    part.to_lowercase(),
                    of(way) / longest * 100.0
                );
            }
        }
        out.push_str("</div></td>");
        for (_, of) in PARTS {
            let _ = match of(way) {
                0.0 => write!(out, "<td class=\"number\">–</td>"),
                seconds => write!(out, "<td class=\"number\">{seconds:.1}</td>"),
            };
        }
        let _ = writeln!(out, "<td class=\"number\">{}</td></tr>", HumanBytes(way.bytes));
    }
    out.push_str("</tbody>\n</table></div>\n");
}

/// What the image is made of.
fn image(report: &Report, tree: &Directory, out: &mut String) {
    out.push_str("<h2>What the image is made of</h2>\n");
    let all = tree.parts;
    if all.sum() == 0 {
        out.push_str("<p>No layer with files was read.</p>\n");
        return;
    }
    let has_start = report.start.is_some();
    let amount = |bytes: u64| {
        let share = bytes as f64 / all.sum() as f64 * 100.0;
        format!("{}, {share:.0} %", HumanBytes(bytes))
    };
    if has_start {
        let _ = writeln!(
            out,
            "<ul class=\"legend\"><li><i class=\"needed\"></i>needed until ready: {}</li><li><i class=\"later\"></i>fetched later, in \
             opened files: {}</li><li><i class=\"unopened\"></i>never opened by this start: {}</li></ul>",
            amount(all.needed),
            amount(all.later),
            amount(all.unopened)
        );
    } else {
        out.push_str("<p>Without a trace it is not known what a start opens.</p>\n");
    }
    let (width, height) = MAP;
    let _ = write!(
        out,
        "<div class=\"map\" role=\"img\" aria-label=\"Directories by their compressed bytes; the largest are in the table below\">"
    );
    for area in treemap::areas(tree, width, height) {
        tile(&area, (width, height), has_start, out);
    }
    out.push_str("</div>\n<details><summary>The largest directories as a table</summary>\n");
    table_of(tree, has_start, out);
    out.push_str("</details>\n");
}

fn tile(area: &Area, of: (f64, f64), has_start: bool, out: &mut String) {
    let Place { x, y, width, height } = area.place;
    let part = |value: f64, of: f64| format!("{:.2}%", value / of * 100.0);
    let is_group = !area.areas.is_empty();
    let _ = write!(
        out,
        "<div class=\"{}\" title=\"{}: {}\" style=\"left:{};top:{};width:{};height:{}",
        if is_group { "group" } else { "tile" },
        html(&area.path),
        html(&told(area.parts, has_start)),
        part(x, of.0),
        part(y, of.1),
        part(width, of.0),
        part(height, of.1),
    );
    if !is_group && has_start {
        let sum = area.parts.sum().max(1) as f64;
        let needed = area.parts.needed as f64;
        let _ = write!(
            out,
            ";--to-needed:{};--to-later:{}",
            part(needed, sum),
            part(needed + area.parts.later as f64, sum)
        );
    }
    let _ = write!(
        out,
        "\"><b>{}</b><span>{}</span>",
        html(&area.name),
        HumanBytes(area.parts.sum())
    );
    if is_group {
        out.push_str("<div class=\"inner\">");
        let inner = treemap::inner(area.place);
        for area in &area.areas {
            tile(area, inner, has_start, out);
        }
        out.push_str("</div>");
    }
    out.push_str("</div>\n");
}

fn told(parts: Parts, has_start: bool) -> String {
    let all = HumanBytes(parts.sum()).to_string();
    match has_start {
        true => format!(
            "{all}, of it {} needed until ready, {} fetched later, {} never opened",
            HumanBytes(parts.needed),
            HumanBytes(parts.later),
            HumanBytes(parts.unopened)
        ),
        false => all,
    }
}

/// The largest directories, those that are divided further left out.
fn table_of(tree: &Directory, has_start: bool, out: &mut String) {
    let mut rows = Vec::new();
    leaves(treemap::areas(tree, MAP.0, MAP.1), &mut rows);
    rows.sort_by(|(one, a), (two, b)| b.sum().cmp(&a.sum()).then_with(|| one.cmp(two)));
    out.push_str("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"The largest directories\"><table>\n<thead><tr><th scope=\"col\">Directory</th>");
    let heads: &[&str] = match has_start {
        true => &["needed", "later", "never opened", "all"],
        false => &["all"],
    };
    for head in heads {
        let _ = write!(out, "<th scope=\"col\" class=\"number\">{head}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (path, parts) in rows.iter().take(ROWS) {
        let _ = write!(out, "<tr><td class=\"path\">{}</td>", html(path));
        let cells = [parts.needed, parts.later, parts.unopened, parts.sum()];
        for bytes in &cells[if has_start { 0 } else { 3 }..] {
            let _ = write!(out, "<td class=\"number\">{}</td>", amount_or_dash(*bytes));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn leaves(areas: Vec<Area>, rows: &mut Vec<(String, Parts)>) {
    for area in areas {
        match area.areas.is_empty() {
            true => rows.push((area.path, area.parts)),
            false => leaves(area.areas, rows),
        }
    }
}

fn carried(carried: &CarriedReport, out: &mut String) {
    out.push_str(
        "<h2>Carried for nothing</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Carried for nothing\"><table>\n\
         <thead><tr><th scope=\"col\">What</th><th scope=\"col\" class=\"number\">files</th><th scope=\"col\" class=\"number\">bytes</th>\
         <th scope=\"col\" class=\"number\">compressed</th></tr></thead>\n<tbody>\n",
    );
    let mut row = |class: &str, name: &str, share: &ShareReport| {
        let _ = writeln!(
            out,
            "<tr><td{class}>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            html(name),
            share.files,
            amount_or_dash(share.bytes),
            amount_or_dash(share.compressed_bytes)
        );
    };
    row("", "replaced or deleted later", &carried.hidden);
    for kind in &carried.kinds {
        row("", &kind.name, &kind.share);
    }
    if let Some(unopened) = &carried.unopened {
        row("", "not opened by this start", unopened);
    }
    for directory in &carried.directories {
        row(" class=\"path below\"", &directory.name, &directory.share);
    }
    out.push_str("</tbody>\n</table></div>\n");
}

/// What is not known, and what the figures rest on.
fn notes(report: &Report, out: &mut String) {
    if let Some(start) = &report.start {
        paths(start, out);
    }
    let unread = (report.layers.iter()).filter(|layer| layer.uncompressed_size.is_none());
    let unread = unread.count();
    if unread > 0 {
        let _ = writeln!(
            out,
            "<p>{} without a zTOC {} not read: what is in {} is not counted, and where it comes whole it takes at least as long as \
             is said.</p>",
            capital(&count(unread, "layer")),
            if unread == 1 { "was" } else { "were" },
            if unread == 1 { "it" } else { "them" },
        );
    }
    out.push_str(
        "<p>Bytes of files are exact; compressed bytes are shares: each span is divided among its files by their bytes.</p>\n",
    );
}

fn paths(start: &Start, out: &mut String) {
    for (paths, what) in [
        (
            &start.missing,
            "not in the image: made at run time, mounted, or of another image",
        ),
        (
            &start.unknown,
            "unknown: a large layer without a zTOC decides, and such are not read",
        ),
    ] {
        if paths.is_empty() {
            continue;
        }
        let _ = write!(
            out,
            "<details><summary>{} of the trace {what}</summary>\n<ul class=\"paths\">",
            count(paths.len(), "path")
        );
        for path in paths.iter().take(PATHS) {
            let _ = write!(out, "<li>{}</li>", html(path));
        }
        if paths.len() > PATHS {
            let _ = write!(out, "<li>and {} more</li>", paths.len() - PATHS);
        }
        out.push_str("</ul></details>\n");
    }
}

fn amount_or_dash(bytes: u64) -> String {
    match bytes {
        0 => "–".to_owned(),
        bytes => HumanBytes(bytes).to_string(),
    }
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// The map, in points of the design: what is wide enough to have a name is decided by it.
const MAP: (f64, f64) = (1120.0, 560.0);

/// Directories in the table.
const ROWS: usize = 30;

/// Paths that are named.
const PATHS: usize = 50;
