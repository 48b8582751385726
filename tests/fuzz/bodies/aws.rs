//! What the target over documents of ECS does with any bytes.

use soci_aws::running::Running;

/// They are read without a panic, and the same documents once more say nothing new about what has a name.
pub fn documents(bytes: &[u8]) {
    let mut running = Running::default();
    if running.read(bytes).is_err() {
        return;
    }
    for task in running.tasks() {
        let _ = (
            task.cluster_name(),
            task.service(),
            task.region(),
            task.pull_millis(),
        );
        let _ = (
            running.service_of(task),
            running.definition(task.definition.as_deref()),
        );
    }
    let named = |running: &Running| {
        let tasks = running.tasks().iter().filter(|task| !task.arn.is_empty()).count();
        let services = running
            .services()
            .iter()
            .filter(|service| !service.arn.is_empty())
            .count();
        let definitions = running
            .definitions()
            .iter()
            .filter(|known| !known.arn.is_empty())
            .count();
        (tasks, services, definitions)
    };
    let once = named(&running);
    running.read(bytes).expect("it was read before");
    assert_eq!(named(&running), once);
}
