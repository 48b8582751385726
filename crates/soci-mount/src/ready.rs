//! When a program counts as started.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use regex::bytes::Regex;

/// What is waited for.
#[derive(Clone, Debug)]
pub enum Ready {
    /// Something listens on this TCP port.
    Port(u16),
    /// A GET of this address is answered with a status below 400.
    Http(HttpAddress),
    /// A line that the program prints matches.
    Log(Regex),
    /// The program ends, with exit code 0.
    Exit,
    /// This time has passed, or the program ends before that, with exit code 0.
    After(Duration),
}

/// `http://HOST[:PORT][/PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAddress {
    host: String,
    port: u16,
    path: String,
}

impl std::str::FromStr for HttpAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no address: write http://localhost:8080/health (https is not supported)");
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if is_port(port) => (host, port.parse().map_err(|_| wrong())?),
            _ => (authority, 80),
        };
        let is_odd = |byte: u8| byte.is_ascii_control() || byte == b' ' || byte == b'@';
        if host.is_empty() || text.bytes().any(is_odd) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }
}

impl HttpAddress {
    /// Whether it answers with a status below 400.
    pub(crate) fn answers(&self) -> bool {
        self.status().is_ok_and(|status| (200..400).contains(&status))
    }

    fn status(&self) -> io::Result<u16> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let address: SocketAddr = (host, self.port)
            .to_socket_addrs()?
            .next()
            .ok_or(io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "GET {} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: cargo-soci\r\nConnection: close\r\n\r\n",
            self.path, self.host, self.port
        )?;
        let mut begin = [0; 12];
        stream.read_exact(&mut begin)?;
        let text = std::str::from_utf8(&begin).map_err(io::Error::other)?;
        let status = text.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
        status
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether something on this machine listens on a TCP port. Nobody is disturbed by the question.
pub fn is_listening(port: u16) -> bool {
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        let table = fs::read_to_string(table).unwrap_or_default();
        listens(&table, port)
    })
}

/// The second column is the local address in hexadecimal, the fourth the state, of which 0A is "listens"
/// (proc_net_tcp.rst of Linux 6.18, 2026-11-29).
fn listens(table: &str, port: u16) -> bool {
    table.lines().skip(1).any(|line| {
        let mut columns = line.split_ascii_whitespace();
        let local = columns.nth(1).and_then(|address| address.rsplit_once(':'));
        let is_port = local.is_some_and(|(_, found)| u16::from_str_radix(found, 16) == Ok(port));
        is_port && columns.nth(1) == Some("0A")
    })
}

/// Looks for a line in what a program prints.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    wanted: Option<Regex>,
    seen: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn new(ready: &Ready) -> Self {
        Self {
            wanted: match ready {
                Ready::Log(wanted) => Some(wanted.clone()),
                _ => None,
            },
            seen: Arc::default(),
        }
    }

    pub(crate) fn has_seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    /// Takes more output. A line without an end counts as well: some programs wait behind a prompt.
    pub(crate) fn look(&self, line: &mut Vec<u8>, bytes: &[u8]) {
        let Some(wanted) = &self.wanted else { return };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if wanted.is_match(text.strip_suffix(b"\r").unwrap_or(text)) {
                self.seen.store(true, Ordering::Relaxed);
            }
            if line.ends_with(b"\n") || line.len() > LINE {
                line.clear();
            }
        }
    }
}

/// Longer lines are looked at in pieces.
const LINE: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_listened_on_is_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n   \
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000\n   \
                     1: 0100007F:0050 0100007F:9C40 01 00000000:00000000 00:00000000\n";
        assert!(listens(table, 8080));
        assert!(!listens(table, 80) && !listens(table, 8081) && !listens("", 8080));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert!(is_listening(port));
        drop(listener);
        assert!(!is_listening(port));
    }

    #[test]
    fn lines_match_however_they_come() {
        let watch = Watch::new(&Ready::Log(Regex::new("^ready on [0-9]+$").expect("a pattern")));
        let mut line = Vec::new();
        for piece in ["rea", "dy\nnot ready on 1\nrea", "dy on x\n"] {
            watch.look(&mut line, piece.as_bytes());
            assert!(!watch.has_seen(), "{piece}");
        }
        watch.look(&mut line, b"ready on 8080");
        assert!(watch.has_seen());
    }

    #[test]
    fn addresses_are_read_or_refused() {
        let read = |text: &str| {
            text.parse::<HttpAddress>()
                .map(|read| (read.host, read.port, read.path))
        };
        let of = |host: &str, port, path: &str| Ok((host.to_owned(), port, path.to_owned()));
        assert_eq!(
            read("http://localhost:8080/health?x=1"),
            of("localhost", 8080, "/health?x=1")
        );
        assert_eq!(read("http://127.0.0.1"), of("127.0.0.1", 80, "/"));
        assert_eq!(read("http://[::1]:81/"), of("[::1]", 81, "/"));
        for text in [
            "",
            "localhost:8080",
            "https://localhost/",
            "http://",
            "http:///x",
            "http://a b/",
            "http://u@h/",
            "http://h:99999/",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
