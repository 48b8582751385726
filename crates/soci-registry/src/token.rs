//! Questions to token servers and their answers, and what goes out without asking.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use soci_image::EcrHost;

use crate::credentials::Credential;
use crate::error::RegistryError;
use crate::origin::Origin;
use crate::redact::Secrets;
use crate::secret::Secret;
use crate::url::{Url, percent_encoded};

/// What a request does with a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Scope {
    pub(crate) repository: String,
    push: bool,
}

impl Scope {
    pub(crate) fn pull(repository: &str) -> Self {
        Self {
            repository: repository.to_owned(),
            push: false,
        }
    }

    pub(crate) fn push(repository: &str) -> Self {
        Self {
            repository: repository.to_owned(),
            push: true,
        }
    }

    pub(crate) fn pushes(&self) -> bool {
        self.push
    }

    fn text(&self) -> String {
        let actions = if self.push { "pull,push" } else { "pull" };
        format!("repository:{}:{actions}", self.repository)
    }
}

/// A token server that may see the registry's login.
pub(crate) struct Realm(Url);

impl Realm {
    /// Looks at an address that the registry `own` (called `host`) named in a challenge.
    ///
    /// Another host is common (auth.docker.io), and trusted because the registry says so: that must have come over
    /// https, or from this machine, and the way there must be https as well. A registry out there has no business
    /// with servers on this machine, and one on plain http may have had its words changed on the way.
    pub(crate) fn named(
        own: &Origin,
        host: &str,
        text: &str,
        secrets: &Secrets,
    ) -> Result<Self, RegistryError> {
        let url = Url::parse(text).map_err(|source| RegistryError::Address {
            host: host.to_owned(),
            who: "the token realm",
            source,
        })?;
        let target = Origin::of(&url);
        if target == *own {
            return Ok(Self(url));
        }
        if !own.is_private() {
            return Err(RegistryError::ForeignRealm {
                host: host.to_owned(),
                realm: secrets.quote(url.authority()),
            });
        }
        let local = url.is_loopback() && own.is_loopback();
        if url.is_https() || local {
            return Ok(Self(url));
        }
        Err(RegistryError::Insecure {
            host: secrets.quote(url.authority()),
            who: "the token realm",
        })
    }

    /// The address.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

/// A question to a token server.
pub(crate) struct TokenAsk {
    pub(crate) realm: Realm,
    pub(crate) service: Option<String>,
    pub(crate) scopes: Vec<String>,
}

impl TokenAsk {
    /// The address of a GET.
    pub(crate) fn address(&self) -> Url {
        let mut url = self.realm.url().clone();
        if let Some(service) = &self.service {
            url = url.with_query("service", service);
        }
        for scope in &self.scopes {
            url = url.with_query("scope", scope);
        }
        url
    }

    /// The form of a POST with a refresh token.
    pub(crate) fn form(&self, token: &Secret) -> Secret {
        let mut form = format!(
            "grant_type=refresh_token&client_id=cargo-soci&refresh_token={}",
            percent_encoded(token.expose())
        );
        if let Some(service) = &self.service {
            form.push_str(&format!("&service={}", percent_encoded(service)));
        }
        form.push_str(&format!("&scope={}", percent_encoded(&self.scopes.join(" "))));
        Secret::new(form)
    }
}

#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    pub(crate) token: Option<String>,
    pub(crate) access_token: Option<String>,
    pub(crate) expires_in: Option<u64>,
}

/// The field for credentials that go out as they are.
pub(crate) fn direct(credential: &Credential) -> Option<Secret> {
    match credential {
        Credential::Basic { username, password } => {
            let both = STANDARD.encode(format!("{username}:{}", password.expose()));
            Some(Secret::new(format!("Basic {both}")))
        }
        Credential::RegistryToken(token) => Some(Secret::new(format!("Bearer {}", token.expose()))),
        // A refresh token is for the token server alone.
        Credential::IdentityToken(_) => None,
    }
}

/// Our scopes, and the challenge's own where it names something else.
pub(crate) fn scope_texts(scopes: &[Scope], challenged: Option<&str>) -> Vec<String> {
    let mut texts: Vec<String> = scopes.iter().map(Scope::text).collect();
    for scope in challenged
        .unwrap_or_default()
        .split(' ')
        .filter(|scope| !scope.is_empty())
    {
        let resource = scope.rsplit_once(':').map_or(scope, |(resource, _)| resource);
        let known = scopes
            .iter()
            .any(|own| resource == format!("repository:{}", own.repository));
        // A challenge that was learned for one repository says nothing about another.
        if !known && !scope.starts_with("repository:") && texts.len() < 8 {
            texts.push(scope.to_owned());
        }
    }
    texts
}

/// What to do about a login that was refused.
pub(crate) fn login_help(host: &str, had_credentials: bool) -> String {
    if let Some(ecr) = EcrHost::parse(host) {
        return format!(
            "log in as for the aws command (a profile, `aws sso login`, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), \
             with `aws ecr get-login-password --region {} | docker login --username AWS --password-stdin {host}`, \
             or install docker-credential-ecr-login (it answers \"credentials not found\" also when it finds no AWS credentials)",
            ecr.region
        );
    }
    if had_credentials {
        format!("log in again: docker login {host}")
    } else {
        format!("log in: docker login {host}")
    }
}
