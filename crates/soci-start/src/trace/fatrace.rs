//! What `fatrace` prints: `python3(1234): RO /usr/lib/x`, with `-t` a time before it, with
//! `-t -t` the seconds since 1970.
//!
//! On an overlay it names the file of the layer it lies in, below the folder where an engine keeps that layer
//! (fatrace 0.17, seen 2026-11-28).

use super::{Openings, words};

/// Events that read: opened, read. Others close, write, make, delete, move.
const READS: &[u8] = b"OR";
/// All letters of events.
const EVENTS: &[u8] = b"ROCW+D<>?";

pub(super) fn is_line(line: &[u8]) -> bool {
    event(line).is_some()
}

pub(super) fn read(bytes: &[u8], openings: &mut Openings) {
    let mut clock = words::Clock::default();
    for line in words::lines(bytes) {
        if let Some((time, events, path)) = event(line)
            && events.iter().any(|event| READS.contains(event))
        {
            let at = clock.since_begin(time);
            openings.open(in_container(path).to_vec(), at);
        }
    }
}

/// The time, the letters and the path of an event.
fn event(line: &[u8]) -> Option<(Option<f64>, &[u8], &[u8])> {
    let (time, rest) = match words::time_of_day(line) {
        Some((time, rest)) => (Some(time), rest.trim_ascii_start()),
        None => match words::decimal(line) {
            Some((seconds, rest)) if seconds > 1e8 && rest.starts_with(b" ") => {
                (Some(seconds), rest.trim_ascii_start())
            }
            _ => (None, line),
        },
    };
    // Names of programs may hold anything; the last `(PID): ` before the path counts.
    let path = rest.windows(2).position(|pair| pair == b" /")?;
    let head = rest[..path].trim_ascii_end();
    let space = head.iter().rposition(|byte| *byte == b' ')?;
    let (process, events) = (head[..space].trim_ascii_end(), &head[space + 1..]);
    let process = process.strip_suffix(b"):")?;
    let pid = process.iter().rposition(|byte| *byte == b'(')?;
    let is_event = process[pid + 1..].iter().all(u8::is_ascii_digit)
        && process.len() > pid + 1
        && !events.is_empty()
        && events.iter().all(|event| EVENTS.contains(event));
    is_event.then(|| (time, events, &rest[path + 1..]))
}

/// The path below the folder of a layer: `…/overlay2/ID/diff/PATH` (Docker), `…/overlay/ID/diff/PATH` (Podman),
/// `…/snapshots/N/fs/PATH` (containerd and its snapshotters), or the merged folder of a container.
fn in_container(path: &[u8]) -> &[u8] {
    let mut at = 0;
    let mut previous: [&[u8]; 2] = [b"", b""];
    for part in path.split(|byte| *byte == b'/') {
        at += part.len() + 1;
        let is_layer = match (previous[0], part) {
            (b"overlay2" | b"overlay", b"diff" | b"merged") => true,
            (b"snapshots", b"fs") => previous[1].iter().all(u8::is_ascii_digit),
            _ => part == b"rootfs" && previous[0] == b"k8s.io",
        };
        if is_layer && at <= path.len() {
            return &path[at - 1..];
        }
        previous = [previous[1], part];
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_several_kinds() {
        let text = b"12:00:01.500000 python3(12): RO /usr/lib/x y.so\n\
                     noise\n\
                     12:00:02.000000 a (b)(13): CW /tmp/log\n\
                     12:00:02.500000 a (b)(13): O /var/lib/docker/overlay2/0f/diff/etc/passwd\n\
                     12:00:03.000000 sh(14): R /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/7/fs/bin/sh\n\
                     12:00:03.000000 sh(14): CO /var/lib/containers/storage/overlay/ab/merged/lib/z\n";
        let mut openings = Openings::default();
        read(text, &mut openings);
        let shown: Vec<_> = openings
            .trace
            .files
            .iter()
            .map(|file| (String::from_utf8_lossy(&file.path).into_owned(), file.at))
            .collect();
        let expected = [
            ("/usr/lib/x y.so", 0.0),
            ("/etc/passwd", 1.0),
            ("/bin/sh", 1.5),
            ("/lib/z", 1.5),
        ];
        assert_eq!(shown, expected.map(|(path, at)| (path.to_owned(), Some(at))));
    }

    #[test]
    fn seconds_since_1970() {
        let text =
            b"1764457699.500000 sh(12): RCO /bin/sh\n1764457700.250000 cat(13): O   /etc/x\n7 (8): O /y\n";
        let mut openings = Openings::default();
        read(text, &mut openings);
        let shown: Vec<_> = openings
            .trace
            .files
            .iter()
            .map(|file| (file.path.as_slice(), file.at))
            .collect();
        assert_eq!(
            shown,
            [
                (&b"/bin/sh"[..], Some(0.0)),
                (b"/etc/x", Some(0.75)),
                (b"/y", None)
            ]
        );
    }

    #[test]
    fn paths_that_only_look_like_layers() {
        for path in [
            "/srv/snapshots/x/fs/a",
            "/overlay2/diff",
            "/home/overlay/diff/x",
            "/diff/x",
            "/",
        ] {
            assert_eq!(in_container(path.as_bytes()), path.as_bytes());
        }
        assert_eq!(in_container(b"/x/overlay2/id/diff"), b"/x/overlay2/id/diff");
    }
}
