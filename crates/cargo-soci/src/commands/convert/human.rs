//! What `convert` prints for people.

use std::fmt::Write as _;

use indicatif::HumanBytes;
use serde_json::{Value, json};
use soci_store::Location;
use soci_store::workflow::{Decision, ImageReport, LayerOutcome, Plan, RepeatedLayer, Report, TrafficReport};

use crate::conversion::short;
use crate::escape;
use crate::plural::count;
use crate::start;

/// What is said of an image that a conversion left as it was.
const NOTHING_CHANGED: &str = "as it was: nothing changed";

/// The report of a conversion.
pub(crate) fn report(report: &Report, destination: &Location) -> String {
    told(report, destination, NOTHING_CHANGED)
}

/// The report of SOCI indexes that were put beside images.
pub(crate) fn created(report: &Report, destination: &Location) -> String {
    told(report, destination, "as it was; its SOCI index stands beside it")
}

fn told(report: &Report, destination: &Location, unchanged: &str) -> String {
    let mut text = String::new();
    for image in &report.images {
        line(&mut text, &heading(image, destination));
        text.push_str(&one(image, unchanged));
    }
    if let Some(traffic) = &report.traffic {
        line(&mut text, &moved(traffic));
    }
    text
}

/// Which image, and where it is now.
pub(crate) fn heading(image: &ImageReport, destination: &Location) -> String {
    let names = match image.names.is_empty() {
        true => "image without a name".to_owned(),
        false => image.names.join(", "),
    };
    let destination = destination.to_string();
    format!(
        "{} in {}",
        escape::terminal(&names),
        escape::terminal(&destination)
    )
}

/// What crossed the network and what did not have to.
fn moved(traffic: &TrafficReport) -> String {
    let mut text = format!(
        "{} received, {} sent",
        HumanBytes(traffic.received),
        HumanBytes(traffic.sent)
    );
    let spared = [("come down", traffic.not_received), ("go up", traffic.not_sent)]
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(way, bytes)| format!("{} did not have to {way}", HumanBytes(bytes)))
        .collect::<Vec<_>>();
    if !spared.is_empty() {
        let layers = HumanBytes(traffic.layers);
        text.push_str(&format!("; of {layers} of layers {}", spared.join(", ")));
    }
    text
}

/// The images of a report without their names.
pub(crate) fn images(report: &Report) -> String {
    let one = |image| one(image, NOTHING_CHANGED);
    report.images.iter().map(one).collect()
}

fn one(image: &ImageReport, unchanged: &str) -> String {
    let mut text = String::new();
    match image.changed {
        true => line(
            &mut text,
            &format!(
                "  index {}\n    was {}",
                image.digest,
                short(&image.source_digest)
            ),
        ),
        false => {
            let what = match image.repaired.len() {
                0 => unchanged.to_owned(),
                lost => format!(
                    "as it was, and whole again: {} of its SOCI index had been lost",
                    count(lost, "part")
                ),
            };
            line(&mut text, &format!("  index {}\n    {what}", image.digest));
        }
    }
    for platform in &image.platforms {
        let lazy = platform
            .layers
            .iter()
            .filter(|l| !matches!(l.outcome, LayerOutcome::Skipped { .. }))
            .count();
        let soci = match &platform.soci_index {
            Some(digest) => format!("SOCI index\n    {digest}"),
            None => "no SOCI index".to_owned(),
        };
        let name = escape::terminal(&platform.platform);
        line(
            &mut text,
            &format!(
                "  {name}: {lazy} of {} layers lazy, {soci}",
                platform.layers.len()
            ),
        );
        for layer in &platform.layers {
            let what = match &layer.outcome {
                LayerOutcome::Indexed { spans, ztoc_size, .. } => {
                    let cut = match layer.start.as_ref().is_some_and(|start| start.shaped) {
                        true => " cut for the start",
                        false => "",
                    };
                    format!("{}{cut}, zTOC {}", count(*spans, "span"), HumanBytes(*ztoc_size))
                }
                LayerOutcome::Reused {
                    ztoc_size,
                    tool,
                    from,
                    ..
                } => format!(
                    "zTOC {} reused from {}, made by {}",
                    HumanBytes(*ztoc_size),
                    escape::terminal(from),
                    escape::terminal(tool)
                ),
                LayerOutcome::Skipped { message, .. } => format!("no zTOC: {}", escape::terminal(message)),
            };
            let size = HumanBytes(layer.size).to_string();
            line(
                &mut text,
                &format!("    {}  {size:>11}  {what}", short(&layer.digest)),
            );
            if let Some(repeats) = &layer.repeats {
                line(&mut text, &format!("      {}", repeated(repeats)));
            }
            if let Some(remark) = &layer.remark {
                line(&mut text, &format!("      {}", escape::terminal(&remark.message)));
            }
        }
        if platform.prefetch_artifacts > 0 {
            line(
                &mut text,
                &format!("    {}", count(platform.prefetch_artifacts, "prefetch list")),
            );
        }
        for estimated in start::estimated(platform).into_iter().flatten() {
            line(&mut text, &format!("    {estimated}"));
        }
    }
    text
}

/// What a layer on top repeats.
fn repeated(layer: &RepeatedLayer) -> String {
    let parts = [
        (layer.files, "file", " of the start"),
        (layer.directories, "directory", ""),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, what, of)| format!("{}{of}", count(number, what)))
        .collect();
    format!("on top: repeats {}", parts.join(" and "))
}

/// What a conversion would do.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    for image in &plan.images {
        line(&mut text, &format!("image {}", image.root.descriptor.digest));
        for platform in &image.platforms {
            line(
                &mut text,
                &format!("  {}", escape::terminal(&platform.choice.platform.to_string())),
            );
            for layer in &platform.layers {
                let what = match &layer.decision {
                    Decision::Index => "would be indexed".to_owned(),
                    Decision::Reuse(reused) => format!(
                        "zTOC would be reused from {}, made by {}",
                        escape::terminal(&reused.from),
                        escape::terminal(&reused.tool)
                    ),
                    Decision::Skip(reason) => format!("no zTOC: {}", escape::terminal(&reason.to_string())),
                };
                let size = HumanBytes(layer.descriptor.size).to_string();
                line(
                    &mut text,
                    &format!("    {}  {size:>11}  {what}", short(&layer.descriptor.digest)),
                );
            }
        }
    }
    text
}

/// The same as a value.
pub(crate) fn plan_value(plan: &Plan) -> Value {
    let images = plan.images.iter().map(|image| {
        let platforms = image.platforms.iter().map(|platform| {
            let layers = platform.layers.iter().map(|layer| {
                let (decision, reason) = match &layer.decision {
                    Decision::Index => ("index", Value::Null),
                    Decision::Reuse(reused) => (
                        "reuse",
                        json!(format!("from {}, made by {}", reused.from, reused.tool)),
                    ),
                    Decision::Skip(reason) => ("skip", json!(reason.to_string())),
                };
                let descriptor = &layer.descriptor;
                json!({
                    "digest": descriptor.digest, "size": descriptor.size, "mediaType": descriptor.media_type,
                    "decision": decision, "message": reason,
                })
            });
            json!({ "platform": platform.choice.platform.to_string(), "layers": layers.collect::<Vec<_>>() })
        });
        json!({ "digest": image.root.descriptor.digest, "platforms": platforms.collect::<Vec<_>>() })
    });
    json!({ "images": images.collect::<Vec<_>>() })
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string never fails");
}
