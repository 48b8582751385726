//! The WASM modules, one for each feature of `soci-wasm`: the same bytes on every machine, and no path of any of them
//! inside.
//!
//! rustc writes source paths into panic messages, so an ordinary build carries the user's home folder.
//! Four prefixes are mapped away: the checkout, Cargo's home, the sources of dependencies, and those of the standard library
//! (where the `rust-src` component is installed, rustc puts its real path back in).

use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_bindgen_cli_support::Bindgen;

use crate::run::{cargo, must, output, root, target};

/// What one build gives.
pub(crate) struct Module {
    /// The module, ready to be instantiated with the glue.
    pub(crate) wasm: Vec<u8>,
    /// The glue, an ES module.
    pub(crate) js: String,
    /// The glue's TypeScript declarations.
    pub(crate) declarations: String,
}

/// A module, by the feature that makes it.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    /// Documents.
    Lint,
    /// Images of registries.
    Image,
    /// Images in files.
    Local,
    /// Images of registries, looked at.
    Look,
}

impl Door {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Lint, Self::Image, Self::Local, Self::Look];

    /// Its feature.
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Self::Lint => "lint",
            Self::Image => "image",
            Self::Local => "local",
            Self::Look => "look",
        }
    }

    /// What it is built with.
    fn profile(self) -> &'static str {
        match self {
            Self::Lint | Self::Look => "wasm",
            Self::Image | Self::Local => "wasm-image",
        }
    }

    /// Where its module is committed.
    pub(crate) fn committed(self) -> &'static str {
        match self {
            Self::Lint => "wasm/action/dist/soci_wasm.wasm",
            Self::Image => "wasm/convert/dist/soci_image.wasm",
            Self::Local => "wasm/page/dist/soci_local.wasm",
            Self::Look => "wasm/action/dist/soci_look.wasm",
        }
    }
}

/// Where a build takes place; the reproduction test varies it.
#[derive(Clone)]
pub(crate) struct Place {
    /// The checkout.
    pub(crate) checkout: PathBuf,
    /// Cargo's home, where the sources of dependencies lie.
    pub(crate) cargo_home: PathBuf,
    /// The build folder.
    pub(crate) target: PathBuf,
    /// Whether path prefixes are mapped away.
    pub(crate) remapped: bool,
}

impl Place {
    /// This checkout, with a build folder of its own so that its flags invalidate nothing else.
    pub(crate) fn here() -> Result<Self, String> {
        Ok(Self {
            checkout: root(),
            cargo_home: cargo_home()?,
            target: target().join("gen"),
            remapped: true,
        })
    }
}

/// Builds the modules in `place`, in the order of [`Door::ALL`].
pub(crate) fn all(place: &Place) -> Result<[Module; 4], String> {
    let [lint, image, local, look] = Door::ALL.map(|door| build(place, door));
    Ok([lint?, image?, local?, look?])
}

/// Builds a module in `place`.
pub(crate) fn build(place: &Place, door: Door) -> Result<Module, String> {
    bind(&compile(place, door)?)
}

/// Compiles `soci-wasm` in `place`; gives the path of the raw module.
fn compile(place: &Place, door: Door) -> Result<PathBuf, String> {
    crate::setup::wasm_target()?;
    let mut command = cargo();
    command
        .current_dir(&place.checkout)
        .args(["build", "--quiet", "--locked", "--package", "soci-wasm", "--lib"])
        .args(["--no-default-features", "--features", door.feature()])
        .args(["--profile", door.profile(), "--target", "wasm32-unknown-unknown"])
        .env("CARGO_HOME", &place.cargo_home)
        .env("CARGO_TARGET_DIR", &place.target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(place)?.join("\u{1f}"));
    forget_personal_settings(&mut command);
    must(&mut command)?;
    let built = place.target.join("wasm32-unknown-unknown").join(door.profile());
    Ok(built.join("soci_wasm.wasm"))
}

/// Runs wasm-bindgen's generator over a raw module.
fn bind(raw: &Path) -> Result<Module, String> {
    let shown = raw.display();
    let mut output = Bindgen::new()
        .input_path(raw)
        .web(true)
        .map_err(|error| format!("wasm-bindgen over {shown}: {error:#}"))?
        .omit_default_module_path(true)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .map_err(|error| format!("wasm-bindgen over {shown}: {error:#}"))?;
    Ok(Module {
        js: output.js().to_owned(),
        declarations: output.ts().unwrap_or_default().to_owned(),
        wasm: output.wasm_mut().emit_wasm(),
    })
}

fn flags(place: &Place) -> Result<Vec<String>, String> {
    if !place.remapped {
        return Ok(Vec::new());
    }
    let sysroot = output(
        Command::new("rustc")
            .args(["--print", "sysroot"])
            .current_dir(&place.checkout),
    )?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    let mut prefixes = vec![
        (place.checkout.clone(), "/soci"),
        (place.cargo_home.clone(), "/cargo"),
        (library, "/rust"),
    ];
    // Of several prefixes that match, rustc takes the last.
    prefixes.extend(sources(place)?.into_iter().map(|folder| (folder, "/deps")));
    Ok(prefixes
        .into_iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect())
}

/// The folders that hold the sources of dependencies, which are named after where they were fetched from.
fn sources(place: &Place) -> Result<Vec<PathBuf>, String> {
    must(
        cargo()
            .current_dir(&place.checkout)
            .args(["fetch", "--quiet", "--locked"])
            .env("CARGO_HOME", &place.cargo_home),
    )?;
    let folder = place.cargo_home.join("registry/src");
    let entries =
        std::fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    Ok(folders)
}

/// Removes what a user's environment could add to the build.
fn forget_personal_settings(command: &mut Command) {
    let ours = ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS"];
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let personal = ["RUSTFLAGS", "RUSTDOCFLAGS", "WASM_BINDGEN_USE_JS_SYS"].contains(&name)
            || ["CARGO_BUILD_", "CARGO_PROFILE_", "CARGO_TARGET_"]
                .iter()
                .any(|prefix| name.starts_with(prefix));
        if personal && !ours.contains(&name) {
            command.env_remove(name);
        }
    }
}

/// Cargo's home folder as Cargo finds it.
pub(crate) fn cargo_home() -> Result<PathBuf, String> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .ok_or_else(|| "neither CARGO_HOME nor a home folder is set".to_owned())
}
