//! The few things a registry client does with addresses: read one, resolve a `Location` against
//! another, compare origins, add a query.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An absolute `http` or `https` address without user information or fragment.
///
/// `Display` leaves the query out: presigned addresses and upload sessions carry secrets there.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    /// Host and optional port as written; IPv6 in brackets.
    authority: String,
    /// Begins with `/`.
    path: String,
    /// What follows the `?`.
    query: Option<String>,
}

/// Why a text is no address that the client can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme than http and https, or none.
    #[error("the address is neither http nor https")]
    Scheme,
    /// No host, a host with unusual characters, or a port out of range.
    #[error("the address has no valid host")]
    Host,
    /// `user:password@`.
    #[error("the address carries user information")]
    UserInfo,
    /// Blanks or control characters.
    #[error("the address holds blanks or control characters")]
    Characters,
    /// Longer than [`Url::MAX_LENGTH`].
    #[error("the address is longer than {} characters", Url::MAX_LENGTH)]
    Length,
}

impl Url {
    /// The longest address that is accepted; presigned ones reach about 2,000 characters.
    pub const MAX_LENGTH: usize = 16 * 1024;

    /// Reads an absolute address.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > Self::MAX_LENGTH {
            return Err(UrlError::Length);
        }
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(UrlError::Characters);
        }
        let (secure, rest) = if let Some(rest) = strip_scheme(text, "https://") {
            (true, rest)
        } else if let Some(rest) = strip_scheme(text, "http://") {
            (false, rest)
        } else {
            return Err(UrlError::Scheme);
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        check_authority(authority)?;
        let (path, query) = split_tail(tail);
        Ok(Self {
            secure,
            authority: authority.to_ascii_lowercase(),
            path: if path.is_empty() { "/".into() } else { path },
            query,
        })
    }

    /// Resolves a `Location`: absolute, `//host/…`, `/path`, `?query` or a relative path.
    pub fn join(&self, location: &str) -> Result<Self, UrlError> {
        if strip_scheme(location, "http://").is_some() || strip_scheme(location, "https://").is_some() {
            return Self::parse(location);
        }
        if location.starts_with("//") {
            return Self::parse(&format!("{}:{location}", self.scheme()));
        }
        // A first segment with a colon would be another scheme (`ftp:`, `javascript:`).
        let first = location.split(['/', '?', '#']).next().unwrap_or_default();
        if first.contains(':') {
            return Err(UrlError::Scheme);
        }
        if location.len() > Self::MAX_LENGTH {
            return Err(UrlError::Length);
        }
        if location.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(UrlError::Characters);
        }
        let (path, query) = split_tail(location);
        let path = if path.is_empty() {
            self.path.clone()
        } else if path.starts_with('/') {
            remove_dot_segments(&path)
        } else {
            let folder = self.path.rfind('/').map_or("/", |slash| &self.path[..=slash]);
            remove_dot_segments(&format!("{folder}{path}"))
        };
        let query = match (&query, location.is_empty()) {
            (None, true) => self.query.clone(),
            _ => query,
        };
        Ok(Self {
            secure: self.secure,
            authority: self.authority.clone(),
            path,
            query,
        })
    }

    /// The same address with `name=value` added to its query; both are percent-encoded.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let pair = format!("{}={}", percent_encoded(name), percent_encoded(value));
        let query = match self.query.as_deref() {
            None | Some("") => pair,
            Some(query) => format!("{query}&{pair}"),
        };
        Self {
            query: Some(query),
            ..self.clone()
        }
    }

    /// The whole address, query included: for the wire, not for messages.
    pub fn to_wire(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.without_query()),
            None => self.without_query(),
        }
    }

    /// Path and query as they stand in a request line.
    pub fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.secure
    }

    /// Host and optional port as written.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host alone; an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        split_port(&self.authority).0
    }

    /// The port, written or implied by the scheme.
    pub fn port(&self) -> u16 {
        let implied = if self.secure { 443 } else { 80 };
        split_port(&self.authority)
            .1
            .and_then(|port| port.parse().ok())
            .unwrap_or(implied)
    }

    /// Whether both addresses have the same scheme, host and port.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.secure == other.secure && self.host() == other.host() && self.port() == other.port()
    }

    /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    fn without_query(&self) -> String {
        format!("{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.without_query())?;
        match self.query {
            Some(_) => formatter.write_str("?…"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Url({self})")
    }
}

/// Whether a host name or literal address names this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
        || host
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let head = text.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
}

fn check_authority(authority: &str) -> Result<(), UrlError> {
    if authority.contains('@') {
        return Err(UrlError::UserInfo);
    }
    let (host, port) = split_port(authority);
    let host_is_fine = if authority.starts_with('[') {
        host.parse::<Ipv6Addr>().is_ok()
    } else {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let port_is_fine = port.is_none_or(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    if host_is_fine && port_is_fine {
        Ok(())
    } else {
        Err(UrlError::Host)
    }
}

/// Splits `host:port`; brackets of an IPv6 address are taken off.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    if let Some(rest) = authority.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, tail)) => (host, Some(tail.strip_prefix(':').unwrap_or("invalid"))),
            None => ("", None),
        };
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

/// Splits path and query, drops the fragment, and encodes what is not ASCII.
fn split_tail(tail: &str) -> (String, Option<String>) {
    let tail = tail.split('#').next().unwrap_or_default();
    let ascii = |text: &str| {
        let mut encoded = String::with_capacity(text.len());
        for byte in text.bytes() {
            if byte.is_ascii() {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        encoded
    };
    match tail.split_once('?') {
        Some((path, query)) => (ascii(path), Some(ascii(query))),
        None => (ascii(tail), None),
    }
}

/// RFC 3986 §5.2.4 for a path that begins with `/`.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        if last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_into_their_parts() {
        let url = Url::parse("HTTPS://Registry.Example:5000/v2/a?b=c#d").unwrap();
        assert!(url.is_https());
        assert_eq!((url.host(), url.port()), ("registry.example", 5000));
        assert_eq!(url.to_wire(), "https://registry.example:5000/v2/a?b=c");
        assert_eq!(url.to_string(), "https://registry.example:5000/v2/a?…");
        let url = Url::parse("http://[::1]:80").unwrap();
        assert_eq!((url.host(), url.port(), url.is_loopback()), ("::1", 80, true));
        assert_eq!(url.path_and_query(), "/");
        assert_eq!(Url::parse("https://h?x").unwrap().to_wire(), "https://h/?x");
    }

    #[test]
    fn unusable_addresses_are_refused_with_the_reason() {
        for (text, error) in [
            ("ftp://host/", UrlError::Scheme),
            ("host/path", UrlError::Scheme),
            ("https://", UrlError::Host),
            ("https:///path", UrlError::Host),
            ("https://host:0/", UrlError::Host),
            ("https://host:70000/", UrlError::Host),
            ("https://host:+80/", UrlError::Host),
            ("https://[::1/", UrlError::Host),
            ("https://[::1]x/", UrlError::Host),
            ("https://user:word@host/", UrlError::UserInfo),
            ("https://host/a b", UrlError::Characters),
            ("https://host/a\r\nX: y", UrlError::Characters),
        ] {
            assert_eq!(Url::parse(text).unwrap_err(), error, "{text}");
        }
        let long = format!("https://host/{}", "a".repeat(Url::MAX_LENGTH));
        assert_eq!(Url::parse(&long).unwrap_err(), UrlError::Length);
    }

    #[test]
    fn locations_resolve_as_rfc_3986_says() {
        let base = Url::parse("https://r.example/v2/app/blobs/uploads/?x=1").unwrap();
        for (location, expected) in [
            ("http://other/z", "http://other/z"),
            ("//cdn.example/z", "https://cdn.example/z"),
            (
                "/v2/q/uploads/7?_state=s",
                "https://r.example/v2/q/uploads/7?_state=s",
            ),
            ("7?_state=s", "https://r.example/v2/app/blobs/uploads/7?_state=s"),
            ("../8", "https://r.example/v2/app/blobs/8"),
            ("./", "https://r.example/v2/app/blobs/uploads/"),
            ("..", "https://r.example/v2/app/blobs/"),
            ("?y=2", "https://r.example/v2/app/blobs/uploads/?y=2"),
            ("", "https://r.example/v2/app/blobs/uploads/?x=1"),
            ("/../../a", "https://r.example/a"),
            ("/ä", "https://r.example/%C3%A4"),
        ] {
            assert_eq!(base.join(location).unwrap().to_wire(), expected, "{location}");
        }
        assert_eq!(base.join("javascript:alert(1)").unwrap_err(), UrlError::Scheme);
        assert_eq!(base.join("/a b").unwrap_err(), UrlError::Characters);
    }

    #[test]
    fn a_query_is_added_to_one_that_is_there() {
        let url = Url::parse("https://h/u?_state=a%3D").unwrap();
        assert_eq!(
            url.with_query("digest", "sha256:0+").to_wire(),
            "https://h/u?_state=a%3D&digest=sha256%3A0%2B"
        );
        let url = Url::parse("https://h/u?").unwrap();
        assert_eq!(url.with_query("a", "b").to_wire(), "https://h/u?a=b");
    }

    #[test]
    fn origins_compare_with_their_implied_ports() {
        let of = |text| Url::parse(text).unwrap();
        assert!(of("https://h/").same_origin(&of("https://H:443/x")));
        assert!(!of("https://h/").same_origin(&of("http://h/")));
        assert!(!of("https://h/").same_origin(&of("https://h:444/")));
        assert!(of("http://127.9.9.9:5000/").is_loopback());
        assert!(!of("http://127.example/").is_loopback());
        assert!(!of("http://localhost.example/").is_loopback());
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics_and_what_is_read_reads_again(text in "\\PC{0,60}", location in "\\PC{0,60}") {
            if let Ok(url) = Url::parse(&format!("https://{text}")) {
                proptest::prop_assert_eq!(&Url::parse(&url.to_wire()).unwrap(), &url);
            }
            let base = Url::parse("https://r.example/v2/app/").unwrap();
            if let Ok(url) = base.join(&location) {
                proptest::prop_assert_eq!(&Url::parse(&url.to_wire()).unwrap(), &url);
            }
        }
    }
}
