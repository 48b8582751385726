//! What is asserted about foreign documents and about foreign text in reports; the fuzz targets and the
//! replay of seeds share it.

use soci_lint::{
    Format, Input, Location, Nothing, Options, RenderOptions, Report, apply, escape, fix_beside, fixes_of,
    lint, render,
};

const FORMATS: [Format; 6] = [
    Format::Human,
    Format::Short,
    Format::Json,
    Format::Github,
    Format::Markdown,
    Format::Sarif,
];

/// Any text as JSON, comments and templates included.
pub(crate) fn json(text: &str) {
    document(text.as_bytes());
    document(format!("{{{text}}}").as_bytes());
}

/// Any text as YAML.
pub(crate) fn yaml(text: &str) {
    document(format!("containerDefinitions:\n{text}").as_bytes());
    document(text.as_bytes());
}

/// Any text as the resources of a CloudFormation template, and as one of its expressions.
pub(crate) fn cloudformation(text: &str) {
    document(format!("Resources:\n{text}").as_bytes());
    let expression = text.replace('\n', " ");
    let template = format!(
        "Parameters: {{A: {{Type: String, Default: b}}}}\nConditions: {{C: !Equals [!Ref A, b]}}\nResources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - Name: n\n          Image: {expression}\n"
    );
    document(template.as_bytes());
}

/// Any text as Terraform configuration, as one of its expressions, and as a template in it.
pub(crate) fn terraform(text: &str) {
    named("main.tf", text.as_bytes());
    let task = |definitions: &str| {
        format!(
            "variable \"a\" {{\n  default = [\"b\"]\n}}\nlocals {{\n  c = {{ d = var.a }}\n}}\nresource \"aws_ecs_task_definition\" \"t\" {{\n  requires_compatibilities = [\"FARGATE\"]\n  container_definitions = {definitions}\n}}\n"
        )
    };
    let line = text.replace('\n', " ");
    named(
        "main.tf",
        task(&format!("jsonencode([{{ name = \"n\", image = {line} }}])")).as_bytes(),
    );
    named(
        "main.tf",
        task(&format!("<<EOT\n[{{ \"image\": {text} }}]\nEOT\n")).as_bytes(),
    );
    let quoted = serde_json::Value::from(format!("[{text}]")).to_string();
    let plan = format!(
        "{{\"planned_values\": {{\"root_module\": {{\"resources\": [{{\"type\": \"aws_ecs_task_definition\", \"address\": \"a\", \"values\": {{\"container_definitions\": {quoted}}}}}]}}}}}}"
    );
    named("plan.json", plan.as_bytes());
}

/// Any text as a document whose findings are mended: a change touches nothing but its place, and there is nothing to
/// mend the second time.
pub(crate) fn fix(text: &str) {
    for path in ["document", "main.tf"] {
        mended(path, text);
        let commented = format!(
            "{{\"family\": \"a\", {text}\n \"requiresCompatibilities\": [\"FARGATE\"], // soci-lint: allow SOCI401\n \"containerDefinitions\": []}}"
        );
        mended(path, &commented);
    }
}

fn mended(path: &str, text: &str) {
    let files = [Input {
        path: path.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }];
    let options = Options::default();
    let report = lint(&files, &options);
    for fix in fixes_of(&report, path) {
        let (after, count) = apply(text.as_bytes(), [fix]);
        let (start, end) = (fix.location.start.byte as usize, fix.location.end.byte as usize);
        assert_eq!(count, 1, "{fix:?} in {text:?}");
        assert_eq!(after[..start], text.as_bytes()[..start]);
        assert_eq!(after[start + fix.replacement.len()..], text.as_bytes()[end..]);
        assert!(std::str::from_utf8(&after).is_ok());
    }
    let once = fix_beside(&files, &Nothing, &options);
    let again = fix_beside(&once.files, &Nothing, &options);
    assert_eq!((again.changes, &again.files), (0, &once.files), "{text:?}");
}

/// Any text in the place of an image, of a name and of a path: whatever it is, each sink stays itself.
pub(crate) fn sinks(text: &str) {
    let quoted = serde_json::Value::from(text).to_string();
    let bytes = format!("[{{\"name\": {quoted}, \"image\": {quoted}, \"essential\": true}}]");
    let input = Input {
        path: text.to_owned(),
        bytes: bytes.into_bytes(),
    };
    let report = lint(std::slice::from_ref(&input), &Options::default());
    let terminal = escape::terminal(text);
    assert!(!terminal.chars().any(char::is_control));
    assert!(!escape::github_property(text).contains(['\n', '\r', ':', ',']));
    assert!(!escape::html(text).contains(['<', '>', '"', '\'']));
    for format in FORMATS {
        let written = written(&report, &input, format);
        match format {
            Format::Human | Format::Short => {
                let odd = |c: char| c.is_control() && c != '\n';
                assert!(!written.contains(odd), "{written:?}");
            }
            // Each line is a command of ours, or says how many are left out.
            Format::Github => {
                for line in written.lines() {
                    let command = ["::error ", "::warning ", "::notice "]
                        .iter()
                        .any(|word| line.starts_with(word));
                    assert!(command || line.contains("GitHub shows"), "{line:?}");
                }
            }
            // Neither HTML of the document's own nor a mention of somebody.
            Format::Markdown => {
                let own = written.replace("<br>", "");
                assert!(!own.contains(['<', '>', '@', '\r']), "{own:?}");
            }
            // Texts of the document stay texts: no control character, no link to a related place, no odd URI.
            Format::Sarif => {
                let log: serde_json::Value = serde_json::from_str(&written).expect("our own log");
                let results = log["runs"][0]["results"].as_array().expect("a list of results");
                assert!(!results.is_empty() || report.findings.is_empty() || text.is_empty());
                for result in results {
                    let message = result["message"]["text"].as_str().expect("a message");
                    assert!(
                        !message.contains(|c: char| c.is_control() && c != '\n'),
                        "{message:?}"
                    );
                    assert!(!message.contains("]("), "{message:?}");
                    let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
                    let uri = place["uri"].as_str().expect("a URI");
                    assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri:?}");
                }
            }
            Format::Json => {
                let read: Report = serde_json::from_str(&written).expect("our own report");
                assert_eq!(read, report);
            }
        }
    }
}

/// Lints one document; every place in the report is one of the document.
fn document(bytes: &[u8]) {
    named("document", bytes);
}

/// The same, of a name that says what it is.
fn named(path: &str, bytes: &[u8]) {
    let input = Input {
        path: path.to_owned(),
        bytes: bytes.to_vec(),
    };
    let report = lint(std::slice::from_ref(&input), &Options::default());
    let text = std::str::from_utf8(bytes).expect("the bodies take text");
    let inside = |location: &Location| {
        let range = location.start.byte as usize..location.end.byte as usize;
        assert!(text.get(range).is_some(), "{location:?} in {text:?}");
        assert!(location.start.line <= location.end.line);
    };
    for finding in &report.findings {
        finding.location.iter().for_each(inside);
        finding
            .related
            .iter()
            .for_each(|related| inside(&related.location));
    }
    for task in report.files.iter().flat_map(|file| &file.tasks) {
        inside(&task.location);
        for container in &task.containers {
            inside(&container.location);
            container
                .reasons
                .iter()
                .for_each(|reason| inside(&reason.location));
        }
    }
    assert_eq!(lint(std::slice::from_ref(&input), &Options::default()), report);
    let human = written(&report, &input, Format::Human);
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!human.contains(odd), "{human:?}");
}

fn written(report: &Report, input: &Input, format: Format) -> String {
    let options = RenderOptions {
        sources: std::slice::from_ref(input),
        ..RenderOptions::default()
    };
    render(report, format, &options)
}
