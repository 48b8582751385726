//! Docker's `config.json` and the containers tools' `auth.json`: one format, two habits.
//!
//! ```text
//! { "auths":       { "host[:port][/path]": { "auth": base64("user:password"), "identitytoken": … } },
//!   "credHelpers": { "host": "ecr-login" },          asked first
//!   "credsStore":  "desktop" }                       asked for every other host
//! ```
//!
//! Docker's keys are hosts, perhaps written as an address; the containers tools also know
//! `host/namespace/repository`, where the longest key that fits wins
//! (<https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>, checked 2026-11-24).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;

use super::helper::{HelperAnswer, Helpers};
use super::{Credential, Found, Lookup};
use crate::secret::Secret;

/// The user name with which helpers and files mark a password as a refresh token.
const TOKEN_USER: &str = "<token>";

/// The key under which docker keeps Docker Hub.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// A file of credentials, read.
pub struct AuthFile {
    /// The path or the variable it came from, for messages.
    name: String,
    content: Content,
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(default)]
    auths: Option<BTreeMap<String, Entry>>,
    #[serde(default, rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl AuthFile {
    /// Largest content that is read.
    pub const MAX_SIZE: usize = 1 << 20;

    /// Reads a file's content; the error says what is wrong with it and shows none of it.
    pub fn parse(name: &str, json: &[u8]) -> Result<Self, String> {
        if json.len() > Self::MAX_SIZE {
            return Err(format!("{name}: larger than {} bytes, not read", Self::MAX_SIZE));
        }
        let content: Content = serde_json::from_slice(json).map_err(|error| {
            // serde's own text may quote a value.
            format!(
                "{name}: not the JSON of a credentials file (line {}, column {})",
                error.line(),
                error.column()
            )
        })?;
        Ok(Self {
            name: name.to_owned(),
            content,
        })
    }

    /// Asks this file, and the helpers it names, for a repository's credential.
    pub(super) fn lookup(
        &self,
        host: &str,
        repository: &str,
        helpers: &dyn Helpers,
        lookup: &mut Lookup,
    ) -> Option<Found> {
        let server = if is_docker_hub(host) { DOCKER_HUB_KEY } else { host };
        let own_helper = self
            .content
            .helpers
            .iter()
            .flatten()
            .find(|(key, _)| host_of(key) == host_of(server));
        let helper = own_helper.map(|(_, helper)| helper.as_str()).or(self
            .content
            .store
            .as_deref()
            .filter(|store| !store.is_empty()));
        if let Some(helper) = helper {
            let origin = format!("credential helper docker-credential-{helper} ({})", self.name);
            match helpers.get(helper, server) {
                HelperAnswer::Found { username, secret } => {
                    let credential = if username == TOKEN_USER {
                        Credential::IdentityToken(secret)
                    } else {
                        Credential::Basic {
                            username,
                            password: secret,
                        }
                    };
                    return Some(Found { credential, origin });
                }
                HelperAnswer::NotFound => lookup
                    .tried
                    .push(format!("{origin}: knows no credentials for {host}")),
                HelperAnswer::Failed(problem) => {
                    let failure = format!("{origin}: {problem}");
                    lookup.tried.push(failure.clone());
                    lookup.failures.push(failure);
                }
            }
        }
        let Some(entry) = self.entry(host, repository) else {
            lookup.tried.push(format!("{}: no entry for {host}", self.name));
            return None;
        };
        match entry.credential() {
            Ok(Some(credential)) => Some(Found {
                credential,
                origin: self.name.clone(),
            }),
            Ok(None) => {
                lookup
                    .tried
                    .push(format!("{}: the entry for {host} is empty", self.name));
                None
            }
            Err(problem) => {
                lookup
                    .tried
                    .push(format!("{}: the entry for {host} {problem}", self.name));
                None
            }
        }
    }

    /// The entry with the longest key that fits.
    fn entry(&self, host: &str, repository: &str) -> Option<&Entry> {
        let auths = self.content.auths.as_ref()?;
        let mut key = format!("{host}/{repository}");
        loop {
            if let Some(entry) = auths.get(&key) {
                return Some(entry);
            }
            match key.rfind('/') {
                Some(slash) => key.truncate(slash),
                None => break,
            }
        }
        let wanted = if is_docker_hub(host) {
            "index.docker.io"
        } else {
            host
        };
        // Addresses and Docker Hub's several names; a namespace key fits only its own repositories.
        auths
            .iter()
            .find(|(key, _)| {
                let is_address = key.contains("://") || !key.contains('/');
                is_address && (host_of(key) == wanted || is_docker_hub(host) && is_docker_hub(host_of(key)))
            })
            .map(|(_, entry)| entry)
    }
}

impl Entry {
    fn credential(&self) -> Result<Option<Credential>, &'static str> {
        let present =
            |field: &Option<String>| field.as_deref().filter(|text| !text.is_empty()).map(Secret::new);
        if let Some(token) = present(&self.identitytoken) {
            return Ok(Some(Credential::IdentityToken(token)));
        }
        if let Some(token) = present(&self.registrytoken) {
            return Ok(Some(Credential::RegistryToken(token)));
        }
        if let Some(auth) = present(&self.auth) {
            let (username, password) = decode(auth.expose())?;
            return Ok(Some(if username == TOKEN_USER {
                Credential::IdentityToken(password)
            } else {
                Credential::Basic { username, password }
            }));
        }
        match (&self.username, present(&self.password)) {
            (Some(username), Some(password)) if !username.is_empty() => Ok(Some(Credential::Basic {
                username: username.clone(),
                password,
            })),
            _ => Ok(None),
        }
    }
}

fn decode(auth: &str) -> Result<(String, Secret), &'static str> {
    let auth = auth.trim();
    let bytes = STANDARD
        .decode(auth)
        .or_else(|_| STANDARD_NO_PAD.decode(auth))
        .map_err(|_| "is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "is not text")?;
    let (username, password) = text
        .split_once(':')
        .ok_or("has no colon between user and password")?;
    if username.is_empty() {
        return Err("has no user name");
    }
    // Docker pads old entries with NULs.
    Ok((username.to_owned(), Secret::new(password.trim_end_matches('\0'))))
}

fn is_docker_hub(host: &str) -> bool {
    matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io")
}

/// The host of a key: without scheme and path.
fn host_of(key: &str) -> &str {
    let bare = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    bare.split('/').next().unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::helper::NoHelpers;

    struct Fake;

    impl Helpers for Fake {
        fn get(&self, helper: &str, server: &str) -> HelperAnswer {
            match (helper, server) {
                ("known", "r.example") => HelperAnswer::Found {
                    username: "AWS".into(),
                    secret: Secret::new("from-helper"),
                },
                ("hub", DOCKER_HUB_KEY) => HelperAnswer::Found {
                    username: TOKEN_USER.into(),
                    secret: Secret::new("refresh"),
                },
                ("broken", _) => HelperAnswer::Failed("ended with status 2".into()),
                _ => HelperAnswer::NotFound,
            }
        }
    }

    fn lookup(json: &str, host: &str, repository: &str) -> (Option<Credential>, Vec<String>) {
        let mut lookup = Lookup::default();
        let file = AuthFile::parse("config.json", json.as_bytes()).unwrap();
        let found = file.lookup(host, repository, &Fake, &mut lookup);
        (found.map(|found| found.credential), lookup.tried)
    }

    fn basic(username: &str, password: &str) -> Option<Credential> {
        Some(Credential::Basic {
            username: username.into(),
            password: Secret::new(password),
        })
    }

    #[test]
    fn hosts_are_found_however_docker_wrote_them() {
        // "user:pass:word", "u:p"
        let json = r#"{"auths": {
            "r.example": {"auth": "dXNlcjpwYXNzOndvcmQ="},
            "https://s.example/v1/": {"auth": "dTpw"},
            "https://index.docker.io/v1/": {"identitytoken": "id", "auth": "dTpw"},
            "p.example:5000": {"username": "u", "password": "p"},
            "empty.example": {}
        }, "HttpHeaders": {"x": 1}}"#;
        assert_eq!(lookup(json, "r.example", "a").0, basic("user", "pass:word"));
        assert_eq!(lookup(json, "s.example", "a").0, basic("u", "p"));
        assert_eq!(lookup(json, "p.example:5000", "a").0, basic("u", "p"));
        assert_eq!(
            lookup(json, "docker.io", "library/a").0,
            Some(Credential::IdentityToken(Secret::new("id")))
        );
        assert_eq!(
            lookup(json, "p.example", "a"),
            (None, vec!["config.json: no entry for p.example".into()])
        );
        assert_eq!(
            lookup(json, "empty.example", "a").1,
            ["config.json: the entry for empty.example is empty"]
        );
    }

    #[test]
    fn the_longest_key_wins() {
        let json = r#"{"auths": {
            "r.example": {"auth": "aDpw"},
            "r.example/team": {"auth": "dDpw"},
            "r.example/team/app": {"auth": "YTpw"}
        }}"#;
        assert_eq!(lookup(json, "r.example", "team/app").0, basic("a", "p"));
        assert_eq!(lookup(json, "r.example", "team/app/sub").0, basic("a", "p"));
        assert_eq!(lookup(json, "r.example", "team/other").0, basic("t", "p"));
        assert_eq!(lookup(json, "r.example", "teams").0, basic("h", "p"));
        let json = r#"{"auths": {"r.example/team": {"auth": "dDpw"}}}"#;
        assert_eq!(lookup(json, "r.example", "other").0, None);
    }

    #[test]
    fn helpers_go_before_the_store_and_the_entries() {
        let json = r#"{"credsStore": "hub", "credHelpers": {"r.example": "known", "b.example": "broken"},
                       "auths": {"r.example": {"auth": "dTpw"}, "b.example": {"auth": "dTpw"}, "c.example": {"auth": "dTpw"}}}"#;
        assert_eq!(lookup(json, "r.example", "a").0, basic("AWS", "from-helper"));
        assert_eq!(
            lookup(json, "index.docker.io", "a").0,
            Some(Credential::IdentityToken(Secret::new("refresh")))
        );
        let (found, tried) = lookup(json, "b.example", "a");
        assert_eq!(found, basic("u", "p"));
        assert_eq!(
            tried,
            ["credential helper docker-credential-broken (config.json): ended with status 2"]
        );
        assert_eq!(lookup(json, "c.example", "a").0, basic("u", "p"));
    }

    #[test]
    fn broken_entries_are_named_without_their_content() {
        for (auth, problem) in [
            ("!!!", "is not base64"),
            ("c2VjcmV0", "has no colon"),
            ("OnA=", "has no user name"),
            ("//86Og==", "is not text"),
        ] {
            let json = format!(r#"{{"auths": {{"r.example": {{"auth": "{auth}"}}}}}}"#);
            let (found, tried) = lookup(&json, "r.example", "a");
            assert_eq!(found, None);
            assert!(tried[0].contains(problem), "{tried:?}");
        }
        let error = AuthFile::parse("f", br#"{"auths": "hunter2"}"#).err().unwrap();
        assert!(!error.contains("hunter2") && error.contains("line 1"), "{error}");
        assert!(AuthFile::parse("f", &vec![b' '; AuthFile::MAX_SIZE + 1]).is_err());
    }

    #[test]
    fn null_maps_are_empty() {
        let file = AuthFile::parse("f", br#"{"auths": null, "credHelpers": null}"#).unwrap();
        assert!(
            file.lookup("h", "r", &NoHelpers, &mut Lookup::default())
                .is_none()
        );
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(json in "[ -~]{0,80}", auth in "[A-Za-z0-9+/=]{0,20}") {
            let _ = AuthFile::parse("f", json.as_bytes());
            let _ = decode(&auth);
        }
    }
}
