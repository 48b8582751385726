//! The report as one page for a browser: nothing is loaded, and its rows can be sorted.

use std::fmt::Write as _;

use super::pull::bytes;
use super::report::{ContainerReport, GroupReport, Report, Step};
use crate::html_page::{self, text as html};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page. All text from outside passes one function.
pub fn render(report: &Report) -> String {
    let summary = &report.summary;
    let mut out = html_page::begin("Why is it not lazy?", STYLE, true);
    let _ = writeln!(
        out,
        "<h1>Why is it not lazy?</h1>\n<p>{}</p>",
        html(&summary.sentence())
    );
    if let Some(gain) = summary.gain() {
        let _ = writeln!(out, "<p>{}</p>", html(&gain));
    }
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
    for (head, class) in [
        ("Service", ""),
        ("Container", ""),
        ("Verdict", ""),
        ("Tasks", " class=\"number\""),
        ("Bytes", " class=\"number\""),
        ("Gain", " class=\"number\""),
        ("Why", ""),
    ] {
        let _ = write!(
            out,
            "<th scope=\"col\"{class}><button type=\"button\">{head}</button></th>"
        );
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for group in &report.groups {
        if group.containers.is_empty() {
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>–</td><td class=\"verdict unknown\">unknown</td><td class=\"number\">{}</td>\
                 <td class=\"number\" data-key=\"0\">–</td><td class=\"number\" data-key=\"0\">–</td>\
                 <td>its containers are not known</td></tr>",
                html(&group.name),
                group.tasks
            );
        }
        for container in &group.containers {
            row(group, container, &mut out);
        }
    }
    out.push_str("</tbody>\n</table></div>\n");
    for registry in &report.registries {
        let _ = writeln!(out, "<p>{}</p>", html(&registry.sentence));
    }
    for gap in &report.gaps {
        let _ = writeln!(out, "<p>{}</p>", html(&gap.sentence()));
    }
    for note in &report.notes {
        let _ = writeln!(out, "<p>Note: {}</p>", html(note));
    }
    let _ = writeln!(out, "<script>\n{SCRIPT}</script>\n</body>\n</html>");
    out
}

fn row(group: &GroupReport, container: &ContainerReport, out: &mut String) {
    let gain = match container.outlook {
        super::report::Outlook::CouldBe => container.bytes.unwrap_or(0).saturating_mul(group.tasks as u64),
        _ => 0,
    };
    let shown = |count: u64| {
        if count == 0 {
            "–".to_owned()
        } else {
            bytes(count)
        }
    };
    let _ = writeln!(
        out,
        "<tr><td>{}</td><td>{}</td><td class=\"verdict {}\">{}</td><td class=\"number\">{}</td>\
         <td class=\"number\" data-key=\"{}\">{}</td><td class=\"number\" data-key=\"{gain}\">{}</td><td>",
        html(&group.name),
        html(&container.name),
        container.verdict.as_str(),
        html(&container.verdict_text()),
        group.tasks,
        container.bytes.unwrap_or(0),
        shown(container.bytes.unwrap_or(0)),
        shown(gain)
    );
    let _ = writeln!(out, "<details><summary>{}</summary>", html(&container.headline));
    steps(&group.chain, &container.chain, out);
    if let Some(reason) = &container.accepted {
        let _ = writeln!(out, "<p>Accepted: {}</p>", html(reason));
    }
    if !container.remedies.is_empty() {
        out.push_str("<ul>");
        for remedy in &container.remedies {
            let _ = write!(out, "<li>{}", html(&remedy.why));
            for command in &remedy.commands {
                let _ = write!(out, "<code>{}</code>", html(command));
            }
            out.push_str("</li>");
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</details></td></tr>\n");
}

fn steps(group: &[Step], container: &[Step], out: &mut String) {
    out.push_str("<dl>");
    for step in group.iter().chain(container) {
        let _ = write!(out, "<dt>{}</dt><dd>{}</dd>", html(step.what), html(&step.found));
    }
    out.push_str("</dl>\n");
}
