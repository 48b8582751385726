//! `why` over a cluster: 250 services that have 40 images, which lie in a registry on loopback.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use super::measure::{Contestant, compare};
use super::registry::Registry;
use super::{Bench, inputs};
use crate::oci;
use crate::run::{Outcome, must};

const SERVICES: usize = 250;
const IMAGES: usize = 40;
/// Uncompressed size of the one layer that all images have; each has its own tag in its own repository.
const LAYER: u64 = 20_000_000;

/// All images looked up, against none: what is between them is the registry's and the client's.
pub(super) fn run(bench: &Bench) -> Outcome {
    let registry = Registry::start(bench)?;
    let names = upload(bench, &registry)?;
    let file = bench.folder.join("describe-tasks.json");
    fs::write(&file, tasks(&names).to_string())
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let why = |images: &str| {
        let file = file.display().to_string();
        let ours = bench.binary.display().to_string();
        let words = [
            "why",
            "--format",
            "json",
            "--fail-on",
            "never",
            "--check-images",
            images,
        ];
        let mut command = vec![ours];
        command.extend(words.map(str::to_owned));
        command.push(file);
        command
    };
    let contestants = [
        Contestant::new("each image looked up", why("on")),
        Contestant::new("no image looked up", why("off")),
    ];
    let title = format!("{SERVICES} services with {IMAGES} images in a registry on loopback (`why`)");
    compare(bench, &title, &contestants, bench.rounds)
}

/// Brings the image into each repository, half of them with a SOCI index; gives the names.
fn upload(bench: &Bench, registry: &Registry) -> Result<Vec<String>, String> {
    let layer = inputs::layer(&bench.folder, "why-0", 0, LAYER)?;
    let layout = bench.folder.join("why-image");
    if !layout.join("index.json").exists() {
        oci::write_layout(&layout, &[layer], "1")
            .map_err(|error| format!("cannot write {}: {error}", layout.display()))?;
    }
    let plain = layout.display().to_string();
    let mut names = Vec::new();
    for at in 0..IMAGES {
        let name = format!("{}/bench/app{at}:1", registry.address());
        let mut command = match at % 2 {
            0 => {
                let mut skopeo = Command::new("skopeo");
                skopeo
                    .args(["copy", "--quiet", "--dest-tls-verify=false"])
                    .arg(format!("oci:{plain}:1"))
                    .arg(format!("docker://{name}"));
                skopeo
            }
            _ => {
                let mut ours = Command::new(&bench.binary);
                ours.args(["convert", "--quiet", "--min-layer-size", "0", &plain, &name]);
                ours
            }
        };
        must(command.stdout(Stdio::null()))?;
        names.push(name);
    }
    Ok(names)
}

/// What `aws ecs describe-tasks` prints of one task of each service.
fn tasks(names: &[String]) -> serde_json::Value {
    let arn = |kind: &str, name: String| format!("arn:aws:ecs:eu-west-1:123456789012:{kind}/{name}");
    let task = |at: usize| {
        json!({
            "taskArn": arn("task", format!("bench/{at:032x}")),
            "clusterArn": arn("cluster", "bench".to_owned()),
            "taskDefinitionArn": arn("task-definition", format!("service{at}:1")),
            "group": format!("service:service{at}"),
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
            "lastStatus": "RUNNING",
            "pullStartedAt": "2026-11-28T08:40:20.412Z",
            "pullStoppedAt": "2026-11-28T08:41:01.731Z",
            "containers": [{"name": "web", "image": names[at % names.len()], "lastStatus": "RUNNING"}],
        })
    };
    json!({ "tasks": (0..SERVICES).map(task).collect::<Vec<_>>() })
}
