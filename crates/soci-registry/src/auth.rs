//! Logging in to one registry: from its challenge to a login, or an error.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use soci_image::EcrHost;

use crate::challenge::{Challenge, OwnChallenges};
use crate::credentials::{Credential, EcrLogin, Found, Keychain, Lookup};
use crate::error::RegistryError;
use crate::origin::{Authorization, Origin};
use crate::redact::Quoted;
use crate::secret::Secret;
use crate::token::{Realm, Scope, TokenAnswer, TokenAsk, direct, login_help, scope_texts};
use crate::transport::{Method, Patience, Request, Transport};
use crate::wire::{About, Answer, Wire};

/// What is known about logging in to one registry. What it gives goes to the registry's own origin alone.
pub(crate) struct Login {
    /// Host and port as in references.
    host: String,
    own: Origin,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    challenges: OwnChallenges,
    /// Access tokens by the scopes they were asked for.
    tokens: BTreeMap<Vec<Scope>, Token>,
    /// Credentials by repository: namespaces may have their own.
    lookups: BTreeMap<String, Lookup>,
    /// The ECR login, kept while it is valid.
    ecr: Option<(EcrLogin, Duration)>,
}

#[derive(Clone)]
struct Token {
    authorization: Authorization,
    /// When it should no longer be used, since 1970.
    ends: Duration,
}

/// What a request needs a login for.
#[derive(Clone, Copy)]
pub(crate) struct Need<'a> {
    pub(crate) repository: &'a str,
    pub(crate) scopes: &'a [Scope],
}

/// Tokens are not used during their last seconds: the request takes time too.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a token lives whose answer does not say (the token specification's default).
const SHORTEST_LIFE: u64 = 60;

/// The longest a token is kept, whatever its answer says.
const LONGEST_LIFE: u64 = 12 * 3600;

/// Where the ECR login comes from, for messages.
const ECR_ORIGIN: &str = "AWS credentials";

impl Login {
    /// Nothing is known yet.
    pub(crate) fn new(host: &str, own: Origin) -> Self {
        Self {
            host: host.to_owned(),
            own,
            state: Mutex::default(),
        }
    }

    /// Remembers the challenges of a 401; `false` if it is not the registry that asks.
    pub(crate) fn learn<B>(&self, answer: &Answer<B>) -> bool {
        let Some(challenges) = OwnChallenges::of(&self.own, answer) else {
            return false;
        };
        if !challenges.is_empty() {
            self.lock().challenges = challenges;
        }
        true
    }

    /// Drops the token that was refused, and credentials: a helper may have a fresh one.
    pub(crate) fn forget(&self, scopes: &[Scope], refused: Option<&Authorization>) {
        let mut state = self.lock();
        let known = state.tokens.get(scopes);
        if known.is_some_and(|token| Some(&token.authorization) == refused) {
            state.tokens.remove(scopes);
        }
        // Basic logins hold the ECR password; whether it was the one does not matter.
        state.ecr = None;
        state.lookups.clear();
    }

    /// The login for a request; `None` to ask without.
    pub(crate) async fn authorization<T: Transport>(
        &self,
        wire: &Wire<T>,
        keychain: &Keychain,
        need: Need<'_>,
    ) -> Result<Option<Authorization>, RegistryError> {
        let now = wire.transport.now();
        let challenge = {
            let state = self.lock();
            let Some(challenge) = state.challenges.preferred() else {
                return Ok(None);
            };
            if let Some(token) = state.tokens.get(need.scopes)
                && token.ends > now + MARGIN
            {
                return Ok(Some(token.authorization.clone()));
            }
            challenge.clone()
        };
        let found = self.credential(wire, keychain, need.repository).found;
        let given = found
            .as_ref()
            .and_then(|found| direct(&found.credential))
            .map(|value| {
                let (_, what) = value.expose().split_once(' ').unwrap_or_default();
                wire.secrets.add(what);
                Authorization::new(&self.own, value)
            });
        match challenge {
            Challenge::Basic => Ok(given),
            Challenge::Bearer { .. } if matches!(&found, Some(found) if matches!(found.credential, Credential::RegistryToken(_))) => {
                Ok(given)
            }
            Challenge::Bearer {
                realm,
                service,
                scope,
            } => {
                let ask = TokenAsk {
                    realm: Realm::named(&self.own, &self.host, &realm, &wire.secrets)?,
                    service,
                    scopes: scope_texts(need.scopes, scope.as_deref()),
                };
                let token = self.fetch_token(wire, need, &ask, found.as_ref()).await?;
                let authorization = token.authorization.clone();
                self.lock().tokens.insert(need.scopes.to_vec(), token);
                Ok(Some(authorization))
            }
        }
    }

    /// The error of a login that was refused twice.
    pub(crate) fn refused(&self, repository: &str, message: Quoted) -> RegistryError {
        let Lookup { found, mut tried, .. } = self.known(repository);
        let help = login_help(&self.host, found.is_some());
        match found {
            Some(found) => tried.push(format!("{}: refused by the registry", found.origin)),
            None => tried.push("without a login: refused by the registry".into()),
        }
        RegistryError::Login {
            host: self.host.clone(),
            repository: repository.to_owned(),
            message,
            tried,
            help,
        }
    }

    /// The credential for a repository: the keychain's, for ECR also that of a signed call.
    fn credential<T: Transport>(&self, wire: &Wire<T>, keychain: &Keychain, repository: &str) -> Lookup {
        if let Some(lookup) = self.lock().lookups.get(repository) {
            return lookup.clone();
        }
        let mut lookup = keychain.lookup(&self.host, repository);
        for failure in &lookup.failures {
            wire.note(&format!("{failure}; going on without it"));
        }
        if lookup.found.is_none()
            && let Some(ecr_host) = EcrHost::parse(&self.host)
        {
            self.ecr_login(wire, keychain, &ecr_host, &mut lookup);
        }
        if let Some(found) = &lookup.found {
            wire.secrets.add(found.credential.secret().expose());
        }
        self.lock().lookups.insert(repository.to_owned(), lookup.clone());
        lookup
    }

    /// A login of Amazon ECR, by the AWS credentials that the caller of this crate finds.
    fn ecr_login<T: Transport>(
        &self,
        wire: &Wire<T>,
        keychain: &Keychain,
        host: &EcrHost,
        lookup: &mut Lookup,
    ) {
        let Some(logins) = keychain.ecr() else {
            return;
        };
        let now = wire.transport.now();
        let kept = self.lock().ecr.clone().filter(|(_, ends)| *ends > now + MARGIN);
        let found = match kept {
            Some((login, _)) => Ok(login),
            None => logins.login(host),
        };
        match found {
            Ok(login) => {
                let ends = login
                    .expires
                    .map_or(now + Duration::from_secs(SHORTEST_LIFE), Duration::from_secs);
                self.lock().ecr = Some((login.clone(), ends));
                lookup.found = Some(Found {
                    credential: login.credential,
                    origin: ECR_ORIGIN.into(),
                });
            }
            Err(problem) => {
                let problem = wire.quote(&problem);
                lookup.tried.push(format!("{ECR_ORIGIN}: {problem}"));
            }
        }
    }

    /// Asks the token server. A redirect of its is not followed: the login stays where the registry sent it.
    async fn fetch_token<T: Transport>(
        &self,
        wire: &Wire<T>,
        need: Need<'_>,
        ask: &TokenAsk,
        found: Option<&Found>,
    ) -> Result<Token, RegistryError> {
        let realm = ask.realm.url();
        let server = wire.quote(realm.authority());
        let about = About {
            host: server.as_str(),
            what: "fetch a token",
        };
        let mut headers = vec![("accept", "application/json".to_owned())];
        let (form, address, login);
        let request = match found.map(|found| &found.credential) {
            Some(Credential::IdentityToken(token)) => {
                form = ask.form(token);
                headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
                Request {
                    method: Method::Post,
                    url: realm,
                    headers: &headers,
                    login: None,
                    body: Some(form.expose().as_bytes()),
                    patience: Patience::Usual,
                }
            }
            credential => {
                address = ask.address();
                let value = credential.and_then(direct);
                login = value.map(|value| Authorization::new(&Origin::of(realm), value));
                Request {
                    method: Method::Get,
                    url: &address,
                    headers: &headers,
                    login: login.as_ref(),
                    body: None,
                    patience: Patience::Usual,
                }
            }
        };
        let limit = wire.options.limits.token;
        let (status, body) = wire.small_answer(&request, about, limit).await?;
        let protocol = |problem: &str| RegistryError::Protocol {
            host: about.host.to_owned(),
            what: about.what.to_owned(),
            problem: Quoted::own(problem),
        };
        match status {
            200 => {}
            300..=399 => return Err(protocol("it redirects, and a login is not sent on")),
            400 | 401 | 403 => {
                let message = format!("the token server {} answered {status}", about.host);
                return Err(self.refused(need.repository, Quoted::own(message)));
            }
            status => {
                return Err(RegistryError::Refused {
                    host: about.host.to_owned(),
                    what: about.what.to_owned(),
                    status,
                    message: Quoted::default(),
                });
            }
        }
        // serde's own text may quote the token.
        let answer: TokenAnswer =
            serde_json::from_slice(&body).map_err(|_| protocol("the answer is no token"))?;
        let token = answer
            .token
            .filter(|token| !token.is_empty())
            .or(answer.access_token)
            .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| protocol("the answer holds no usable token"))?;
        wire.secrets.add(&token);
        let life = answer
            .expires_in
            .unwrap_or(SHORTEST_LIFE)
            .clamp(SHORTEST_LIFE / 2, LONGEST_LIFE);
        Ok(Token {
            authorization: Authorization::new(&self.own, Secret::new(format!("Bearer {token}"))),
            ends: wire.transport.now() + Duration::from_secs(life),
        })
    }

    fn known(&self, repository: &str) -> Lookup {
        self.lock().lookups.get(repository).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
