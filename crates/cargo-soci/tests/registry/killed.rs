//! Killed at any moment, a conversion leaves no tag that points at missing content, and the next run completes.

use std::time::{Duration, Instant};

use soci_tests::registry::Behaviour;

use crate::{conversion, convert, expected, good, tag, with_image};

const TRIALS: u32 = 60;

#[test]
fn sixty_killed_runs_leave_nothing_broken() {
    let expected = expected();
    let slow = || Behaviour {
        link: Some((20_000_000, Duration::from_millis(2))),
        ..Behaviour::default()
    };
    let registry = with_image(slow());
    let begun = Instant::now();
    good(&convert(&[&registry.name("app:1"), &registry.name("app:2")]));
    // As long as a run takes; how long that is depends on what else the machine does.
    let mut whole = begun.elapsed();
    let mut killed = 0;
    let mut registry = with_image(slow());
    for trial in 0..TRIALS {
        let mut child = conversion(&[&registry.name("app:1"), &registry.name("app:2")])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("our program starts");
        let begun = Instant::now();
        let moment = whole * trial / TRIALS;
        while begun.elapsed() < moment {
            std::thread::sleep(Duration::from_millis(1));
            if child.try_wait().expect("it is ours").is_some() {
                whole = begun.elapsed();
                break;
            }
        }
        child.kill().expect("it is ours");
        killed += u32::from(!child.wait().expect("it is ours").success());
        assert_eq!(registry.broken_tags(), Vec::<String>::new(), "trial {trial}");
        let tagged = tag(&registry, "app", "2");
        assert!(
            tagged.is_none() || tagged.as_ref() == Some(&expected),
            "trial {trial}: {tagged:?}"
        );
        // Later trials go on where earlier ones were killed, until one was complete.
        if tagged.is_some() || trial % 10 == 9 {
            assert_eq!(
                good(&convert(&[
                    &registry.name("app:1"),
                    &registry.name("app:2"),
                    "-q"
                ])),
                expected
            );
            registry = with_image(slow());
        }
    }
    assert!(
        killed > TRIALS / 2,
        "{killed} of {TRIALS} runs were killed before they were done"
    );
}
