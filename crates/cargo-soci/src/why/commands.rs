//! What to do, as commands with the real names in them.

use std::borrow::Cow;

use soci_image::{EcrHost, Reference};

use super::groups::{Group, GroupContainer};
use super::report::Remedy;

/// A word as a POSIX shell takes it.
pub fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./:@_-=,+%".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
    }
}

/// `aws ecs VERB`, followed by what is known of `--cluster`, the own words and `--region`.
fn ecs(group: &Group, verb: &str, words: &str) -> String {
    let mut line = format!("aws ecs {verb}");
    if let Some(cluster) = &group.cluster {
        line += &format!(" --cluster {}", word(cluster));
    }
    line += words;
    if let Some(region) = &group.region {
        line += &format!(" --region {}", word(region));
    }
    line
}

/// Starting the service anew; `None` where no service is known.
pub fn redeploy(group: &Group, with: &str) -> Option<String> {
    let service = group.service.as_deref()?;
    let words = format!(" --service {}{with} --force-new-deployment", word(service));
    Some(ecs(group, "update-service", &words))
}

/// The image that runs is another one than the tag names by now.
pub fn start_anew(group: &Group) -> Remedy {
    Remedy {
        why: "start it anew: the tag names an image by now that is loaded lazily".to_owned(),
        commands: redeploy(group, "").into_iter().collect(),
    }
}

/// Tasks on a platform version without lazy loading.
pub fn newer_platform_version(group: &Group) -> Remedy {
    Remedy {
        why: "run it on the latest platform version".to_owned(),
        commands: redeploy(group, " --platform-version LATEST")
            .into_iter()
            .collect(),
    }
}

/// Converting an image in its repository, and naming the result.
pub fn convert(group: &Group, image: &Reference, recompress: bool) -> Vec<Remedy> {
    let name = image.name();
    let source = location(image);
    let (target, in_place) = match image.tag_or_latest() {
        Some(tag) if tag.ends_with("-soci") => (format!("{name}:{tag}"), true),
        Some(tag) => (format!("{name}:{tag}-soci"), false),
        None => (format!("{name}:soci"), false),
    };
    let mut line = format!("cargo soci convert {}", word(&source));
    if !in_place {
        line += &format!(" {}", word(&target));
    }
    if recompress {
        line += " --recompress gzip";
    }
    let mut remedies = vec![Remedy {
        why: "make the index".to_owned(),
        commands: vec![line],
    }];
    if in_place {
        remedies.push(Remedy {
            why: "start it anew".to_owned(),
            commands: redeploy(group, "").into_iter().collect(),
        });
    } else {
        remedies.push(deploy(group, &target));
    }
    remedies
}

/// Copying an image into ECR, converted on the way.
pub fn copy_into_ecr(group: &Group, image: &Reference) -> Vec<Remedy> {
    let (Some(account), Some(region)) = (&group.account, &group.region) else {
        return Vec::new();
    };
    let partition = match region {
        region if region.starts_with("cn-") => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    let host = format!("{account}.dkr.ecr.{region}.{partition}");
    if EcrHost::parse(&host).is_none() {
        return Vec::new();
    }
    let repository = image.repository();
    let tag = image.tag_or_latest().unwrap_or("soci");
    let target = format!("{host}/{repository}:{tag}-soci");
    vec![
        Remedy {
            why: "copy it into ECR and convert it on the way".to_owned(),
            commands: vec![
                format!(
                    "aws ecr create-repository --repository-name {} --region {}",
                    word(repository),
                    word(region)
                ),
                format!("cargo soci convert {} {}", word(&location(image)), word(&target)),
            ],
        },
        deploy(group, &target),
    ]
}

fn deploy(group: &Group, target: &str) -> Remedy {
    let family = group
        .definition
        .as_deref()
        .map(|name| name.split(':').next().unwrap_or(name));
    let with = family.map(|family| format!(" --task-definition {}", word(family)));
    Remedy {
        why: format!("name {target} in the task definition, register it, and start from it"),
        commands: with.and_then(|with| redeploy(group, &with)).into_iter().collect(),
    }
}

/// As `convert` takes it.
fn location(image: &Reference) -> String {
    match image.has_explicit_registry() {
        true => image.to_string(),
        false => format!("docker://{image}"),
    }
}

/// Looking at what runs, for what only would.
pub fn see_tasks(group: &Group) -> Option<Remedy> {
    let list = match (&group.service, &group.definition) {
        (Some(service), _) => format!(" --service-name {}", word(service)),
        (None, Some(definition)) => {
            format!(
                " --family {}",
                word(definition.split(':').next().unwrap_or(definition))
            )
        }
        (None, None) => return None,
    };
    let list = ecs(
        group,
        "list-tasks",
        &format!("{list} --query taskArns --output text"),
    );
    let describe = ecs(group, "describe-tasks", &format!(" --tasks $({list})"));
    Some(Remedy {
        why: "see what runs".to_owned(),
        commands: vec![format!("{describe} | cargo soci why -")],
    })
}

/// The proof: what the task itself says about its container.
pub fn proof(group: &Group, container: &GroupContainer) -> Option<Remedy> {
    let is_windows = |system: &String| system.to_ascii_uppercase().starts_with("WINDOWS");
    let start = group
        .starts
        .iter()
        .find(|start| start.is_running && !start.task.is_empty())?;
    if container.snapshotter.is_some() || group.operating_system.as_ref().is_some_and(is_windows) {
        return None;
    }
    let words = format!(
        " --task {} --container {} --interactive --command {}",
        word(&start.task),
        word(&container.name),
        word(ASK)
    );
    let ask = ecs(group, "execute-command", &words);
    match start.takes_commands {
        Some(false) => Some(Remedy {
            why: "the proof, from the task itself; ECS Exec is off in it and has to be allowed first"
                .to_owned(),
            commands: redeploy(group, " --enable-execute-command").into_iter().collect(),
        }),
        _ => Some(Remedy {
            why: "the proof, from the task itself (Snapshotter soci is lazy)".to_owned(),
            commands: vec![ask],
        }),
    }
}

/// Prints `Snapshotter":"soci`, with whichever of the two programs the image has.
const ASK: &str = "sh -c \"(curl -s $ECS_CONTAINER_METADATA_URI_V4 || wget -qO- $ECS_CONTAINER_METADATA_URI_V4) | \
     grep -oE Snapshotter.{3}[a-z]+\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_stay_one_word() {
        assert_eq!(word("shop/web:1.4@sha256:ab"), "shop/web:1.4@sha256:ab");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("$(rm -rf ~)"), "'$(rm -rf ~)'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(""), "''");
    }

    /// The words of names as a shell gives them to a program.
    #[cfg(unix)]
    #[test]
    fn a_shell_takes_them_as_they_are() {
        for text in ["plain", "", "a'b", "$HOME `id` \"x\" \\ ; | & \n *", ASK] {
            let line = format!("printf %s {}", word(text));
            let output = std::process::Command::new("sh")
                .args(["-c", &line])
                .output()
                .expect("a shell");
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }

    /// What runs in the container, with a program called curl that answers as the agent does.
    #[cfg(unix)]
    #[test]
    fn the_proof_prints_the_word() {
        let answer = r#"{"Name":"web","Image":"x","Snapshotter":"overlayfs"}"#;
        let inner = ASK.trim_start_matches("sh -c \"").trim_end_matches('"').replace(
            "curl -s $ECS_CONTAINER_METADATA_URI_V4",
            &format!("printf %s '{answer}'"),
        );
        let output = std::process::Command::new("sh")
            .args(["-c", &inner])
            .output()
            .expect("a shell");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout).trim(),
            "Snapshotter\":\"overlayfs"
        );
    }
}
