//! Who said something: scheme, host and port of the address that answered.

use std::fmt;

use crate::url::Url;

/// Scheme, host and port (RFC 6454): what a login belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of an address.
    pub fn of(url: &Url) -> Self {
        Self {
            secure: url.is_https(),
            host: url.host().to_owned(),
            port: url.port(),
        }
    }

    /// Whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        crate::url::is_loopback(&self.host)
    }

    /// Whether nobody on the way can read or change what is said there: https, or this machine.
    pub(crate) fn is_private(&self) -> bool {
        self.secure || self.is_loopback()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        if self.host.contains(':') {
            write!(formatter, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// The value of an `Authorization` field, bound to the one origin that may see it.
///
/// There is no way to read the value without naming the address that it goes to.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    origin: Origin,
    value: crate::secret::Secret,
}

impl Authorization {
    /// A login for an origin.
    pub(crate) fn new(origin: &Origin, value: crate::secret::Secret) -> Self {
        Self {
            origin: origin.clone(),
            value,
        }
    }

    /// The field's value for a request to this address; `None` if the address is of another origin.
    pub fn value_for(&self, url: &Url) -> Option<&str> {
        (Origin::of(url) == self.origin).then(|| self.value.expose())
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Authorization({})", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_login_is_readable_for_its_own_origin_alone() {
        let url = |text: &str| Url::parse(text).unwrap();
        let own = Origin::of(&url("https://r.example/v2/"));
        let login = Authorization::new(&own, Secret::new("Basic hunter2"));
        for (address, goes) in [
            ("https://r.example/v2/app/blobs/x?y=z", true),
            ("https://r.example:443/", true),
            ("https://R.example/", true),
            ("http://r.example/", false),
            ("https://r.example:444/", false),
            ("https://a.r.example/", false),
            ("https://r.example.evil/", false),
        ] {
            assert_eq!(login.value_for(&url(address)).is_some(), goes, "{address}");
        }
        assert!(!format!("{login:?}").contains("hunter2"));
        assert_eq!(own.to_string(), "https://r.example:443");
    }
}
