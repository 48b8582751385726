//! The pull of a task's images as it was measured, and what its speed points to.
//!
//! ECS measures one pull for all images of a task. A speed proves nothing: the network of a task is not known, a lazy
//! start still fetches zTOCs and small layers, a small image is there at once either way. What was published:
//! whole pulls ran at 7 MB/s (413 MB in 57 s, elasticscale.com, 2023), 47 MB/s (4 GB in 85 s on 4 vCPU) and 66 MB/s
//! (17.6 GB in 266 s on 96 vCPU); lazy ones seemed to run at 1000 MB/s (4 GB in 4 s) and 2000 MB/s (17.6 GB in 8.9 s).
//! Sources: aws-samples' skill ecs-soci and the documentation of AWS' Deep Learning Containers (2026-11-23).

use serde::Serialize;

use super::groups::Group;

/// How long the images of a group's tasks were pulled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pull {
    /// How many tasks say it.
    pub tasks: usize,
    /// The shortest, in milliseconds.
    pub least_millis: u64,
    /// The longest, in milliseconds.
    pub most_millis: u64,
    /// Bytes of the layers of all images of a task, where all are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// What that points to.
    pub points_to: PointsTo,
}

/// What the speed of a pull is like. It is a hint and never decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointsTo {
    /// Pulling the images as a whole.
    Whole,
    /// Loading them lazily.
    Lazy,
    /// Neither.
    Neither,
}

/// Slower than this, in bytes a second, is like a whole pull: one and a half times the fastest one that was published.
const WHOLE: u128 = 100_000_000;

/// Faster than this is like a lazy one: six times the fastest whole pull.
const LAZY: u128 = 400_000_000;

/// A pull this short can be anything, in milliseconds.
const SHORT: u64 = 10_000;

/// Images of less are pulled in no time, in bytes: AWS recommends lazy loading above 250 MiB.
const SMALL: u64 = 250 << 20;

impl Pull {
    /// What the tasks of a group say; `None` if none does.
    pub fn of(group: &Group, bytes: Option<u64>) -> Option<Self> {
        let measured: Vec<u64> = group
            .starts
            .iter()
            .filter_map(|start| start.pull_millis)
            .collect();
        let (least_millis, most_millis) = (*measured.iter().min()?, *measured.iter().max()?);
        // Instances keep images; there a short pull is one of nothing.
        let is_fargate = group
            .launch_type
            .as_deref()
            .is_some_and(|launch| launch.starts_with("FARGATE"));
        let points_to = match bytes.filter(|bytes| is_fargate && *bytes >= SMALL) {
            None => PointsTo::Neither,
            Some(bytes) => {
                let slower = |millis: u64, speed| u128::from(bytes) * 1000 <= speed * u128::from(millis);
                if least_millis >= SHORT && slower(least_millis, WHOLE) {
                    PointsTo::Whole
                } else if !slower(most_millis, LAZY) {
                    PointsTo::Lazy
                } else {
                    PointsTo::Neither
                }
            }
        };
        Some(Self {
            tasks: measured.len(),
            least_millis,
            most_millis,
            bytes,
            points_to,
        })
    }

    /// `41.3 s to 44.0 s for 1.2 GB: as when images are pulled whole, which is a hint and no proof`.
    pub fn sentence(&self) -> String {
        let mut text = seconds(self.least_millis);
        if seconds(self.most_millis) != text {
            text += &format!(" to {}", seconds(self.most_millis));
        }
        let Some(size) = self.bytes else {
            return format!("{text}; the size of the images is not known");
        };
        text += &format!(" for {}", bytes(size));
        text += match self.points_to {
            PointsTo::Whole => ": as when images are pulled whole, which is a hint and no proof",
            PointsTo::Lazy => ": faster than images are pulled whole, which is a hint and no proof",
            PointsTo::Neither => ", which says nothing either way",
        };
        text
    }
}

/// `41.3 s`.
pub fn seconds(millis: u64) -> String {
    let tenths = (u128::from(millis) + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// `1.2 GB`, `407.6 MB`, in powers of ten.
pub fn bytes(count: u64) -> String {
    let units = [(1_000_000_000_u64, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let Some((unit, name)) = units.into_iter().find(|(unit, _)| count >= *unit) else {
        return format!("{count} B");
    };
    let tenths = u128::from(count) * 10 / u128::from(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::groups::Start;
    use super::*;

    fn pull(launch: &str, millis: &[u64], bytes: Option<u64>) -> Pull {
        let group = Group {
            launch_type: Some(launch.to_owned()),
            starts: millis
                .iter()
                .map(|millis| Start {
                    pull_millis: Some(*millis),
                    ..Start::default()
                })
                .collect(),
            ..Group::default()
        };
        Pull::of(&group, bytes).expect("something was measured")
    }

    #[test]
    fn published_pulls_are_taken_for_what_they_were() {
        for (bytes, millis, expected) in [
            (4_000_000_000, 85_000, PointsTo::Whole),
            (17_600_000_000, 266_000, PointsTo::Whole),
            (413_000_000, 57_000, PointsTo::Whole),
            (4_000_000_000, 4_000, PointsTo::Lazy),
            (17_600_000_000, 8_900, PointsTo::Lazy),
        ] {
            assert_eq!(
                pull("FARGATE", &[millis], Some(bytes)).points_to,
                expected,
                "{bytes}"
            );
        }
    }

    #[test]
    fn what_can_be_either_points_to_neither() {
        for (launch, millis, bytes) in [
            ("EC2", &[800][..], Some(1_200_000_000)),
            ("FARGATE", &[800], Some(90_000_000)),
            ("FARGATE", &[41_000], None),
            ("FARGATE", &[6_000], Some(400_000_000)),
            ("FARGATE", &[1_000, 41_000], Some(1_200_000_000)),
        ] {
            assert_eq!(
                pull(launch, millis, bytes).points_to,
                PointsTo::Neither,
                "{launch} {millis:?}"
            );
        }
    }

    #[test]
    fn figures_are_said_in_words() {
        let said: Vec<String> = [
            pull("FARGATE", &[41_319, 44_000], Some(1_234_567_890)),
            pull("FARGATE", &[1_900], Some(1_234_567_890)),
            pull("FARGATE", &[6_000], Some(400_000_000)),
            pull("FARGATE", &[6_000], None),
        ]
        .iter()
        .map(Pull::sentence)
        .collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        41.3 s to 44.0 s for 1.2 GB: as when images are pulled whole, which is a hint and no proof
        1.9 s for 1.2 GB: faster than images are pulled whole, which is a hint and no proof
        6.0 s for 400.0 MB, which says nothing either way
        6.0 s; the size of the images is not known
        ");
    }
}
