//! What was opened, and read, until the program was ready.

mod fatrace;
mod lines;
mod list;
mod snapshotter;
mod strace;
mod words;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::ops::Range;

/// A start: files in the order of their first opening, each path once.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// The files.
    pub files: Vec<Opened>,
    /// Seconds after its begin when the program was ready, if the trace tells.
    pub ready: Option<f64>,
    /// Openings by a relative path whose folder the trace does not tell.
    pub unresolved: usize,
}

/// An opened file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Opened {
    /// Its path in the container, from `/`; links may be on the way.
    pub path: Vec<u8>,
    /// Seconds after the begin of the trace, if it tells.
    pub at: Option<f64>,
    /// The bytes that were read, if the trace tells; else all count as read.
    pub ranges: Option<Vec<Range<u64>>>,
}

/// The forms of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// JSON lines: `{"op":"open","t":0.17,"path":"/bin/sh","ranges":[[0,4096]]}`.
    Lines,
    /// One path a line, or a JSON list of paths.
    List,
    /// What `strace -f` prints.
    Strace,
    /// What `fatrace` prints.
    Fatrace,
    /// What the soci-snapshotter logs of its mounts.
    Snapshotter,
}

/// Why a file is no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// None of the forms.
    #[error(
        "this is no trace: it must be a list of paths, the output of `strace -f` or `fatrace`, the debug log of \
         the soci-snapshotter, or JSON lines with \"path\" in them"
    )]
    UnknownForm,
    /// A line of JSON that is wrong.
    #[error("line {line}: {problem}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing in it was opened.
    #[error("the {form} names no opened file")]
    Empty {
        /// What it was taken for.
        form: Form,
    },
    /// A log of the soci-snapshotter without what is done in its mounts.
    #[error(
        "the log of the soci-snapshotter names no opened file: it does with `log_fuse_operations = true` under `[fuse]` \
         in its configuration and `--log-level debug`, for layers that are loaded lazily"
    )]
    NoOperations,
    /// Only paths that could be anywhere.
    #[error(
        "the {form} has only relative paths ({count}): run strace with -y, which prints the folder of each"
    )]
    OnlyRelative {
        /// What it was taken for.
        form: Form,
        /// How many.
        count: usize,
    },
}

impl Trace {
    /// A trace of these openings, the first one first.
    pub fn new(opened: impl IntoIterator<Item = Opened>, ready: Option<f64>) -> Self {
        let mut openings = Openings::default();
        for opened in opened {
            openings.add(opened);
        }
        Self {
            ready,
            ..openings.trace
        }
    }

    /// The trace as JSON lines, which [`read`](Self::read) reads back. A path that is not UTF-8 has no place in JSON:
    /// such files are left out.
    pub fn to_lines(&self) -> String {
        lines::write(self)
    }

    /// Reads a trace; its form is found by its content. Lines of other programs between those of strace, fatrace
    /// and the soci-snapshotter are passed over.
    ///
    /// # Errors
    /// [`TraceError`]: the form is none of the known ones, a line of JSON is wrong, or nothing was opened.
    pub fn read(bytes: &[u8]) -> Result<(Self, Form), TraceError> {
        let form = Form::of(bytes).ok_or(TraceError::UnknownForm)?;
        let mut openings = Openings::default();
        match form {
            Form::Lines => lines::read(bytes, &mut openings)?,
            Form::List => list::read(bytes, &mut openings)?,
            Form::Strace => strace::read(bytes, &mut openings),
            Form::Fatrace => fatrace::read(bytes, &mut openings),
            Form::Snapshotter => snapshotter::read(bytes, &mut openings),
        }
        let trace = openings.trace;
        match (trace.files.is_empty(), trace.unresolved) {
            (true, 0) if form == Form::Snapshotter => Err(TraceError::NoOperations),
            (true, 0) => Err(TraceError::Empty { form }),
            (true, count) => Err(TraceError::OnlyRelative { form, count }),
            _ => Ok((trace, form)),
        }
    }

    /// Both starts: what either opened counts, and what either read. Times of different starts are not comparable, so
    /// the later one's openings follow in its own order, and the slower one is ready last.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let ready = match (self.ready, other.ready) {
            (Some(one), Some(two)) => Some(one.max(two)),
            _ => None,
        };
        let unresolved = self.unresolved + other.unresolved;
        let mut openings = Openings::default();
        for opened in self.files.into_iter().chain(other.files) {
            openings.add(opened);
        }
        Self {
            ready,
            unresolved,
            ..openings.trace
        }
    }

    /// What of the trace decides which bytes are read, as bytes: two traces with the same result read the same. Times
    /// and the order of openings do not count.
    pub fn what_is_read(&self) -> Vec<u8> {
        let mut files: Vec<&Opened> = self.files.iter().collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let mut text = Vec::new();
        for file in files {
            // The length says where the path ends, whatever bytes are in it.
            text.extend_from_slice(format!("{} ", file.path.len()).as_bytes());
            text.extend_from_slice(&file.path);
            for range in file.ranges.iter().flatten() {
                text.extend_from_slice(format!(" {}-{}", range.start, range.end).as_bytes());
            }
            text.push(b'\n');
        }
        text
    }
}

impl Opened {
    /// A file, when it was opened, and what was read of it: nothing, if the ranges are empty.
    pub fn new(path: impl Into<Vec<u8>>, at: Option<f64>, ranges: Option<Vec<Range<u64>>>) -> Self {
        Self {
            path: path.into(),
            at,
            ranges,
        }
    }
}

impl Form {
    /// The form of the first line that has one.
    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.trim_ascii_start().starts_with(b"[\"") {
            return Some(Self::List);
        }
        // A program may say something before strace does; a binary file has no lines at all.
        words::lines(bytes).take(1000).find_map(|line| match line {
            line if snapshotter::is_line(line) => Some(Self::Snapshotter),
            [b'{', ..] => Some(Self::Lines),
            [b'/', ..] => Some(Self::List),
            line if strace::is_line(line) => Some(Self::Strace),
            line if fatrace::is_line(line) => Some(Self::Fatrace),
            _ => None,
        })
    }
}

impl Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Lines => "trace in JSON lines",
            Self::List => "list of paths",
            Self::Strace => "output of strace",
            Self::Fatrace => "output of fatrace",
            Self::Snapshotter => "log of the soci-snapshotter",
        })
    }
}

/// A trace on its way.
#[derive(Default)]
struct Openings {
    trace: Trace,
    known: BTreeMap<Vec<u8>, usize>,
}

impl Openings {
    /// Of several openings the first one tells when; all tell what was read.
    fn add(&mut self, opened: Opened) {
        match self.known.get(&opened.path) {
            None => {
                self.known.insert(opened.path.clone(), self.trace.files.len());
                self.trace.files.push(opened);
            }
            Some(&known) => {
                let known = &mut self.trace.files[known];
                match (&mut known.ranges, opened.ranges) {
                    (Some(known), Some(more)) => known.extend(more),
                    (known, _) => *known = None,
                }
            }
        }
    }

    /// A file of which no more is known than that it was opened.
    fn open(&mut self, path: Vec<u8>, at: Option<f64>) {
        self.add(Opened {
            path,
            at,
            ranges: None,
        });
    }

    /// Forgets what was opened before: it was not in the container.
    fn restart(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> (Vec<String>, Form) {
        let (trace, form) = Trace::read(text.as_bytes()).expect(text);
        let paths = trace
            .files
            .iter()
            .map(|file| String::from_utf8_lossy(&file.path).into_owned());
        (paths.collect(), form)
    }

    #[test]
    fn the_content_says_the_form() {
        for (text, form) in [
            ("/bin/sh\n/lib/x.so\n", Form::List),
            ("[\"/bin/sh\",\"/lib/x.so\"]", Form::List),
            (
                "{\"op\":\"open\",\"path\":\"/bin/sh\"}\n{\"op\":\"open\",\"path\":\"/lib/x.so\"}\n",
                Form::Lines,
            ),
            (
                "starting …\nexecve(\"/bin/sh\", [\"sh\"], 0x7f /* 3 vars */) = 0\n\
                 openat(AT_FDCWD, \"/lib/x.so\", O_RDONLY|O_CLOEXEC) = 3\n",
                Form::Strace,
            ),
            ("sh(12): RO /bin/sh\nsh(12): O /lib/x.so\n", Form::Fatrace),
            (
                "{\"level\":\"debug\",\"msg\":\"FUSE operation\",\"operation\":\"node.Open\",\"path\":\"bin/sh\"}\n\
                 {\"level\":\"debug\",\"msg\":\"FUSE operation\",\"operation\":\"node.Open\",\"path\":\"lib/x.so\"}\n",
                Form::Snapshotter,
            ),
        ] {
            let expected = ["/bin/sh", "/lib/x.so"].map(str::to_owned).to_vec();
            assert_eq!(paths(text), (expected, form));
        }
        for text in ["", "\n\n", "hello\nworld\n", "\u{1f}\u{8b}\u{8}", "<html>\n"] {
            assert_eq!(
                Trace::read(text.as_bytes()),
                Err(TraceError::UnknownForm),
                "{text:?}"
            );
        }
    }

    #[test]
    fn merged_starts_have_what_either_read() {
        let read = |text: &str| Trace::read(text.as_bytes()).expect(text).0;
        let one = read(
            "{\"path\":\"/a\",\"t\":1,\"ranges\":[[0,5]]}\n{\"path\":\"/b\",\"ranges\":[[0,1]]}\n{\"op\":\"ready\",\"t\":2}",
        );
        let two = read(
            "{\"path\":\"/c\"}\n{\"path\":\"/a\",\"ranges\":[[7,9]]}\n{\"path\":\"/b\"}\n{\"op\":\"ready\",\"t\":3}",
        );
        let merged = one.merge(two);
        let shown: Vec<_> = merged
            .files
            .iter()
            .map(|file| (file.path.as_slice(), file.at, file.ranges.clone()))
            .collect();
        assert_eq!(
            shown,
            [
                (&b"/a"[..], Some(1.0), Some(vec![0..5, 7..9])),
                (b"/b", None, None),
                (b"/c", None, None)
            ]
        );
        assert_eq!(merged.ready, Some(3.0));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>) {
            let _ = Trace::read(&bytes);
        }

        #[test]
        fn nearly_right_lines_are_not_too_strange(
            text in r#"(\[pid +[0-9]{1,4}\] |[0-9]{1,5} |)(openat|execve|open|chroot|<\.\.\. openat resumed>)\(?(AT_FDCWD|5|)(</[a-z]*>|)(, |)"[/a-z\\0-9]*"?(, O_[A-Z]+|)( <unfinished \.\.\.>|\) = -?[0-9]?|)"#
        ) {
            let _ = Trace::read(text.as_bytes());
        }

        #[test]
        fn a_log_of_any_paths_is_read_back(paths in proptest::collection::vec(r"[a-z]\PC{0,12}", 1..8)) {
            let log: Vec<String> = paths
                .iter()
                .map(|path| {
                    let path = serde_json::Value::from(path.as_str());
                    format!("{{\"level\":\"debug\",\"msg\":\"FUSE operation\",\"operation\":\"node.Open\",\"path\":{path}}}\n")
                })
                .collect();
            let (trace, form) = Trace::read(log.concat().as_bytes()).expect("a log");
            proptest::prop_assert_eq!(form, Form::Snapshotter);
            let mut expected: Vec<Vec<u8>> = Vec::new();
            for path in paths.iter().map(|path| format!("/{path}").into_bytes()) {
                if !expected.contains(&path) {
                    expected.push(path);
                }
            }
            let read: Vec<Vec<u8>> = trace.files.into_iter().map(|file| file.path).collect();
            proptest::prop_assert_eq!(read, expected);
        }
    }
}
