//! Traces of starts: read from files, and what spans are cut for (`--start-trace`).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indicatif::HumanBytes;
use soci_image::Digest;
use soci_start::Layer as EstimatedLayer;
use soci_start::{Client, Fetched, Image, Link, Need, Trace, Way, estimate_fetched, reads, span_cost};
use soci_store::workflow::{
    LayerOutcome, LayerReport, Needed, Needs, PlatformReport, RepeatedLayer, SpanSums, Start, StartFiles,
};
use soci_ztoc::ztoc::Toc;

use crate::causes::AtPath;
use crate::config::Config;
use crate::context::Context;
use crate::error::CommandError;
use crate::escape;
use crate::plural::count;

/// Larger traces are refused: strace of all calls of a long run, not of a start.
const TRACE_LIMIT: u64 = 256 << 20;

/// The link that spans are cut for: that of a small Fargate task. On others the cuts are good, too: what counts is what
/// a request costs beside the bytes.
pub const LINK: &str = "200Mbit/2ms";

/// The heaviest weight of a trace.
const HEAVIEST: u32 = 1000;

/// Reads a trace; `-` is stdin.
pub fn read(path: &Path, context: &Context) -> Result<Trace, CommandError> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        context.registries.leaves_stdin_to("the trace")?;
        std::io::stdin()
            .lock()
            .take(TRACE_LIMIT + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(TRACE_LIMIT + 1).read_to_end(&mut bytes))
    }
    .at("read", path)?;
    let shown = path.display();
    if bytes.len() as u64 > TRACE_LIMIT {
        return Err(CommandError::failed(format!("{shown} is larger than {} MiB", TRACE_LIMIT >> 20))
            .help("trace a start, until ready, and only what opens files: strace -e trace=open,openat,openat2,execve"));
    }
    let (trace, form) = Trace::read(&bytes).map_err(|error| {
        CommandError::failed(format!("{shown}: {error}"))
            .help("make one with strace: `cargo soci estimate --help` shows how")
    })?;
    context.detail(&format!("{shown}: {form}, {} files", trace.files.len()));
    if trace.unresolved > 0 {
        context.warn(&format!(
            "{} relative paths of the trace are left out: strace -y prints the folder of each",
            trace.unresolved
        ));
    }
    Ok(trace)
}

/// The link of [`LINK`].
pub fn link() -> Link {
    LINK.parse().expect("a constant that a test reads")
}

/// The starts that the configuration names, if it names any.
pub fn of(config: &Config, prefetch: bool, context: &Context) -> Result<Option<Start>, CommandError> {
    let mut traces = Vec::new();
    for path in config.paths("start-trace") {
        let (path, weight) = weighted(path)
            .map_err(|problem| CommandError::usage(format!("{}: {problem}", config.origin("start-trace"))))?;
        traces.push((weight, read(&path, context)?));
    }
    if traces.is_empty() {
        return Ok(None);
    }
    let mut text = Vec::new();
    for (weight, trace) in &traces {
        text.extend_from_slice(format!("start {weight}\n").as_bytes());
        text.extend_from_slice(&trace.what_is_read());
    }
    let cost = span_cost(&link(), &Client::MEASURED);
    let digest = Digest::sha256(&text);
    Ok(Some(Start::new(digest, Arc::new(Starts(traces)), cost, prefetch)))
}

/// What of the traces leads nowhere on a platform.
pub fn tell(start: &StartFiles, context: &Context) {
    let platform = escape::terminal(&start.platform);
    if start.files == 0 {
        context.warn(&format!(
            "{platform}: no file of the start's trace is in the image, so its spans are cut as without it; is it a trace of \
             this image, with the paths inside the container?"
        ));
    }
    let counts = [
        (start.missing.len(), "not in the image"),
        (start.unknown.len(), "perhaps in a layer that was not read"),
    ];
    for (number, what) in counts.into_iter().filter(|(number, _)| *number > 0) {
        let paths = count(number, "path");
        context.note(&format!(
            "{platform}: {paths} of the start's trace {what} (-v names them)"
        ));
    }
    for path in start.missing.iter().chain(&start.unknown) {
        context.detail(&format!("{platform}: not found: {}", escape::terminal(path)));
    }
}

/// The end of a report: about how long the start of a platform takes, by how its layers are cut. None without a trace.
pub fn estimated(platform: &PlatformReport) -> Option<[String; 2]> {
    if let Some(told) = with_start_layer(platform) {
        return Some(told);
    }
    platform.layers.iter().find(|layer| layer.start.is_some())?;
    let client = Client::MEASURED;
    let seconds = |way: Way, unshaped: bool| {
        let mut layers = Vec::new();
        let mut fetched = Vec::new();
        for layer in &platform.layers {
            let ztoc = match layer.outcome {
                LayerOutcome::Indexed { ztoc_size, .. } | LayerOutcome::Reused { ztoc_size, .. } => {
                    Some(ztoc_size)
                }
                LayerOutcome::Skipped { .. } => None,
            };
            let start = layer.start.as_ref();
            let now = start.map_or_else(SpanSums::default, |start| start.needed);
            let sums = match start.filter(|start| unshaped && start.shaped) {
                Some(start) => start.unshaped?,
                None => now,
            };
            // Without the shape there are as many windows less in the zTOC as there are spans less.
            let windows = |spans: u64| spans.saturating_mul(CHECKPOINT);
            let ztoc = ztoc.map(|size| (size + windows(sums.of)).saturating_sub(windows(now.of)));
            layers.push(EstimatedLayer {
                compressed: layer.size,
                ztoc,
                ..EstimatedLayer::default()
            });
            fetched.push(Fetched {
                spans: sums.spans,
                compressed: sums.bytes,
                uncompressed: sums.unpacked_bytes,
            });
        }
        Some(estimate_fetched(way, &Image { layers }, &fetched, &link(), &client).seconds())
    };
    let spans: u64 = needed(platform).map(|sums| sums.spans).sum();
    let bytes: u64 = needed(platform).map(|sums| sums.bytes).sum();
    let plain =
        seconds(Way::Lazy, true).map_or_else(String::new, |plain| format!("{plain:.1} s with plain spans, "));
    let shaped = seconds(Way::Lazy, false)?;
    let ahead = seconds(Way::Prefetched, false)?;
    Some([
        format!(
            "start over {LINK}, estimated ({}, {}):",
            count(spans, "span"),
            HumanBytes(bytes)
        ),
        format!("  {plain}{shaped:.1} s with these, {ahead:.1} s where they are fetched ahead"),
    ])
}

/// The same of a platform that got a start layer: with it and without it.
fn with_start_layer(platform: &PlatformReport) -> Option<[String; 2]> {
    let is_start = |top: &&RepeatedLayer| top.files > 0 && top.spared.spans > 0;
    let top = platform.layers.iter().find_map(|layer| layer.repeats.as_ref())?;
    let top = Some(top).filter(is_start)?;
    let (mut with, mut without) = (Image::default(), Image::default());
    for layer in &platform.layers {
        let ztoc = match layer.outcome {
            LayerOutcome::Indexed { ztoc_size, .. } | LayerOutcome::Reused { ztoc_size, .. } => {
                Some(ztoc_size)
            }
            LayerOutcome::Skipped { .. } => None,
        };
        let is_top = layer.repeats.is_some();
        let estimated = EstimatedLayer {
            compressed: layer.size,
            uncompressed: if is_top { top.unpacked_size } else { 0 },
            ztoc,
        };
        with.layers.push(estimated);
        if !is_top {
            without.layers.push(estimated);
        }
    }
    let fetched = |sums: SpanSums| Fetched {
        spans: sums.spans,
        compressed: sums.bytes,
        uncompressed: sums.unpacked_bytes,
    };
    let left =
        |layer: &LayerReport| fetched(layer.start.as_ref().map_or_else(SpanSums::default, |s| s.needed));
    let fetched_with: Vec<Fetched> = platform.layers.iter().map(left).collect();
    // All of it is asked of one layer that is loaded lazily, which comes to the same.
    let lazy = without.layers.iter().position(|layer| layer.ztoc.is_some())?;
    let mut fetched_without = vec![Fetched::default(); without.layers.len()];
    fetched_without[lazy] = fetched(top.spared);
    let seconds = |image: &Image, fetched: &[Fetched]| {
        estimate_fetched(Way::Lazy, image, fetched, &link(), &Client::MEASURED).seconds()
    };
    Some([
        format!(
            "start over {LINK}, estimated (start layer {} in the place of {}, {}):",
            HumanBytes(top.size),
            count(usize::try_from(top.spared.spans).unwrap_or(usize::MAX), "span"),
            HumanBytes(top.spared.bytes)
        ),
        format!(
            "  {:.1} s without the start layer, {:.1} s with it",
            seconds(&without, &fetched_without),
            seconds(&with, &fetched_with)
        ),
    ])
}

fn needed(platform: &PlatformReport) -> impl Iterator<Item = SpanSums> {
    platform
        .layers
        .iter()
        .filter_map(|layer| Some(layer.start.as_ref()?.needed))
}

/// Bytes of a zTOC for each span: checkpoint and digest.
const CHECKPOINT: u64 = 32_785 + 80;

/// A path with what stands behind its last `=`, if that is a number and no file has the whole for its name.
fn weighted(path: &Path) -> Result<(PathBuf, u32), String> {
    let Some((file, number)) = path.to_str().and_then(|text| text.rsplit_once('=')) else {
        return Ok((path.to_owned(), 1));
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || path.exists() {
        return Ok((path.to_owned(), 1));
    }
    match number.parse() {
        Ok(weight @ 1..=HEAVIEST) => Ok((file.into(), weight)),
        _ => Err(format!("a trace counts 1 to {HEAVIEST} times, not {number}")),
    }
}

/// Traces and how much each counts.
#[derive(Debug)]
struct Starts(Vec<(u32, Trace)>);

impl Needs for Starts {
    fn of(&self, layers: &[Option<&Toc>]) -> Needed {
        let mut needed = Needed {
            layers: vec![Vec::new(); layers.len()],
            ..Needed::default()
        };
        for (weight, trace) in &self.0 {
            let reads = reads(trace, layers);
            for (layer, ranges) in needed.layers.iter_mut().zip(reads.layers) {
                layer.push(Need::new(*weight, ranges));
            }
            needed.files = needed.files.max(reads.files);
            needed.missing.extend(reads.missing);
            needed.unknown.extend(reads.unknown);
        }
        for paths in [&mut needed.missing, &mut needed.unknown] {
            paths.sort_unstable();
            paths.dedup();
        }
        needed
    }

    fn files(&self) -> Vec<Vec<u8>> {
        soci_start::hot(self.0.iter().map(|(_, trace)| trace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_one() {
        assert_eq!(link().to_string(), LINK);
    }

    #[test]
    fn weights_stand_behind_the_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let there = folder.path().join("start=3");
        std::fs::write(&there, "/bin/sh\n").expect("a file");
        let of = |name: &str| weighted(Path::new(name));
        assert_eq!(of("app.trace"), Ok(("app.trace".into(), 1)));
        assert_eq!(of("app.trace=2"), Ok(("app.trace".into(), 2)));
        assert_eq!(of("a=b/app=trace"), Ok(("a=b/app=trace".into(), 1)));
        assert_eq!(of("app.trace="), Ok(("app.trace=".into(), 1)));
        assert_eq!(weighted(&there), Ok((there.clone(), 1)));
        assert!(of("app.trace=0").is_err());
        assert!(of("app.trace=1001").is_err());
        assert!(of("app.trace=99999999999").is_err());
    }
}
