//! Logging in: from a challenge to an `Authorization` field.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use soci_image::EcrHost;

use crate::challenge::{Challenge, challenges};
use crate::client::{Answer, AnswerBody, Call, Client, Host, ReadFault, Repeat, lock};
use crate::credentials::{Credential, Found, Lookup};
use crate::ecr;
use crate::error::RegistryError;
use crate::refusal;
use crate::secret::Secret;
use crate::token::{TokenAnswer, TokenAsk, direct, login_help, scope_texts};
use crate::transport::{Headers, Method, Patience, Request, Transport};
use crate::url::Url;

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

    pub(crate) fn text(&self) -> String {
        let actions = if self.push { "pull,push" } else { "pull" };
        format!("repository:{}:{actions}", self.repository)
    }
}

/// What is known about logging in to one registry.
#[derive(Default)]
pub(crate) struct HostLogin {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    challenges: Vec<Challenge>,
    /// Access tokens by the scopes they were asked for.
    tokens: BTreeMap<Vec<Scope>, Token>,
    /// Credentials by repository: namespaces may have their own.
    lookups: BTreeMap<String, Lookup>,
    /// The ECR login of the environment, kept while it is valid.
    ecr: Option<Token>,
}

#[derive(Clone)]
struct Token {
    authorization: Secret,
    /// When it should no longer be used, since 1970.
    ends: Duration,
}

/// Tokens are not used during their last seconds: the request takes time too.
const MARGIN: Duration = Duration::from_secs(10);

/// How long a token lives whose answer does not say (the token specification's default).
const SHORTEST_LIFE: u64 = 60;

/// The longest a token is kept, whatever its answer says.
const LONGEST_LIFE: u64 = 12 * 3600;

impl HostLogin {
    /// Remembers the challenges of a 401.
    pub(crate) fn learn(&self, headers: &Headers) {
        let found = challenges(headers.all("www-authenticate"));
        if !found.is_empty() {
            lock(&self.state).challenges = found;
        }
    }

    /// Drops the token that was refused, and credentials: a helper may have a fresh one.
    pub(crate) fn forget(&self, scopes: &[Scope], refused: Option<&str>) {
        let mut state = lock(&self.state);
        let is_refused = |token: &Token| Some(token.authorization.expose()) == refused;
        if state.tokens.get(scopes).is_some_and(is_refused) {
            state.tokens.remove(scopes);
        }
        if state.ecr.as_ref().is_some_and(is_refused) {
            state.ecr = None;
        }
        state.lookups.clear();
    }
}

impl<T: Transport> Client<T> {
    /// The `Authorization` field for a call; `None` to ask without.
    pub(crate) async fn authorization(
        &self,
        host: &Host,
        call: &Call<'_>,
    ) -> Result<Option<String>, RegistryError> {
        let now = self.inner.transport.now();
        let (challenge, cached) = {
            let state = lock(&host.login.state);
            // A token leaves the password at home: bearer goes first where both are offered.
            let bearer = state
                .challenges
                .iter()
                .find(|one| matches!(one, Challenge::Bearer { .. }));
            let challenge = bearer.or(state.challenges.first()).cloned();
            let cached = state
                .tokens
                .get(call.scopes)
                .filter(|token| token.ends > now + MARGIN);
            (
                challenge,
                cached.map(|token| token.authorization.expose().to_owned()),
            )
        };
        let Some(challenge) = challenge else {
            return Ok(None);
        };
        if cached.is_some() {
            return Ok(cached);
        }
        let found = self.credential(host, call.repository).await?.found;
        match challenge {
            Challenge::Basic => Ok(found.and_then(|found| direct(&found.credential))),
            Challenge::Bearer {
                realm,
                service,
                scope,
            } => {
                if let Some(Found {
                    credential: Credential::RegistryToken(token),
                    ..
                }) = &found
                {
                    return Ok(Some(format!("Bearer {}", token.expose())));
                }
                let ask = TokenAsk {
                    realm: self.realm(host, &realm)?,
                    service,
                    scopes: scope_texts(call.scopes, scope.as_deref()),
                };
                let token = self.fetch_token(host, call, &ask, found.as_ref()).await?;
                let text = token.authorization.expose().to_owned();
                lock(&host.login.state).tokens.insert(call.scopes.to_vec(), token);
                Ok(Some(text))
            }
        }
    }

    /// The error of a login that was refused twice.
    pub(crate) fn login_error<B>(&self, host: &Host, call: &Call<'_>, answer: &Answer<B>) -> RegistryError {
        let lookup = lock(&host.login.state)
            .lookups
            .get(call.repository)
            .cloned()
            .unwrap_or_default();
        self.login_failed(&host.name, call.repository, lookup, refusal::words(answer))
    }

    fn login_failed(&self, host: &str, repository: &str, lookup: Lookup, message: String) -> RegistryError {
        let mut tried = lookup.tried;
        let help = login_help(host, lookup.found.is_some());
        match lookup.found {
            Some(found) => tried.push(format!("{}: refused by the registry", found.origin)),
            None => tried.push("without a login: refused by the registry".into()),
        }
        RegistryError::Login {
            host: host.to_owned(),
            repository: repository.to_owned(),
            message,
            tried,
            help,
        }
    }

    /// The credential for a repository: the keychain's, for ECR also that of a signed call.
    async fn credential(&self, host: &Host, repository: &str) -> Result<Lookup, RegistryError> {
        if let Some(lookup) = lock(&host.login.state).lookups.get(repository) {
            return Ok(lookup.clone());
        }
        let mut lookup = self.inner.keychain.lookup(&host.name, repository);
        if lookup.found.is_none()
            && let Some(ecr_host) = EcrHost::parse(&host.name)
        {
            self.ecr_login(host, &ecr_host, &mut lookup).await?;
        }
        lock(&host.login.state)
            .lookups
            .insert(repository.to_owned(), lookup.clone());
        Ok(lookup)
    }

    /// `GetAuthorizationToken` with the environment's AWS credentials.
    async fn ecr_login(
        &self,
        host: &Host,
        ecr_host: &EcrHost,
        lookup: &mut Lookup,
    ) -> Result<(), RegistryError> {
        const ORIGIN: &str = "AWS credentials of the environment";
        let environment = self.inner.keychain.environment();
        let Some(credentials) = ecr::credentials_of(environment) else {
            lookup.tried.push(format!(
                "{ORIGIN}: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"
            ));
            return Ok(());
        };
        let now = self.inner.transport.now();
        let cached = lock(&host.login.state)
            .ecr
            .clone()
            .filter(|token| token.ends > now + MARGIN);
        if let Some(token) = cached {
            let credential = Credential::Basic {
                username: "AWS".into(),
                password: token.authorization,
            };
            lookup.found = Some(Found {
                credential,
                origin: ORIGIN.into(),
            });
            return Ok(());
        }
        let what = "fetch an ECR login";
        let answer = match ecr::token_call(ecr_host, environment, &credentials, now) {
            Err(problem) => Err(problem),
            Ok(call) => {
                let request = Request {
                    method: Method::Post,
                    url: &call.url,
                    headers: &call.headers,
                    body: Some(call.body),
                    patience: Patience::Usual,
                };
                let (status, body) = self
                    .small_answer(&request, call.url.authority(), what, ecr::MAX_ANSWER)
                    .await?;
                ecr::read_answer(status, &body)
            }
        };
        match answer {
            Ok(token) => {
                if let Credential::Basic { password, .. } = &token.credential {
                    let ends = token
                        .expires
                        .map_or(now + Duration::from_secs(SHORTEST_LIFE), Duration::from_secs);
                    lock(&host.login.state).ecr = Some(Token {
                        authorization: password.clone(),
                        ends,
                    });
                }
                lookup.found = Some(Found {
                    credential: token.credential,
                    origin: ORIGIN.into(),
                });
            }
            Err(problem) => lookup.tried.push(format!("{ORIGIN}: {problem}")),
        }
        Ok(())
    }

    /// The token server's address. Credentials never go there over plain http, except on this machine.
    fn realm(&self, host: &Host, realm: &str) -> Result<Url, RegistryError> {
        let url = Url::parse(realm).map_err(|source| RegistryError::Address {
            host: host.name.clone(),
            who: "the token realm",
            source,
        })?;
        // A registry out there has no business with servers on this machine.
        let local = url.is_loopback() && host.base.is_loopback();
        if url.is_https() || local {
            return Ok(url);
        }
        Err(RegistryError::Insecure {
            host: url.authority().to_owned(),
            who: "the token realm",
        })
    }

    async fn fetch_token(
        &self,
        host: &Host,
        call: &Call<'_>,
        ask: &TokenAsk,
        found: Option<&Found>,
    ) -> Result<Token, RegistryError> {
        let what = "fetch a token";
        let server = ask.realm.authority();
        let mut headers = vec![("accept", "application/json".to_owned())];
        let form;
        let address;
        let request = match found.map(|found| &found.credential) {
            Some(Credential::IdentityToken(token)) => {
                form = ask.form(token);
                headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
                Request {
                    method: Method::Post,
                    url: &ask.realm,
                    headers: &headers,
                    body: Some(form.expose().as_bytes()),
                    patience: Patience::Usual,
                }
            }
            credential => {
                address = ask.address();
                if let Some(authorization) = credential.and_then(direct) {
                    headers.push(("authorization", authorization));
                }
                Request {
                    method: Method::Get,
                    url: &address,
                    headers: &headers,
                    body: None,
                    patience: Patience::Usual,
                }
            }
        };
        let limit = self.options().limits.token;
        let (status, body) = self.small_answer(&request, server, what, limit).await?;
        let protocol = |problem: &str| RegistryError::Protocol {
            host: server.to_owned(),
            what: what.to_owned(),
            problem: problem.to_owned(),
        };
        match status {
            200 => {}
            400 | 401 | 403 => {
                let lookup = lock(&host.login.state)
                    .lookups
                    .get(call.repository)
                    .cloned()
                    .unwrap_or_default();
                let message = format!("the token server {server} answered {status}");
                return Err(self.login_failed(&host.name, call.repository, lookup, message));
            }
            status => {
                return Err(RegistryError::Refused {
                    host: server.to_owned(),
                    what: what.to_owned(),
                    status,
                    message: String::new(),
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
        let life = answer
            .expires_in
            .unwrap_or(SHORTEST_LIFE)
            .clamp(SHORTEST_LIFE / 2, LONGEST_LIFE);
        Ok(Token {
            authorization: Secret::new(format!("Bearer {token}")),
            ends: self.inner.transport.now() + Duration::from_secs(life),
        })
    }

    /// An exchange outside of the registry with a small answer; read again if the body is cut.
    async fn small_answer(
        &self,
        request: &Request<'_>,
        host: &str,
        what: &str,
        limit: u64,
    ) -> Result<(u16, Vec<u8>), RegistryError> {
        let mut attempt = 1;
        loop {
            let response = self.exchange(request, Repeat::Safe, host, what).await?;
            let status = response.status;
            let answer = Answer {
                status,
                headers: response.headers,
                body: AnswerBody::Live(response.body),
                url: request.url.clone(),
            };
            match self.read_document(answer, limit, host, what).await {
                Ok(body) => return Ok((status, body)),
                Err(ReadFault::Meant(error)) => return Err(error),
                Err(ReadFault::Transport(source)) => {
                    attempt += 1;
                    let random = self.inner.transport.random();
                    match self
                        .options()
                        .retry
                        .pause(attempt, None, random)
                        .filter(|_| source.is_transient())
                    {
                        Some(pause) => self.wait(pause, host, what).await?,
                        None => return Err(self.transport_error(host, what, attempt - 1, source)),
                    }
                }
            }
        }
    }
}
