//! What an OCI runtime is told: the container's command, user and surroundings, as containerd and Docker make them of an
//! image's config (<https://github.com/opencontainers/image-spec/blob/v1.1.0/conversion.md>, 2026-11-29).

use std::fs;
use std::path::Path;

use oci_spec::runtime::{
    Capabilities, Capability, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxNamespaceBuilder,
    LinuxNamespaceType, Mount, MountBuilder, ProcessBuilder, RootBuilder, Spec, SpecBuilder, UserBuilder,
    get_default_maskedpaths, get_default_mounts, get_default_readonly_paths,
};
use serde::Deserialize;

use crate::error::system;
use crate::user::{User, user};
use crate::{Error, Result};

/// What runs in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    /// Where it starts.
    pub folder: String,
    /// Who runs it.
    pub user: User,
}

/// What differs from what the image says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Instead of the image's command.
    pub command: Vec<String>,
    /// Instead of the image's entry point.
    pub entrypoint: Option<String>,
    /// More variables, `NAME=VALUE`.
    pub environment: Vec<String>,
    /// Instead of the image's user.
    pub user: Option<String>,
    /// Instead of the image's folder.
    pub folder: Option<String>,
}

/// What a container sees of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// This machine's.
    Host,
    /// Itself.
    None,
}

#[derive(Deserialize, Default)]
struct Config {
    #[serde(default)]
    config: Option<Container>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Container {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    user: Option<String>,
    working_dir: Option<String>,
}

impl Program {
    /// What an image's config and the wishes make; `read` gives a file of the image, empty if it is not there.
    ///
    /// # Errors
    /// [`Error::Container`]: the config cannot be read, nothing is to run, or the image has no such user.
    pub fn new(config: &[u8], wishes: &Wishes, read: impl Fn(&str) -> Result<String>) -> Result<Self> {
        let config: Config = serde_json::from_slice(config)
            .map_err(|error| container(format!("the image's config cannot be read: {error}"), ""))?;
        let config = config.config.unwrap_or_default();
        let (entrypoint, command) = match (&wishes.entrypoint, wishes.command.is_empty()) {
            // As in Docker: the image's command belongs to the image's entry point.
            (Some(entrypoint), _) => (vec![entrypoint.clone()], wishes.command.clone()),
            (None, false) => (config.entrypoint.unwrap_or_default(), wishes.command.clone()),
            (None, true) => (
                config.entrypoint.unwrap_or_default(),
                config.cmd.unwrap_or_default(),
            ),
        };
        let words = [entrypoint, command].concat();
        if words.is_empty() {
            return Err(container(
                "the image has no command",
                "give one behind --: cargo soci trace SRC -- COMMAND …",
            ));
        }
        let mut environment = config.env.unwrap_or_default();
        for variable in &wishes.environment {
            let name = variable.split('=').next().unwrap_or_default();
            environment.retain(|known| known.split('=').next() != Some(name));
            environment.push(variable.clone());
        }
        if !environment.iter().any(|variable| variable.starts_with("PATH=")) {
            environment.push(format!("PATH={PATH}"));
        }
        let wanted = wishes.user.clone().or(config.user).unwrap_or_default();
        let user = user(&wanted, &read("/etc/passwd")?, &read("/etc/group")?)
            .map_err(|problem| container(problem, "--user takes numbers as well: --user 1000:1000"))?;
        let folder = wishes.folder.clone().or(config.working_dir).unwrap_or_default();
        Ok(Self {
            words,
            environment,
            folder: if folder.is_empty() { "/".to_owned() } else { folder },
            user,
        })
    }

    /// Writes `config.json` for a runtime into a folder.
    ///
    /// # Errors
    /// [`Error::System`]
    pub fn write_bundle(&self, folder: &Path, rootfs: &Path, group: &str, network: Network) -> Result<()> {
        let path = folder.join("config.json");
        let spec = self
            .spec(rootfs, group, network)
            .map_err(|error| container(format!("the runtime's configuration cannot be made: {error}"), ""))?;
        let bytes = serde_json::to_vec_pretty(&spec).map_err(|error| {
            container(
                format!("the runtime's configuration cannot be written: {error}"),
                "",
            )
        })?;
        fs::write(&path, bytes).map_err(system("write", &path))
    }

    fn spec(&self, rootfs: &Path, group: &str, network: Network) -> Result<Spec, oci_spec::OciSpecError> {
        let capabilities: Capabilities = CAPABILITIES.into_iter().collect();
        let capabilities = LinuxCapabilitiesBuilder::default()
            .bounding(capabilities.clone())
            .effective(capabilities.clone())
            .permitted(capabilities)
            .inheritable(Capabilities::default())
            .ambient(Capabilities::default())
            .build()?;
        let user = UserBuilder::default()
            .uid(self.user.uid)
            .gid(self.user.gid)
            .additional_gids(self.user.groups.clone())
            .build()?;
        let mut process = ProcessBuilder::default()
            .args(self.words.clone())
            .env(self.environment.clone())
            .cwd(&self.folder)
            .user(user)
            .capabilities(capabilities)
            .no_new_privileges(false)
            .terminal(false)
            .build()?;
        // Those of whoever starts it.
        process.set_rlimits(None);
        let mut kinds = vec![
            LinuxNamespaceType::Pid,
            LinuxNamespaceType::Ipc,
            LinuxNamespaceType::Mount,
        ];
        if network == Network::None {
            kinds.push(LinuxNamespaceType::Network);
        }
        let namespaces = kinds
            .into_iter()
            .map(|kind| LinuxNamespaceBuilder::default().typ(kind).build())
            .collect::<Result<Vec<_>, _>>()?;
        let linux = LinuxBuilder::default()
            .namespaces(namespaces)
            .cgroups_path(Path::new("/").join(group))
            .masked_paths(get_default_maskedpaths())
            .readonly_paths(get_default_readonly_paths())
            .build()?;
        let mut spec = SpecBuilder::default()
            .version("1.0.2")
            .root(RootBuilder::default().path(rootfs).readonly(false).build()?)
            .process(process)
            .mounts(mounts(network)?)
            .linux(linux)
            .build()?;
        // The machine's own: the container has no namespace for another one.
        spec.set_hostname(None);
        Ok(spec)
    }
}

fn mounts(network: Network) -> Result<Vec<Mount>, oci_spec::OciSpecError> {
    let mut mounts = get_default_mounts();
    mounts.retain(|mount| mount.destination() != Path::new("/sys/fs/cgroup"));
    if network == Network::Host {
        for file in ["/etc/resolv.conf", "/etc/hosts"] {
            if !Path::new(file).is_file() {
                continue;
            }
            let options = ["rbind", "rprivate", "ro"].map(str::to_owned).to_vec();
            let mount = MountBuilder::default()
                .destination(file)
                .source(file)
                .typ("bind")
                .options(options)
                .build()?;
            mounts.push(mount);
        }
    }
    Ok(mounts)
}

/// Where programs are if the image does not say it, as containerd has it.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Docker's and containerd's defaults (<https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities>,
/// 2026-11-29).
const CAPABILITIES: [Capability; 14] = [
    Capability::AuditWrite,
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::Kill,
    Capability::Mknod,
    Capability::NetBindService,
    Capability::NetRaw,
    Capability::Setfcap,
    Capability::Setgid,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysChroot,
];

fn container(what: impl Into<String>, help: &str) -> Error {
    Error::Container {
        what: what.into(),
        help: help.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(config: &str, wishes: &Wishes) -> Result<Program> {
        Program::new(config.as_bytes(), wishes, |path| {
            Ok(if path == "/etc/passwd" {
                "app:x:7:8::/:/bin/sh\n".into()
            } else {
                String::new()
            })
        })
    }

    const CONFIG: &str = r#"{"config":{"Entrypoint":["/entry"],"Cmd":["a","b"],"Env":["A=1","B=2"],"User":"app","WorkingDir":"/srv"}}"#;

    #[test]
    fn the_image_says_what_runs_and_wishes_change_it() {
        let plain = program(CONFIG, &Wishes::default()).expect("a program");
        assert_eq!(plain.words, ["/entry", "a", "b"]);
        assert_eq!(plain.environment, ["A=1", "B=2", &format!("PATH={PATH}")]);
        assert_eq!((&*plain.folder, plain.user.uid, plain.user.gid), ("/srv", 7, 8));
        let wishes = Wishes {
            command: vec!["c".into()],
            environment: vec!["A=3".into(), "PATH=/x".into()],
            user: Some("0".into()),
            ..Wishes::default()
        };
        let changed = program(CONFIG, &wishes).expect("a program");
        assert_eq!(changed.words, ["/entry", "c"]);
        assert_eq!(changed.environment, ["B=2", "A=3", "PATH=/x"]);
        assert_eq!(changed.user.uid, 0);
        let wishes = Wishes {
            entrypoint: Some("/other".into()),
            ..Wishes::default()
        };
        assert_eq!(program(CONFIG, &wishes).expect("a program").words, ["/other"]);
    }

    #[test]
    fn an_image_without_a_command_needs_one() {
        for config in [
            "{}",
            r#"{"config":null}"#,
            r#"{"config":{"Entrypoint":null,"Cmd":[]}}"#,
        ] {
            assert!(program(config, &Wishes::default()).is_err(), "{config}");
        }
        assert!(program("{", &Wishes::default()).is_err());
        assert!(program(r#"{"config":{"Cmd":["x"],"User":"who"}}"#, &Wishes::default()).is_err());
    }
}
