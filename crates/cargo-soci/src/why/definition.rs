//! A group as the linter reads it.

use serde_json::{Value, json};

use super::groups::Group;

/// A task definition that says how the group runs.
pub(super) fn definition(group: &Group) -> Value {
    let mut document = match &group.document {
        Some(Value::Object(map)) => map.clone(),
        _ => serde_json::Map::new(),
    };
    let known: Vec<Value> = match document.remove("containerDefinitions") {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let containers: Vec<Value> = group
        .containers
        .iter()
        .map(|container| {
            let entry = known
                .iter()
                .find(|entry| entry["name"] == container.name.as_str());
            let mut entry = match entry {
                Some(Value::Object(map)) => map.clone(),
                _ => serde_json::Map::new(),
            };
            entry.insert("name".to_owned(), json!(container.name));
            if let Some(image) = &container.image {
                entry.insert("image".to_owned(), json!(image));
            }
            Value::Object(entry)
        })
        .collect();
    document.insert("containerDefinitions".to_owned(), json!(containers));
    // Where the task runs is said by the launch type; a definition by itself says it in its own words.
    if group.is_seen() || group.document.is_none() {
        for (key, value) in [
            ("networkMode", "awsvpc"),
            ("cpu", "256"),
            ("memory", "512"),
            ("family", "task"),
        ] {
            document.entry(key).or_insert_with(|| json!(value));
        }
    }
    let system = group.operating_system.as_deref().unwrap_or("LINUX");
    // A word that is left open, rather than Fargate's default.
    let architecture = group.architecture.as_deref().unwrap_or("${Architecture}");
    document.insert(
        "runtimePlatform".to_owned(),
        json!({"operatingSystemFamily": system, "cpuArchitecture": architecture}),
    );
    Value::Object(document)
}
