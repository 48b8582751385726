//! What the soci-snapshotter logs of its mounts: with `log_fuse_operations = true` under `[fuse]` and
//! `--log-level debug`, a line of JSON for each request of the kernel. A journal may put its own words before it.
//!
//! ```text
//! {"level":"debug","msg":"FUSE operation","operation":"node.Open","path":"usr/bin/x","time":"2026-11-28T12:00:01.5Z"}
//! ```
//!
//! These fields and names of operations are those of awslabs/soci-snapshotter in `fs/layer/node.go`: `logOperation` at
//! 5040713e, `basicTelemetry` at 24dc339f, where `fs/layer/fuse/ops.go` has the names. The path begins at the root of
//! its layer, without `/`; which layer, and which bytes are read, it does not tell. Unpacked layers have no lines.

use serde::Deserialize;

use super::{Openings, words};

/// The message of the lines that count.
const MESSAGE: &str = "FUSE operation";
/// Operations that lead to the contents of a file. A log that begins late has reads of what was opened before.
const READS: [&str; 2] = ["node.Open", "file.Read"];
/// What is not in the image, at the begin of a path: the snapshotter's own folder, and nodes that lost their place in
/// the library's tree.
const NOT_IN_IMAGE: [&str; 2] = [".soci-snapshotter", ".go-fuse."];

#[derive(Deserialize)]
struct Line {
    level: String,
    msg: String,
    operation: Option<String>,
    path: Option<String>,
    time: Option<String>,
    /// Lines of our own form have it.
    op: Option<serde::de::IgnoredAny>,
}

pub(super) fn is_line(line: &[u8]) -> bool {
    parse(line).is_some()
}

pub(super) fn read(bytes: &[u8], openings: &mut Openings) {
    let mut clock = words::Clock::default();
    for line in words::lines(bytes).filter_map(parse) {
        let (Some(operation), Some(path)) = (line.operation, line.path) else {
            continue;
        };
        let is_read = line.msg == MESSAGE && READS.contains(&operation.as_str());
        if is_read && !path.is_empty() && !NOT_IN_IMAGE.iter().any(|begin| path.starts_with(begin)) {
            let at = clock.since_begin(line.time.as_deref().and_then(time_of_day));
            openings.open(words::from_root(path.as_bytes()), at);
        }
    }
}

/// A line of the log, whatever it says.
fn parse(line: &[u8]) -> Option<Line> {
    let begin = line.iter().position(|byte| *byte == b'{')?;
    let line: Line = serde_json::from_slice(&line[begin..]).ok()?;
    (!line.level.is_empty() && line.op.is_none()).then_some(line)
}

/// Seconds of the day in `2026-11-28T12:00:01.5Z`: all lines of a log are of one zone.
fn time_of_day(time: &str) -> Option<f64> {
    let (_, time) = time.split_once('T')?;
    words::time_of_day(time.as_bytes()).map(|(seconds, _)| seconds)
}

#[cfg(test)]
mod tests {
    use super::super::{Form, Trace, TraceError};

    fn line(operation: &str, path: &str, time: &str) -> String {
        format!(
            "{{\"level\":\"debug\",\"msg\":\"FUSE operation\",\"operation\":\"{operation}\",\"path\":\"{path}\",\
             \"time\":\"2026-11-28T{time}Z\"}}\n"
        )
    }

    #[test]
    fn openings_and_reads_count() {
        let text = [
            "{\"level\":\"info\",\"msg\":\"starting soci-snapshotter-grpc\",\"time\":\"2026-11-28T11:59:00.0Z\"}\n"
                .to_owned(),
            line("node.Lookup", "usr", "12:00:00.000000000"),
            line("node.Open", "usr/bin/a \\u003cb\\u003e", "12:00:01.500000000"),
            line("file.Read", "usr/bin/a \\u003cb\\u003e", "12:00:01.600000000"),
            "fuse: some words of a library\n".to_owned(),
            line("node.Getattr", "etc/hosts", "12:00:02.000000000"),
            line("node.Open", ".soci-snapshotter/sha256:0f.json", "12:00:02.000000000"),
            line("node.Open", ".go-fuse.7/deleted/x", "12:00:02.000000000"),
            line("node.Open", "", "12:00:02.000000000"),
            format!(
                "Nov 28 12:00:02 host soci-snapshotter-grpc[12]: {}",
                line("file.Read", "lib/late.so", "12:00:02.500000000")
            ),
            "{\"level\":\"debug\",\"msg\":\"other\",\"operation\":\"node.Open\",\"path\":\"no\"}\n".to_owned(),
            line("node.Open", "after/midnight", "00:00:00.000000000"),
        ];
        let (trace, form) = Trace::read(text.concat().as_bytes()).expect("a log");
        let shown: Vec<_> = trace
            .files
            .iter()
            .map(|file| (std::str::from_utf8(&file.path).expect("UTF-8"), file.at))
            .collect();
        let expected = [
            ("/usr/bin/a <b>", Some(0.0)),
            ("/lib/late.so", Some(1.0)),
            ("/after/midnight", None),
        ];
        assert_eq!((shown, form), (expected.to_vec(), Form::Snapshotter));
        assert!(trace.files.iter().all(|file| file.ranges.is_none()));
    }

    #[test]
    fn a_log_that_tells_no_operations_says_what_to_switch_on() {
        let text = b"{\"level\":\"info\",\"msg\":\"starting soci-snapshotter-grpc\"}\n";
        assert_eq!(Trace::read(text), Err(TraceError::NoOperations));
        assert!(
            TraceError::NoOperations
                .to_string()
                .contains("log_fuse_operations")
        );
    }

    #[test]
    fn our_own_lines_may_have_more_fields() {
        let text = b"{\"op\":\"open\",\"path\":\"/a\",\"level\":\"debug\",\"msg\":\"FUSE operation\"}\n";
        let (trace, form) = Trace::read(text).expect("a trace");
        assert_eq!((trace.files.len(), form), (1, Form::Lines));
    }
}
