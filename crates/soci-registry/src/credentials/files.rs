//! Where the files of credentials lie.

use std::io;
use std::path::{Path, PathBuf};

use super::AuthFile;
use crate::environment::Environment;

/// The files in their order, and a note for each that is there but cannot be used.
pub(super) fn auth_files(
    environment: &Environment,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> (Vec<AuthFile>, Vec<String>) {
    let mut files = Vec::new();
    let mut notes = Vec::new();
    let mut take = |parsed: Result<AuthFile, String>| match parsed {
        Ok(file) => files.push(file),
        Err(note) => notes.push(note),
    };
    if let Some(json) = environment.get("DOCKER_AUTH_CONFIG") {
        take(AuthFile::parse("DOCKER_AUTH_CONFIG", json.as_bytes()));
    }
    for path in docker_config(environment)
        .into_iter()
        .chain(containers_auth(environment))
    {
        match read(&path) {
            Ok(json) => take(AuthFile::parse(&path.display().to_string(), &json)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => take(Err(format!("{}: {error}", path.display()))),
        }
    }
    (files, notes)
}

fn docker_config(environment: &Environment) -> Option<PathBuf> {
    let folder = environment
        .get("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(environment.home()?.join(".docker")))?;
    Some(folder.join("config.json"))
}

/// `REGISTRY_AUTH_FILE` stands for all places of the containers tools.
fn containers_auth(environment: &Environment) -> Vec<PathBuf> {
    if let Some(path) = environment.get("REGISTRY_AUTH_FILE") {
        return vec![PathBuf::from(path)];
    }
    let runtime = environment.get("XDG_RUNTIME_DIR").map(PathBuf::from);
    let config = environment
        .get("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(environment.home()?.join(".config")));
    runtime
        .into_iter()
        .chain(config)
        .map(|folder| folder.join("containers/auth.json"))
        .collect()
}

#[cfg(feature = "native")]
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    use std::fs::File;
    use std::io::Read;

    let mut content = Vec::new();
    // One byte more than the limit, so that `parse` sees that it is exceeded.
    File::open(path)?
        .take(AuthFile::MAX_SIZE as u64 + 1)
        .read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::credentials::{Credential, Keychain};
    use crate::secret::Secret;

    fn user(keychain: &Keychain, host: &str) -> Option<String> {
        match keychain.lookup(host, "app").found?.credential {
            Credential::Basic { username, .. } => Some(username),
            _ => None,
        }
    }

    #[test]
    fn the_places_are_asked_in_their_order() {
        let home = tempfile::tempdir().unwrap();
        let place = |path: &str, json: &str| {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, json).unwrap();
        };
        // "docker:p", "runtime:p", "config:p", "file:p", "variable:p"
        place(
            ".docker/config.json",
            r#"{"auths": {"a.example": {"auth": "ZG9ja2VyOnA="}}}"#,
        );
        place(
            "run/containers/auth.json",
            r#"{"auths": {"a.example": {"auth": "cnVudGltZTpw"}, "b.example": {"auth": "cnVudGltZTpw"}}}"#,
        );
        place(
            ".config/containers/auth.json",
            r#"{"auths": {"b.example": {"auth": "Y29uZmlnOnA="}, "c.example": {"auth": "Y29uZmlnOnA="}}}"#,
        );
        place("own.json", r#"{"auths": {"c.example": {"auth": "ZmlsZTpw"}}}"#);
        place("broken/config.json", "{");
        let path = |name: &str| home.path().join(name).display().to_string();
        let mut environment = Environment::new([("HOME", path("")), ("XDG_RUNTIME_DIR", path("run"))]);

        let keychain = Keychain::of_environment(&environment, Default::default());
        assert_eq!(user(&keychain, "a.example").as_deref(), Some("docker"));
        assert_eq!(user(&keychain, "b.example").as_deref(), Some("runtime"));
        assert_eq!(user(&keychain, "c.example").as_deref(), Some("config"));
        let lookup = keychain.lookup("d.example", "app");
        assert_eq!(lookup.found, None);
        assert_eq!(lookup.tried.len(), 3, "{:?}", lookup.tried);

        environment.set("REGISTRY_AUTH_FILE", &path("own.json"));
        environment.set("DOCKER_CONFIG", &path("broken"));
        let keychain = Keychain::of_environment(&environment, Default::default());
        assert_eq!(user(&keychain, "c.example").as_deref(), Some("file"));
        let lookup = keychain.lookup("a.example", "app");
        assert_eq!(lookup.found, None);
        assert!(lookup.tried[0].contains("broken"), "{:?}", lookup.tried);

        environment.set(
            "DOCKER_AUTH_CONFIG",
            r#"{"auths": {"c.example": {"auth": "dmFyaWFibGU6cA=="}}}"#,
        );
        let keychain = Keychain::of_environment(&environment, Default::default());
        assert_eq!(user(&keychain, "c.example").as_deref(), Some("variable"));

        let credential = Credential::Basic {
            username: "flag".into(),
            password: Secret::new("p"),
        };
        let keychain = keychain.with_explicit("c.example", credential, "--username");
        assert_eq!(user(&keychain, "c.example").as_deref(), Some("flag"));
        assert_eq!(user(&keychain, "a.example"), None);
    }
}
