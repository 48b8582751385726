//! The licences of what is compiled into the binaries.

use super::Platform;
use crate::licences;

/// The texts for `cargo-soci` on the platforms of a release.
pub(super) fn of_program(platforms: &[Platform]) -> Result<String, String> {
    text(
        "cargo-soci",
        platforms,
        ", the certificates in the container image are those of\nMozilla under CDLA-Permissive-2.0",
    )
}

/// The texts for the function of AWS Lambda on one of them.
pub(super) fn of_function(platform: Platform) -> Result<String, String> {
    text("soci-lambda", &[platform], "")
}

fn text(package: &str, platforms: &[Platform], further: &str) -> Result<String, String> {
    let mut packages = std::collections::BTreeMap::new();
    for platform in platforms {
        packages.extend(licences::crates(package, platform.target, &[])?);
    }
    Ok(licences::text(
        &format!(
            "What is compiled into {package} beside the code of this project, and the texts that their authors ask to be\n\
             passed on. The standard library of Rust is under MIT or Apache-2.0 (https://www.rust-lang.org), musl libc in the\n\
             binaries for Linux under MIT (https://musl.libc.org){further}."
        ),
        &packages,
    ))
}
