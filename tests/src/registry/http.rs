//! HTTP/1.1 as a server needs it here: requests in, responses out, one thread per connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::generated::GeneratedLayer;

/// A request with its whole body.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `PUT` …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query's pairs, percent-decoded.
    pub query: Vec<(String, String)>,
    /// Header fields with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first value of a field, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A response; `Content-Length` is written from the body.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How the body goes out.
    pub delivery: Delivery,
}

/// How a body goes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    #[default]
    Whole,
    /// The connection is closed after this many bytes of the body.
    Cut(usize),
    /// This many bytes at a time, with a pause between.
    Trickle(usize, Duration),
    /// No Content-Length, and bytes until the client goes away.
    Endless,
    /// Nothing at all: the connection is closed before the status line.
    Nothing,
    /// The header, then silence for this long.
    Silence(Duration),
    /// Everything, with another Content-Length.
    WrongLength(u64),
    /// Header fields without end, one byte after each pause.
    SlowHeader(Duration),
    /// The whole body in a chunk, then trailer fields without end, one byte after each pause.
    Trailers(Duration),
    /// This part of a blob that is made now, in place of a body; the response states its length.
    Generated(Arc<GeneratedLayer>, Range<u64>),
}

impl Response {
    /// A response without a body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// Longest request line or header field, and most fields.
const MAX_LINE: u64 = 32 * 1024;
const MAX_FIELDS: usize = 100;

/// Largest request body that is read.
const MAX_BODY: u64 = 1 << 30;

/// Reads a request; `None` when the client is done with the connection.
pub(crate) fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some(line) = read_line(reader)? else {
        return Ok(None);
    };
    let invalid = |text: &'static str| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid("no request line"));
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Err(invalid("no request line"));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.to_owned(),
        path: decoded(path),
        query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(name), decoded(value))
            })
            .collect(),
        ..Request::default()
    };
    loop {
        let line = read_line(reader)?.ok_or_else(|| invalid("the header does not end"))?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid("no header field"))?;
        request
            .headers
            .push((name.to_ascii_lowercase(), value.trim().to_owned()));
        if request.headers.len() > MAX_FIELDS {
            return Err(invalid("too many header fields"));
        }
    }
    if request.header("expect").is_some() {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if request.header("transfer-encoding").is_some() {
        loop {
            let line = read_line(reader)?.ok_or_else(|| invalid("the body does not end"))?;
            let size = line.split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(size.trim(), 16).map_err(|_| invalid("no chunk size"))?;
            take_body(reader, size, &mut request.body)?;
            let end = read_line(reader)?;
            if size == 0 {
                break;
            }
            if end.as_deref() != Some("") {
                return Err(invalid("the chunk does not end"));
            }
        }
    } else if let Some(length) = request.header("content-length") {
        let length = length.parse().map_err(|_| invalid("no length"))?;
        take_body(reader, length, &mut request.body)?;
    }
    Ok(Some(request))
}

/// Writes a response; says whether the connection can go on, and how many bytes of the body went out.
pub(crate) fn write_response(stream: &mut TcpStream, response: &Response, is_head: bool) -> (bool, usize) {
    if response.delivery == Delivery::Nothing {
        let _ = stream.shutdown(Shutdown::Both);
        return (false, 0);
    }
    let mut header = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    if let Delivery::SlowHeader(pause) = response.delivery {
        dribble(stream, header.as_bytes(), pause);
        return (false, 0);
    }
    for (name, value) in &response.headers {
        header.push_str(&format!("{name}: {value}\r\n"));
    }
    let states_length = response
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    match response.delivery {
        Delivery::Endless => header.push_str("Connection: close\r\n"),
        Delivery::Trailers(_) => header.push_str("Transfer-Encoding: chunked\r\n"),
        Delivery::WrongLength(length) => header.push_str(&format!("Content-Length: {length}\r\n")),
        _ if !states_length && response.status != 204 => {
            header.push_str(&format!("Content-Length: {}\r\n", response.body.len()));
        }
        _ => {}
    }
    header.push_str("\r\n");
    if stream.write_all(header.as_bytes()).is_err() {
        return (false, 0);
    }
    if is_head {
        return (true, 0);
    }
    let body = &response.body;
    match &response.delivery {
        Delivery::SlowHeader(_) => (false, 0),
        Delivery::Trailers(pause) => {
            let _ = stream.write_all(format!("{:x}\r\n", body.len()).as_bytes());
            let _ = stream.write_all(body);
            dribble(stream, b"\r\n0\r\n", *pause);
            (false, body.len())
        }
        Delivery::Whole | Delivery::Nothing => {
            let whole = stream.write_all(body).is_ok();
            (whole, if whole { body.len() } else { 0 })
        }
        Delivery::Generated(layer, range) => {
            let whole = layer.write(range.clone(), stream).is_ok();
            (
                whole,
                if whole {
                    (range.end - range.start) as usize
                } else {
                    0
                },
            )
        }
        Delivery::WrongLength(_) => {
            let _ = stream.write_all(body);
            let _ = stream.shutdown(Shutdown::Both);
            (false, body.len())
        }
        Delivery::Cut(at) => {
            let sent = (*at).min(body.len());
            let _ = stream.write_all(&body[..sent]);
            let _ = stream.flush();
            let _ = stream.shutdown(Shutdown::Both);
            (false, sent)
        }
        Delivery::Trickle(count, pause) => {
            let mut sent = 0;
            for piece in body.chunks((*count).max(1)) {
                if stream.write_all(piece).is_err() {
                    return (false, sent);
                }
                sent += piece.len();
                thread::sleep(*pause);
            }
            (true, sent)
        }
        Delivery::Silence(time) => {
            thread::sleep(*time);
            let _ = stream.shutdown(Shutdown::Both);
            (false, 0)
        }
        Delivery::Endless => {
            let mut sent = body.len();
            let filler = [b' '; 4096];
            let mut alive = stream.write_all(body).is_ok();
            while alive {
                alive = stream.write_all(&filler).is_ok();
                sent += filler.len();
                thread::sleep(Duration::from_millis(1));
            }
            (false, sent)
        }
    }
}

/// A beginning, and then fields until the client goes away.
fn dribble(stream: &mut TcpStream, begin: &[u8], pause: Duration) {
    let mut alive = stream.write_all(begin).is_ok();
    while alive {
        for byte in b"x-more: y\r\n" {
            alive = alive && stream.write_all(&[*byte]).is_ok();
            thread::sleep(pause);
        }
    }
}

fn read_line(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    reader.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line does not end"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line)
        .map(Some)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a line is not text"))
}

fn take_body(reader: &mut BufReader<TcpStream>, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if body.len() as u64 + length > MAX_BODY {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the body is too large",
        ));
    }
    let read = reader.take(length).read_to_end(body)?;
    if read as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Other",
    }
}
