//! Every setting there is: one table for files, environment, flags, errors and documentation.

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A path; relative ones start at the folder of the file that holds them.
    Path,
    /// A number of bytes, or text such as `"4MiB"`.
    Size,
    /// A whole number from 1 up.
    Number,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of texts; one text stands for a list of one.
    List,
    /// A list of paths; relative ones start at the folder of the file that holds them.
    Paths,
    /// A program and its arguments.
    Command,
    /// A table from names to texts.
    Map,
    /// A list of tables of texts, each with some of these keys.
    Tables(&'static [&'static str]),
}

impl Kind {
    /// How an error and the documentation name it.
    pub fn expected(self) -> String {
        match self {
            Kind::Text => "a text".into(),
            Kind::Path => "a path".into(),
            Kind::Size => "a size such as \"4MiB\" or a number of bytes".into(),
            Kind::Number => "a whole number from 1 up".into(),
            Kind::Choice(words) => format!("one of {}", quoted(words)),
            Kind::List => "a text or a list of texts".into(),
            Kind::Paths => "a path or a list of paths".into(),
            Kind::Command => "a list: the program and its arguments".into(),
            Kind::Map => "a table of texts".into(),
            Kind::Tables(keys) => format!("a list of tables of texts, with the keys {}", quoted(keys)),
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name in a file; a dot means "in this table": `lint.select`.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// What it does, for the documentation.
    pub help: &'static str,
    /// What holds where nothing sets it, as help and documentation show it; empty where that is nothing.
    pub default: &'static str,
}

impl Key {
    /// The environment variable that sets it: `lint.fail-on` is `CARGO_SOCI_LINT_FAIL_ON`.
    pub fn variable(&self) -> String {
        format!(
            "{VARIABLE_PREFIX}{}",
            self.name.replace(['.', '-'], "_").to_uppercase()
        )
    }
}

/// What the environment variables begin with.
pub const VARIABLE_PREFIX: &str = "CARGO_SOCI_";

/// Every setting, in the order of the documentation.
pub const KEYS: &[Key] = &[
    Key {
        name: "image",
        kind: Kind::List,
        help: "Full name of the image, or several: host, repository and tag. `{name}`, `{version}` and `{git-sha}` stand for \
               the package's name and version and for the commit.",
        default: "",
    },
    Key {
        name: "tag-model",
        kind: Kind::Choice(&["replace", "sibling"]),
        help: "`replace`: the tag names the SOCI-enabled image. `sibling`: the tag names the image as built, and \
               the tag with `-soci` appended the SOCI-enabled one.",
        default: "replace",
    },
    Key {
        name: "dockerfile",
        kind: Kind::Path,
        help: "Dockerfile; without it the builder looks for its own default in the context.",
        default: "",
    },
    Key {
        name: "context",
        kind: Kind::Path,
        help: "Build context.",
        default: "the folder of the package",
    },
    Key {
        name: "target",
        kind: Kind::Text,
        help: "Stage of the Dockerfile to build.",
        default: "",
    },
    Key {
        name: "build-args",
        kind: Kind::Map,
        help: "Build arguments.",
        default: "",
    },
    Key {
        name: "platforms",
        kind: Kind::List,
        help: "Platforms to build for, such as `linux/arm64`.",
        default: "the builder's own",
    },
    Key {
        name: "builder",
        kind: Kind::Command,
        help: "Command that builds, in place of `docker buildx build`.",
        default: "",
    },
    Key {
        name: "span-size",
        kind: Kind::Size,
        help: "Bytes of a layer between two checkpoints.",
        default: "4MiB",
    },
    Key {
        name: "start-trace",
        kind: Kind::Paths,
        help: "Traces of the program's start: spans are cut for it, instead of after every `span-size` bytes. `FILE=2` counts a \
               trace twice beside others.",
        default: "",
    },
    Key {
        name: "start-prefetch",
        kind: Kind::Choice(&["false", "true"]),
        help: "With `start-trace`, list the spans that the start needs, for clients that fetch such ahead.",
        default: "true",
    },
    Key {
        name: "start-layer",
        kind: Kind::Choice(&["false", "true"]),
        help: "With `start-trace`, put a layer on top that repeats the files that the start opens, in the order of their first \
               use. The image gets another config and another digest.",
        default: "false",
    },
    Key {
        name: "restate-directories",
        kind: Kind::Choice(&["false", "true"]),
        help: "Put a small layer on top that lists the directories whose attributes a lazy client would lose, so that their \
               layers can be loaded lazily. The image gets another config and another digest.",
        default: "false",
    },
    Key {
        name: "min-layer-size",
        kind: Kind::Size,
        help: "Layers below this size get no zTOC.",
        default: "10MiB",
    },
    Key {
        name: "allow-differences",
        kind: Kind::Choice(&["false", "true"]),
        help: "Index layers too that a container would see differently when they are loaded lazily, or that the \
               snapshotter would refuse.",
        default: "false",
    },
    Key {
        name: "if-nothing-to-index",
        kind: Kind::Choice(&["fail", "pass"]),
        help: "Exit code of an image of which nothing can be indexed: `fail` is 4, `pass` is 0. A registry gets the image \
               as it is in both cases, a layout or an archive with `pass`.",
        default: "fail",
    },
    Key {
        name: "recompress",
        kind: Kind::Choice(&["gzip"]),
        help: "Rewrite layers that cannot be loaded lazily (zstd) or are risky (gzip of several members) as one gzip member.",
        default: "",
    },
    Key {
        name: "recompress-level",
        kind: Kind::Number,
        help: "gzip level of rewritten layers, 1 to 9.",
        default: "6",
    },
    Key {
        name: "jobs",
        kind: Kind::Number,
        help: "Layers that are worked on at once.",
        default: "the number of cores",
    },
    Key {
        name: "task-definitions",
        kind: Kind::Paths,
        help: "Task definitions to lint with the facts of the image just made.",
        default: "",
    },
    Key {
        name: "lint.select",
        kind: Kind::List,
        help: "Only these rules, by code or name.",
        default: "",
    },
    Key {
        name: "lint.ignore",
        kind: Kind::List,
        help: "All rules but these, by code or name.",
        default: "",
    },
    Key {
        name: "lint.severity",
        kind: Kind::Map,
        help: "Other severities, by code or name: `error`, `warning`, `info`, `off`.",
        default: "",
    },
    Key {
        name: "lint.params",
        kind: Kind::Map,
        help: "Values of CloudFormation parameters and placeholders.",
        default: "",
    },
    Key {
        name: "lint.for",
        kind: Kind::Text,
        help: "What runs the images: `fargate`, `sagemaker`, or `containerd` with the SOCI snapshotter.",
        default: "fargate",
    },
    Key {
        name: "lint.fail-on",
        kind: Kind::Choice(&["error", "warning", "not-lazy", "unknown", "never"]),
        help: "What makes the exit code 1.",
        default: "error",
    },
    Key {
        name: "lint.accept",
        kind: Kind::Tables(&["container", "image", "reason"]),
        help: "Containers that need not be loaded lazily, by name, image or both (`*` is any text), each with a reason.",
        default: "",
    },
    Key {
        name: "lint.sidecars",
        kind: Kind::Choice(&["accept", "judge"]),
        help: "Small helpers that AWS publishes, such as `aws-for-fluent-bit`: accepted, or judged like any container.",
        default: "accept",
    },
    Key {
        name: "lint.vars",
        kind: Kind::Map,
        help: "Values of the root module's Terraform variables.",
        default: "",
    },
    Key {
        name: "lint.var-files",
        kind: Kind::Paths,
        help: "Files with values of Terraform variables; later ones count for more.",
        default: "",
    },
    Key {
        name: "lint.kind",
        kind: Kind::Text,
        help: "What the files are, where their content should not decide.",
        default: "",
    },
    Key {
        name: "lint.platform-version",
        kind: Kind::Text,
        help: "Platform version the tasks run on, where the documents do not say.",
        default: "",
    },
    Key {
        name: "lint.launch-type",
        kind: Kind::Choice(&["FARGATE", "FARGATE_SPOT", "EC2", "EXTERNAL", "MANAGED_INSTANCES"]),
        help: "Launch type the tasks run with, where the documents do not say.",
        default: "",
    },
    Key {
        name: "lint.region",
        kind: Kind::Text,
        help: "Region the tasks run in, where the documents do not say.",
        default: "",
    },
    Key {
        name: "registry.plain-http",
        kind: Kind::List,
        help: "Registries (host and port) that are reached over plain http. Loopback addresses need not be named.",
        default: "",
    },
    Key {
        name: "registry.ca-file",
        kind: Kind::Path,
        help: "PEM file with a further certificate authority.",
        default: "",
    },
    Key {
        name: "registry.connections-per-layer",
        kind: Kind::Number,
        help: "Connections for one large layer.",
        default: "1, and 3 once the network is what is waited for",
    },
];

/// Keys that a file of the checkout cannot set: whoever writes there could weaken the way to a registry, or have a
/// login sent over it. Flags and the environment can.
pub const NOT_FROM_FILES: &[&str] = &["registry.plain-http", "registry.ca-file"];

/// The key of this name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The variable that a misspelt one may mean; `None` for one that may belong to something else.
pub fn misspelt_variable(wrong: &str) -> Option<String> {
    let bare = wrong.strip_prefix(VARIABLE_PREFIX)?;
    let squashed = |name: &str| name.replace(['_', '-', '.'], "").to_lowercase();
    let begun = squashed(bare);
    let variable = |name: &str| {
        let key = KEYS.iter().find(|key| key.name == name)?;
        Some(key.variable())
    };
    let near = nearest(bare, KEYS.iter().map(|key| key.name));
    // The words of a table are this program's.
    let in_table = || {
        let table = ["LINT_", "REGISTRY_"]
            .into_iter()
            .find(|table| bare.starts_with(table))?;
        let last = &bare[table.len()..];
        let names = KEYS
            .iter()
            .map(|key| key.name)
            .filter(|name| squashed(name).starts_with(&squashed(table)));
        names.min_by_key(|name| distance(&squashed(last), &squashed(&name[table.len()..])))
    };
    let prefix = || {
        let mut names = KEYS.iter().map(|key| key.name);
        names.find(|name| begun.len() >= 4 && squashed(name).starts_with(&begun))
    };
    near.or_else(in_table).or_else(prefix).and_then(variable)
}

/// The known name nearest to a misspelt one, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.replace('_', "-").to_lowercase();
    known
        .map(|name| (distance(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

pub(super) fn quoted(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    quoted.join(", ")
}

/// Levenshtein distance over characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variables_are_unique() {
        let mut names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        let mut variables: Vec<_> = KEYS.iter().map(Key::variable).collect();
        names.sort_unstable();
        names.dedup();
        variables.sort();
        variables.dedup();
        assert_eq!((names.len(), variables.len()), (KEYS.len(), KEYS.len()));
    }

    #[test]
    fn what_a_checkout_says_never_weakens_the_way_to_a_registry() {
        // Everything about registries, and every word that speaks of logins and transport, is in one of two lists.
        const HARMLESS: &[&str] = &["registry.connections-per-layer"];
        const WORDS: &[&str] = &[
            "registry",
            "http",
            "tls",
            "ca-",
            "cert",
            "insecure",
            "proxy",
            "login",
            "user",
            "password",
            "token",
            "credential",
            "helper",
            "auth",
            "docker-config",
            "endpoint",
            "mirror",
        ];
        let about_the_way = |key: &&Key| WORDS.iter().any(|word| key.name.contains(word));
        for key in KEYS.iter().filter(about_the_way) {
            let (refused, harmless) = (NOT_FROM_FILES.contains(&key.name), HARMLESS.contains(&key.name));
            assert!(refused != harmless, "{}: may a checkout say this?", key.name);
        }
        assert_eq!(NOT_FROM_FILES, ["registry.plain-http", "registry.ca-file"]);
        assert!(NOT_FROM_FILES.iter().all(|name| find(name).is_some()));
    }

    #[test]
    fn a_misspelt_variable_is_told_from_one_of_somebody_else() {
        for (wrong, meant) in [
            ("CARGO_SOCI_IMAG", Some("CARGO_SOCI_IMAGE")),
            ("CARGO_SOCI_MINLAYER", Some("CARGO_SOCI_MIN_LAYER_SIZE")),
            ("CARGO_SOCI_LINT_FAILON", Some("CARGO_SOCI_LINT_FAIL_ON")),
            ("CARGO_SOCI_VERSION", None),
            ("CARGO_SOCI_FOO", None),
            ("CARGO_SOCI_DIR", None),
            ("CARGO_SOCI_", None),
        ] {
            assert_eq!(misspelt_variable(wrong).as_deref(), meant, "{wrong}");
        }
        assert!(misspelt_variable("CARGO_SOCI_LINT_STRICT").is_some());
    }

    #[test]
    fn misspelt_names_are_recognised() {
        let names = || KEYS.iter().map(|key| key.name);
        assert_eq!(nearest("imag", names()), Some("image"));
        assert_eq!(nearest("span_size", names()), Some("span-size"));
        assert_eq!(nearest("completely-different", names()), None);
    }
}
