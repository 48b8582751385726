//! Which proxy an address goes through, as curl and Go read the environment.

use std::net::IpAddr;

use crate::environment::Environment;
use crate::secret::Secret;
use crate::url::Url;

/// Proxies of the environment and the hosts that are reached without them.
pub(super) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exceptions: Vec<Exception>,
}

/// A proxy's address; it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy(Secret);

impl Proxy {
    pub(super) fn as_str(&self) -> &str {
        self.0.expose()
    }
}

/// The way to an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Direct,
    Http(&'a Proxy),
    Https(&'a Proxy),
}

/// One entry of `NO_PROXY`.
enum Exception {
    Everything,
    /// The host itself and what ends in `.host`, perhaps on one port only.
    Host {
        name: String,
        port: Option<u16>,
        subdomains_only: bool,
    },
    Network {
        address: IpAddr,
        prefix: u8,
    },
}

impl Proxies {
    pub(super) fn from_environment(environment: &Environment) -> Self {
        let first = |names: &[&str]| {
            let value = names.iter().find_map(|name| environment.get(name))?;
            let address = if value.contains("://") {
                value.to_owned()
            } else {
                format!("http://{value}")
            };
            Some(Proxy(Secret::new(address)))
        };
        let exceptions = environment
            .get("no_proxy")
            .or_else(|| environment.get("NO_PROXY"))
            .unwrap_or_default();
        Self {
            http: first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exceptions: exceptions
                .split([',', ' '])
                .filter_map(Exception::parse)
                .collect(),
        }
    }

    /// This machine is always reached directly.
    pub(super) fn route(&self, url: &Url) -> Route<'_> {
        if url.is_loopback() || self.exceptions.iter().any(|exception| exception.covers(url)) {
            return Route::Direct;
        }
        match (url.is_https(), &self.http, &self.https) {
            (true, _, Some(proxy)) => Route::Https(proxy),
            (false, Some(proxy), _) => Route::Http(proxy),
            _ => Route::Direct,
        }
    }
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry.is_empty() {
            return None;
        }
        if entry == "*" {
            return Some(Self::Everything);
        }
        if let Ok(address) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            return Some(Self::Network { address, prefix });
        }
        if let Some((address, prefix)) = entry.split_once('/') {
            let address = address.parse::<IpAddr>().ok()?;
            let prefix: u8 = prefix.parse().ok()?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            return (prefix <= longest).then_some(Self::Network { address, prefix });
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (entry.as_str(), None),
        };
        let bare = name.trim_start_matches("*.").trim_start_matches('.');
        Some(Self::Host {
            name: bare.to_owned(),
            port,
            subdomains_only: bare.len() != name.len(),
        })
    }

    fn covers(&self, url: &Url) -> bool {
        match self {
            Self::Everything => true,
            Self::Host {
                name,
                port,
                subdomains_only,
            } => {
                let host = url.host();
                let below = host
                    .strip_suffix(name.as_str())
                    .is_some_and(|head| head.ends_with('.'));
                (below || (host == name && !subdomains_only)) && port.is_none_or(|port| port == url.port())
            }
            Self::Network { address, prefix } => url
                .host()
                .parse::<IpAddr>()
                .is_ok_and(|host| same_network(host, *address, *prefix)),
        }
    }
}

fn same_network(one: IpAddr, other: IpAddr, prefix: u8) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (one.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(prefix)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (one.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(prefix)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route_of(variables: &[(&str, &str)], url: &str) -> String {
        let proxies = Proxies::from_environment(&Environment::new(variables.iter().copied()));
        match proxies.route(&Url::parse(url).unwrap()) {
            Route::Direct => "direct".into(),
            Route::Http(proxy) | Route::Https(proxy) => proxy.as_str().into(),
        }
    }

    #[test]
    fn the_scheme_chooses_the_proxy() {
        let both = [("HTTPS_PROXY", "http://s:1"), ("http_proxy", "p:2")];
        assert_eq!(route_of(&both, "https://r.example/"), "http://s:1");
        assert_eq!(route_of(&both, "http://r.example/"), "http://p:2");
        assert_eq!(route_of(&both, "http://127.0.0.1:5000/"), "direct");
        assert_eq!(
            route_of(&[("ALL_PROXY", "http://a")], "https://r.example/"),
            "http://a"
        );
        assert_eq!(route_of(&[], "https://r.example/"), "direct");
        let small_first = [("https_proxy", "http://small"), ("HTTPS_PROXY", "http://LARGE")];
        assert_eq!(route_of(&small_first, "https://r.example/"), "http://small");
    }

    #[test]
    fn exceptions_go_around_it() {
        for (exceptions, url, direct) in [
            ("r.example", "https://r.example/", true),
            ("r.example", "https://a.r.example/", true),
            ("r.example", "https://xr.example/", false),
            (".r.example", "https://r.example/", false),
            (".r.example", "https://a.r.example/", true),
            ("*.r.example", "https://a.r.example/", true),
            ("x, r.example:443", "https://r.example/", true),
            ("r.example:444", "https://r.example/", false),
            ("10.0.0.0/8", "https://10.1.2.3/", true),
            ("10.0.0.0/8", "https://11.1.2.3/", false),
            ("10.0.0.1", "https://10.0.0.1/", true),
            ("fd00::/8", "https://[fd12::1]/", true),
            ("10.0.0.0/33", "https://10.0.0.0/", false),
            ("*", "https://r.example/", true),
            ("", "https://r.example/", false),
        ] {
            let found = route_of(&[("https_proxy", "http://p"), ("NO_PROXY", exceptions)], url);
            assert_eq!(found == "direct", direct, "{exceptions} {url}");
        }
    }
}
