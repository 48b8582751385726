//! Every key from each of its sources, wrong types, unknown keys: with positions.

use std::fs;

use super::keys::Kind;
use super::*;

/// Two different good values of a kind, as TOML and as a word.
fn samples(kind: Kind) -> [(&'static str, &'static str); 2] {
    match kind {
        Kind::Text => [("\"one\"", "one"), ("\"two\"", "two")],
        Kind::Path => [("\"/one\"", "/one"), ("\"/two\"", "/two")],
        Kind::Size => [("\"1MiB\"", "1MiB"), ("2048", "2048")],
        Kind::Number => [("1", "1"), ("2", "2")],
        Kind::Choice(words) => match words {
            ["false", "true"] => [("false", "false"), ("\"true\"", "true")],
            ["gzip"] => [("\"gzip\"", "gzip"), ("\"gzip\"", "gzip")],
            ["fail", "pass"] => [("\"fail\"", "fail"), ("\"pass\"", "pass")],
            ["replace", "sibling"] => [("\"replace\"", "replace"), ("\"sibling\"", "sibling")],
            ["accept", "judge"] => [("\"accept\"", "accept"), ("\"judge\"", "judge")],
            ["FARGATE", ..] => [("\"FARGATE\"", "FARGATE"), ("\"EC2\"", "EC2")],
            ["error", "warning", "not-lazy", "unknown", "never"] => {
                [("\"error\"", "error"), ("\"never\"", "never")]
            }
            other => panic!("no samples for {other:?}"),
        },
        Kind::List => [("[\"one\", \"b\"]", "one,b"), ("\"two\"", "[\"two\"]")],
        Kind::Paths => [("[\"/one\"]", "/one"), ("[\"/two\", \"/b\"]", "/two, /b")],
        Kind::Command => [
            ("[\"one\", \"x y\"]", "[\"one\", \"x y\"]"),
            ("[\"two\", \"z\"]", "two z"),
        ],
        Kind::Tables(_) => [
            (
                "[{ container = \"a\", reason = \"r\" }]",
                "[{ container = \"a\", reason = \"r\" }]",
            ),
            ("[{ image = \"b\" }]", "[{ image = \"b\" }]"),
        ],
        Kind::Map => [("{ A = \"1\" }", "A=1"), ("{ B = \"2\", C = \"3\" }", "B=2,C=3")],
    }
}

fn wrong(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Path | Kind::List | Kind::Paths | Kind::Map | Kind::Tables(_) => "7",
        Kind::Size => "\"4 parsecs\"",
        Kind::Number => "0",
        Kind::Choice(_) => "\"nothing-like-it\"",
        Kind::Command => "\"not a list\"",
    }
}

/// A project folder with the given files.
fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    let path = |name: &str| {
        files
            .iter()
            .any(|(file, _)| *file == name)
            .then(|| folder.path().join(name))
    };
    let project = Project {
        name: Some("app".into()),
        version: Some("1.2.3+build".into()),
        folder: folder.path().to_path_buf(),
        manifest: path("Cargo.toml"),
        workspace_manifest: path("Workspace.toml"),
        soci_toml: path("soci.toml"),
        target_folder: None,
    };
    (folder, project)
}

fn load(project: &Project, flags: &Flags, variables: &[(String, String)]) -> Result<Config, ConfigError> {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    Config::load(project.clone(), flags, variables)
}

/// The keys that a file can set.
fn from_files() -> impl Iterator<Item = &'static keys::Key> {
    KEYS.iter()
        .filter(|key| !keys::NOT_FROM_FILES.contains(&key.name))
}

#[test]
fn a_file_cannot_set_what_weakens_the_way_to_a_registry() {
    for name in keys::NOT_FROM_FILES {
        let key = keys::find(name).expect(name);
        let [(in_file, _), (_, word)] = samples(key.kind);
        for (file, head) in [
            ("Workspace.toml", "[workspace.metadata.soci]\n"),
            (
                "Cargo.toml",
                "[package]\nname = \"app\"\n[package.metadata.soci]\n",
            ),
            ("soci.toml", ""),
        ] {
            let text = format!("{head}{name} = {in_file}\n");
            let (_keep, project) = project(&[(file, &text)]);
            let error = load(&project, &Flags::default(), &[]).expect_err(name);
            assert!(
                error
                    .message
                    .contains(&format!("`{name}` cannot be set in a file")),
                "{error}"
            );
            assert!(error.help.expect("what to do").contains(&key.variable()));
        }
        let (_keep, project) = project(&[]);
        let variables = [(key.variable(), word.to_owned())];
        let config = load(&project, &Flags::default(), &variables).expect(name);
        assert_eq!(
            config.setting(name).expect(name).origin,
            Origin::Variable(key.variable())
        );
        let mut flags = Flags::default();
        flags.pairs(&[format!("{name}={word}")]).expect(name);
        assert!(load(&project, &flags, &[]).expect(name).setting(name).is_some());
    }
}

#[test]
fn every_key_is_read_from_each_source_and_the_stronger_one_wins() {
    for key in from_files() {
        let [(weak, weak_word), (strong, strong_word)] = samples(key.kind);
        let expected = |word| value::from_word(key, word).expect("a good sample");
        let workspace = format!("[workspace.metadata.soci]\n{} = {weak}\n", key.name);
        let package = |text| format!("[package.metadata.soci]\n{} = {text}\n", key.name);
        let soci = |text| format!("{} = {text}\n", key.name);
        let none: &[(String, String)] = &[];

        let (_keep, only_workspace) = project(&[("Workspace.toml", &workspace)]);
        let config = load(&only_workspace, &Flags::default(), none).expect(key.name);
        let setting = config.setting(key.name).expect(key.name);
        assert_eq!(setting.value, expected(weak_word), "{}", key.name);
        assert!(
            setting.origin.to_string().contains("Workspace.toml:2:"),
            "{}",
            setting.origin
        );

        let (_keep, with_package) =
            project(&[("Workspace.toml", &workspace), ("Cargo.toml", &package(strong))]);
        let config = load(&with_package, &Flags::default(), none).expect(key.name);
        let setting = config.setting(key.name).expect(key.name);
        assert_eq!(setting.value, expected(strong_word), "{}", key.name);
        assert!(
            setting.origin.to_string().contains("Cargo.toml:2:"),
            "{}",
            setting.origin
        );

        let (_keep, with_soci) = project(&[("Cargo.toml", &package(weak)), ("soci.toml", &soci(strong))]);
        let config = load(&with_soci, &Flags::default(), none).expect(key.name);
        let setting = config.setting(key.name).expect(key.name);
        assert_eq!(setting.value, expected(strong_word), "{}", key.name);
        assert!(
            setting.origin.to_string().contains("soci.toml:1:"),
            "{}",
            setting.origin
        );

        let variables = [(key.variable(), weak_word.to_owned())];
        let config = load(&with_soci, &Flags::default(), &variables).expect(key.name);
        let setting = config.setting(key.name).expect(key.name);
        assert_eq!(setting.value, expected(weak_word), "{}", key.name);
        assert_eq!(setting.origin, Origin::Variable(key.variable()));

        let mut flags = Flags::default();
        flags
            .pairs(&[format!("{}={strong_word}", key.name)])
            .expect(key.name);
        let config = load(&with_soci, &flags, &variables).expect(key.name);
        let setting = config.setting(key.name).expect(key.name);
        assert_eq!(setting.value, expected(strong_word), "{}", key.name);
        assert!(matches!(setting.origin, Origin::Flag(_)));
    }
}

#[test]
fn a_wrong_type_is_an_error_with_its_place_in_every_source() {
    for key in from_files() {
        let bad = wrong(key.kind);
        for (file, head, line) in [
            ("Workspace.toml", "[workspace.metadata.soci]\n", 2),
            (
                "Cargo.toml",
                "[package]\nname = \"app\"\n[package.metadata.soci]\n",
                4,
            ),
            ("soci.toml", "# settings\n\n", 3),
        ] {
            let text = format!("{head}{} = {bad}\n", key.name);
            let (folder, project) = project(&[(file, &text)]);
            let error = load(&project, &Flags::default(), &[]).expect_err(key.name);
            let column = key.name.len() + 4;
            let place = format!(
                "{}:{line}:{column}: `{}` must be ",
                folder.path().join(file).display(),
                key.name
            );
            assert!(error.message.starts_with(&place), "{error}\nwanted {place}");
        }
        if matches!(key.kind, Kind::Size | Kind::Number | Kind::Choice(_)) {
            let (_keep, project) = project(&[]);
            let variables = [(key.variable(), "nothing-like-it".to_owned())];
            let error = load(&project, &Flags::default(), &variables).expect_err(key.name);
            assert!(
                error.message.starts_with(&format!(
                    "environment variable {}: `{}` must be ",
                    key.variable(),
                    key.name
                )),
                "{error}"
            );
            let pair = format!("{}=nothing-like-it", key.name);
            let error = Flags::default().pairs(&[pair]).expect_err(key.name);
            assert!(error.message.starts_with("--config "), "{error}");
        }
    }
}

#[test]
fn an_unknown_key_is_an_error_with_its_place_in_every_source() {
    for (file, text, place) in [
        (
            "Workspace.toml",
            "[workspace.metadata.soci]\nimag = \"x\"\n",
            "Workspace.toml:2:1: unknown key `imag` in [workspace.metadata.soci]",
        ),
        (
            "Cargo.toml",
            "[package.metadata]\nsoci.imag = \"x\"\n",
            "Cargo.toml:2:6: unknown key `imag` in [package.metadata.soci]",
        ),
        (
            "soci.toml",
            "[lint]\nselekt = []\n",
            "soci.toml:2:1: unknown key `lint.selekt`",
        ),
        ("soci.toml", "lint = 3\n", "soci.toml:1:8: `lint` must be a table"),
        ("soci.toml", "span-size = \n", "soci.toml:1:13: not TOML"),
        (
            "Cargo.toml",
            "[package.metadata]\nsoci = 3\n",
            "Cargo.toml:2:8: `package.metadata.soci` must be a table",
        ),
    ] {
        let (folder, project) = project(&[(file, text)]);
        let error = load(&project, &Flags::default(), &[]).expect_err(text);
        let wanted = format!("{}", folder.path().join(place).display());
        assert!(error.message.starts_with(&wanted), "{error}\nwanted {wanted}");
    }
    let (_keep, project) = project(&[]);
    let variables = [("CARGO_SOCI_IMAG".to_owned(), "x".to_owned())];
    let error = load(&project, &Flags::default(), &variables).expect_err("an unknown variable");
    assert_eq!(
        error.message,
        "environment variable CARGO_SOCI_IMAG: `CARGO_SOCI_IMAG` is not a setting"
    );
    assert_eq!(error.help.as_deref(), Some("did you mean `CARGO_SOCI_IMAGE`?"));
    let error = Flags::default()
        .pairs(&["imag=x".to_owned()])
        .expect_err("an unknown key");
    assert_eq!(error.help.as_deref(), Some("did you mean `image`?"));
}

#[test]
fn relative_paths_start_at_the_file_that_holds_them() {
    let (folder, project) = project(&[(
        "soci.toml",
        "dockerfile = \"d/Dockerfile\"\ntask-definitions = \"t.json\"\n",
    )]);
    let config = load(&project, &Flags::default(), &[]).expect("good settings");
    assert_eq!(
        config.path("dockerfile"),
        Some(folder.path().join("d/Dockerfile").as_path())
    );
    assert_eq!(config.paths("task-definitions"), [folder.path().join("t.json")]);
    let variables = [("CARGO_SOCI_DOCKERFILE".to_owned(), "d/Dockerfile".to_owned())];
    let config = load(&project, &Flags::default(), &variables).expect("good settings");
    assert_eq!(config.path("dockerfile"), Some(Path::new("d/Dockerfile")));
}

#[test]
fn placeholders_are_filled_in() {
    let (_keep, mut project) =
        project(&[("soci.toml", "image = \"r.example/{name}:{version}-{git-sha}\"\n")]);
    let config = load(&project, &Flags::default(), &[]).expect("good settings");
    let names = config
        .image_names(|| Ok("abc".into()))
        .expect("known placeholders");
    assert_eq!(names, ["r.example/app:1.2.3_build-abc"]);

    project.name = None;
    let config = load(&project, &Flags::default(), &[]).expect("good settings");
    let error = config.image_names(|| Ok("abc".into())).expect_err("no package");
    assert!(
        error
            .message
            .ends_with("soci.toml:1:9: {name} needs a Cargo package, and there is none here"),
        "{error}"
    );
}

#[test]
fn unknown_and_open_placeholders_are_errors() {
    for (image, problem) in [
        ("r/{nam}:1", "unknown placeholder {nam}"),
        ("r/{name:1", "`{` without `}`"),
    ] {
        let (_keep, project) = project(&[("soci.toml", &format!("image = \"{image}\"\n"))]);
        let config = load(&project, &Flags::default(), &[]).expect("good settings");
        let error = config.image_names(|| Ok("abc".into())).expect_err(image);
        assert!(error.message.contains(problem), "{error}");
    }
}

proptest::proptest! {
    #[test]
    fn any_file_is_read_or_refused_with_its_place(text in "([a-z-]{1,12}( = |\\.)|\\[|\\]|\"|\n|[0-9]|image|lint|span-size){0,20}") {
        let (_keep, project) = project(&[("soci.toml", &text)]);
        if let Err(error) = load(&project, &Flags::default(), &[]) {
            proptest::prop_assert!(error.message.contains("soci.toml:"), "{}", error.message);
        }
    }

    #[test]
    fn any_word_is_a_value_or_refused(word in "\\PC{0,40}") {
        for key in KEYS {
            let _ = value::from_word(key, &word);
        }
    }
}

#[test]
fn a_repeated_flag_adds_to_the_table_of_a_file() {
    let (_keep, project) = project(&[("soci.toml", "[lint.params]\nA = \"1\"\nB = \"2\"\n")]);
    let mut flags = Flags::default();
    flags
        .list("lint.params", "--param", &["B=3".to_owned(), "C=4".to_owned()])
        .expect("two entries");
    let config = load(&project, &flags, &[]).expect("a configuration");
    let entries: Vec<_> = config.entries("lint.params").collect();
    assert_eq!(entries, [("A", "1"), ("B", "3"), ("C", "4")]);
    // What sets the whole key takes the place of the file's.
    flags.pairs(&["lint.params=D=5".to_owned()]).expect("one entry");
    let config = load(&project, &flags, &[]).expect("a configuration");
    let entries: Vec<_> = config.entries("lint.params").collect();
    assert_eq!(entries, [("B", "3"), ("C", "4"), ("D", "5")]);
}

#[test]
fn a_variable_of_somebody_else_is_a_warning() {
    let (_keep, project) = project(&[]);
    let variable = |name: &str| [(name.to_owned(), "1".to_owned())];
    let config = load(&project, &Flags::default(), &variable("CARGO_SOCI_VERSION")).expect("a warning");
    assert_eq!(
        config.warnings,
        ["environment variable CARGO_SOCI_VERSION: no setting has this name"]
    );
    let error = load(&project, &Flags::default(), &variable("CARGO_SOCI_IMAG")).expect_err("misspelt");
    assert_eq!(error.help.as_deref(), Some("did you mean `CARGO_SOCI_IMAGE`?"));
}
