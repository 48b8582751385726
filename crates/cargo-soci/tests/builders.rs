//! `cargo soci build` with a builder of one's own, and what becomes of builders that make nothing or are not there.
#![cfg(unix)]

mod support;

use std::path::Path;

use support::{Place, Run, replayed, tag, tags};

/// A folder with this soci.toml.
fn place_with(settings: &str) -> Place {
    let place = Place::new();
    place.write("soci.toml", settings);
    place
}

/// What a run said, with the folder of the test taken out.
fn told(run: &Run, place: &Place) -> String {
    let folder = place.path().display().to_string();
    let real = place.path().canonicalize().expect("it is there");
    let text = run.stderr.replace(&real.display().to_string(), "PLACE");
    text.replace(&folder, "PLACE")
}

#[test]
fn a_setting_that_the_builder_does_not_receive_is_an_error() {
    let place = place_with("image = \"r.example/app:1\"\nbuilder = [\"./build.sh\", \"{output}\"]\n");
    let mut said = String::new();
    for words in [
        &["--dockerfile", "Other"][..],
        &["--context", "sub"],
        &["--target", "run"],
        &["--build-arg", "A=1"],
        &["--platform", "linux/arm64"],
    ] {
        let run = place.run(&[&["build", "--dry-run"], words].concat()).ended(2);
        said.push_str(&told(&run, &place));
    }
    for builder in [
        r#"["b", "{dockerfil}"]"#,
        r#"["b", "--args={build-args}"]"#,
        r#"["b", "{target}"]"#,
    ] {
        place.write(
            "soci.toml",
            &format!("image = \"r.example/app:1\"\nbuilder = {builder}\n"),
        );
        said.push_str(&told(&place.run(&["build", "--dry-run"]).ended(2), &place));
    }
    place.write("soci.toml", "builder = [\"b\", \"{image}\"]\n");
    let run = place.run(&["build", "--dry-run", "--output", "x.tar"]).ended(2);
    said.push_str(&told(&run, &place));
    insta::assert_snapshot!(said);
}

#[test]
fn a_builder_receives_all_settings_that_it_asks_for() {
    let place = place_with(
        "image = \"r.example/app:1\"\n\
         builder = [\"b\", \"{build-args}\", \"-f\", \"{dockerfile}\", \"--target={target}\", \"{context}\", \"{platforms}\"]\n",
    );
    let words = [
        "build",
        "--dry-run",
        "--dockerfile",
        "Other",
        "--target",
        "run",
        "--build-arg",
        "A=1 2",
        "--build-arg",
        "B=3",
        "--platform",
        "linux/arm64",
        "--context",
        "sub",
    ];
    let run = place.run(&words).ended(0);
    let shown = run.stdout.replace(&place.path().display().to_string(), "PLACE");
    insta::assert_snapshot!(shown.lines().nth(1).unwrap_or_default(), @"  build    b --build-arg 'A=1 2' --build-arg B=3 -f Other --target=run sub linux/arm64");
    // A script may read them from its environment instead.
    place.write(
        "soci.toml",
        "builder = [\"sh\", \"-c\", 'printf \"%s|\" \"$SOCI_TARGET\" \"$SOCI_BUILD_ARGS\" > seen; exit 7']\n",
    );
    let words = [
        "build",
        "--output",
        "x.tar",
        "--target",
        "run",
        "--build-arg",
        "A=1 2",
        "--build-arg",
        "B=3",
    ];
    let run = place.run(&words).ended(3);
    assert!(run.stderr.contains("the builder failed"), "{}", run.stderr);
    assert_eq!(place.read("seen"), "run|A=1 2\nB=3|");
}

#[test]
fn a_builder_that_builds_nothing_is_an_error() {
    let (registry, place) = replayed("push-single-default");
    let name = registry.name("team/app:1.0");
    place.write("soci.toml", &format!("image = \"{name}\"\nmin-layer-size = 0\n"));
    place.run(&["build", "-q"]).ended(0);
    let before = tag(&registry, "team/app", "1.0");
    let run = place.run(&["build", "--builder", "true"]).ended(3);
    assert_eq!(tag(&registry, "team/app", "1.0"), before);
    let shown = told(&run, &place).replace(&registry.host(), "REGISTRY");
    insta::assert_snapshot!(shown);
    // The same image again is one, if the builder tells so.
    let digest = before.expect("there");
    place.write(
        "build.sh",
        &format!("printf %s {digest} > \"$SOCI_DIGEST_FILE\"\n"),
    );
    place.run(&["build", "--builder", "sh build.sh"]).ended(0);
    let run = place
        .run(&[
            "build",
            "--builder",
            "true",
            "--image",
            &registry.name("team/new:1"),
        ])
        .ended(3);
    assert!(
        run.stderr.contains("what it pushed is not there"),
        "{}",
        run.stderr
    );
    assert_eq!(tags(&registry, "team/new"), [""; 0]);
}

#[test]
fn an_archive_of_an_earlier_build_is_not_taken_for_that_of_this_one() {
    let mut place = Place::new();
    place.write("image.tar", "of an earlier build");
    place.write(
        "bin/docker",
        "#!/bin/sh\n[ \"$1 $2\" = \"buildx build\" ] && echo '{}' > \"$4\"\nexit 0\n",
    );
    make_program(&place.join("bin/docker"));
    place.prepend_path(&place.join("bin"));
    let run = place
        .run(&["docker", "build", "-o", "type=oci,dest=image.tar", "."])
        .ended(3);
    assert!(
        run.stderr.contains("image.tar is as it was before the build"),
        "{}",
        run.stderr
    );
    assert_eq!(place.read("image.tar"), "of an earlier build");
    place.write("soci.toml", "");
    let run = place.run(&["build", "--output", "new.tar"]).ended(3);
    assert!(run.stderr.contains("made no image"), "{}", run.stderr);
}

#[test]
fn a_missing_buildx_is_said_by_name_with_both_ways_out() {
    let mut place = Place::new();
    place.write("soci.toml", "image = \"r.example/app:1\"\n");
    place.write(
        "bin/docker",
        "#!/bin/sh\necho \"docker: 'buildx' is not a docker command.\" >&2\nexit 1\n",
    );
    make_program(&place.join("bin/docker"));
    let words: [&[&str]; 2] = [
        &["build"],
        &["docker", "build", "--push", "-t", "r.example/app:1", "."],
    ];
    let mut said = String::new();
    place.set("PATH", &place.join("bin").display().to_string());
    for words in words {
        said.push_str(&place.run(words).ended(3).stderr);
    }
    place.set("PATH", &place.path().display().to_string());
    said.push_str(&place.run(words[0]).ended(3).stderr);
    let said: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("running "))
        .collect();
    let said = said
        .join("\n")
        .replace(&place.path().display().to_string(), "PLACE");
    insta::assert_snapshot!(said);
}

#[test]
fn an_image_with_nothing_to_index_passes_where_that_is_asked_for() {
    let (registry, place) = replayed("push-single-default");
    let name = registry.name("team/app:1.0");
    let pass = "--if-nothing-to-index=pass";
    let run = place.run(&["build", "--image", &name, pass]).ended(0);
    assert!(run.stderr.contains("warning: "), "{}", run.stderr);
    let built = tag(&registry, "team/app", "1.0");
    let image = soci_tests::buildx_vectors().join("oci-single/image.tar");
    let image = image.display().to_string();
    place.run(&["convert", &image, "out.tar"]).ended(4);
    assert!(!place.join("out.tar").exists());
    let run = place.run(&["convert", &image, "out.tar", pass, "-q"]).ended(0);
    let digest = run.stdout.trim().to_owned();
    let facts = place.run(&["inspect", "out.tar", "-q"]).ended(0);
    assert_eq!(facts.stdout.trim(), digest);
    // In place, in a registry: nothing has to be done.
    let run = place
        .run(&["convert", &name, pass, "--format", "json"])
        .ended(0)
        .json();
    assert_eq!(run["images"][0]["digest"].as_str(), built.as_deref());
    assert!(run["nothingToIndex"].is_string(), "{run}");
    let run = place
        .run(&["convert", &image, "out.tar", "--if-nothing-to-index=maybe"])
        .ended(2);
    assert!(
        run.stderr.contains("[possible values: fail, pass]"),
        "{}",
        run.stderr
    );
    let place = Place::with_stand_in("oci-single", &registry);
    let words = [
        "docker",
        "build",
        "--soci-if-nothing-to-index=pass",
        "-o",
        "type=oci,dest=image.tar",
        ".",
    ];
    place.run(&words).ended(0);
    place.write("soci.toml", "if-nothing-to-index = \"pass\"\n");
    place.run(&["build", "--output", "other.tar"]).ended(0);
    assert!(place.join("other.tar").exists());
}

fn make_program(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("ours");
}
