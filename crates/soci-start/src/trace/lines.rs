//! Our own form: JSON lines. A line with `path` is an opening; `{"op":"trace","version":1}` says the version,
//! `{"op":"ready","t":S}` when the program was ready; lines with other `op` are for other readers.

use serde::Deserialize;
use serde_json::json;

use super::{Opened, Openings, Trace, TraceError, words};

/// The version that this reader knows.
const VERSION: u64 = 1;

#[derive(Deserialize)]
struct Line {
    op: Option<String>,
    version: Option<u64>,
    t: Option<f64>,
    path: Option<String>,
    ranges: Option<Vec<(u64, u64)>>,
}

pub(super) fn read(bytes: &[u8], openings: &mut Openings) -> Result<(), TraceError> {
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let wrong = |problem: String| TraceError::Line {
            line: number + 1,
            problem,
        };
        let line: Line = serde_json::from_slice(line).map_err(|error| wrong(words::json_problem(&error)))?;
        match (line.op.as_deref(), line.path) {
            (Some("trace"), _) => {
                if let Some(version) = line.version.filter(|version| *version > VERSION) {
                    return Err(wrong(format!(
                        "version {version} of the trace is newer than this program, which knows {VERSION}"
                    )));
                }
            }
            (Some("ready"), _) => openings.trace.ready = line.t,
            (None | Some("open"), Some(path)) => {
                if !path.starts_with('/') {
                    return Err(wrong(format!("the path {path:?} does not begin with /")));
                }
                let ranges = line.ranges.unwrap_or_default();
                if let Some((begin, end)) = ranges.iter().find(|(begin, end)| begin > end) {
                    return Err(wrong(format!("the range [{begin}, {end}] ends before it begins")));
                }
                let ranges: Vec<_> = ranges.into_iter().map(|(begin, end)| begin..end).collect();
                openings.add(Opened {
                    path: path.into_bytes(),
                    at: line.t,
                    ranges: (!ranges.is_empty()).then_some(ranges),
                });
            }
            (None | Some("open"), None) => return Err(wrong("an opening needs a \"path\"".to_owned())),
            (Some(_), _) => {}
        }
    }
    Ok(())
}

/// The other way round. No range at all would say that all was read: what was opened and not read has one of no bytes.
pub(super) fn write(trace: &Trace) -> String {
    let mut lines = vec![json!({"op": "trace", "version": VERSION})];
    for opened in &trace.files {
        let Ok(path) = std::str::from_utf8(&opened.path) else {
            continue;
        };
        let mut line = json!({"op": "open", "path": path});
        if let Some(at) = opened.at {
            line["t"] = json!(at);
        }
        if let Some(ranges) = &opened.ranges {
            let pairs: Vec<_> = ranges.iter().map(|range| (range.start, range.end)).collect();
            line["ranges"] = match pairs.is_empty() {
                true => json!([[0, 0]]),
                false => json!(pairs),
            };
        }
        lines.push(line);
    }
    if let Some(ready) = trace.ready {
        lines.push(json!({"op": "ready", "t": ready}));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Opened, Trace, TraceError};

    #[test]
    fn versions_ranges_and_other_lines() {
        let text = "{\"op\":\"trace\",\"version\":1,\"command\":[\"sh\"]}\n\n\
                    {\"op\":\"open\",\"t\":0.5,\"path\":\"/a\",\"ranges\":[[0,4],[8,9]],\"size\":9}\n\
                    {\"op\":\"fetch\",\"layer\":0}\n{\"op\":\"ready\",\"t\":1.5}\n";
        let (trace, _) = Trace::read(text.as_bytes()).expect("a trace");
        assert_eq!(trace.files.len(), 1);
        assert_eq!(trace.files[0].ranges.as_deref(), Some(&[0..4, 8..9][..]));
        assert_eq!((trace.files[0].at, trace.ready), (Some(0.5), Some(1.5)));
    }

    #[test]
    fn wrong_lines_are_named() {
        let mut said = Vec::new();
        for text in [
            "{\"op\":\"trace\",\"version\":2}\n{\"path\":\"/a\"}",
            "{\"path\":\"/a\"}\n{\"path\":1}",
            "{\"path\":\"/a\"}\n{",
            "{\"path\":\"a\"}",
            "{\"op\":\"open\"}",
            "{\"path\":\"/a\",\"ranges\":[[5,4]]}",
            "{\"op\":\"ready\",\"t\":1}",
        ] {
            let error: TraceError = Trace::read(text.as_bytes()).expect_err(text);
            said.push(format!("{text}\n  {error}"));
        }
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let files = [
            Opened::new("/bin/sh", Some(0.25), Some(vec![0..4096, 8192..9000])),
            Opened::new("/empty", Some(0.5), Some(Vec::new())),
            Opened::new("/\"quoted\"\n", None, None),
        ];
        let trace = Trace::new(files, Some(1.5));
        let text = trace.to_lines();
        let (read, _) = Trace::read(text.as_bytes()).expect("a trace");
        assert_eq!(read.files.len(), 3);
        assert_eq!(read.files[0], trace.files[0]);
        assert_eq!(
            read.files[1].ranges,
            Some(vec![std::ops::Range { start: 0, end: 0 }])
        );
        assert_eq!(read.files[2], trace.files[2]);
        assert_eq!(read.ready, Some(1.5));
        assert_eq!(read.to_lines(), text);
    }
}
