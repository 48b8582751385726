//! The registry client against the registry in this process, one fault after another.

mod faults;
mod foreign;
mod login;
mod origins;
mod reading;
mod times;
mod writing;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use soci_image::{Digest, Reference};
use soci_registry::block_on;
use soci_registry::credentials::Keychain;
use soci_registry::{
    Client, ClientOptions, Environment, Limits, NativeClient, NativeOptions, RegistryError, Repository,
    RetryPolicy, UreqTransport,
};
use soci_tests::registry::TestRegistry;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a client may be told in these tests.
struct Setup {
    keychain: Keychain,
    idle: Duration,
    limits: Limits,
    connections: usize,
    attempts: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            keychain: Keychain::anonymous(),
            idle: Duration::from_secs(5),
            limits: Limits::default(),
            connections: 3,
            attempts: 6,
        }
    }
}

impl Setup {
    /// A client whose trace lines are kept.
    fn client(self) -> (NativeClient, Arc<Mutex<Vec<String>>>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let options = ClientOptions {
            retry: RetryPolicy {
                attempts: self.attempts,
                first_pause: Duration::from_millis(2),
                longest_pause: Duration::from_millis(20),
                longest_retry_after: Duration::from_secs(3),
            },
            limits: self.limits,
            plain_http: Vec::new(),
            connections_per_blob: Some(self.connections),
            note: None,
            trace: Some(Arc::new(move |line: &str| {
                sink.lock().unwrap().push(line.to_owned())
            })),
        };
        let native = NativeOptions {
            idle: self.idle,
            ..NativeOptions::new(Environment::default())
        };
        let transport = UreqTransport::new(native).expect("no certificates to read");
        (Client::new(transport, self.keychain, options), lines)
    }

    fn repository(self, registry: &TestRegistry, name: &str) -> Repository<UreqTransport> {
        let reference = Reference::parse(&registry.name(name)).expect("a valid name");
        block_on(self.client().0.repository(&reference)).expect("the registry answers")
    }
}

fn repository(registry: &TestRegistry, name: &str) -> Repository<UreqTransport> {
    Setup::default().repository(registry, name)
}

/// Bytes that do not repeat and do not compress.
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

fn read_blob(
    repository: &Repository<UreqTransport>,
    digest: &Digest,
    size: usize,
) -> Result<Vec<u8>, RegistryError> {
    let mut reader = block_on(repository.blob(digest, size as u64))?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 10_000];
    loop {
        match block_on(reader.read(&mut buffer))? {
            0 => return Ok(bytes),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::sha256(bytes)
}
