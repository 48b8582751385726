//! Layers and images for the benchmarks, made of what is on the machine.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{must, output};

/// Folders that a machine with Rust has and that look like what is in images: binaries, sources, data.
fn material() -> Result<Vec<PathBuf>, String> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let mut folders = vec![
        PathBuf::from("/usr/lib"),
        PathBuf::from("/usr/bin"),
        PathBuf::from(sysroot.trim()),
    ];
    folders.extend(["/usr/share", "/usr/include"].map(PathBuf::from));
    folders.retain(|folder| folder.is_dir());
    Ok(folders)
}

/// A gzip'd tar of at least `bytes` uncompressed; `skip` leaves out that many bytes of material first, so that
/// two layers differ.
pub(super) fn layer(folder: &Path, name: &str, skip: u64, bytes: u64) -> Result<PathBuf, String> {
    // A layer of another size is another file: inputs of earlier versions never serve by their name alone.
    let name = &format!("{name}-{bytes}-from-{skip}");
    let path = folder.join(format!("{name}.tar.gz"));
    if path.exists() {
        return Ok(path);
    }
    let list = folder.join(format!("{name}.list"));
    let mut seen = 0u64;
    let mut taken = 0u64;
    let mut lines = Vec::new();
    for root in material()? {
        let mut files = Vec::new();
        walk(&root, &mut files);
        for (file, size) in files {
            seen += size;
            if seen <= skip {
                continue;
            }
            if taken >= bytes {
                break;
            }
            taken += size;
            lines.extend_from_slice(file.as_os_str().as_encoded_bytes());
            lines.push(0);
        }
    }
    if taken < bytes {
        return Err(format!(
            "this machine has only {taken} bytes of material, {bytes} are needed"
        ));
    }
    fs::write(&list, lines).map_err(|error| format!("cannot write {}: {error}", list.display()))?;
    let part = folder.join(format!("{name}.part"));
    let script = "tar --create --no-recursion --ignore-failed-read --null --files-from \"$1\" --file - \
                  --format=posix --sort=none --pax-option=delete=atime,delete=ctime 2>/dev/null | gzip -6 > \"$2\"";
    must(
        Command::new("bash")
            .args(["-o", "pipefail", "-c", script, "bash"])
            .arg(&list)
            .arg(&part),
    )?;
    fs::rename(&part, &path).map_err(|error| format!("cannot name {}: {error}", path.display()))?;
    Ok(path)
}

/// Regular files below `folder` in the order of their names, with their sizes.
fn walk(folder: &Path, files: &mut Vec<(PathBuf, u64)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            walk(&entry.path(), files);
        } else if kind.is_file()
            && let Ok(facts) = entry.metadata()
        {
            files.push((entry.path(), facts.len()));
        }
    }
}

/// A gzip'd tar of `count` small files, as a `node_modules` folder has.
pub(super) fn small_files(folder: &Path, count: u32) -> Result<PathBuf, String> {
    let path = folder.join(format!("small-files-{count}.tar.gz"));
    if path.exists() {
        return Ok(path);
    }
    let part = folder.join("small-files.part");
    let mut gzip = Command::new("gzip")
        .arg("-6")
        .stdin(Stdio::piped())
        .stdout(File::create(&part).map_err(|error| format!("cannot make {}: {error}", part.display()))?)
        .spawn()
        .map_err(|error| format!("cannot run gzip: {error}"))?;
    let written = {
        let stdin = gzip.stdin.take().expect("gzip was started with a pipe");
        write_small_files(BufWriter::new(stdin), count)
    };
    written.map_err(|error| format!("cannot write the tar of small files: {error}"))?;
    let status = gzip
        .wait()
        .map_err(|error| format!("cannot wait for gzip: {error}"))?;
    if !status.success() {
        return Err(format!("gzip ended with {status}"));
    }
    fs::rename(&part, &path).map_err(|error| format!("cannot name {}: {error}", path.display()))?;
    Ok(path)
}

fn write_small_files(to: impl Write, count: u32) -> std::io::Result<()> {
    let mut archive = tar::Builder::new(to);
    let mut state = 0x2545_f491_4f6c_dd1du64;
    for number in 0..count {
        let mut content = format!("// module {number}\n'use strict';\n").into_bytes();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        for line in 0..state % 40 {
            let word = state.rotate_left(u32::try_from(line).unwrap_or(0));
            content.extend_from_slice(
                format!("exports.f{line} = function () {{ return {word}; }};\n").as_bytes(),
            );
        }
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_700_000_000);
        let name = format!("app/node_modules/package-{}/lib/module-{number}.js", number / 40);
        archive.append_data(&mut header, name, &content[..])?;
    }
    archive.into_inner()?.flush()
}
