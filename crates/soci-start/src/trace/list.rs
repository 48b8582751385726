//! A list of paths: one a line, `#` begins a comment; or a JSON list, as `convert --prefetch-files-json` takes.

use super::{Openings, TraceError, words};

pub(super) fn read(bytes: &[u8], openings: &mut Openings) -> Result<(), TraceError> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        let paths: Vec<String> = serde_json::from_slice(bytes).map_err(|error| TraceError::Line {
            line: error.line(),
            problem: format!("not a JSON list of paths: {}", words::json_problem(&error)),
        })?;
        for path in paths {
            openings.open(words::from_root(path.as_bytes()), None);
        }
        return Ok(());
    }
    for line in words::lines(bytes).filter(|line| !line.starts_with(b"#")) {
        openings.open(words::from_root(line), None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Form, Trace, TraceError};

    #[test]
    fn comments_and_missing_slashes() {
        let (trace, form) = Trace::read(b"/a b\r\n# no\n\nusr/c\n/a b\n").expect("a list");
        let paths: Vec<_> = trace.files.iter().map(|file| file.path.as_slice()).collect();
        assert_eq!((paths, form), (vec![&b"/a b"[..], b"/usr/c"], Form::List));
        assert!(matches!(
            Trace::read(b"[\"/a\", 1]"),
            Err(TraceError::Line { line: 1, .. })
        ));
    }
}
