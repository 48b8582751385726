//! The registry client of a run: made at its first use, from the common flags and the environment.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

#[cfg(feature = "aws")]
use soci_aws::account::{AccountOptions, Logins};
use soci_image::Reference;
use soci_registry::credentials::{Credential, Keychain};
use soci_registry::{
    Client, ClientOptions, Environment, NativeClient, NativeOptions, RetryPolicy, Secret, Trace, Traffic,
    UreqTransport,
};
use soci_store::block_on;
use soci_store::registry::{RegistryDestination, RegistrySource};

#[cfg(feature = "aws")]
use crate::aws;
use crate::causes::AtPath;
use crate::config::{Config, Flags, project};
use crate::context::Context;
use crate::error::{CommandError, OrFail};
use crate::escape;
use crate::places;

/// Flags about registries, the same for every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Registries")]
pub struct RegistryFlags {
    /// User name for the registry; the password comes from --password-stdin or CARGO_SOCI_PASSWORD
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub username: Option<String>,
    /// Read the registry's password from the first line of stdin
    #[arg(long, global = true, hide_short_help = true)]
    pub password_stdin: bool,
    /// Certificates in PEM form to trust in addition to the system's
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub ca_file: Option<PathBuf>,
    /// Reach this registry (host and port) over plain http; may be repeated. Loopback needs no flag
    #[arg(long, global = true, value_name = "HOST", hide_short_help = true)]
    pub plain_http: Vec<String>,
    /// Concurrent requests for one layer above 64 MiB
    #[arg(long, global = true, value_name = "N", hide_short_help = true, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub connections_per_layer: Option<u8>,
}

/// The client, once it was needed.
#[derive(Default)]
pub struct Registries {
    flags: RegistryFlags,
    settings: OnceLock<RegistrySettings>,
    client: OnceLock<Ready>,
    /// Whether images are looked up, rather than read or written.
    looks_up: AtomicBool,
    #[cfg(feature = "aws")]
    account: OnceLock<Arc<Logins>>,
    /// The login of flags and environment, read once: stdin gives a password once.
    login: Mutex<Option<Option<ExplicitLogin>>>,
}

/// A login that the user gave for this run, and by what.
type ExplicitLogin = (Credential, &'static str);

/// Why a registry is not asked.
#[derive(Debug)]
pub enum NotAsked {
    /// The command line, the configuration or the login forbids it.
    Command(CommandError),
    /// The registry or the way to it.
    Store(soci_store::Error),
}

/// The `registry.*` keys of the configuration, for what no flag says.
#[derive(Clone, Debug, Default)]
struct RegistrySettings {
    plain_http: Vec<String>,
    ca_file: Option<PathBuf>,
    connections_per_layer: Option<usize>,
}

impl RegistrySettings {
    fn of(config: &Config) -> Result<Self, CommandError> {
        let connections = config.number("registry.connections-per-layer");
        if let Some(number) = connections.filter(|number| *number > 16) {
            let origin = config.origin("registry.connections-per-layer");
            return Err(CommandError::usage(format!(
                "{origin}: at most 16 connections, not {number}"
            )));
        }
        Ok(Self {
            plain_http: config.list("registry.plain-http").to_vec(),
            ca_file: config.path("registry.ca-file").map(PathBuf::from),
            connections_per_layer: connections.and_then(|number| usize::try_from(number).ok()),
        })
    }

    /// What holds in the working folder.
    fn around() -> Result<Self, CommandError> {
        let folder = std::env::current_dir().or_fail(|| "cannot find the working folder".to_owned())?;
        Self::of(&Config::load(
            project::around(&folder),
            &Flags::default(),
            std::env::vars_os(),
        )?)
    }
}

/// Whether the user named this registry: among the arguments of the command line, or in a variable. What a checkout
/// says (an image in `soci.toml`, a document) chooses no registry for a login that was given for "the" registry.
fn is_named_by_user(
    registry: &str,
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> bool {
    let variables = ["CARGO_SOCI_LOGIN_REGISTRY", "CARGO_SOCI_IMAGE"];
    let variables = variables.iter().filter_map(|name| environment.get(name));
    let names = |text: &str| {
        text.split(['=', ',', ' ']).any(|word| {
            let word = word.strip_prefix("docker://").unwrap_or(word);
            let exact = word == registry || word.split('/').next() == Some(registry);
            exact || Reference::parse(word).is_ok_and(|named| named.registry() == registry)
        })
    };
    let arguments = arguments
        .into_iter()
        .filter_map(|argument| argument.into_string().ok());
    variables
        .map(str::to_owned)
        .chain(arguments)
        .any(|text| names(&text))
}

/// How often a registry is tried that many images are looked up in.
const LOOK_UP_ATTEMPTS: u32 = 3;

struct Ready {
    client: NativeClient,
    /// The registry that an explicit login is for.
    login_host: Option<String>,
}

impl Registries {
    /// Registries as the flags say.
    pub fn new(flags: RegistryFlags) -> Self {
        Self {
            flags,
            ..Self::default()
        }
    }

    /// Takes the `registry.*` keys of a command's configuration; the first call counts. Without one, those
    /// that hold in the working folder are read at the first use of a registry.
    pub fn configure(&self, config: &Config) -> Result<(), CommandError> {
        let settings = RegistrySettings::of(config)?;
        self.settings.get_or_init(|| settings);
        Ok(())
    }

    /// Tries less often: many images are looked up within a time, and what is not told stays unknown.
    pub fn look_up(&self) {
        self.looks_up.store(true, Ordering::Relaxed);
    }

    /// Opens an image for reading.
    pub fn source(&self, reference: &Reference, context: &Context) -> Result<RegistrySource, CommandError> {
        self.try_source(reference, context).map_err(|error| match error {
            NotAsked::Command(error) => error,
            NotAsked::Store(error) => places::failed(&error),
        })
    }

    /// The same for one of many images: a registry that cannot be asked is no reason to stop.
    pub fn try_source(&self, reference: &Reference, context: &Context) -> Result<RegistrySource, NotAsked> {
        let client = self.client(reference, context).map_err(NotAsked::Command)?;
        block_on(RegistrySource::open(client, reference)).map_err(NotAsked::Store)
    }

    /// Opens a repository for writing.
    pub fn destination(
        &self,
        reference: &Reference,
        context: &Context,
    ) -> Result<RegistryDestination, CommandError> {
        if reference.digest().is_some() {
            return Err(CommandError::usage(format!(
                "{reference} names an image by its digest, which cannot change"
            ))
            .help(format!("give a tag to write to: {}:TAG", reference.name())));
        }
        let client = self.client(reference, context)?;
        block_on(RegistryDestination::open(client, reference)).map_err(|error| places::failed(&error))
    }

    /// Refuses to read `what` from stdin if the registry's password comes from there.
    pub fn leaves_stdin_to(&self, what: &str) -> Result<(), CommandError> {
        if !self.flags.password_stdin {
            return Ok(());
        }
        Err(
            CommandError::usage(format!("--password-stdin and {what} `-` both read stdin"))
                .help("pass the password in CARGO_SOCI_PASSWORD, or give the other one as a file"),
        )
    }

    /// What crossed the network so far.
    pub fn traffic(&self) -> Traffic {
        self.client
            .get()
            .map(|ready| ready.client.traffic())
            .unwrap_or_default()
    }

    fn client(&self, reference: &Reference, context: &Context) -> Result<&NativeClient, CommandError> {
        let ready = match self.client.get() {
            Some(ready) => ready,
            None => {
                let mut login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
                match self.client.get() {
                    Some(ready) => ready,
                    None => {
                        let ready = self.connect(reference, context, &mut login)?;
                        self.client.get_or_init(|| ready)
                    }
                }
            }
        };
        // A password must not go to another registry than the one it was given for.
        match &ready.login_host {
            Some(host) if host != reference.registry() => Err(CommandError::usage(format!(
                "the login given by flag or CARGO_SOCI_USERNAME is for {host}, and {} is another registry",
                reference.registry()
            ))
            .help("log in to both with `docker login` and leave the flag out")),
            _ => Ok(&ready.client),
        }
    }

    fn connect(
        &self,
        reference: &Reference,
        context: &Context,
        login: &mut Option<Option<ExplicitLogin>>,
    ) -> Result<Ready, CommandError> {
        let mut environment = Environment::of_process();
        if let Some(folder) = context.docker_config_folder() {
            environment.set("DOCKER_CONFIG", &folder.display().to_string());
        }
        let mut keychain = Keychain::of_environment(&environment, context.cancel.flag());
        let mut login_host = None;
        let login = match login {
            Some(known) => known.clone(),
            None => login.insert(self.explicit(&environment)?).clone(),
        };
        if let Some((credential, origin)) = login {
            let registry = reference.registry();
            if !is_named_by_user(registry, std::env::args_os(), &environment) {
                return Err(CommandError::usage(format!(
                    "the login given by {origin} is for a registry that you name, and {registry} comes from a file"
                ))
                .help(format!("if it is meant for {registry}, set CARGO_SOCI_LOGIN_REGISTRY={registry}")));
            }
            keychain = keychain.with_explicit(reference.registry(), credential, origin);
            login_host = Some(reference.registry().to_owned());
        }
        let mut native = NativeOptions::new(environment);
        native.interrupted = context.cancel.flag();
        let settings = self.settings()?;
        native.extra_roots = self.extra_roots(&settings)?;
        #[cfg(feature = "aws")]
        let keychain = keychain.with_ecr(self.account(context)?);
        let transport = UreqTransport::new(native).map_err(|error| {
            CommandError::usage(error.to_string()).help("--ca-file takes certificates in PEM form")
        })?;
        let mut retry = RetryPolicy::default();
        if self.looks_up.load(Ordering::Relaxed) {
            retry.attempts = LOOK_UP_ATTEMPTS;
        }
        let options = ClientOptions {
            retry,
            plain_http: [self.flags.plain_http.clone(), settings.plain_http].concat(),
            connections_per_blob: (self.flags.connections_per_layer.map(usize::from))
                .or(settings.connections_per_layer),
            trace: context.tells_trace().then(|| teller(context, "")),
            note: context.tells_details().then(|| teller(context, "note: ")),
            ..ClientOptions::default()
        };
        Ok(Ready {
            client: Client::new(transport, keychain, options),
            login_host,
        })
    }

    fn settings(&self) -> Result<RegistrySettings, CommandError> {
        match self.settings.get() {
            Some(settings) => Ok(settings.clone()),
            None => RegistrySettings::around(),
        }
    }

    fn extra_roots(&self, settings: &RegistrySettings) -> Result<Vec<u8>, CommandError> {
        match self.flags.ca_file.as_ref().or(settings.ca_file.as_ref()) {
            Some(path) => fs::read(path).at("read", path),
            None => Ok(Vec::new()),
        }
    }

    /// The AWS account of the run, reached as registries are: that of the environment, unless
    /// [`use_account`](Self::use_account) chose one before.
    #[cfg(feature = "aws")]
    pub fn account(&self, context: &Context) -> Result<Arc<Logins>, CommandError> {
        if let Some(opened) = self.account.get() {
            return Ok(Arc::clone(opened));
        }
        self.use_account(AccountOptions::default(), context)
    }

    /// Chooses the AWS account, for logins of ECR as well; the first call counts.
    #[cfg(feature = "aws")]
    pub fn use_account(
        &self,
        options: AccountOptions,
        context: &Context,
    ) -> Result<Arc<Logins>, CommandError> {
        let roots = self.extra_roots(&self.settings()?)?;
        let trace = context.tells_trace().then(|| teller(context, ""));
        let opened = || Arc::new(Logins::of(options, aws::reach(roots, &context.cancel, trace)));
        Ok(Arc::clone(self.account.get_or_init(opened)))
    }

    /// The login of flags and `CARGO_SOCI_USERNAME` / `CARGO_SOCI_PASSWORD`.
    fn explicit(&self, environment: &Environment) -> Result<Option<ExplicitLogin>, CommandError> {
        let flag = self.flags.username.as_deref();
        let username = flag.or_else(|| environment.get("CARGO_SOCI_USERNAME"));
        let password = if self.flags.password_stdin {
            Some(password_from_stdin()?)
        } else {
            environment.get("CARGO_SOCI_PASSWORD").map(Secret::new)
        };
        let origin = if flag.is_some() {
            "--username"
        } else {
            "CARGO_SOCI_USERNAME"
        };
        match (username, password) {
            (Some(username), Some(password)) => Ok(Some((
                Credential::Basic {
                    username: username.to_owned(),
                    password,
                },
                origin,
            ))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(
                CommandError::usage("a user name for the registry, and no password")
                    .help("pass it with --password-stdin or in CARGO_SOCI_PASSWORD"),
            ),
            (None, Some(_)) => Err(
                CommandError::usage("a password for the registry, and no user name")
                    .help("pass it with --username or in CARGO_SOCI_USERNAME"),
            ),
        }
    }
}

/// Takes lines for stderr; they hold words of others.
fn teller(context: &Context, prefix: &'static str) -> Trace {
    let progress = Arc::clone(&context.progress);
    Arc::new(move |line: &str| {
        progress.suspend(|| anstream::eprintln!("{prefix}{}", escape::terminal(line)));
    })
}

fn password_from_stdin() -> Result<Secret, CommandError> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(
            CommandError::usage("--password-stdin reads a pipe, and stdin is a terminal")
                .help("get-password | cargo soci … --password-stdin"),
        );
    }
    let mut line = String::new();
    stdin
        .lock()
        .read_line(&mut line)
        .or_fail(|| "cannot read the password from stdin".to_owned())?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(CommandError::usage("the first line of stdin holds no password"));
    }
    Ok(Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_for_a_registry_that_the_user_named() {
        let nothing = Environment::default();
        let named = |arguments: &[&str], environment: &Environment| {
            is_named_by_user(
                "r.example:5000",
                arguments.iter().map(OsString::from),
                environment,
            )
        };
        for argument in [
            "r.example:5000/team/app:1",
            "docker://r.example:5000/app",
            "--image=r.example:5000/app",
            "type=image,name=r.example:5000/app,push=true",
        ] {
            assert!(named(&["convert", argument], &nothing), "{argument}");
        }
        for argument in [
            "r.example/app",
            "evil.example/r.example:5000/app",
            "./r.example:5000x",
            "xr.example:5000/a",
        ] {
            assert!(!named(&["convert", argument], &nothing), "{argument}");
        }
        let variable = Environment::new([("CARGO_SOCI_LOGIN_REGISTRY", "r.example:5000")]);
        assert!(named(&["build"], &variable));
    }
}
