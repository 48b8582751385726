//! Our own form: JSON lines. A line with `path` is an opening; `{"op":"trace","version":1}` says the version,
//! `{"op":"ready","t":S}` when the program was ready; lines with other `op` are for other readers.

use serde::Deserialize;

use super::{Opened, Openings, TraceError, words};

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

#[cfg(test)]
mod tests {
    use super::super::{Trace, TraceError};

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
}
