//! Images of registries, looked at: their documents, and whether layers and zTOCs are there. No blob is read.

use serde::Serialize;
use soci_image::{ImageFacts, Reference};
use soci_registry::{Client, RetryPolicy};
use soci_store::block_on;
use soci_store::registry::{RegistrySource, Wire};
use soci_store::store::AnySource;
use soci_store::workflow::{Answer, examine_presence};
use wasm_bindgen::prelude::wasm_bindgen;

use super::client::client;
use super::login;
use crate::Objection;

/// How often a registry is tried that many images are looked up in; `cargo soci lint` tries it as often.
const ATTEMPTS: u32 = 3;

/// Looks at images, with the logins of the job.
#[wasm_bindgen]
pub struct Looker {
    client: Client<Wire>,
}

/// What became of an image.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Looked {
    /// The facts.
    Known(Box<ImageFacts>),
    /// Why there are none about this image.
    Odd(String),
    /// Why its registry cannot be asked.
    Unasked(String),
}

#[wasm_bindgen]
impl Looker {
    /// Knows the logins that the host has.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Self, Objection> {
        let retry = RetryPolicy {
            attempts: ATTEMPTS,
            ..RetryPolicy::default()
        };
        Ok(Self {
            client: client(login::keychain(None, "")?, retry),
        })
    }

    /// Looks at an image; takes its whole name, gives JSON: `known`, `odd` or `unasked`.
    pub fn look(&self, image: &str) -> Result<String, Objection> {
        let reference = Reference::parse(image).map_err(|error| Objection(error.to_string()))?;
        let examined = block_on(async {
            let source = RegistrySource::open(&self.client, &reference).await?;
            examine_presence(&AnySource::Registry(source), None).await
        });
        let looked = match Answer::of(examined)? {
            Answer::Known(facts) => Looked::Known(facts),
            Answer::Missing => Looked::Odd(format!("{image} is not in its registry")),
            Answer::Refused {
                problem,
                is_whole: true,
            } => Looked::Unasked(problem.to_string()),
            Answer::Refused { problem, .. } => odd(image, &problem.to_string()),
            Answer::Odd(problem) => odd(image, &problem),
        };
        serde_json::to_string(&looked).map_err(|error| Objection(error.to_string()))
    }
}

fn odd(image: &str, problem: &str) -> Looked {
    Looked::Odd(format!("{image} cannot be looked at: {problem}"))
}
