//! `init`: writes a starting block of settings after looking at what is there.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::causes::AtPath;
use crate::commands::CommandResult;
use crate::context::{Context, Format};
use crate::error::CommandError;
use crate::escape;
use crate::exit::Exit;
use crate::replace::replace;

/// Flags of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the package or project
    #[arg(default_value = ".", value_name = "PATH")]
    pub folder: PathBuf,
    /// Full name of the image; `{name}`, `{version}` and `{git-sha}` are filled in at every build
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,
    /// Write soci.toml even if there is a Cargo.toml
    #[arg(long)]
    pub soci_toml: bool,
    /// Show what would be written and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Writes the block.
pub fn run(args: Args, context: &Context) -> CommandResult {
    context.format(&[Format::Human])?;
    let found = Found::look(&args.folder)?;
    let cargo_toml = args.folder.join("Cargo.toml");
    let uses_cargo = cargo_toml.is_file() && !args.soci_toml;
    let path = if uses_cargo {
        cargo_toml
    } else {
        args.folder.join("soci.toml")
    };
    let settings = settings(&found, args.image.as_deref(), uses_cargo);
    let old = if path.exists() {
        fs::read_to_string(&path).at("read", &path)?
    } else {
        String::new()
    };
    let new = insert(&old, &path, settings, uses_cargo)?;
    for line in found.lines() {
        context.note(&line);
    }
    if args.dry_run {
        context.report(new.strip_prefix(&old).unwrap_or(&new).trim_start())?;
        return Ok(Exit::Done);
    }
    replace(&path, new.as_bytes()).at("write", &path)?;
    let mut report = format!("wrote {}", path.display());
    if args.image.is_none() && found.image.is_none() {
        report.push_str("\nset `image` there to the name in your registry, then run `cargo soci build`");
    } else {
        report.push_str("\nrun `cargo soci build`, or `cargo soci build --dry-run` to see what it would do");
    }
    context.report(&report)?;
    Ok(Exit::Done)
}

/// What the folder holds.
#[derive(Debug, Default)]
struct Found {
    dockerfile: Option<&'static str>,
    task_definitions: Vec<String>,
    /// Repository of the first container's image.
    image: Option<String>,
}

impl Found {
    fn look(folder: &Path) -> Result<Self, CommandError> {
        if !folder.is_dir() {
            return Err(CommandError::usage(format!(
                "{} is not a folder",
                folder.display()
            )));
        }
        let mut found = Found {
            dockerfile: DOCKERFILES.into_iter().find(|name| folder.join(name).is_file()),
            ..Found::default()
        };
        for place in TASK_DEFINITION_FOLDERS {
            let Ok(entries) = fs::read_dir(folder.join(place)) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Some(image) = read_task_definition(&entry.path()) {
                    let path = if place.is_empty() {
                        name
                    } else {
                        format!("{place}/{name}")
                    };
                    found.task_definitions.push(path);
                    found.image = found.image.or(image);
                }
            }
        }
        found.task_definitions.sort();
        Ok(found)
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match self.dockerfile {
            Some(name) => lines.push(format!("found {name}")),
            None => lines.push("found no Dockerfile; set `dockerfile` or `builder`".into()),
        }
        for path in &self.task_definitions {
            lines.push(format!("found task definition {}", escape::terminal(path)));
        }
        lines
    }
}

/// `Some` if the file is a task definition in JSON; inside it the repository of its first image.
fn read_task_definition(path: &Path) -> Option<Option<String>> {
    let is_candidate = path.extension().is_some_and(|extension| extension == "json")
        && fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= FILE_LIMIT);
    if !is_candidate {
        return None;
    }
    let document: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let task = document.get("taskDefinition").unwrap_or(&document);
    let containers = task.get("containerDefinitions")?.as_array()?;
    let image = containers
        .iter()
        .filter_map(|container| container["image"].as_str())
        .filter_map(|image| soci_image::Reference::parse(image).ok())
        .find(|image| image.has_explicit_registry())
        .map(|image| image.name());
    Some(image)
}

/// The settings to start with, in the order of the documentation.
fn settings(found: &Found, image: Option<&str>, uses_cargo: bool) -> Table {
    let tag = if uses_cargo { "{version}" } else { "{git-sha}" };
    let image = image.map(str::to_owned).unwrap_or_else(|| {
        let repository = found.image.clone().unwrap_or_else(|| {
            let name = if uses_cargo { "{name}" } else { "app" };
            format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}")
        });
        format!("{repository}:{tag}")
    });
    let mut table = Table::new();
    table.insert("image", value(image));
    if let Some(name) = found.dockerfile.filter(|name| *name != "Dockerfile") {
        table.insert("dockerfile", value(name));
    }
    if !found.task_definitions.is_empty() {
        table.insert(
            "task-definitions",
            value(found.task_definitions.iter().collect::<Array>()),
        );
    }
    table
}

/// Adds the settings to a document; what it holds keeps its form.
fn insert(old: &str, path: &Path, settings: Table, uses_cargo: bool) -> Result<String, CommandError> {
    let mut document: DocumentMut = old.parse().map_err(|error: toml_edit::TomlError| {
        CommandError::usage(format!("{} is not TOML: {}", path.display(), error.message()))
    })?;
    let already = |what: &str| {
        CommandError::usage(format!("{} already has {what}", path.display()))
            .help("edit it there; docs/configuration.md lists all settings")
    };
    if !uses_cargo {
        if !document.is_empty() {
            return Err(already("settings"));
        }
        for (key, item) in settings {
            document.insert(&key, item);
        }
        return Ok(document.to_string());
    }
    let owner = if document.contains_key("package") {
        "package"
    } else {
        "workspace"
    };
    let metadata = document
        .entry(owner)
        .or_insert_with(implicit)
        .as_table_like_mut()
        .and_then(|owner| {
            owner
                .entry("metadata")
                .or_insert_with(implicit)
                .as_table_like_mut()
        })
        .ok_or_else(|| already("a `metadata` that is not a table"))?;
    if metadata.contains_key("soci") {
        return Err(already(&format!("[{owner}.metadata.soci]")));
    }
    let mut settings = settings;
    settings.decor_mut().set_prefix("\n");
    metadata.insert("soci", Item::Table(settings));
    Ok(document.to_string())
}

/// A table that shows no header of its own.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

const DOCKERFILES: [&str; 2] = ["Dockerfile", "Containerfile"];

/// Where task definitions usually lie.
const TASK_DEFINITION_FOLDERS: [&str; 6] = ["", ".aws", "aws", "deploy", "ecs", "infra"];

/// Larger files are no task definitions: ECS takes 64 KiB.
const FILE_LIMIT: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn block(found: &Found, uses_cargo: bool, old: &str) -> Result<String, CommandError> {
        insert(
            old,
            Path::new("F.toml"),
            settings(found, None, uses_cargo),
            uses_cargo,
        )
    }

    #[test]
    fn the_block_goes_behind_what_is_there_and_keeps_its_form() {
        let old = "# ours\n[package]\nname='app'   # odd form\n\n[dependencies]\nserde = {version=\"1\"}\n";
        let new = block(&Found::default(), true, old).expect("a good manifest");
        assert!(new.contains("name='app'   # odd form"));
        assert!(new.contains("serde = {version=\"1\"}"));
        insta::assert_snapshot!(new);
    }

    #[test]
    fn what_was_found_goes_into_the_block() {
        let found = Found {
            dockerfile: Some("Containerfile"),
            task_definitions: vec!["deploy/a.json".into(), "deploy/b.json".into()],
            image: Some("111122223333.dkr.ecr.us-east-1.amazonaws.com/web".into()),
        };
        insta::assert_snapshot!(block(&found, false, "").expect("an empty file"));
    }

    #[test]
    fn an_existing_block_is_never_changed() {
        for (uses_cargo, old) in [
            (
                true,
                "[package]\nname = \"a\"\n[package.metadata.soci]\nimage = \"x\"\n",
            ),
            (true, "[package]\nname = \"a\"\nmetadata = 3\n"),
            (false, "image = \"x\"\n"),
        ] {
            let error = block(&Found::default(), uses_cargo, old).expect_err(old);
            assert_eq!(error.exit(), Exit::Usage, "{error}");
        }
        assert!(block(&Found::default(), true, "[package").is_err());
    }
}
