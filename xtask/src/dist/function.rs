//! The function of AWS Lambda: a zip for each architecture that Lambda has, with the program under the name that the
//! runtime `provided.al2023` starts.
//!
//! A static program in a zip is all that Lambda wants: cargo-lambda, which builds and deploys functions, is not needed.

use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::package::{read, write};
use super::time::calendar;
use super::{Platform, Release, build, licences};
use crate::run::{Outcome, root};

/// Lambda looks for it at the root of the zip (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-provided.html>,
/// 2026-11-29).
const PROGRAM: &str = "bootstrap";

/// Writes `cargo-soci-lambda-VERSION-ARCHITECTURE.zip` for every platform of Lambda.
pub(super) fn zips(release: &Release, platforms: &[Platform], build: &Path) -> Outcome {
    let license = read(&root().join("LICENSE"))?;
    for platform in platforms {
        let Some(path) = path(release, *platform) else {
            continue;
        };
        let program = read(&build::function(*platform, build))?;
        let third_parties = licences::of_function(*platform)?.into_bytes();
        let entries: [(&str, u32, &[u8]); 3] = [
            (PROGRAM, 0o755, &program),
            ("LICENSE", 0o644, &license),
            ("THIRD-PARTY-LICENSES.txt", 0o644, &third_parties),
        ];
        let bytes = zip(&entries, release.time).map_err(|error| format!("{}: {error}", path.display()))?;
        write(&path, &bytes)?;
    }
    Ok(())
}

/// Where the zip of a platform lies; `None` where Lambda has no such platform.
pub(super) fn path(release: &Release, platform: Platform) -> Option<PathBuf> {
    let name = format!("cargo-soci-lambda-{}-{}.zip", release.version, platform.function?);
    Some(release.folder.join(name))
}

/// Takes the program out of a zip as Lambda does: it must be there under its name, and executable.
pub(super) fn program(path: &Path) -> Result<Vec<u8>, String> {
    program_of(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn program_of(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut entry = archive
        .by_name(PROGRAM)
        .map_err(|error| format!("{PROGRAM}: {error}"))?;
    let mode = entry.unix_mode().unwrap_or_default();
    if mode & 0o777 != 0o755 {
        return Err(format!("{PROGRAM} has the mode {mode:o}"));
    }
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{PROGRAM}: {error}"))?;
    Ok(bytes)
}

/// A zip that is the same wherever it is made: one time, these entries in this order.
fn zip(entries: &[(&str, u32, &[u8])], time: u64) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, bytes) in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(dos_time(time))
            .unix_permissions(*mode);
        zip.start_file(*name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A zip's times begin in 1980 and end in 2107; its first moment stands for what it cannot tell.
fn dos_time(seconds: u64) -> DateTime {
    let [year, rest @ ..] = calendar(seconds);
    let [month, day, hour, minute, second] = rest.map(|number| number as u8);
    let year = u16::try_from(year).unwrap_or(u16::MAX);
    DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: u64 = 1_795_869_296;

    #[test]
    fn a_zip_is_the_same_twice_and_tells_name_mode_and_time() {
        let entries: [(&str, u32, &[u8]); 2] = [(PROGRAM, 0o755, b"\x7fELF"), ("LICENSE", 0o644, b"text")];
        let bytes = zip(&entries, TIME).expect("memory takes all");
        assert_eq!(bytes, zip(&entries, TIME).expect("memory takes all"));
        assert_eq!(program_of(&bytes).as_deref(), Ok(&b"\x7fELF"[..]));

        let mut archive = ZipArchive::new(Cursor::new(&bytes)).expect("a zip");
        assert_eq!(archive.len(), entries.len());
        for (number, (name, mode, _)) in entries.iter().enumerate() {
            let entry = archive.by_index(number).expect("an entry");
            assert_eq!(entry.name(), *name);
            assert_eq!(entry.unix_mode().expect("a mode") & 0o777, *mode);
            let time = entry.last_modified().expect("a time");
            assert_eq!(
                (
                    time.year(),
                    time.month(),
                    time.day(),
                    time.hour(),
                    time.minute(),
                    time.second()
                ),
                (2026, 11, 28, 12, 34, 56)
            );
        }
    }

    #[test]
    fn a_program_that_lambda_could_not_start_is_refused() {
        let plain = zip(&[(PROGRAM, 0o644, b"x")], TIME).expect("memory takes all");
        assert!(program_of(&plain).expect_err("no mode").contains("mode"));
        let elsewhere = zip(&[("bin/bootstrap", 0o755, b"x")], TIME).expect("memory takes all");
        assert!(program_of(&elsewhere).is_err());
    }

    #[test]
    fn times_before_1980_are_the_first_that_a_zip_has() {
        assert_eq!(dos_time(0), DateTime::default());
    }
}
