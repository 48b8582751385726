//! Logins as the job has them: docker's files and helpers, read and started by the host.

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;
use soci_registry::credentials::{
    AuthFile, Credential, HelperAnswer, Helpers, Keychain, MAX_HELPER_OUTPUT, helper_answer, helper_program,
};
use soci_registry::{Environment, Secret};

use super::host;
use crate::Objection;

/// A login that the caller gives, for one registry alone.
#[derive(Deserialize)]
pub(super) struct Given {
    username: String,
    password: String,
}

/// What is known about logins; `given` is for the registry `host`.
pub(super) fn keychain(given: Option<Given>, host: &str) -> Result<Keychain, Objection> {
    let variables: BTreeMap<String, String> = serde_json::from_str(&host::environment())
        .map_err(|error| Objection(format!("the environment: {error}")))?;
    let read = |path: &std::path::Path| {
        let limit = u32::try_from(AuthFile::MAX_SIZE).expect("a MiB");
        host::file(&path.display().to_string(), limit).ok_or_else(|| match host::reason() {
            reason if reason.is_empty() => io::ErrorKind::NotFound.into(),
            reason => io::Error::other(reason),
        })
    };
    let keychain = Keychain::over(&Environment::new(variables), &read, Box::new(HostHelpers));
    Ok(match given {
        None => keychain,
        Some(Given { username, password }) => {
            let password = Secret::new(password);
            keychain.with_explicit(
                host,
                Credential::Basic { username, password },
                "the input username",
            )
        }
    })
}

/// Credential helpers, started by the host.
struct HostHelpers;

#[derive(Deserialize)]
struct Ended {
    failure: Option<String>,
    #[serde(default)]
    output: String,
    problem: Option<String>,
}

impl Helpers for HostHelpers {
    fn get(&self, helper: &str, server: &str) -> HelperAnswer {
        let program = match helper_program(helper) {
            Ok(program) => program,
            Err(answer) => return answer,
        };
        let limit = u32::try_from(MAX_HELPER_OUTPUT).expect("some KiB");
        let ended = host::credential(&program, server, limit);
        match serde_json::from_str::<Ended>(&ended) {
            Ok(Ended {
                problem: Some(problem),
                ..
            }) => HelperAnswer::Failed(problem),
            Ok(ended) => helper_answer(ended.failure.as_deref(), ended.output.as_bytes()),
            Err(_) => HelperAnswer::Failed("could not be asked".to_owned()),
        }
    }
}
