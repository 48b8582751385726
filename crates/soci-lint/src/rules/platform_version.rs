//! Platform versions, where a service or the caller names one.

use super::{Check, Effect, Sink, rule};
use crate::model::Task;
use crate::report::Fargate;
use crate::source::TextRange;

rule! {
    /// The Linux platform version cannot load images lazily.
    ///
    /// ## Why
    ///
    /// Fargate loads images lazily on the Linux platform version 1.4.0, which is also what `LATEST` and an absent version mean. Any other
    /// version pulls the whole image. The version is not part of the task definition: it stands in the service, or where the task is run.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: "1.5.0"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: "1.4.0"
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>, `platformVersion` (2026-11-23)
    PLATFORM_VERSION, "SOCI105", "platform-version-without-soci", Error, NotLazy, Check::Task(check_other)
}

rule! {
    /// The platform version has been retired.
    ///
    /// ## Why
    ///
    /// AWS retired the Linux platform version 1.3.0 and those before it: new tasks could not be started on 1.3.0 from 2026-06-15, tasks that were
    /// left were stopped on 2026-06-30. A service that asks for such a version cannot start tasks any more, and none of these versions
    /// loaded images lazily.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: "1.3.0"
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: LATEST
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-versions-retired.html> (2026-11-23; an earlier copy of the page had dates in March)
    PLATFORM_VERSION_RETIRED, "SOCI106", "platform-version-retired", Error, NotLazy, Check::Task(check_retired)
}

rule! {
    /// The platform version is not known here.
    ///
    /// ## Why
    ///
    /// The service takes its platform version from a parameter without a default or from another stack. On 1.4.0 and `LATEST` images may be loaded
    /// lazily, on no other version.
    ///
    /// ## Example
    ///
    /// ```yaml
    /// Parameters:
    ///   Platform:
    ///     Type: String
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: !Ref Platform
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```yaml
    /// Parameters:
    ///   Platform:
    ///     Type: String
    ///     Default: LATEST
    /// Resources:
    ///   Task:
    ///     Type: AWS::ECS::TaskDefinition
    ///     Properties:
    ///       RequiresCompatibilities: [FARGATE]
    ///       NetworkMode: awsvpc
    ///       Cpu: "256"
    ///       Memory: "512"
    ///       ContainerDefinitions:
    ///         - Name: web
    ///           Image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1.4.2
    ///   Service:
    ///     Type: AWS::ECS::Service
    ///     Properties:
    ///       TaskDefinition: !Ref Task
    ///       PlatformVersion: !Ref Platform
    /// ```
    ///
    /// ## References
    ///
    /// * <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-soci-images> (2026-08-14)
    PLATFORM_VERSION_UNDECIDED, "SOCI107", "platform-version-undecided", Info, Unknown, Check::Task(check_open)
}

/// The Linux platform version that loads lazily.
const LAZY: &str = "1.4.0";
/// All Linux versions that AWS retired, `platform-versions-retired.html` (2026-11-23).
const RETIRED: [&str; 4] = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];

enum Version {
    Known(String),
    Open { why: String, help: String },
}

fn check_other(task: &Task<'_>, sink: &mut Sink<'_, '_>) {
    for (document, range, version, by_default) in versions(task, sink) {
        if let Version::Known(version) = version
            && version != LAZY
            && version != "LATEST"
            && !RETIRED.contains(&version.as_str())
        {
            sink.report_at(
                document,
                range,
                format!("platform version {version} does not load images lazily{by_default}"),
            )
            .help("use 1.4.0 or LATEST");
        }
    }
}

fn check_retired(task: &Task<'_>, sink: &mut Sink<'_, '_>) {
    for (document, range, version, by_default) in versions(task, sink) {
        if let Version::Known(version) = version
            && RETIRED.contains(&version.as_str())
        {
            let when = match version.as_str() {
                "1.3.0" => " on 2026-06-30",
                _ => "",
            };
            sink.report_at(
                document,
                range,
                format!("platform version {version} was retired{when}{by_default}"),
            )
            .help("use 1.4.0 or LATEST");
        }
    }
}

fn check_open(task: &Task<'_>, sink: &mut Sink<'_, '_>) {
    for (document, range, version, _) in versions(task, sink) {
        if let Version::Open { why, help } = version {
            sink.report_at(
                document,
                range,
                format!("the platform version is not known: {why}"),
            )
            .help(help)
            .effect(Effect::Unknown);
        }
    }
}

type Place = (usize, TextRange, Version, &'static str);

/// The platform versions that a Linux task on Fargate is run with. Windows has versions of its own.
fn versions(task: &Task<'_>, sink: &Sink<'_, '_>) -> Vec<Place> {
    if task.placement.fargate == Fargate::No || task.is_windows() {
        return Vec::new();
    }
    if let Some(version) = &sink.options.platform_version {
        let known = Version::Known(version.clone());
        return vec![(sink.document, task.id_range, known, "")];
    }
    let mut found = Vec::new();
    for &(document, service) in &task.services {
        let setting = &sink.documents[document].services[service].platform_version;
        let Some(range) = setting.range() else {
            continue;
        };
        let by_default = match setting.case().is_some_and(|case| !case.defaults.is_empty()) {
            true => " (by default)",
            false => "",
        };
        let version = match (setting.known(), setting.hole()) {
            (Some(version), _) => Version::Known(version),
            (None, Some(hole)) => Version::Open {
                why: hole.why.clone(),
                help: hole.help.clone(),
            },
            (None, None) => Version::Open {
                why: format!("it is {}", setting.display()),
                help: String::new(),
            },
        };
        found.push((document, range, version, by_default));
    }
    found
}
