//! The client of registries over the host.

use std::sync::Arc;

use soci_registry::credentials::Keychain;
use soci_registry::{Client, ClientOptions, ForeignTransport, RetryPolicy};
use soci_store::registry::Wire;

use super::fetch::Fetch;
use super::host;

/// A client with these logins; what it notes is an event.
pub(super) fn client(keychain: Keychain, retry: RetryPolicy) -> Client<Wire> {
    let options = ClientOptions {
        retry,
        note: Some(Arc::new(|line: &str| {
            host::event(&serde_json::json!({ "event": "note", "text": line }).to_string());
        })),
        ..ClientOptions::default()
    };
    Client::new(ForeignTransport::new(Fetch), keychain, options)
}
