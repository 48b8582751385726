//! What is built: a Cargo package, or a folder with a `soci.toml`.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};

use super::{ConfigError, file};

/// Where help shows the flags of [`Selection`].
const PACKAGES: &str = "Package selection";

/// Which packages are meant, in cargo's own words.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Selection {
    /// Package of the workspace; may be repeated
    #[arg(short, long, value_name = "NAME", help_heading = PACKAGES)]
    pub package: Vec<String>,
    /// Every package of the workspace that has an image
    #[arg(long, conflicts_with = "package", help_heading = PACKAGES)]
    pub workspace: bool,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = PACKAGES)]
    pub manifest_path: Option<PathBuf>,
    /// As in cargo: Cargo.lock must not change
    #[arg(long, help_heading = PACKAGES)]
    pub locked: bool,
    /// As in cargo: no network
    #[arg(long, help_heading = PACKAGES)]
    pub offline: bool,
}

/// One thing that an image is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// Package name.
    pub name: Option<String>,
    /// Package version.
    pub version: Option<String>,
    /// Where its relative paths start.
    pub folder: PathBuf,
    /// The package's Cargo.toml.
    pub manifest: Option<PathBuf>,
    /// The workspace's Cargo.toml.
    pub workspace_manifest: Option<PathBuf>,
    /// The soci.toml that holds for it.
    pub soci_toml: Option<PathBuf>,
    /// Cargo's build folder.
    pub target_folder: Option<PathBuf>,
}

/// Finds what `selection` means in `folder` (the working folder, absolute).
pub fn find(selection: &Selection, folder: &Path) -> Result<Vec<Project>, ConfigError> {
    let names_cargo =
        selection.manifest_path.is_some() || !selection.package.is_empty() || selection.workspace;
    let soci_toml = find_upwards(folder, "soci.toml");
    let cargo_toml = find_upwards(folder, "Cargo.toml");
    let uses_cargo = names_cargo
        || match (&cargo_toml, &soci_toml) {
            (Some(cargo), Some(soci)) => depth(cargo) >= depth(soci),
            (Some(_), None) => true,
            (None, _) => false,
        };
    if !uses_cargo {
        let folder = soci_toml
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(folder)
            .to_path_buf();
        return Ok(vec![Project {
            folder,
            soci_toml,
            ..Project::default()
        }]);
    }
    let metadata = cargo_metadata(selection, folder)?;
    let packages = choose(&metadata, selection, folder)?;
    Ok(packages
        .into_iter()
        .map(|package| project_of(package, &metadata))
        .collect())
}

/// The project around `folder`, for commands that need its settings and build nothing: found by looking
/// at files, because asking cargo takes longer than checking a task definition.
pub fn around(folder: &Path) -> Project {
    let manifest = find_upwards(folder, "Cargo.toml");
    let workspace_manifest = manifest
        .iter()
        .flat_map(|manifest| manifest.ancestors().skip(1))
        .map(|folder| folder.join("Cargo.toml"))
        .find(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.lines()
                .any(|line| line.trim_start().starts_with("[workspace"))
        });
    Project {
        folder: folder.to_path_buf(),
        manifest,
        workspace_manifest,
        soci_toml: find_upwards(folder, "soci.toml"),
        ..Project::default()
    }
}

fn cargo_metadata(selection: &Selection, folder: &Path) -> Result<Metadata, ConfigError> {
    let mut command = MetadataCommand::new();
    command.no_deps().current_dir(folder);
    if let Some(path) = &selection.manifest_path {
        command.manifest_path(path);
    }
    let mut options = Vec::new();
    if selection.locked {
        options.push("--locked".to_owned());
    }
    if selection.offline {
        options.push("--offline".to_owned());
    }
    command.other_options(options);
    command.exec().map_err(|error| {
        let text = match error {
            cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim().to_owned(),
            other => other.to_string(),
        };
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        ConfigError::new(format!("cargo cannot read the workspace: {text}"))
            .help("a folder with a soci.toml of its own needs no cargo")
    })
}

/// The named packages; else the one that `folder` lies in; else those of the workspace with an image.
fn choose<'a>(
    metadata: &'a Metadata,
    selection: &Selection,
    folder: &Path,
) -> Result<Vec<&'a Package>, ConfigError> {
    let members = metadata.workspace_packages();
    if !selection.package.is_empty() {
        return selection
            .package
            .iter()
            .map(|name| {
                members
                    .iter()
                    .find(|package| package.name.as_str() == name)
                    .copied()
                    .ok_or_else(|| {
                        let known = members.iter().map(|package| package.name.as_str());
                        let error = ConfigError::new(format!("the workspace has no package {name:?}"));
                        match super::keys::nearest(name, known) {
                            Some(meant) => error.help(format!("did you mean {meant:?}?")),
                            None => error,
                        }
                    })
            })
            .collect();
    }
    if !selection.workspace {
        let here = match &selection.manifest_path {
            Some(path) => std::path::absolute(folder.join(path)).ok(),
            None => find_upwards(folder, "Cargo.toml"),
        };
        let current = members
            .iter()
            .find(|package| here.as_deref() == Some(package.manifest_path.as_std_path()));
        if let Some(package) = current {
            return Ok(vec![package]);
        }
    }
    let mut chosen = Vec::new();
    for package in members {
        if has_image(package)? {
            chosen.push(package);
        }
    }
    if chosen.is_empty() {
        return Err(ConfigError::new(format!(
            "no package of the workspace {} has an image",
            metadata.workspace_root
        ))
        .help("set `image` in [package.metadata.soci] of one, or run `cargo soci init` in its folder"));
    }
    Ok(chosen)
}

/// Whether a package says itself that an image is made of it.
fn has_image(package: &Package) -> Result<bool, ConfigError> {
    let manifest = package.manifest_path.as_std_path();
    if file::read_cargo_toml(manifest, "package")?.contains_key("image") {
        return Ok(true);
    }
    let soci_toml = manifest.with_file_name("soci.toml");
    Ok(soci_toml.exists() && file::read_soci_toml(&soci_toml)?.contains_key("image"))
}

fn project_of(package: &Package, metadata: &Metadata) -> Project {
    let manifest = package.manifest_path.as_std_path().to_path_buf();
    let folder = manifest.parent().unwrap_or(Path::new("")).to_path_buf();
    let root = metadata.workspace_root.as_std_path();
    let soci_toml = [folder.join("soci.toml"), root.join("soci.toml")]
        .into_iter()
        .find(|path| path.exists());
    Project {
        name: Some(package.name.to_string()),
        version: Some(package.version.to_string()),
        folder,
        manifest: Some(manifest),
        workspace_manifest: Some(root.join("Cargo.toml")),
        soci_toml,
        target_folder: Some(metadata.target_directory.as_std_path().to_path_buf()),
    }
}

/// The nearest file of this name in `folder` and above, not beyond the root of a repository.
fn find_upwards(folder: &Path, name: &str) -> Option<PathBuf> {
    for folder in folder.ancestors() {
        let path = folder.join(name);
        if path.is_file() {
            return Some(path);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

fn depth(path: &Path) -> usize {
    path.components().count()
}
