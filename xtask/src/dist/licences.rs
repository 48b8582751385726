//! The licences of what is compiled into the binaries.

use super::Platform;
use crate::licences;

/// The texts for the platforms of a release.
pub(super) fn text(platforms: &[Platform]) -> Result<String, String> {
    let mut packages = std::collections::BTreeMap::new();
    for platform in platforms {
        packages.extend(licences::crates("cargo-soci", platform.target, &[])?);
    }
    Ok(licences::text(
        "What is compiled into cargo-soci beside the code of this project, and the texts that their authors ask to be\n\
         passed on. The standard library of Rust is under MIT or Apache-2.0 (https://www.rust-lang.org), musl libc in the\n\
         binaries for Linux under MIT (https://musl.libc.org), the certificates in the container image are those of\n\
         Mozilla under CDLA-Permissive-2.0.",
        &packages,
    ))
}
