//! `cargo soci build`, `docker soci build` and `convert --from-metadata` against recorded outputs of docker buildx.
//!
//! No builder runs here: a stand-in named `docker` replays what buildx v0.36.1 wrote and pushed, and the registry
//! in this process holds the recorded blobs under their digests.
#![cfg(unix)]

mod support;

use serde_json::Value;
use soci_image::Reference;
use soci_tests::registry::{Behaviour, TestRegistry};
use support::{Place, Run, fill, metadata, registry_with, replayed, repositories, tag, tags};

const NO_MINIMUM: &str = "--min-layer-size=0";

/// The image of `push-single-default` as it was built.
const AS_BUILT: &str = "sha256:627429da5c966b21c353c9edfdd29c8b5980c09ee30445c292b51bcd7151ded9";

/// A project that pushes to `repository` of the registry.
fn project(place: &Place, image: &str, more: &str) {
    place.write(
        "soci.toml",
        &format!("image = \"{image}\"\nmin-layer-size = 0\n{more}"),
    );
}

/// The digest that a full name stands for.
fn named(registry: &TestRegistry, name: &Reference) -> Option<String> {
    tag(registry, name.repository(), name.tag().expect("a tag"))
}

#[test]
fn replace_pushes_by_digest_and_tags_only_the_soci_enabled_image() {
    let (registry, place) = replayed("push-single-default");
    project(&place, &registry.name("team/app:1.0"), "");
    let run = place.run(&["build", "--format", "json"]).ended(0);
    let image = &run.json()["images"][0];
    assert_eq!(tags(&registry, "team/app"), ["1.0"]);
    assert_eq!(
        tag(&registry, "team/app", "1.0").as_deref(),
        image["digest"].as_str()
    );
    let report = &image["conversion"]["images"][0];
    assert_eq!(report["sourceDigest"], AS_BUILT);
    assert!(
        run.stderr.contains("what the builder prints on stdout"),
        "stdout is for the report"
    );
    let log = place.docker_log().replace(&registry.host(), "REGISTRY");
    let log = log.replace(&place.path().display().to_string(), "PLACE");
    insta::assert_snapshot!(log, @r#"
    docker buildx inspect
    docker buildx build --output type=image,name=REGISTRY/team/app,push-by-digest=true,name-canonical=true,push=true --metadata-file TEMPORARY/metadata.json PLACE
    "#);
    assert_eq!(registry.broken_tags(), [""; 0]);
}

#[test]
fn sibling_leaves_the_tag_with_the_image_as_built() {
    let (registry, place) = replayed("push-single-default");
    project(
        &place,
        &registry.name("team/app:1.0"),
        "tag-model = \"sibling\"\n",
    );
    let run = place.run(&["build", "--quiet"]).ended(0);
    assert_eq!(tags(&registry, "team/app"), ["1.0", "1.0-soci"]);
    assert_eq!(tag(&registry, "team/app", "1.0").as_deref(), Some(AS_BUILT));
    assert_eq!(
        tag(&registry, "team/app", "1.0-soci").as_deref(),
        Some(run.stdout.trim())
    );
}

#[test]
fn dockers_own_builder_cannot_push_by_digest_so_the_tag_is_pushed_and_replaced() {
    let (registry, mut place) = replayed("push-single-default");
    place.set("STAND_IN_DRIVER", "docker");
    project(&place, &registry.name("team/app:1.0"), "");
    let run = place.run(&["build", "-q"]).ended(0);
    assert!(place.docker_log().contains("--push"), "{}", place.docker_log());
    assert_eq!(
        tag(&registry, "team/app", "1.0").as_deref(),
        Some(run.stdout.trim())
    );
}

#[test]
fn two_names_in_two_repositories_get_the_same_image() {
    let (registry, place) = replayed("push-multi-two-tags");
    let metadata: Value = serde_json::from_str(&metadata("push-multi-two-tags", &registry)).expect("JSON");
    let names: Vec<&str> = metadata["image.name"]
        .as_str()
        .expect("names")
        .split(',')
        .collect();
    let words: Vec<&str> = std::iter::once("build")
        .chain(names.iter().flat_map(|name| ["--image", name]))
        .chain([NO_MINIMUM, "-q"])
        .collect();
    let run = place.run(&words).ended(0);
    for name in names {
        let name = name.parse().expect("a name");
        assert_eq!(
            named(&registry, &name).as_deref(),
            Some(run.stdout.trim()),
            "{name}"
        );
    }
    assert_eq!(registry.broken_tags(), [""; 0]);
}

#[test]
fn a_local_output_comes_from_an_archive() {
    let registry = registry_with("push-single-default");
    let place = Place::with_stand_in("oci-single", &registry);
    place.write("soci.toml", "min-layer-size = 0\n");
    let run = place
        .run(&["build", "--no-push", "--output", "image-soci.tar"])
        .ended(0);
    assert!(run.stdout.contains("image-soci.tar"), "{}", run.stdout);
    let verified = place.run(&["verify", "image-soci.tar"]).ended(0);
    assert!(!verified.stdout.is_empty());
    assert_eq!(place.leftovers(), [""; 0]);
    assert!(
        place
            .docker_log()
            .contains("--output type=oci,dest=TEMPORARY/image.tar"),
        "{}",
        place.docker_log()
    );
}

#[test]
fn attestations_survive_and_name_the_new_image() {
    let (registry, place) = replayed("push-multi-sbom-provmax");
    let text = metadata("push-multi-sbom-provmax", &registry);
    place.write("meta.json", &text);
    let metadata: Value = serde_json::from_str(&text).expect("JSON");
    let name: Reference = metadata["image.name"]
        .as_str()
        .and_then(|name| name.parse().ok())
        .expect("a name");
    let run = place
        .run(&[
            "convert",
            "--from-metadata",
            "meta.json",
            NO_MINIMUM,
            "--format",
            "json",
        ])
        .ended(0);
    let digest = run.json()["images"][0]["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    assert_eq!(named(&registry, &name), Some(digest.clone()));
    let index: Value = registry.with(name.repository(), |content| {
        serde_json::from_slice(&content.manifest(&digest).expect("the new index").1.bytes).expect("JSON")
    });
    let manifests = index["manifests"].as_array().expect("a list");
    let of = |key: &str| -> Vec<&str> {
        manifests
            .iter()
            .filter_map(|entry| entry["annotations"][key].as_str())
            .collect()
    };
    let references = of("vnd.docker.reference.digest");
    assert_eq!(references.len(), 2);
    for reference in references {
        assert!(
            manifests
                .iter()
                .any(|entry| entry["digest"] == reference && entry["platform"]["os"] == "linux"),
            "the attestation names {reference}, which is not in the index"
        );
    }
}

#[test]
fn a_bake_file_is_converted_target_by_target() {
    let (registry, place) = replayed("bake-groups-matrix");
    place.write("meta.json", &metadata("bake-groups-matrix", &registry));
    place
        .run(&["convert", "--from-metadata", "meta.json#web", NO_MINIMUM])
        .ended(0);
    assert_eq!(tags(&registry, "bake/web"), ["1.0", "latest"]);
    assert_eq!(tags(&registry, "bake/worker"), [""; 0]);
    // The target `batch` went to an archive, not to the registry: the whole file cannot be converted.
    let run = place
        .run(&["convert", "--from-metadata", "meta.json", NO_MINIMUM])
        .ended(3);
    assert!(run.stderr.contains("may be an archive"), "{}", run.stderr);
    let run = place
        .run(&["convert", "--from-metadata", "meta.json#wep", NO_MINIMUM])
        .ended(3);
    assert!(
        run.stderr.contains("has no target \"wep\"; there is batch, web,"),
        "{}",
        run.stderr
    );
}

#[test]
fn names_come_from_the_command_line_where_the_file_has_none() {
    let (registry, place) = replayed("push-multi-node");
    let file = soci_tests::buildx_vectors().join("push-multi-node/metadata.json");
    let file = file.display().to_string();
    let run = place
        .run(&["convert", "--from-metadata", &file, NO_MINIMUM])
        .ended(2);
    assert!(
        run.stderr.contains("--name HOST/REPOSITORY:TAG"),
        "{}",
        run.stderr
    );
    let repositories = repositories("push-multi-node");
    let name = registry.name(&format!("{}:9", repositories[0]));
    place
        .run(&["convert", "--from-metadata", &file, "--name", &name, NO_MINIMUM])
        .ended(0);
    assert_eq!(tags(&registry, &repositories[0]), ["9"]);
}

#[test]
fn docker_soci_build_respects_the_users_own_files() {
    let (registry, place) = replayed("push-single-default");
    let name = registry.name("team/app:1.0");
    let plugin = place.join("docker-soci");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cargo-soci"), &plugin).expect("a link");
    place.write(
        "meta.json",
        "{\"containerimage.digest\": \"of an earlier build\"}",
    );
    let words = [
        "soci",
        "build",
        "--push",
        "-t",
        &name,
        "--metadata-file",
        "meta.json",
        "--iidfile",
        "iid",
        "--soci-min-layer-size",
        "0",
        "--soci-format=json",
        "--progress=plain",
        ".",
    ];
    let run = Run::of(place.program(&plugin, &words).output().expect("runs")).ended(0);
    let digest = run.json()["images"][0]["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    assert_eq!(tag(&registry, "team/app", "1.0"), Some(digest.clone()));
    let metadata: Value = serde_json::from_str(&place.read("meta.json")).expect("JSON");
    assert_eq!(metadata["containerimage.digest"], digest);
    assert_eq!(metadata["containerimage.descriptor"]["digest"], digest);
    assert_eq!(metadata["image.name"], name);
    assert!(
        metadata.get("buildx.build.ref").is_some(),
        "what buildx wrote besides stays"
    );
    assert_eq!(place.read("iid"), digest);
    let log = place.docker_log();
    assert!(log.contains("--progress=plain ."), "{log}");
    assert!(!log.contains("soci-min"), "{log}");
}

/// A recorded build with a local output, and what came on stdout; no registry is asked.
fn local_build(case: &str, output: &str) -> (Place, Vec<u8>) {
    let place = Place::with_stand_in(case, &TestRegistry::start(Behaviour::default()));
    let stdout = place.tool(&[
        env!("CARGO_BIN_EXE_cargo-soci"),
        "docker",
        "build",
        "--soci-min-layer-size=0",
        "-o",
        output,
        ".",
    ]);
    (place, stdout)
}

#[test]
fn docker_soci_build_converts_archives_and_layouts_where_they_lie() {
    let (place, _) = local_build("oci-single", "type=oci,dest=image.tar");
    place.run(&["verify", "image.tar"]).ended(0);
    let (place, _) = local_build("oci-dir", "type=oci,tar=false,dest=layout");
    place.run(&["verify", "./layout"]).ended(0);
}

#[test]
fn an_archive_on_stdout_is_the_converted_one() {
    let (place, stdout) = local_build("oci-single", "type=oci,dest=-");
    std::fs::write(place.join("image.tar"), stdout).expect("the folder is writable");
    place.run(&["verify", "image.tar"]).ended(0);
}

#[test]
fn builds_whose_result_is_out_of_reach_are_refused_before_they_run() {
    let (_registry, place) = replayed("push-single-default");
    for words in [
        &["docker", "build", "."][..],
        &["docker", "build", "--load", "."],
        &["docker", "build", "-o", "out", "."],
        &["docker", "build", "--push", "."],
        &[
            "docker",
            "build",
            "-o",
            "type=image,name=a/b,push-by-digest=true,push=true",
            ".",
        ],
        &[
            "docker",
            "build",
            "--push",
            "-t",
            "a/b:1",
            "--soci-imag",
            "x",
            ".",
        ],
        &[
            "docker",
            "build",
            "--push",
            "-t",
            "a/b:1",
            "--soci-format",
            "yaml",
            ".",
        ],
    ] {
        let run = place.run(words).ended(2);
        assert!(run.stderr.starts_with("error: "), "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains("help: "), "{words:?}: {}", run.stderr);
    }
    assert_eq!(place.docker_log(), "");
}

#[test]
fn a_failed_build_publishes_nothing_and_says_so() {
    let (registry, mut place) = replayed("push-single-default");
    place.set("STAND_IN_EXIT", "1");
    project(&place, &registry.name("team/app:1.0"), "");
    let run = place.run(&["build"]).ended(3);
    assert!(
        run.stderr.contains("the builder failed: `docker buildx build"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stdout, "");
    assert_eq!(tags(&registry, "team/app"), [""; 0]);
}

#[test]
fn an_image_with_nothing_to_index_keeps_its_tag_and_the_exit_code_tells() {
    let (registry, place) = replayed("push-single-default");
    let name = registry.name("team/app:1.0");
    let run = place.run(&["build", "--image", &name]).ended(4);
    assert!(
        run.stdout.contains("as it was built: nothing to index"),
        "{}",
        run.stdout
    );
    assert_eq!(tag(&registry, "team/app", "1.0").as_deref(), Some(AS_BUILT));
}

/// A task definition with one container.
fn task(image: &str) -> String {
    format!(
        r#"{{"family":"a","requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"512",
        "runtimePlatform":{{"cpuArchitecture":"X86_64","operatingSystemFamily":"LINUX"}},
        "containerDefinitions":[{{"name":"web","image":"{image}"}}]}}"#
    )
}

/// Builds into an archive, for a name in ECR, and gives what the report says about the one container and what was told.
fn linted(place: &Place, image: &str) -> (Value, String) {
    place.write("deploy/task.json", &task(image));
    let words = ["build", "--no-push", "--output", "image.tar", "--format", "json"];
    let run = place.run(&words).ended(0);
    let lint = &run.json()["images"][0]["lint"];
    (
        lint["files"][0]["tasks"][0]["containers"][0].clone(),
        run.stderr.clone(),
    )
}

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app";
const UNUSED: &str = "no container of the task definitions has the image";

#[test]
fn facts_are_about_the_reference_that_was_built_and_about_no_other() {
    let registry = registry_with("push-single-default");
    let place = Place::with_stand_in("oci-single", &registry);
    project(
        &place,
        &format!("{ECR}:1.0"),
        "task-definitions = \"deploy/task.json\"\nlint.fail-on = \"not-lazy\"\n",
    );
    // What is not pushed has its name by assumption, and so has what a template fills in.
    for image in [format!("{ECR}:1.0"), format!("{ECR}:<TAG>")] {
        let (container, told) = linted(&place, &image);
        assert_eq!(container["verdict"], "lazy", "{container}");
        let headline = container["headline"].as_str().expect("a text");
        assert!(headline.contains("assumed: "), "{headline}");
        assert!(headline.contains(&format!("{ECR}:1.0")), "{headline}");
        assert!(!told.contains(UNUSED), "{told}");
    }
    // Another tag, another registry, another image.
    let elsewhere = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0";
    for (image, why) in [
        (format!("{ECR}:latest"), "another tag than that of"),
        (elsewhere.to_owned(), "another registry than that of"),
        (format!("{ECR}-worker:1.0"), UNUSED),
    ] {
        let (container, told) = linted(&place, &image);
        assert_eq!(container["verdict"], "unknown", "{container}");
        assert!(told.contains(UNUSED) && told.contains(why), "{told}");
    }
}

#[test]
fn task_definitions_are_linted_with_the_facts_of_the_image() {
    let (registry, place) = replayed("push-single-default");
    let name = registry.name("team/app:1.0");
    project(
        &place,
        &name,
        "task-definitions = \"deploy/task.json\"\nlint.fail-on = \"not-lazy\"\n",
    );
    // Fargate does not load lazily from this registry.
    place.write("deploy/task.json", &task(&name));
    let run = place.run(&["build"]).ended(1);
    assert!(run.stdout.contains("not-lazy"), "{}", run.stdout);
    assert!(!run.stderr.contains(UNUSED), "{}", run.stderr);
    // containerd does, and the registry has been asked: nothing is assumed.
    let run = place
        .run(&["build", "--config", "lint.for=containerd", "--format", "json"])
        .ended(0);
    let lint = &run.json()["images"][0]["lint"];
    let container = &lint["files"][0]["tasks"][0]["containers"][0];
    assert_eq!(container["verdict"], "lazy", "{container}");
    let headline = container["headline"].as_str().expect("a text");
    assert!(!headline.contains("assumed"), "{headline}");
}

#[test]
fn the_tag_of_the_image_as_it_was_built_is_judged_by_that_image() {
    let (registry, place) = replayed("push-single-default");
    let name = registry.name("team/app:1.0");
    project(
        &place,
        &name,
        "tag-model = \"sibling\"\ntask-definitions = \"deploy/task.json\"\nlint.fail-on = \"not-lazy\"\n",
    );
    place.write("deploy/task.json", &task(&name));
    let words = ["build", "--config", "lint.for=containerd", "--format", "json"];
    let run = place.run(&words).ended(1);
    let lint = &run.json()["images"][0]["lint"];
    let container = &lint["files"][0]["tasks"][0]["containers"][0];
    assert_eq!(container["verdict"], "not-lazy", "{container}");
    assert_eq!(container["reasons"][0]["code"], "SOCI302", "{container}");
    assert!(run.stderr.contains(UNUSED), "{}", run.stderr);
    assert!(run.stderr.contains("another tag than that of"), "{}", run.stderr);
}

#[test]
fn a_dry_run_runs_nothing() {
    let (_registry, place) = replayed("push-single-default");
    project(&place, "registry.example/team/app:{git-sha}", "");
    let run = place.run(&["build", "--dry-run"]).ended(2);
    assert!(
        run.stderr.contains("{git-sha} needs the commit"),
        "{}",
        run.stderr
    );
    project(
        &place,
        "registry.example/team/app:1",
        "tag-model = \"sibling\"\ntask-definitions = \"t.json\"\n",
    );
    let run = place
        .run(&["build", "--dry-run", "--platform", "linux/arm64"])
        .ended(0);
    let shown = run.stdout.replace(&place.path().display().to_string(), "PLACE");
    insta::assert_snapshot!(shown, @r"
    PLACE
      build    docker buildx build --platform linux/arm64 --tag registry.example/team/app:1 --push --metadata-file TEMPORARY/metadata.json PLACE
      convert  by digest, to registry.example/team/app:1-soci
      keep     registry.example/team/app:1
      lint     PLACE/t.json
    ");
    assert_eq!(place.docker_log(), "");
}

#[test]
fn what_cannot_be_built_says_what_to_configure() {
    let place = Place::new();
    place.write("soci.toml", "");
    let run = place.run(&["build"]).ended(2);
    assert!(run.stderr.contains("no `image` is configured"), "{}", run.stderr);
    place.write("soci.toml", "image = \"team/app:1\"\n");
    let run = place.run(&["build"]).ended(2);
    assert!(run.stderr.contains("names no registry"), "{}", run.stderr);
    assert!(run.stderr.contains("soci.toml:1:9"), "{}", run.stderr);
    let run = place.run(&["build", "--no-push"]).ended(2);
    assert!(run.stderr.contains("--output"), "{}", run.stderr);
    let run = place
        .run(&["build", "--output", "registry.example/app:1"])
        .ended(2);
    assert!(
        run.stderr.contains("--output is for a layout or an archive"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_second_repository_is_filled_from_the_first() {
    let registry = registry_with("push-single-default");
    fill(&registry, "push-multi-two-tags");
    let place = Place::with_stand_in("push-single-default", &registry);
    let (one, two) = (registry.name("team/app:1.0"), registry.name("elsewhere/app:2"));
    // buildx would have pushed there as well; the stand-in did not, so the copy has to bring all of it.
    place
        .run(&["build", "--image", &one, "--image", &two, NO_MINIMUM, "-q"])
        .ended(0);
    assert_eq!(
        tag(&registry, "team/app", "1.0"),
        tag(&registry, "elsewhere/app", "2")
    );
    assert_eq!(registry.broken_tags(), [""; 0]);
}

#[test]
fn a_second_build_of_the_same_layers_reads_none_of_them() {
    let (registry, place) = replayed("push-single-default");
    project(&place, &registry.name("team/app:1.0"), "");
    let first = place.run(&["build", "-q"]).ended(0).stdout;
    let again = place.run(&["build", "--format", "json"]).ended(0).json();
    assert_eq!(again["images"][0]["digest"], first.trim());
    let layers = &again["images"][0]["conversion"]["images"][0]["platforms"][0]["layers"];
    for layer in layers.as_array().expect("layers") {
        assert_eq!(layer["outcome"], "reused", "{layer}");
    }
}

#[test]
fn a_conversion_from_a_metadata_file_writes_one() {
    let (registry, place) = replayed("push-single-default");
    place.write("meta.json", &metadata("push-single-default", &registry));
    let words = [
        "convert",
        "--from-metadata",
        "meta.json",
        "--metadata-file",
        "new.json",
        NO_MINIMUM,
        "-q",
    ];
    let run = place.run(&words).ended(0);
    let written: Value = serde_json::from_str(&place.read("new.json")).expect("JSON");
    assert_eq!(written["containerimage.digest"], run.stdout.trim());
    assert_eq!(written["image.name"], registry.name("team/app:1.0"));
}

#[test]
fn layers_are_rewritten_in_place_in_a_registry_and_in_a_layout() {
    let registry = registry_with("push-single-default");
    let place = Place::new();
    let name = registry.name("team/estargz:1");
    let image = soci_tests::buildx_vectors().join("oci-estargz/image.tar");
    for target in [name.as_str(), "./layout"] {
        let image = image.display().to_string();
        place.run(&["convert", &image, target, NO_MINIMUM]).ended(0);
        let words = ["--recompress", "gzip", "--format", "json"];
        let rewrite = || {
            place
                .run(&[&["convert", target, NO_MINIMUM], &words[..]].concat())
                .ended(0)
        };
        let run = rewrite();
        let report = run.json();
        let rewritten = report["recompressed"].as_array().expect("rewritten layers");
        assert!(!rewritten.is_empty());
        assert!(
            rewritten
                .iter()
                .all(|layer| layer["reason"] == "several gzip members")
        );
        let run = place.run(&["verify", target]).ended(0);
        assert!(!run.stderr.contains("several gzip members"), "{}", run.stderr);
        // Once more: nothing is left to rewrite.
        let run = rewrite();
        assert!(run.json().get("recompressed").is_none(), "{}", run.stdout);
    }
    let index: Value = serde_json::from_str(&place.read("layout/index.json")).expect("JSON");
    assert_eq!(index["manifests"].as_array().map(Vec::len), Some(1), "{index}");
    assert_eq!(registry.broken_tags(), [""; 0]);
}
