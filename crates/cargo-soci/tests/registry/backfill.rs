//! `backfill`: every image of a repository, each shared layer read once; stopped, gone on with, shared among runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;
use soci_tests::images::MadeImage;
use soci_tests::registry::{Behaviour, Effect, Fault, TestRegistry};

use crate::{convert, failed, good, run, soci, tag, text};

const TAGS: usize = 60;

/// Images `t00` to `t59`: all have the base, ten each the middle, and each a layer of its own that is too small.
fn repository(behaviour: Behaviour) -> TestRegistry {
    let registry = TestRegistry::start(Behaviour {
        list_page: 7,
        ..behaviour
    });
    registry.with("shop/web", |content| {
        for number in 0..TAGS {
            image(number).store(content, &format!("t{number:02}"));
        }
    });
    registry
}

fn image(number: usize) -> MadeImage {
    let middle = 100 + (number / 10) as u64;
    MadeImage::new(&[(1, 900_000), (middle, 300_000), (1000 + number as u64, 2000)])
}

fn words<'a>(repository: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["--min-layer-size", "50KiB", "--span-size", "256KiB"];
    [&["backfill", repository], &fixed[..], more].concat()
}

fn backfill(repository: &str, more: &[&str]) -> std::process::Output {
    run(&words(repository, more))
}

fn report(repository: &str, more: &[&str]) -> Value {
    let output = good(&backfill(repository, &[&["--format", "json"], more].concat()));
    serde_json::from_str(&output).expect("a JSON report")
}

/// How many images had each outcome.
fn outcomes(report: &Value) -> BTreeMap<String, usize> {
    let mut outcomes = BTreeMap::new();
    for image in report["images"].as_array().expect("a list") {
        let outcome = image["outcome"].as_str().expect("a word").to_owned();
        *outcomes.entry(outcome).or_default() += 1;
    }
    outcomes
}

fn only(outcome: &str, number: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(outcome.to_owned(), number)])
}

/// How often each layer was read, whole or from a place on that is not asked for as a range of one span.
fn whole_reads(registry: &TestRegistry) -> BTreeMap<String, usize> {
    let layers: BTreeSet<String> = (0..TAGS)
        .flat_map(|number| image(number).layer_digests())
        .collect();
    let mut reads = BTreeMap::new();
    for exchange in registry.take_log() {
        let Some((_, digest)) = exchange.path.rsplit_once("/blobs/") else {
            continue;
        };
        if exchange.method == "GET" && exchange.range.is_none() && layers.contains(digest) {
            *reads.entry(digest.to_owned()).or_default() += 1;
        }
    }
    reads
}

#[test]
fn each_layer_is_read_once_however_many_images_have_it() {
    let registry = repository(Behaviour::default());
    let name = registry.name("shop/web");
    let first = report(&name, &["--jobs", "4"]);
    assert_eq!(outcomes(&first), only("converted", TAGS));
    let reads = whole_reads(&registry);
    let large: BTreeSet<String> = (0..TAGS)
        .flat_map(|number| image(number).layer_digests()[..2].to_vec())
        .collect();
    for layer in &large {
        assert_eq!(reads.get(layer), Some(&1), "{layer}: {reads:?}");
    }
    let sum = |key: &str| -> u64 {
        let images = first["images"].as_array().expect("a list");
        images.iter().filter_map(|image| image[key].as_u64()).sum()
    };
    assert_eq!(sum("indexed"), large.len() as u64);
    assert_eq!(sum("reused"), (2 * TAGS - large.len()) as u64);
    assert_eq!(registry.broken_tags(), Vec::<String>::new());

    // The same bytes as one image at a time, without any reuse.
    let alone = TestRegistry::start(Behaviour::default());
    alone.with("shop/web", |content| image(17).store(content, "t17"));
    good(&convert(&[&alone.name("shop/web:t17"), "--reuse", "none"]));
    assert_eq!(tag(&registry, "shop/web", "t17"), tag(&alone, "shop/web", "t17"));

    let second = report(&name, &[]);
    assert_eq!(outcomes(&second), only("already", TAGS));
    let again = whole_reads(&registry);
    assert!(
        large.iter().all(|layer| !again.contains_key(layer)),
        "no layer is read again: {again:?}"
    );
}

#[test]
fn siblings_leave_the_tags_and_are_not_taken_for_images_to_convert() {
    let registry = repository(Behaviour::default());
    let name = registry.name("shop/web");
    let before = tag(&registry, "shop/web", "t03");
    let flags = ["--tag-model", "sibling", "--tags", "t0*"];
    assert_eq!(outcomes(&report(&name, &flags)), only("converted", 10));
    assert_eq!(tag(&registry, "shop/web", "t03"), before);
    let verdict = good(&run(&["verify", &registry.name("shop/web:t03-soci")]));
    assert!(verdict.contains("good"), "{verdict}");
    let second = report(&name, &flags);
    assert_eq!(outcomes(&second), only("already", 10));
    assert_eq!(second["repositories"][0]["notImages"], 10);

    // What is pushed anew under a tag gets a new sibling.
    registry.with("shop/web", |content| image(59).store(content, "t03"));
    let third = outcomes(&report(&name, &flags));
    assert_eq!((third["converted"], third["already"]), (1, 9));
}

#[test]
fn shards_do_all_of_the_work_and_none_twice() {
    let registry = repository(Behaviour::default());
    let name = registry.name("shop/web");
    let mut seen = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let report = report(&name, &["--shard", shard]);
        assert_eq!(outcomes(&report).keys().collect::<Vec<_>>(), ["converted"]);
        let images = report["images"].as_array().expect("a list").clone();
        seen.extend(images.iter().map(|image| image["image"].to_string()));
    }
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (TAGS, TAGS));
}

#[test]
fn a_dry_run_writes_nothing_and_says_what_it_would_do() {
    let registry = repository(Behaviour::default());
    let name = registry.name("shop/web");
    let report = report(&name, &["--dry-run", "--except", "t[1-5]*"]);
    assert_eq!(outcomes(&report), only("would-convert", 10));
    assert_eq!(report["repositories"][0]["notMeant"], 50);
    let log = registry.take_log();
    assert!(
        log.iter()
            .all(|exchange| matches!(&*exchange.method, "GET" | "HEAD")),
        "{log:?}"
    );
}

#[test]
fn what_is_no_image_or_cannot_be_converted_stops_nothing_else() {
    let registry = repository(Behaviour::default());
    let name = registry.name("shop/web");
    let hex = "0".repeat(64);
    registry.with("shop/web", |content| {
        MadeImage::new(&[(9, 1000)]).store(content, "small");
        let lost = MadeImage::new(&[(8, 400_000)]);
        lost.store(content, "lost");
        content.blobs.remove(&lost.layer_digests()[0]);
        image(0).store(content, &format!("sha256-{hex}.sig"));
    });
    good(&convert(&[
        &registry.name("shop/web:t01"),
        "--build-tool-identifier",
        "another tool",
    ]));
    let others = tag(&registry, "shop/web", "t01");
    let output = backfill(&name, &["--except", "t[1-5]?"]);
    let told = failed(&output);
    assert!(told.contains("lost: FAILED: "), "{told}");
    let table = text(&output.stdout);
    for line in [
        "63 tags, left out: 50 not asked for, 1 beside an image",
        "       9  converted\n",
        "       1  with an index of another tool, left as they are\n",
        "       1  with nothing to index\n",
        "       1  FAILED\n",
        "failed: ",
    ] {
        assert!(table.contains(line), "{line:?} in {table}");
    }
    assert_eq!(tag(&registry, "shop/web", "t01"), others);
    let broken = registry.broken_tags();
    assert!(broken.len() == 1 && broken[0].starts_with("lost: "), "{broken:?}");
}

#[test]
fn the_newest_are_chosen_by_what_their_configs_say() {
    let registry = repository(Behaviour::default());
    let name = registry.name("shop/web");
    // None of these images says a date.
    let since = report(&name, &["--since", "2026-11-29", "--dry-run"]);
    assert_eq!(outcomes(&since), only("would-convert", TAGS));
    let undated = since["repositories"][0]["undated"].as_array();
    assert_eq!(undated.map(Vec::len), Some(TAGS));
    registry.with("shop/web", |content| {
        for (number, date) in [
            (10, "2026-11-28T23:59:59Z"),
            (20, "2026-11-30T01:00:00+02:00"),
            (30, "2026-11-29T00:00:00.123456789Z"),
            (40, "1970-01-01T00:00:00Z"),
        ] {
            let dated = image(number).made_at(date);
            dated.store(content, &format!("t{number:02}"));
        }
    });
    let chosen = |more: &[&str]| -> Vec<String> {
        let report = report(&name, &[&["--dry-run"], more].concat());
        let images = report["images"].as_array().expect("a list");
        let names = images.iter().filter_map(|image| image["image"].as_str());
        names
            .map(|name| name.rsplit(':').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(chosen(&["--newest", "2"]), ["t20", "t30"]);
    assert_eq!(chosen(&["--newest", "3"]), ["t10", "t20", "t30"]);
    let since = chosen(&["--since", "2026-11-29", "--tags", "t?0"]);
    assert_eq!(since, ["t00", "t20", "t30", "t40", "t50"]);
}

#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    let registry = repository(Behaviour {
        link: Some((50_000_000, Duration::from_micros(200))),
        ..Behaviour::default()
    });
    let name = registry.name("shop/web");
    let mut killed = 0;
    for trial in 0..12u64 {
        let words = words(&name, &["--jobs", "3", "--progress", "none", "-q"]);
        let mut child = soci(&words)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("our program starts");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(60 + 70 * trial) {
            if child.try_wait().expect("it is ours").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("it is ours");
        killed += u32::from(!child.wait().expect("it is ours").success());
        assert_eq!(registry.broken_tags(), Vec::<String>::new(), "trial {trial}");
    }
    assert!(
        killed > 2,
        "{killed} of 12 runs were killed before they were done"
    );
    let last = outcomes(&report(&name, &[]));
    let done: usize = last.values().sum();
    assert_eq!(done, TAGS, "{last:?}");
    assert!(
        last.keys().all(|key| key == "converted" || key == "already"),
        "{last:?}"
    );
    assert_eq!(outcomes(&report(&name, &[])), only("already", TAGS));
}

#[test]
fn lists_that_lead_elsewhere_or_are_none_are_refused() {
    for (effect, words) in [
        (
            Effect::Add("Link", "<http://127.0.0.1:1/v2/x>; rel=\"next\"".to_owned()),
            "the next page is at another host",
        ),
        (
            Effect::Replace(b"<html>".to_vec()),
            "the answer is not a list of tags",
        ),
        (Effect::Refuse(401, None), "refuses the login for shop/web"),
    ] {
        let registry = TestRegistry::start(Behaviour::default());
        registry.with("shop/web", |content| image(0).store(content, "t00"));
        registry.inject(Fault::new("GET", "tags/list", effect));
        let told = failed(&backfill(&registry.name("shop/web"), &[]));
        assert!(told.contains(words), "{told}");
        assert!(told.contains("shop/web"), "{told}");
    }
    let registry = TestRegistry::start(Behaviour::default());
    let told = failed(&backfill(&registry.name("nothing/here"), &[]));
    assert!(told.contains("nothing/here"), "{told}");
    let usage = backfill(&registry.name("shop/web:1"), &[]);
    assert_eq!(usage.status.code(), Some(2));
    let told = text(&usage.stderr);
    assert!(told.contains("backfill is about a repository"), "{told}");
    let usage = backfill(&registry.name("shop/web"), &["--shard", "0/4"]);
    assert_eq!(usage.status.code(), Some(2));
    let told = text(&usage.stderr);
    assert!(
        told.contains("--shard \"0/4\": a shard is I/N with I from 1 to N"),
        "{told}"
    );
}

/// Moto plays the queue; what the function makes of such messages is told by its own tests.
#[test]
fn with_a_queue_the_list_is_handed_over_and_nothing_is_written() {
    let registry = repository(Behaviour::default());
    let moto = soci_tests::servers::Server::moto();
    let sqs = |action: &str, body: Value| moto.ask("sqs", &format!("AmazonSQS.{action}"), &body);
    let made = sqs("CreateQueue", serde_json::json!({"QueueName": "soci"}));
    let url = made["QueueUrl"].as_str().expect("a URL");
    let name = registry.name("shop/web");
    let words = words(&name, &["--tags", "t0*", "--format", "json", "--queue", url]);
    let mut command = soci(&words);
    command
        .args(["--progress", "none"])
        .env("AWS_ENDPOINT_URL_SQS", format!("http://{}", moto.host()))
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "hunter2");
    let report: Value = serde_json::from_str(&good(&command.output().expect("it starts"))).expect("JSON");
    assert_eq!(outcomes(&report), only("queued", 10));
    let mut images = BTreeSet::new();
    loop {
        let asked = serde_json::json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
        let answer = sqs("ReceiveMessage", asked);
        let Some(messages) = answer["Messages"]
            .as_array()
            .filter(|messages| !messages.is_empty())
        else {
            break;
        };
        for message in messages {
            let body: Value = serde_json::from_str(message["Body"].as_str().expect("a text")).expect("JSON");
            images.insert(body["image"].as_str().expect("a name").to_owned());
        }
    }
    let expected: BTreeSet<String> = (0..10).map(|number| format!("{name}:t{number:02}")).collect();
    assert_eq!(images, expected);
    let log = registry.take_log();
    assert!(
        log.iter()
            .all(|exchange| exchange.method == "GET" || exchange.method == "HEAD")
    );

    let nonsense = backfill(&name, &["--queue", "soci"]);
    assert_eq!(nonsense.status.code(), Some(2), "{}", text(&nonsense.stderr));
    assert!(text(&nonsense.stderr).contains("is no URL of a queue"));
}
