//! Manifests of AWS Copilot: services and jobs on Fargate, with `image.build` in a private ECR repository
//! that Copilot makes. <https://aws.github.io/copilot-cli/docs/manifest/overview/> (2026-11-28)

use std::rc::Rc;

use super::{Declared, Document, Role, Root, Unread, moved, object, opening_of};
use crate::expression::value::{Piece, Pseudo, Shaped};
use crate::expression::{Case, Dialect, Evaluator, Expr, Scope, Symbolic, Thunk, Value, field, setting};
use crate::source::Place;

pub(super) fn declare<'a>(evaluator: &Evaluator<'a>, root: &Root<'a>, out: &mut Document<'a>) {
    let kind = root.node.get("type").and_then(|node| node.as_str());
    if kind == Some("Request-Driven Web Service")
        && let Some(member) = root.node.member("type")
    {
        let place = Place::new(root.file, member.value.range());
        out.unread.push(Unread {
            place,
            message: "a Request-Driven Web Service runs on App Runner, not on ECS: its container is not judged".into(),
            // Nothing about SOCI is in the documentation of App Runner (2026-11-28).
            help: "AWS documents lazy loading for ECS tasks on Fargate alone: make it a `Load Balanced Web Service`, or leave it out",
        });
        return;
    }
    // These run no containers.
    if matches!(kind, Some("Environment" | "Static Site" | "Pipeline")) {
        return;
    }
    let expr = Expr::node(root.file, root.node, Dialect::Plain);
    for body in evaluator.eval(&Thunk::new(expr, &Scope::Plain)) {
        let opening = opening_of(evaluator, &body);
        let place = kind.map_or(opening, |_| {
            let member = root.node.member("type");
            member.map_or(opening, |member| Place::new(root.file, member.value.range()))
        });
        out.declared.push(Declared {
            role: Role::Task,
            id: None,
            resource: None,
            body: task(evaluator, &body, place),
            opening,
            ignores_containers: None,
        });
    }
}

/// A manifest in the shape of a task definition.
fn task<'a>(evaluator: &Evaluator<'a>, body: &Case<Value<'a>>, place: Place) -> Case<Value<'a>> {
    let value = &body.value;
    let text = |text: &str, place: Place| Thunk::ready(Value::text(text), place);
    let fargate = Thunk::ready(Value::list(vec![text("FARGATE", place)]), place);
    let mut members = vec![("requiresCompatibilities", place, fargate)];
    members.extend(moved(value, "name", "family"));
    members.extend(platform(evaluator, value));
    if let Some(storage) = field(evaluator, value, "storage") {
        let size = storage
            .cases
            .iter()
            .find_map(|case| moved(&case.value, "ephemeral", "sizeInGiB"));
        if let Some(size) = size {
            let inner = Thunk::ready(object(vec![size]), storage.place);
            members.push(("ephemeralStorage", storage.key_place, inner));
        }
    }
    let mut containers: Vec<Thunk<'a>> = Vec::new();
    let name = setting(evaluator, value, "name").display();
    containers.extend(container(evaluator, &name, value, body.place));
    if let Some(sidecars) = field(evaluator, value, "sidecars") {
        for case in &sidecars.cases {
            let Value::Object(inner) = &case.value else {
                continue;
            };
            for member in &inner.members {
                for sidecar in evaluator.eval(&member.value) {
                    containers.extend(container(
                        evaluator,
                        &member.key,
                        &sidecar.value,
                        member.key_place,
                    ));
                }
            }
        }
    }
    // What an environment says of the image counts there.
    if let Some(environments) = field(evaluator, value, "environments") {
        for case in &environments.cases {
            let Value::Object(inner) = &case.value else {
                continue;
            };
            for member in &inner.members {
                let shown = format!("{name} (environments.{})", member.key);
                for environment in evaluator.eval(&member.value) {
                    containers.extend(container(evaluator, &shown, &environment.value, member.key_place));
                }
            }
        }
    }
    let list = Thunk::ready(Value::list(containers), body.place);
    members.push(("containerDefinitions", body.place, list));
    body.with(object(members))
}

/// `platform: linux/arm64`, or an object.
fn platform<'a>(evaluator: &Evaluator<'a>, value: &Value<'a>) -> Option<(&'static str, Place, Thunk<'a>)> {
    let found = field(evaluator, value, "platform")?;
    let case = found.cases.iter().find(|case| !case.value.is_absent())?;
    let word = |text: &str| Thunk::ready(Value::text(text), case.place);
    let members = match &case.value {
        Value::Object(_) => [
            moved(&case.value, "osfamily", "operatingSystemFamily"),
            moved(&case.value, "architecture", "cpuArchitecture"),
        ]
        .into_iter()
        .flatten()
        .map(|(key, place, inner)| {
            let spelled = evaluator.eval(&inner).iter().find_map(|case| case.value.known());
            let api = spelled.map(|text| api_word(&text));
            (key, place, api.map_or(inner, |text| word(&text)))
        })
        .collect(),
        _ => {
            let text = case.value.known()?;
            let (os, architecture) = text.split_once('/')?;
            vec![
                ("operatingSystemFamily", case.place, word(&api_word(os))),
                ("cpuArchitecture", case.place, word(&api_word(architecture))),
            ]
        }
    };
    Some((
        "runtimePlatform",
        found.key_place,
        Thunk::ready(object(members), found.place),
    ))
}

/// Copilot's words in the API's.
fn api_word(word: &str) -> String {
    match word.to_ascii_lowercase().as_str() {
        "linux" => "LINUX".to_owned(),
        "windows" => "WINDOWS_SERVER_2019_CORE".to_owned(),
        "amd64" | "x86_64" => "X86_64".to_owned(),
        "arm" | "arm64" => "ARM64".to_owned(),
        other => other.to_ascii_uppercase(),
    }
}

/// `image` is a text, or an object with `location` or `build`.
fn container<'a>(
    evaluator: &Evaluator<'a>,
    name: &str,
    value: &Value<'a>,
    place: Place,
) -> Option<Thunk<'a>> {
    let image = field(evaluator, value, "image")?;
    let case = image.cases.iter().find(|case| !case.value.is_absent())?;
    let mut members = vec![("name", place, Thunk::ready(Value::text(name), place))];
    match &case.value {
        Value::Object(_) => {
            members.extend(
                moved(&case.value, "credentials", "repositoryCredentials")
                    .map(|(key, place, _)| (key, place, Thunk::ready(object(Vec::new()), place))),
            );
            if let Some((_, key_place, build)) = moved(&case.value, "build", "image") {
                let place = key_place.cover(build.place());
                members.push(("image", key_place, Thunk::ready(Value::text(built(name)), place)));
            } else {
                members.extend(moved(&case.value, "location", "image"));
            }
        }
        _ => members.push((
            "image",
            image.key_place,
            Thunk::Ready(Rc::new(image.cases.clone())),
        )),
    }
    Some(Thunk::ready(object(members), place))
}

/// The address of the repository that Copilot makes for what it builds.
fn built(name: &str) -> Symbolic {
    let mut address: Symbolic = Pseudo::AccountId.into();
    address.append(&".dkr.ecr.".into());
    address.append(&Pseudo::Region.into());
    address.append(&".".into());
    address.append(&Pseudo::UrlSuffix.into());
    address.append(&"/".into());
    let why = "Copilot names the repository and the tag when it builds";
    address.append(&Symbolic::hole(&format!("(built for {name})"), why, ""));
    Symbolic {
        pieces: vec![Piece::Shaped(Rc::new(Shaped {
            written: "(built by Copilot)".to_owned(),
            pieces: address.pieces,
        }))],
    }
}
