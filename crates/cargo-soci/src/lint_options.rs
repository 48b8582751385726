//! The linter's options out of the configuration: one meaning for `lint` and `build`.

use std::collections::BTreeMap;

use soci_lint::{Acceptance, LaunchType, Options, Severity};

use crate::config::Config;
use crate::error::CommandError;

/// What the configuration says, with the flags that have a key.
pub fn configured(config: &Config) -> Result<Options, CommandError> {
    let wrong =
        |key: &str, error: soci_lint::Error| CommandError::usage(format!("{}: {error}", config.origin(key)));
    let mut severity = BTreeMap::new();
    for (rule, word) in config.entries("lint.severity") {
        let parsed: Severity = word.parse().map_err(|error: soci_lint::Error| {
            CommandError::usage(format!("{}: {rule}: {error}", config.origin("lint.severity")))
        })?;
        severity.insert(rule.to_owned(), parsed);
    }
    let map = |key: &str| {
        let entries = config.entries(key);
        entries
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let consumer = config.text("lint.for").map(str::parse).transpose();
    let kind = config.text("lint.kind").map(str::parse).transpose();
    let sidecars = config.text("lint.sidecars").map(str::parse).transpose();
    Ok(Options {
        consumer: consumer
            .map_err(|error| wrong("lint.for", error))?
            .unwrap_or_default(),
        kind: kind.map_err(|error| wrong("lint.kind", error))?,
        params: map("lint.params"),
        vars: map("lint.vars"),
        var_files: config
            .paths("lint.var-files")
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect(),
        select: config.list("lint.select").to_vec(),
        ignore: config.list("lint.ignore").to_vec(),
        severity,
        platform_version: config.text("lint.platform-version").map(str::to_owned),
        launch_type: config.text("lint.launch-type").and_then(launch_type),
        region: config.text("lint.region").map(str::to_owned),
        accept: config
            .tables("lint.accept")
            .iter()
            .map(|entry| Acceptance {
                container: entry.get("container").cloned(),
                image: entry.get("image").cloned(),
                reason: entry.get("reason").cloned().unwrap_or_default(),
            })
            .collect(),
        sidecars: sidecars
            .map_err(|error| wrong("lint.sidecars", error))?
            .unwrap_or_default(),
        ..Options::default()
    })
}

/// The configuration has let through these words only.
fn launch_type(word: &str) -> Option<LaunchType> {
    use LaunchType::{Ec2, External, Fargate, FargateSpot, ManagedInstances};
    [Fargate, FargateSpot, Ec2, External, ManagedInstances]
        .into_iter()
        .find(|launch| launch.as_str() == word)
}
