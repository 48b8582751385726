//! Which files are looked at when a folder is searched: by name alone, before anything is read.
//!
//! The names are those that public repositories use (2026-11-24): `task-definition.json` in 4,608 of them,
//! `taskdef.json` in 2,584, `.aws/task-definition.json` in 1,671, `ecs-task-def.json` in 418; and what CDK
//! and SAM write or expect.

/// Parts of a name that say "task definition", or hold one beside a service.
const PARTS: &[&str] = &[
    "taskdef",
    "task-def",
    "task_def",
    "ecs-task",
    "ecs_task",
    "container-definition",
    "container_definition",
    "containerdefinition",
    "cloudformation",
    "ecs-service",
    "ecs_service",
];

/// Whole stems of templates.
const STEMS: &[&str] = &["template", "td", "service-definition"];

/// Endings of stems: `stack.template.json`, `web.cfn.yaml`.
const STEM_ENDINGS: &[&str] = &[".template", ".cfn", "-cfn", "-template", ".taskdef"];

/// Endings of files that are read.
const ENDINGS: &[&str] = &[".json", ".jsonc", ".yaml", ".yml", ".template"];

/// Endings of Terraform configuration, which is read by folder.
const CONFIGURATION: &[&str] = &[".tf", ".tofu", ".tf.json", ".tofu.json"];

/// Whether a file with this path (`/` or `\` between its parts) is looked at when its folder is searched.
pub fn is_common_name(path: &str) -> bool {
    let name = path
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(path)
        .to_ascii_lowercase();
    CONFIGURATION.iter().any(|ending| name.ends_with(ending))
        || name.ends_with(".template")
        || is_named(&name)
}

/// Whether the name leaves no doubt that the file is one of ours, so that it is worth a word if it cannot be
/// read. `.template` alone says nothing: many things have templates.
pub(crate) fn says_what_it_is(path: &str) -> bool {
    let name = path
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(path)
        .to_ascii_lowercase();
    CONFIGURATION.iter().any(|ending| name.ends_with(ending)) || is_named(&name)
}

fn is_named(name: &str) -> bool {
    let Some(stem) = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)) else {
        return false;
    };
    STEMS.contains(&stem)
        || PARTS.iter().any(|part| stem.contains(part))
        || STEM_ENDINGS.iter().any(|ending| stem.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::is_common_name;

    #[test]
    fn the_names_that_repositories_use_are_found() {
        for path in [
            "task-definition.json",
            "deploy/.aws/task-definition.json",
            "taskdef.json",
            "ecs-service-def.json",
            "ecs-task-def.json",
            "Task_Definition.YAML",
            "taskDefinition-prod.yml",
            "cdk.out\\Stack.template.json",
            "template.yaml",
            "infra/web.cfn.yml",
            "service.template",
            "infra/main.tf",
            "infra/main.tf.json",
        ] {
            assert!(is_common_name(path), "{path}");
        }
    }

    #[test]
    fn other_files_are_passed_over() {
        for path in [
            "package.json",
            "tsconfig.json",
            "task-definition/package.json",
            "terraform.tfvars",
            "docker-compose.yml",
            "task-definition",
            "",
            "template.html",
        ] {
            assert!(!is_common_name(path), "{path}");
        }
    }
}
