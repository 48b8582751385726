//! Which certificates are trusted: the system's through its own verifier, or the system's and some more.

use ureq::tls::{Certificate, PemItem, RootCerts};

/// Why extra certificates cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// The file is no PEM, or one of its parts is damaged.
    #[error("the extra certificates cannot be read: {0}")]
    Pem(String),
    /// A PEM without certificates, a key for instance.
    #[error("the extra certificates hold no CERTIFICATE block")]
    Empty,
}

/// The system's verifier alone without extras; with them its list of roots and the extras.
pub(super) fn root_certificates(extra_pem: &[u8]) -> Result<RootCerts, RootsError> {
    if extra_pem.is_empty() {
        return Ok(RootCerts::PlatformVerifier);
    }
    let mut all = Vec::new();
    for item in ureq::tls::parse_pem(extra_pem) {
        match item.map_err(|error| RootsError::Pem(error.to_string()))? {
            PemItem::Certificate(certificate) => all.push(certificate),
            _ => continue,
        }
    }
    if all.is_empty() {
        return Err(RootsError::Empty);
    }
    // A system without certificates is fine here: the extras may be all there is.
    for certificate in rustls_native_certs::load_native_certs().certs {
        all.push(Certificate::from_der(&certificate).to_owned());
    }
    Ok(RootCerts::new_with_certs(&all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(matches!(root_certificates(b""), Ok(RootCerts::PlatformVerifier)));
        assert_eq!(root_certificates(b"hello").unwrap_err(), RootsError::Empty);
        let broken = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            root_certificates(broken).unwrap_err(),
            RootsError::Pem(_)
        ));
    }
}
