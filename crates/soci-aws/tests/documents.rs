//! Documents as ECS prints them, alone and together, and what is none.

use soci_aws::running::{ReadError, Running};

const DESCRIBED: &str = include_str!("fixtures/describe_tasks.json");
const SERVICES: &str = include_str!("fixtures/describe_services.json");
const DEFINITION: &str = include_str!("fixtures/describe_task_definition.json");
const EVENT: &str = include_str!("fixtures/task_state_change.json");
const METADATA: &str = include_str!("fixtures/metadata_task.json");
const CONTAINER: &str = include_str!("fixtures/metadata_container.json");

fn read(text: &str) -> Result<Running, ReadError> {
    let mut running = Running::default();
    running.read(text.as_bytes()).map(|()| running)
}

fn good(text: &str) -> Running {
    read(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_described_task_says_what_runs() {
    let running = good(DESCRIBED);
    assert_eq!(
        running.notes(),
        ["ECS does not describe ffffffffffffffffffffffffffffffff: MISSING"]
    );
    let task = &running.tasks()[0];
    assert_eq!(task.cluster_name(), Some("shop"));
    assert_eq!(task.service(), Some("web"));
    assert_eq!(task.region(), Some("eu-west-1"));
    assert_eq!(task.pull_millis(), Some(41_319));
    insta::assert_debug_snapshot!(task);
}

#[test]
fn the_event_says_the_same_as_the_description() {
    let mut event = good(EVENT).tasks()[0].clone();
    let described = good(DESCRIBED).tasks()[0].clone();
    // What an event does not hold.
    event.capacity_provider.clone_from(&described.capacity_provider);
    event.platform_family.clone_from(&described.platform_family);
    event.takes_commands = described.takes_commands;
    assert_eq!(event, described);
}

#[test]
fn documents_about_one_task_become_one_task() {
    let described = good(DESCRIBED).tasks()[0].clone();
    let list = format!("[{METADATA}, [{DESCRIBED}, {EVENT}]]");
    let one_after_the_other = format!("{DESCRIBED}{CONTAINER}\n{EVENT}");
    for text in [list, one_after_the_other] {
        let running = good(&text);
        let [task] = running.tasks() else {
            panic!("{} tasks", running.tasks().len())
        };
        assert_eq!(task.containers[0].snapshotter.as_deref(), Some("overlayfs"));
        let mut without = task.clone();
        without.containers[0].snapshotter = None;
        assert_eq!(without, described);
    }
}

#[test]
fn of_two_words_the_later_version_counts() {
    let later = EVENT
        .replace("\"version\": 4", "\"version\": 5")
        .replace("RUNNING", "STOPPED");
    for text in [format!("{later}{DESCRIBED}"), format!("{DESCRIBED}{later}")] {
        assert_eq!(good(&text).tasks()[0].status.as_deref(), Some("STOPPED"));
    }
}

#[test]
fn services_and_definitions_are_found_from_the_task() {
    let running = good(&format!("{SERVICES}{DEFINITION}{DESCRIBED}"));
    let task = &running.tasks()[0];
    let service = running.service_of(task).expect("the service");
    assert_eq!(service.platform_version.as_deref(), Some("LATEST"));
    let definition = running
        .definition(task.definition.as_deref())
        .expect("the definition");
    assert_eq!(definition.name(), "web:42");
    insta::assert_debug_snapshot!(service);
}

#[test]
fn what_is_no_document_is_said() {
    let texts = [
        "",
        " \n",
        "[]",
        "{}",
        "{\"tasks\"",
        "tasks:\n- x",
        "7",
        "{\"taskArns\": []}",
        "{\"Resources\": {}}",
        "{\"tasks\": {}}",
        "{\"tasks\": [7]}",
        "{\"tasks\": [{\"taskArn\": 7}]}",
        "{\"tasks\": [{\"containers\": [{\"imageDigest\": \"sha256:zz\"}]}]}",
        "[{\"tasks\": []}, {\"tasks\": [{\"pullStartedAt\": \"yesterday\"}]}]",
        "{\"services\": [{\"runningCount\": -1}]}",
        "{\"TaskARN\": \"a\", \"Containers\": \"b\"}",
    ];
    let said: Vec<String> = texts
        .iter()
        .map(|text| match read(text) {
            Ok(running) => panic!("{text} was read: {running:?}"),
            Err(error) => format!("{text:?}\n  {error}\n  help: {}", error.help().unwrap_or("-")),
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let many = format!(
        "{{\"containers\": [{}{{}}], \"taskArn\": \"a\"}}",
        "{},".repeat(50)
    );
    assert!(matches!(read(&many), Err(ReadError::TooMany { found: 51, .. })));
    assert_eq!(
        good("{\"detail-type\": \"ECS Service Action\", \"detail\": {}}")
            .notes()
            .len(),
        1
    );
}

#[test]
fn a_task_and_a_service_of_one_name_are_two_things() {
    let running =
        good("{\"taskArn\": \"a\"}{\"serviceArn\": \"a\"}{\"serviceArn\": \"b\"}{\"taskArn\": \"b\"}");
    assert_eq!((running.tasks().len(), running.services().len()), (2, 2));
}

proptest::proptest! {
    /// What the fuzz target `aws_documents` asks for, of documents that are nearly right.
    #[test]
    fn damaged_documents_are_read_or_refused(
        which in 0_usize..6,
        at in 0_usize..6000,
        length in 0_usize..40,
        put in "[\\[\\]{}\",:0-9a-z]{0,6}",
    ) {
        let text = [DESCRIBED, SERVICES, DEFINITION, EVENT, METADATA, CONTAINER][which];
        let at = at % text.len();
        let mut damaged = text.as_bytes().to_vec();
        damaged.splice(at..(at + length).min(text.len()), put.bytes());
        let mut running = Running::default();
        if running.read(&damaged).is_ok() {
            let named = |running: &Running| running.tasks().iter().filter(|task| !task.arn.is_empty()).count();
            let once = named(&running);
            running.read(&damaged).expect("it was read before");
            proptest::prop_assert_eq!(named(&running), once);
        }
    }
}
