//! `docs/configuration.md`, made from the table of settings.

use std::fmt::Write as _;

use super::keys::{KEYS, Kind};

/// The whole page.
pub fn markdown() -> String {
    let mut page = String::from(INTRODUCTION);
    for (title, prefix) in [
        ("What is built and how", ""),
        ("Linting", "lint."),
        ("Registries", "registry."),
    ] {
        put(&mut page, format_args!("\n## {title}\n"));
        put(
            &mut page,
            format_args!("| key | variable | value | |\n|---|---|---|---|"),
        );
        let keys = KEYS.iter().filter(|key| match prefix {
            "" => !key.name.contains('.'),
            prefix => key.name.starts_with(prefix),
        });
        for key in keys {
            let kind = match key.kind {
                Kind::Choice(words) => words
                    .iter()
                    .map(|word| format!("`{word}`"))
                    .collect::<Vec<_>>()
                    .join(", "),
                kind => kind.expected(),
            };
            let mut help = key.help.replace('|', "\\|");
            if !key.default.is_empty() {
                help.push_str(&format!(" Default: {}.", key.default));
            }
            put(
                &mut page,
                format_args!("| `{}` | `{}` | {kind} | {help} |", key.name, key.variable()),
            );
        }
    }
    page.push_str(ENDING);
    page
}

fn put(page: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(page, "{line}").expect("writing to a string never fails");
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Made from the table of settings in crates/cargo-soci/src/config/keys.rs; edit that instead, and run
     `cargo run -p cargo-soci --example configuration_reference > docs/configuration.md`. -->

The same keys in five places, from strong to weak:

1. flags of the command, where it has one of the same name; `--config KEY=VALUE` sets any key
2. environment variables: `lint.fail-on` is `CARGO_SOCI_LINT_FAIL_ON`
3. `soci.toml`, in the folder of the package or at the root of the workspace; without a Cargo.toml in the working folder or above it
4. `[package.metadata.soci]` in Cargo.toml
5. `[workspace.metadata.soci]` in the workspace's Cargo.toml

```toml
[package.metadata.soci]
image = \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}:{version}\"
platforms = [\"linux/amd64\", \"linux/arm64\"]
task-definitions = [\"deploy/task-definition.json\"]
lint.fail-on = \"not-lazy\"
```

`cargo soci init` writes such a block after looking at what is there. Unknown keys and wrong values are errors that name file, line and column.
Relative paths start at the folder of the file that holds them; those of flags and variables at the working folder.

In a variable or after `--config`, a list is words separated by commas, a command is words separated by spaces, a table is `NAME=VALUE` separated by commas;
where that does not serve, a TOML value does: `CARGO_SOCI_BUILDER='[\"sh\", \"-c\", \"make image\"]'`.
";

const ENDING: &str = "
The login for a registry is not a setting and belongs in no file: see [registries](registry.md).

## Placeholders of `image`
`{name}` and `{version}` are those of the Cargo package (a `+` in the version becomes `_`, because tags have none), `{git-sha}` is the 40 digits of the commit that is checked out.

## Commands of `builder`
Words in braces are filled in; the command also gets them as variables. It either writes an OCI archive or layout to `{output}`, or pushes `{image}`; then it may tell what it pushed in
`{digest-file}` or in `{metadata-file}` (as buildx writes it), else the tag is asked. It runs in the folder of the package. [Examples](workflows/builders.md).

| placeholder | variable | |
|---|---|---|
| `{image}` | `SOCI_IMAGE` | first name of the image |
| `{images}` | `SOCI_IMAGES` | all names, separated by spaces |
| `{output}` | `SOCI_OUTPUT` | where an archive or a layout may go |
| `{digest-file}` | `SOCI_DIGEST_FILE` | where the digest of a pushed image may go |
| `{metadata-file}` | `SOCI_METADATA_FILE` | where a metadata file may go |
| `{context}`, `{dockerfile}`, `{target}`, `{platforms}` | `SOCI_CONTEXT` … | the settings of these names |
| `{build-args}` | `SOCI_BUILD_ARGS` | `--build-arg NAME=VALUE` as often as needed, as a word of its own; in the variable `NAME=VALUE`, a line for each |

A setting that the command has no place for (neither `{target}` nor `SOCI_TARGET` in its words) is an error, and so is a placeholder of a setting that is not set: nothing is dropped. A script that reads
the variables is told so: `builder = [\"env\", \"SOCI_TARGET={target}\", \"./build.sh\"]`. A command that wrote nothing is believed to have pushed only if the tag names another image than before; one that may push the same image
again writes its digest to `{digest-file}`.
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_page_is_the_one_made_from_the_table() {
        let path = soci_tests::repository().join("docs/configuration.md");
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == super::markdown(),
            "docs/configuration.md is old: cargo run -p cargo-soci --example configuration_reference > docs/configuration.md"
        );
    }
}
