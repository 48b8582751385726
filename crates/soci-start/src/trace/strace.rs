//! What `strace -f` prints of `open`, `openat`, `openat2` and `execve`; better with `-y`, which names folders, and
//! `-ttt`, which tells when.
//!
//! ```text
//! 1234  1700000000.123456 openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3
//! [pid 12] openat(5</app>, "x.py", O_RDONLY <unfinished ...>
//! [pid 12] <... openat resumed>)        = 7</app/x.py>
//! ```

use std::collections::BTreeMap;

use super::{Openings, words};

/// Calls that lead to the contents of a file, and those that change where paths lead.
const CALLS: [&str; 7] = [
    "open", "openat", "openat2", "execve", "execveat", "chdir", "chroot",
];

pub(super) fn is_line(line: &[u8]) -> bool {
    let line = Line::of(line);
    let is_call = |rest: &[u8]| {
        let name = rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let lower = rest[..name].iter().all(|byte| !byte.is_ascii_uppercase());
        let has_end = rest.ends_with(b"<unfinished ...>")
            || rest.windows(4).any(|part| part == b") = ")
            || rest.windows(2).any(|part| part == b"= ");
        name > 2 && lower && rest.get(name) == Some(&b'(') && has_end
    };
    line.rest.starts_with(b"<... ") || is_call(line.rest)
}

pub(super) fn read(bytes: &[u8], openings: &mut Openings) {
    let mut clock = words::Clock::default();
    let mut begun: BTreeMap<u64, (Option<f64>, Vec<u8>)> = BTreeMap::new();
    let mut folders: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for line in words::lines(bytes) {
        let line = Line::of(line);
        let time = clock.since_begin(line.time);
        if let Some(head) = line.rest.strip_suffix(b"<unfinished ...>") {
            begun.insert(line.pid, (time, head.trim_ascii_end().to_vec()));
            continue;
        }
        let (time, text) = match resumed(line.rest) {
            None => (time, line.rest.to_vec()),
            Some(tail) => {
                let Some((time, mut head)) = begun.remove(&line.pid) else {
                    continue;
                };
                head.extend_from_slice(tail);
                (time, head)
            }
        };
        let Some(call) = Call::of(&text) else {
            continue;
        };
        match call.name {
            "chdir" => {
                match call.place(folders.get(&line.pid)) {
                    Some(folder) => folders.insert(line.pid, folder),
                    None => folders.remove(&line.pid),
                };
            }
            // What came before was the way into the container, with files of the host.
            "chroot" => openings.restart(),
            _ => match call.place(folders.get(&line.pid)) {
                Some(path) => openings.open(path, time),
                None => openings.trace.unresolved += 1,
            },
        }
    }
}

/// The line behind `<... openat resumed>`.
fn resumed(rest: &[u8]) -> Option<&[u8]> {
    let words = rest.strip_prefix(b"<... ")?;
    let end = words.windows(8).position(|part| part == b"resumed>")?;
    Some(&words[end + 8..])
}

/// A line without what stands before the call.
struct Line<'a> {
    /// 0 where none is told.
    pid: u64,
    /// Seconds, of whatever clock.
    time: Option<f64>,
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Self {
        let mut pid = 0;
        let mut rest = line;
        if let Some(bracket) = rest.strip_prefix(b"[pid ")
            && let Some((number, behind)) = words::number(bracket.trim_ascii_start())
            && let Some(behind) = behind.strip_prefix(b"]")
        {
            (pid, rest) = (number, behind.trim_ascii_start());
        } else if let Some((number, behind)) = words::number(rest)
            && behind.starts_with(b" ")
        {
            (pid, rest) = (number, behind.trim_ascii_start());
        }
        let mut time = None;
        if let Some((seconds, behind)) = words::time_of_day(rest) {
            (time, rest) = (Some(seconds), behind.trim_ascii_start());
        } else if let Some((seconds, behind)) = words::decimal(rest)
            && behind.starts_with(b" ")
        {
            // Seconds since 1970; what `-r` prints is since the line before.
            time = (seconds > 1e8).then_some(seconds);
            rest = behind.trim_ascii_start();
        }
        Self { pid, time, rest }
    }
}

/// A call that went well.
struct Call {
    name: &'static str,
    /// As it was given.
    path: Vec<u8>,
    /// The folder that the path begins in, with `-y`.
    folder: Option<Vec<u8>>,
    /// It begins in the working folder of the process.
    from_working_folder: bool,
    /// What was opened, with `-y`.
    result: Option<Vec<u8>>,
}

impl Call {
    fn of(text: &[u8]) -> Option<Self> {
        let open = text.iter().position(|byte| *byte == b'(')?;
        let name = CALLS.into_iter().find(|name| name.as_bytes() == &text[..open])?;
        let (before, quoted) =
            text[open + 1..].split_at(text[open + 1..].iter().position(|byte| *byte == b'"')?);
        let (path, rest) = string(&quoted[1..])?;
        let before = match before {
            b"" => before,
            _ => before.strip_suffix(b", ")?,
        };
        let equals = rest
            .windows(3)
            .rposition(|part| part == b" = ")
            .map(|at| at + 3)?;
        let (arguments, result) = rest.split_at(equals);
        if !result.first()?.is_ascii_digit() {
            return None;
        }
        // Nothing is read of a file that is cut to nothing, nor through a handle that only names it.
        let has = |flag: &[u8]| arguments.windows(flag.len()).any(|part| part == flag);
        let is_read = !has(b"O_TRUNC") && !has(b"O_PATH") && !has(b"O_DIRECTORY");
        is_read.then(|| Self {
            name,
            path,
            folder: annotation(before),
            from_working_folder: before.is_empty() || before == b"AT_FDCWD",
            result: annotation(result),
        })
    }

    /// The whole path of what was opened.
    fn place(self, folder: Option<&Vec<u8>>) -> Option<Vec<u8>> {
        if self.path.starts_with(b"/") {
            return Some(self.path);
        }
        if let Some(result) = self.result.filter(|result| result.starts_with(b"/")) {
            return Some(result);
        }
        let working = folder.filter(|_| self.from_working_folder);
        let mut path = self.folder.or_else(|| working.cloned())?;
        if !path.starts_with(b"/") {
            return None;
        }
        path.push(b'/');
        path.extend_from_slice(&self.path);
        Some(path)
    }
}

/// The path of `AT_FDCWD</app>` or `3</app/x>`.
fn annotation(text: &[u8]) -> Option<Vec<u8>> {
    let begin = text.iter().position(|byte| *byte == b'<')?;
    let end = text.iter().rposition(|byte| *byte == b'>')?;
    let inner = text.get(begin + 1..end)?;
    // strace marks what was deleted meanwhile; quotes inside are escaped as in strings.
    let inner = inner.strip_suffix(b"(deleted)").unwrap_or(inner);
    let mut escaped = inner.to_vec();
    escaped.push(b'"');
    string(&escaped).map(|(path, _)| path)
}

/// A string up to its closing quote, escapes undone, and what follows it.
fn string(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        match *text.get(at)? {
            b'"' => return Some((bytes, &text[at + 1..])),
            b'\\' => {
                let (byte, length) = escape(text.get(at + 1..)?)?;
                bytes.push(byte);
                at += 1 + length;
            }
            byte => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
}

/// The byte of an escape, and how many bytes it has behind its backslash.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let simple = |byte| Some((byte, 1));
    match *text.first()? {
        b'n' => simple(b'\n'),
        b't' => simple(b'\t'),
        b'r' => simple(b'\r'),
        b'v' => simple(0x0b),
        b'f' => simple(0x0c),
        b'x' => {
            let digits = std::str::from_utf8(text.get(1..3)?).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, 3))
        }
        b'0'..=b'7' => {
            let length = text
                .iter()
                .take(3)
                .take_while(|byte| (b'0'..=b'7').contains(byte))
                .count();
            let digits = std::str::from_utf8(&text[..length]).ok()?;
            Some((u8::try_from(u16::from_str_radix(digits, 8).ok()?).ok()?, length))
        }
        other => simple(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> (Vec<(String, Option<f64>)>, usize) {
        let mut openings = Openings::default();
        read(text.as_bytes(), &mut openings);
        let files = openings.trace.files.iter();
        let shown = files.map(|file| (String::from_utf8_lossy(&file.path).into_owned(), file.at));
        (shown.collect(), openings.trace.unresolved)
    }

    fn paths(text: &str) -> Vec<String> {
        opened(text).0.into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn what_was_opened_well_counts() {
        let text = r#"
execve("/usr/bin/python3", ["python3", "-c", "print(\") = 3\")"], 0x7ffd /* 9 vars */) = 0
openat(AT_FDCWD, "/etc/ld.so.preload", O_RDONLY) = -1 ENOENT (No such file or directory)
openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3
open("/srv/a\"b\303\244 (x) = 1", O_RDONLY) = 4
openat2(AT_FDCWD, "/srv/c", {flags=O_RDONLY, resolve=RESOLVE_NO_MAGICLINKS}, 24) = 5
openat(AT_FDCWD, "/tmp/log", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 6
openat(AT_FDCWD, "/srv", O_RDONLY|O_NONBLOCK|O_DIRECTORY) = 7
openat(AT_FDCWD, "/srv/h", O_PATH) = 8
openat(AT_FDCWD, "/srv/q", O_RDONLY) = ?
stat("/srv/s", {st_mode=S_IFREG|0644, ...}) = 0
+++ exited with 0 +++
"#;
        assert_eq!(
            paths(text),
            [
                "/usr/bin/python3",
                "/etc/ld.so.cache",
                "/srv/a\"bä (x) = 1",
                "/srv/c"
            ]
        );
    }

    #[test]
    fn calls_of_several_processes_are_put_together() {
        let text = r#"
[pid    12] openat(AT_FDCWD, "/a", O_RDONLY <unfinished ...>
[pid    13] openat(AT_FDCWD, "/b", O_RDONLY) = 3
[pid    12] <... openat resumed>) = 3
[pid    14] <... openat resumed>) = 3
[pid    13] openat(AT_FDCWD, "/c", O_RDONLY <unfinished ...>
[pid    13] <... openat resumed>) = -1 EACCES (Permission denied)
"#;
        assert_eq!(paths(text), ["/b", "/a"]);
    }

    #[test]
    fn times_are_since_the_begin() {
        let epoch = "12 1700000000.500000 openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\n\
                     12 1700000002.000000 openat(AT_FDCWD, \"/b\", O_RDONLY) = 3\n";
        let day = "12:00:00.500000 openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\n\
                   12:00:02.000000 openat(AT_FDCWD, \"/b\", O_RDONLY) = 3\n";
        for text in [epoch, day] {
            let expected = [("/a".to_owned(), Some(0.0)), ("/b".to_owned(), Some(1.5))];
            assert_eq!(opened(text), (expected.to_vec(), 0), "{text}");
        }
        let since_last = "     0.000100 openat(AT_FDCWD, \"/a\", O_RDONLY) = 3\n";
        assert_eq!(opened(since_last), (vec![("/a".to_owned(), None)], 0));
    }

    #[test]
    fn relative_paths_need_their_folder() {
        let text = r#"
openat(AT_FDCWD, "app.py", O_RDONLY) = 3
openat(AT_FDCWD</app>, "b.py", O_RDONLY) = 3
openat(5</srv>, "c.py", O_RDONLY) = 6</srv/real/c.py>
chdir("/opt") = 0
openat(AT_FDCWD, "d.py", O_RDONLY) = 3
openat(5, "e.py", O_RDONLY) = 3
"#;
        let (files, unresolved) = opened(text);
        let paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(
            (paths, unresolved),
            (vec!["/app/b.py", "/srv/real/c.py", "/opt/d.py"], 2)
        );
    }

    #[test]
    fn the_way_into_a_chroot_does_not_count() {
        let text = r#"
execve("/usr/sbin/chroot", ["chroot", "/srv/rootfs", "sh"], 0x7f /* 9 vars */) = 0
openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3
chroot("/srv/rootfs") = 0
chdir("/") = 0
execve("/bin/sh", ["sh"], 0x7f /* 9 vars */) = 0
"#;
        assert_eq!(paths(text), ["/bin/sh"]);
    }
}
