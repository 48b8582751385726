//! Every binary does its work before it is uploaded: aarch64 through qemu, Windows through wine, the image in runc, the
//! function of AWS Lambda under a Runtime API.
//!
//! The same conversion must give the same bytes on each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use soci_tests::images::MadeImage;
use soci_tests::lambda::Bootstrap;
use soci_tests::registry::{Behaviour, TestRegistry};

use super::package::{read, write};
use super::tools::Tools;
use super::{Platform, Release, build, function, image};
use crate::demo;
use crate::run::{Outcome, must, output, root};

/// What runs the binaries of these platforms, and the Debian package that has it.
pub(super) fn programs(platforms: &[Platform]) -> Vec<(&'static str, &'static str)> {
    let mut programs = vec![("runc", "runc"), ("skopeo", "skopeo")];
    for platform in platforms {
        match platform.target {
            "aarch64-unknown-linux-musl" => programs.push((QEMU, "qemu-user-static")),
            "x86_64-pc-windows-gnu" if !Path::new(DEBIANS_WINE).exists() => {
                programs.push(("wine64", "wine64"))
            }
            _ => {}
        }
    }
    programs
}

/// Runs each binary, and the image.
pub(super) fn all(release: &Release, platforms: &[Platform], tools: &Tools, build: &Path) -> Outcome {
    let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
    demo::make_image(folder.path()).map_err(|error| format!("the example image: {error}"))?;
    let mut converted: Option<(&str, Vec<u8>)> = None;
    for platform in platforms {
        let runner = Runner::of(*platform, &build::binary(*platform, build), tools)?;
        let version = runner.output(folder.path(), &["--version"])?;
        if !version.contains(&release.version) {
            return Err(format!("{} says {version:?} for its version", platform.target));
        }
        let task = root().join("examples/demo/task-definition.json");
        fs::copy(task, folder.path().join("task.json"))
            .map_err(|error| format!("the task definition: {error}"))?;
        let verdicts = runner.output(folder.path(), &["lint", "--fail-on", "never", "task.json"])?;
        if !verdicts.contains("SOCI") {
            return Err(format!(
                "{} found nothing in the task definition: {verdicts}",
                platform.target
            ));
        }
        let _ = fs::remove_file(folder.path().join("image-soci.tar"));
        runner.output(folder.path(), &["convert", "image.tar", "image-soci.tar"])?;
        let bytes = read(&folder.path().join("image-soci.tar"))?;
        println!(
            "{}: {}, lint, convert ({} bytes)",
            platform.target,
            version.trim(),
            bytes.len()
        );
        match &converted {
            None => converted = Some((platform.target, bytes)),
            Some((first, same)) if *same == bytes => println!("  the same bytes as {first}"),
            Some((first, _)) => {
                return Err(format!(
                    "{} converts to other bytes than {first}",
                    platform.target
                ));
            }
        }
    }
    functions(release, platforms, folder.path())?;
    container(release, platforms, folder.path())
}

/// The function out of each zip, called once: it converts an image in a registry of this process, the same on each.
fn functions(release: &Release, platforms: &[Platform], folder: &Path) -> Outcome {
    let mut converted: Option<String> = None;
    for platform in platforms {
        let Some(zip) = function::path(release, *platform) else {
            continue;
        };
        let name = zip.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let program = folder.join("bootstrap");
        write(&program, &function::program(&zip)?)?;
        make_executable(&program).map_err(|error| format!("{}: {error}", program.display()))?;
        let mut words = vec![program.as_os_str()];
        if platform.target == "aarch64-unknown-linux-musl" {
            words.insert(0, QEMU.as_ref());
        }
        let registry = TestRegistry::start(Behaviour::default());
        registry.with("app", |content| {
            MadeImage::new(&[(1, 900_000), (2, 3_000_000)]).store(content, "1")
        });
        let bootstrap = Bootstrap::start(&words, &[("SOCI_MIN_LAYER_SIZE", "50KiB")]);
        let answer = bootstrap.call(&json!({"image": registry.name("app:1")}));
        let lines = bootstrap.end();
        if answer != Ok(json!({"outcome": "converted"})) {
            return Err(format!("{name} answers {answer:?} and writes {lines:?}"));
        }
        let digest = registry
            .with("app", |content| content.tags.get("1").cloned())
            .ok_or_else(|| format!("{name} lost the tag"))?;
        println!("{name}: called under a Runtime API, {digest}");
        match &converted {
            Some(same) if *same != digest => {
                return Err(format!("{name} converts to another image than {same}"));
            }
            _ => converted = Some(digest),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("releases are made on Linux"))
}

/// How the program of a platform is started on this machine.
struct Runner {
    words: Vec<PathBuf>,
    variables: Vec<(&'static str, PathBuf)>,
    /// Lives as long as the runner: wine's folder, the stand-in for a DLL.
    _folder: tempfile::TempDir,
}

impl Runner {
    fn of(platform: Platform, binary: &Path, tools: &Tools) -> Result<Self, String> {
        let folder =
            tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let mut variables = Vec::new();
        let words = match platform.target {
            "x86_64-unknown-linux-musl" => vec![binary.to_path_buf()],
            "aarch64-unknown-linux-musl" => vec![QEMU.into(), binary.to_path_buf()],
            _ => {
                let program = folder.path().join("cargo-soci.exe");
                fs::copy(binary, &program).map_err(|error| format!("{}: {error}", binary.display()))?;
                stand_in(folder.path(), tools)?;
                variables.push(("WINEPREFIX", folder.path().join("wine")));
                variables.push(("WINEDLLOVERRIDES", "bcryptprimitives=n;mscoree,mshtml=".into()));
                variables.push(("WINEDEBUG", "-all".into()));
                vec![wine(), program]
            }
        };
        Ok(Self {
            words,
            variables,
            _folder: folder,
        })
    }

    fn output(&self, folder: &Path, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(arguments).current_dir(folder);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        output(&mut command)
    }
}

/// Debian keeps the 64-bit loader out of PATH.
fn wine() -> PathBuf {
    let debian = Path::new(DEBIANS_WINE);
    if debian.exists() {
        debian.to_path_buf()
    } else {
        "wine64".into()
    }
}

const QEMU: &str = "qemu-aarch64-static";

const DEBIANS_WINE: &str = "/usr/lib/wine/wine64";

/// Rust's standard library takes randomness from `ProcessPrng` of bcryptprimitives.dll, which every Windows since 7
/// has and wine 8 has not (<https://github.com/rust-lang/rust/pull/121337>, read 2026-11-28). For wine alone.
fn stand_in(folder: &Path, tools: &Tools) -> Outcome {
    const SOURCE: &str = "\
unsigned char __stdcall SystemFunction036(void *buffer, unsigned long size);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *buffer, unsigned long long size) {
    return SystemFunction036(buffer, (unsigned long)size);
}
";
    let source = folder.join("stand-in.c");
    write(&source, SOURCE.as_bytes())?;
    must(
        tools
            .c_compiler()
            .args(["-target", "x86_64-windows-gnu", "-shared", "-O1", "-o"])
            .arg(folder.join("bcryptprimitives.dll"))
            .arg(&source)
            .arg("-ladvapi32"),
    )
}

/// The image as others see it: skopeo reads it, our own program looks at it, runc runs it.
fn container(release: &Release, platforms: &[Platform], folder: &Path) -> Outcome {
    let archive = image::archive(release);
    let place = format!("oci-archive:{}:{}", archive.display(), release.version);
    let layout = folder.join("layout");
    for platform in platforms {
        let Some(architecture) = platform.architecture else {
            continue;
        };
        let told = output(Command::new("skopeo").args([
            "--override-os",
            "linux",
            "--override-arch",
            architecture,
            "inspect",
            &place,
        ]))?;
        let told: Value = serde_json::from_str(&told).map_err(|error| format!("skopeo inspect: {error}"))?;
        if told["Architecture"] != architecture {
            return Err(format!(
                "skopeo found {} instead of {architecture}",
                told["Architecture"]
            ));
        }
        println!(
            "container image, {architecture}: read by skopeo, {}",
            told["Digest"]
        );
    }
    must(
        Command::new("skopeo")
            .args(["copy", "--quiet", "--all", &place])
            .arg(format!("oci:{}:{}", layout.display(), release.version)),
    )?;
    look_at_itself(&archive, folder)?;
    let native = platforms
        .iter()
        .find(|platform| platform.target == "x86_64-unknown-linux-musl");
    match native {
        Some(_) => in_runc(release, &layout, folder),
        None => Ok(()),
    }
}

/// Our own verdict about our own image, which is smaller than what lazy loading is for.
fn look_at_itself(archive: &Path, folder: &Path) -> Outcome {
    let program = crate::run::target().join("debug/cargo-soci");
    let mut command = Command::new(&program);
    command
        .arg("convert")
        .arg(archive)
        .arg(folder.join("self-soci.tar"))
        .arg("--dry-run");
    print!(
        "container image, as `cargo soci convert --dry-run` sees it:\n{}",
        output(&mut command)?
    );
    let ended = Command::new(&program)
        .arg("convert")
        .arg(archive)
        .arg(folder.join("self-soci.tar"))
        .output()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    match ended.status.code() {
        Some(0) => must(
            Command::new(&program)
                .arg("verify")
                .arg(folder.join("self-soci.tar")),
        ),
        Some(4) => {
            println!("  nothing to index: the image is published as it is");
            Ok(())
        }
        _ => Err(format!(
            "convert of the image: {}",
            String::from_utf8_lossy(&ended.stderr)
        )),
    }
}

/// Unpacks the image's one layer and runs it in a container without network.
fn in_runc(release: &Release, layout: &Path, folder: &Path) -> Outcome {
    let blob = |digest: &Value| -> Result<PathBuf, String> {
        let digest = digest.as_str().ok_or("a descriptor without a digest")?;
        Ok(layout.join("blobs").join(digest.replace(':', "/")))
    };
    let document = |path: &Path| -> Result<Value, String> {
        serde_json::from_slice(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
    };
    let index = document(&layout.join("index.json"))?;
    let index = document(&blob(&index["manifests"][0]["digest"])?)?;
    let manifests = index["manifests"]
        .as_array()
        .ok_or("an index without manifests")?;
    let manifest = manifests
        .iter()
        .find(|manifest| manifest["platform"]["architecture"] == "amd64")
        .ok_or("the image has nothing for amd64")?;
    let manifest = document(&blob(&manifest["digest"])?)?;
    let config = document(&blob(&manifest["config"]["digest"])?)?;
    let bundle = folder.join("bundle");
    let rootfs = bundle.join("rootfs");
    fs::create_dir_all(&rootfs).map_err(|error| format!("cannot make {}: {error}", rootfs.display()))?;
    let layer = fs::File::open(blob(&manifest["layers"][0]["digest"])?)
        .map_err(|error| format!("a layer: {error}"))?;
    tar::Archive::new(flate2::read::GzDecoder::new(layer))
        .unpack(&rootfs)
        .map_err(|error| format!("cannot unpack the image: {error}"))?;
    fs::copy(folder.join("image.tar"), rootfs.join("work/image.tar"))
        .map_err(|error| format!("image.tar: {error}"))?;
    must(Command::new("runc").arg("spec").current_dir(&bundle))?;
    let mut spec = document(&bundle.join("config.json"))?;
    spec["process"]["terminal"] = false.into();
    spec["process"]["cwd"] = config["config"]["WorkingDir"].clone();
    spec["process"]["env"] = config["config"]["Env"].clone();
    spec["root"]["readonly"] = false.into();
    let mut run = |arguments: &[&str]| -> Result<String, String> {
        let entry = config["config"]["Entrypoint"][0]
            .as_str()
            .ok_or("no entrypoint")?;
        let words: Vec<&str> = std::iter::once(entry).chain(arguments.iter().copied()).collect();
        spec["process"]["args"] = serde_json::json!(words);
        write(&bundle.join("config.json"), spec.to_string().as_bytes())?;
        output(
            Command::new("runc")
                .args(["run", &format!("cargo-soci-dist-{}", std::process::id())])
                .current_dir(&bundle),
        )
    };
    let version = run(&["--version"])?;
    if !version.contains(&release.version) {
        return Err(format!("in runc the image says {version:?}"));
    }
    run(&["convert", "image.tar", "image-soci.tar"])?;
    if read(&rootfs.join("work/image-soci.tar"))? != read(&folder.join("image-soci.tar"))? {
        return Err("in runc the image converts to other bytes".to_owned());
    }
    println!(
        "container image: run by runc: {}, convert (the same bytes)",
        version.trim()
    );
    Ok(())
}
