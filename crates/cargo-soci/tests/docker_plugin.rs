//! The plugin protocol against real Docker CLIs: the one on PATH, and that of Debian's package docker.io, which
//! is older and unpacked for this test. No engine runs.
#![cfg(all(unix, feature = "real-tools"))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{Place, Run, send, wait_for};

/// Every docker to be asked, with its version.
fn clients() -> Vec<(PathBuf, String)> {
    // By its full path, because one test puts another `docker` in front of it.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .map(|folder| folder.join("docker"))
        .find(|program| program.is_file());
    if on_path.is_none() {
        eprintln!("no docker on PATH: only the one of Debian's docker.io is asked, which knows no sockets");
    }
    on_path
        .into_iter()
        .chain([debians_docker().to_path_buf()])
        .map(|program| {
            let version = Command::new(&program).arg("--version").output();
            let version = version.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
            let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
            (program, version)
        })
        .collect()
}

/// `docker` out of Debian's docker.io, downloaded once per build folder.
fn debians_docker() -> &'static Path {
    static UNPACKED: OnceLock<PathBuf> = OnceLock::new();
    UNPACKED.get_or_init(|| {
        let folder = soci_tests::target_folder().join("debian-docker");
        let program = folder.join("usr/bin/docker");
        if !program.exists() {
            fs::create_dir_all(&folder).expect("the build folder is writable");
            let run = |program: &str, words: &[&str]| {
                let status = Command::new(program).args(words).current_dir(&folder).status();
                assert!(status.is_ok_and(|status| status.success()), "{program} {words:?}");
            };
            run("apt-get", &["download", "docker.io"]);
            let package = fs::read_dir(&folder)
                .expect("readable")
                .flatten()
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
                .expect("apt-get downloaded it");
            run("dpkg-deb", &["-x", &package.display().to_string(), "."]);
        }
        program
    })
}

/// A place where this program is installed as `docker soci`.
fn installed() -> Place {
    let place = Place::new();
    let run = place.run(&["docker", "install"]).ended(0);
    assert!(
        run.stdout.contains("docker-config/cli-plugins/docker-soci"),
        "{}",
        run.stdout
    );
    place
}

fn docker(place: &Place, program: &Path, words: &[&str]) -> Run {
    Run::of(place.program(program, words).output().expect("docker runs"))
}

fn is_20(version: &str) -> bool {
    version.contains("version 20.")
}

#[test]
fn docker_lists_the_plugin_and_shows_its_help() {
    let place = installed();
    for (program, version) in clients() {
        let run = docker(&place, &program, &["--help"]).ended(0);
        assert!(run.stdout.contains("soci*"), "{version}: {}", run.stdout);
        for words in [
            &["soci", "--help"][..],
            &["help", "soci"],
            &["--help", "soci"],
            &["soci", "-h"],
        ] {
            let run = docker(&place, &program, words).ended(0);
            assert!(
                run.stdout.contains("Usage: docker soci"),
                "{version} {words:?}: {}",
                run.stdout
            );
        }
        let run = docker(&place, &program, &["help", "soci", "ztoc", "info"]).ended(0);
        assert!(
            run.stdout.contains("Usage: docker soci ztoc info"),
            "{version}: {}",
            run.stdout
        );
        let run = docker(&place, &program, &["soci", "build", "--help"]).ended(0);
        assert!(
            run.stdout.contains("docker buildx build"),
            "{version}: {}",
            run.stdout
        );
        let run = docker(&place, &program, &["soci", "--version"]).ended(0);
        assert!(
            run.stdout.contains(env!("CARGO_PKG_VERSION")),
            "{version}: {}",
            run.stdout
        );
    }
}

#[test]
fn global_flags_before_the_name_are_accepted_and_exit_codes_pass_through() {
    let place = installed();
    let layer = soci_tests::ztoc_vectors().join("layers");
    let layer = fs::read_dir(layer)
        .expect("vectors")
        .flatten()
        .next()
        .expect("a layer")
        .path();
    let layer = layer.display().to_string();
    let config = place.join("docker-config").display().to_string();
    for (program, version) in clients() {
        for flags in [
            &[][..],
            &["--context", "default"],
            &["-D", "-l", "error"],
            &["--log-level=error"],
            &["--config", &config],
            &["-H", "unix:///nowhere.sock"],
        ] {
            let words = [flags, &["soci", "completions", "bash"]].concat();
            let run = docker(&place, &program, &words).ended(0);
            assert!(run.stdout.contains("cargo-soci"), "{version} {flags:?}");
        }
        docker(&place, &program, &["soci", "ztoc", "info", "no-such-file"]).ended(3);
        docker(&place, &program, &["soci", "ztoc", "info", &layer]).ended(3);
        docker(&place, &program, &["soci", "no-such-command"]).ended(2);
        docker(&place, &program, &["soci", "build", "."]).ended(2);
    }
}

#[test]
fn docker_completes_our_commands_and_flags() {
    let place = installed();
    for (program, version) in clients() {
        let run = docker(&place, &program, &["__complete", "soci", "con"]).ended(0);
        if is_20(&version) {
            // It never asks plugins.
            assert!(!run.stdout.contains("convert"));
            continue;
        }
        assert!(run.stdout.starts_with("convert\t"), "{version}: {}", run.stdout);
        assert!(run.stdout.contains("\n:4\n"), "{version}: {}", run.stdout);
        let run = docker(&place, &program, &["__complete", "soci", "convert", "--pla"]).ended(0);
        assert!(
            run.stdout.starts_with("--platform\t"),
            "{version}: {}",
            run.stdout
        );
    }
}

/// docker without a terminal passes no signal on: it closes the plugin's socket.
#[test]
fn stopping_docker_stops_the_plugin_and_its_builder() {
    let place = installed();
    let marker = place.join("running");
    place.write(
        "bin/builder",
        &format!(
            "#!/bin/sh\ntrap 'echo stopped >> {0}; kill $!; exit 1' INT\necho running >> {0}\nsleep 60 & wait $!\n",
            marker.display()
        ),
    );
    for (program, version) in clients().into_iter().filter(|(_, version)| !is_20(version)) {
        let _ = fs::remove_file(&marker);
        // `docker soci build` is buildx's; the configured build is reached through its own name.
        let child = place
            .program(
                &program,
                &[
                    "soci",
                    "docker",
                    "build",
                    "--push",
                    "-t",
                    "localhost:1/app:1",
                    ".",
                ],
            )
            .env("PATH", path_with_sleeping_docker(&place))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker runs");
        wait_for(&marker, "running");
        let started = Instant::now();
        send(&child, Signal::TERM);
        let run = Run::of(child.wait_with_output().expect("it ends"));
        assert_eq!(run.code, 130, "{version}: {}", run.stderr);
        assert!(started.elapsed() < Duration::from_secs(10));
        wait_for(&marker, "stopped");
    }
}

/// A PATH whose `docker` is a builder that sleeps: the real one is started by its full path.
fn path_with_sleeping_docker(place: &Place) -> String {
    let folder = place.join("sleeping");
    fs::create_dir_all(&folder).expect("writable");
    fs::copy(place.join("bin/builder"), folder.join("docker")).expect("writable");
    let mut permissions = fs::metadata(folder.join("docker")).expect("there").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(folder.join("docker"), permissions).expect("ours");
    format!(
        "{}:{}",
        folder.display(),
        std::env::var("PATH").unwrap_or_default()
    )
}

#[test]
fn install_replaces_itself_and_nobody_else() {
    let place = installed();
    place.run(&["docker", "install", "--copy"]).ended(0);
    let plugin = place.join("docker-config/cli-plugins/docker-soci");
    assert!(!fs::symlink_metadata(&plugin).expect("installed").is_symlink());
    place.run(&["docker", "install"]).ended(0);
    assert!(fs::symlink_metadata(&plugin).expect("installed").is_symlink());
    place.run(&["docker", "uninstall"]).ended(0);
    assert!(!plugin.exists());
    fs::write(&plugin, "#!/bin/sh\necho another\n").expect("writable");
    let run = place.run(&["docker", "install"]).ended(3);
    assert!(run.stderr.contains("is another program"), "{}", run.stderr);
    place.run(&["docker", "uninstall"]).ended(3);
    place.run(&["docker", "install", "--force"]).ended(0);
}
