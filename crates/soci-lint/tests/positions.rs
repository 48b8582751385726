//! Reports point at tokens: whatever the format, each place in a report slices a token of the document,
//! and its line and columns are those a plain count gives.

use proptest::prelude::*;
use soci_lint::{Input, Location, Options, lint};

/// A document, and each token that a report may point at.
struct Document {
    text: String,
    tokens: Vec<String>,
    images: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Json,
    JsonMinified,
    Yaml,
    YamlFlow,
    TemplateJson,
    TemplateYaml,
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn document(form: Form, family: &str, containers: &[(String, String)], filler: &str) -> Document {
    let pascal = matches!(form, Form::TemplateJson | Form::TemplateYaml);
    let key = |name: &str| match pascal {
        true => format!("{}{}", name[..1].to_uppercase(), &name[1..]),
        false => name.to_owned(),
    };
    let yaml = matches!(form, Form::Yaml | Form::TemplateYaml);
    let mut tokens = vec![
        quote(family),
        quote("EC2"),
        quote("FARGATE"),
        "Täsk😀".to_owned(),
        quote("Täsk😀"),
        "0".to_owned(),
    ];
    let mut images = Vec::new();
    let mut items = Vec::new();
    for (name, image) in containers {
        let token = quote(image);
        tokens.extend([token.clone(), quote(name)]);
        images.push(token.clone());
        let (n, i, h, c, s) = (
            key("name"),
            key("image"),
            key("healthCheck"),
            key("command"),
            key("startPeriod"),
        );
        items.push(match yaml {
            true => format!(
                "- {n}: {}\n  {i}: {token} # {filler}\n  {h}: {{ {c}: [\"CMD\", \"/ü\"], {s}: 0 }}\n",
                quote(name)
            ),
            false => format!(
                "{{\"{n}\": {}, \"{i}\": {token}, \"{h}\": {{\"{c}\": [\"CMD\", \"/ü\"], \"{s}\": 0}}}}",
                quote(name)
            ),
        });
    }
    let (f, r, m, cd) = (
        key("family"),
        key("requiresCompatibilities"),
        key("networkMode"),
        key("containerDefinitions"),
    );
    let (cpu, memory) = (key("cpu"), key("memory"));
    let family = quote(family);
    let flow = format!(
        "{{\"{f}\": {family}, \"{r}\": [\"EC2\", \"FARGATE\"],\n \"{m}\": \"awsvpc\", \"{cpu}\": \"256\", \"{memory}\": \"512\", \"x\": {},\n \"{cd}\": [{}]}}",
        quote(filler),
        items.join(",\n  ")
    );
    let text = match form {
        Form::Json => flow,
        Form::JsonMinified => flow.replace("\n ", ""),
        Form::YamlFlow => format!("# {filler}\n{}", flow.replacen("{\"", "{ \"", 1)),
        Form::TemplateJson => format!(
            "{{\"Resources\": {{\"Täsk😀\": {{\"Type\": \"AWS::ECS::TaskDefinition\",\n\"Properties\": {flow}}}}}}}"
        ),
        Form::Yaml => format!(
            "{f}: {family} # {filler}\n{r}: [\"EC2\", \"FARGATE\"]\n{m}: awsvpc\n{cpu}: 256\n{memory}: 512\n{cd}:\n{}",
            items.concat()
        ),
        Form::TemplateYaml => {
            let block = format!(
                "{f}: {family}\n{r}: [\"EC2\", \"FARGATE\"]\n{m}: awsvpc\n{cpu}: 256\n{memory}: 512\n{cd}:\n{}",
                items.concat()
            );
            let indented: String = block.lines().map(|line| format!("      {line}\n")).collect();
            format!("Resources:\n  Täsk😀:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n{indented}")
        }
    };
    // The compatibilities are pointed at together.
    tokens.extend(["\"EC2\", \"FARGATE\"".to_owned()]);
    Document { text, tokens, images }
}

fn check(text: &str, location: &Location) -> String {
    for place in [location.start, location.end] {
        let before = &text[..place.byte as usize];
        let mut line_start = before.rfind('\n').map_or(0, |at| at + 1);
        if line_start == 0 && text.starts_with('\u{FEFF}') {
            line_start = 3.min(before.len());
        }
        let line = &before[line_start..];
        assert_eq!(place.line as usize, before.matches('\n').count() + 1);
        assert_eq!(place.column as usize, line.len() + 1);
        assert_eq!(place.column_utf16 as usize, line.encode_utf16().count() + 1);
        assert_eq!(place.utf16 as usize, before.encode_utf16().count());
    }
    text[location.start.byte as usize..location.end.byte as usize].to_owned()
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        Just(Form::Json),
        Just(Form::JsonMinified),
        Just(Form::Yaml),
        Just(Form::YamlFlow),
        Just(Form::TemplateJson),
        Just(Form::TemplateYaml),
    ]
}

proptest! {
    #[test]
    fn every_place_slices_a_token(
        form in form(),
        family in "[a-zé😀]{1,5}",
        containers in prop::collection::vec((
            "[a-zß😀]{1,6}",
            prop_oneof![
                Just("nginx".to_owned()),
                Just(String::new()),
                Just("123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:latest".to_owned()),
                Just("${IMAGE}".to_owned()),
                Just("IMAGE_URI".to_owned()),
                Just("é\" \\ :".to_owned()),
                Just("ghcr.io/größe/app".to_owned()),
            ],
        ), 1..5),
        filler in "[a-z é😀]{0,20}",
        crlf: bool, bom: bool,
    ) {
        let mut document = document(form, &family, &containers, &filler);
        if crlf {
            document.text = document.text.replace('\n', "\r\n");
        }
        if bom {
            document.text.insert(0, '\u{FEFF}');
        }
        let input = Input { path: "d".into(), bytes: document.text.clone().into_bytes() };
        let report = lint(&[input], &Options::default());
        let tasks: Vec<_> = report.files.iter().flat_map(|file| &file.tasks).collect();
        prop_assert_eq!(tasks.len(), 1, "{}", &document.text);
        let mut places: Vec<&Location> = Vec::new();
        places.extend(tasks.iter().map(|task| &task.location));
        for (container, image) in tasks[0].containers.iter().zip(&document.images) {
            prop_assert_eq!(&check(&document.text, &container.location), image);
            places.extend(container.reasons.iter().map(|reason| &reason.location));
        }
        prop_assert_eq!(tasks[0].containers.len(), containers.len());
        prop_assert!(!report.findings.is_empty());
        for finding in &report.findings {
            places.extend(finding.location.as_ref());
            places.extend(finding.related.iter().map(|related| &related.location));
        }
        for place in places {
            let token = check(&document.text, place);
            prop_assert!(document.tokens.contains(&token), "{token:?} of\n{}", &document.text);
        }
    }
}
