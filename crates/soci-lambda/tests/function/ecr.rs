//! Push events, under ECR's names: Debian's docker-registry answers there, and moto gives its logins.

use std::sync::Arc;

use serde_json::{Value, json};
use soci_image::Reference;
use soci_registry::credentials::{Credential, Keychain};
use soci_registry::{
    Client, ClientOptions, Environment, NativeClient, NativeOptions, Secret, UreqTransport, block_on,
};
use soci_store::registry::{RegistryDestination, RegistrySource};
use soci_store::store::{AnyDestination, AnySource, Source as _};
use soci_store::workflow::{self, Options};
use soci_tests::images::MadeImage;
use soci_tests::servers::{EcrRegistry, Server};

use crate::bootstrap::{self, Bootstrap};
use crate::{batch, expected, image, outcomes};

const HOST: &str = EcrRegistry::HOST;

/// A registry that answers under ECR's name, and the API that gives its logins.
struct Ecr {
    registry: EcrRegistry,
    moto: Server,
}

impl Ecr {
    fn start() -> Self {
        Self {
            registry: EcrRegistry::start(),
            moto: Server::moto(),
        }
    }

    /// The function, with the credentials that Lambda gives it.
    fn function(&self, settings: &[(&str, &str)]) -> Bootstrap {
        let authority = self.registry.authority.file().display().to_string();
        let (proxy, moto) = (self.registry.proxy.url(), format!("http://{}", self.moto.host()));
        let around = [
            ("SOCI_CA_FILE", authority.as_str()),
            ("HTTPS_PROXY", &proxy),
            ("AWS_ENDPOINT_URL_ECR", &moto),
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_SESSION_TOKEN", "token"),
        ];
        bootstrap::start(&[&around, settings].concat())
    }

    fn client(&self) -> NativeClient {
        let mut native = NativeOptions::new(Environment::new([("HTTPS_PROXY", self.registry.proxy.url())]));
        native.extra_roots = std::fs::read(self.registry.authority.file()).expect("a certificate");
        let transport = UreqTransport::new(native).expect("a good certificate");
        let login = Credential::Basic {
            username: "AWS".to_owned(),
            password: Secret::new(moto_password()),
        };
        let keychain = Keychain::anonymous().with_explicit(HOST, login, "the test");
        Client::new(transport, keychain, ClientOptions::default())
    }

    /// Pushes an image, and gives the event of it.
    fn push(&self, image: &MadeImage, repository: &str, tag: &str) -> Value {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = folder.path().join("layout");
        image.write_layout(&layout, tag);
        let location = format!("oci:{}", layout.display()).parse().expect("a location");
        let source = AnySource::open(&location, &Arc::default()).expect("a layout");
        let name = reference(repository, tag);
        let destination = block_on(RegistryDestination::open(&self.client(), &name)).expect("a registry");
        let destination = AnyDestination::Registry(destination);
        workflow::copy(&source, destination, Some(tag), &Options::default()).expect("it is pushed");
        event(repository, tag, &self.digest(repository, tag))
    }

    fn digest(&self, repository: &str, tag: &str) -> String {
        self.try_digest(repository, tag).expect("the tag is there")
    }

    fn try_digest(&self, repository: &str, tag: &str) -> Option<String> {
        let source = block_on(RegistrySource::open(&self.client(), &reference(repository, tag))).ok()?;
        let roots = block_on(source.roots()).ok()?;
        Some(roots[0].descriptor.digest.to_string())
    }
}

/// What moto gives out for the account 123456789012.
fn moto_password() -> &'static str {
    "123456789012-auth-token"
}

fn reference(repository: &str, tag: &str) -> Reference {
    Reference::parse(&format!("{HOST}/{repository}:{tag}")).expect("a name")
}

fn event(repository: &str, tag: &str, digest: &str) -> Value {
    json!({
        "version": "0", "id": "13cde686-328b-6117-af20-0e5566167482", "detail-type": "ECR Image Action",
        "source": "aws.ecr", "account": "123456789012", "time": "2026-11-29T12:00:00Z", "region": "eu-west-1",
        "resources": [], "detail": {"result": "SUCCESS", "repository-name": repository, "image-digest": digest,
        "action-type": "PUSH", "image-tag": tag, "manifest-media-type": "application/vnd.oci.image.manifest.v1+json"},
    })
}

fn done(word: &str) -> Result<Value, Value> {
    Ok(json!({ "outcome": word }))
}

#[test]
fn a_push_is_converted_and_its_own_push_and_a_second_event_are_ignored() {
    let ecr = Ecr::start();
    let push = ecr.push(&image(), "shop/web", "1");
    let function = ecr.function(&[]);
    assert_eq!(function.call(&push), done("converted"));
    let expected = expected(&image());
    assert_eq!(ecr.digest("shop/web", "1"), expected);
    // The same event once more, and that of what was just pushed: manifests below it, then the tag.
    assert_eq!(function.call(&push), done("ignored"));
    assert_eq!(function.call(&event("shop/web", "", &expected)), done("ignored"));
    assert_eq!(function.call(&event("shop/web", "1", &expected)), done("ignored"));
    assert_eq!(ecr.digest("shop/web", "1"), expected);
    let lines = function.end();
    let reason = |at: usize| lines[at]["reason"].as_str().unwrap_or_default();
    assert!(reason(1).contains("by now"), "{}", reason(1));
    assert!(reason(2).contains("without a tag"), "{}", reason(2));
    assert!(reason(3).contains("SOCI-enabled already"), "{}", reason(3));
    assert!(
        ecr.registry
            .proxy
            .hosts()
            .iter()
            .all(|host| host == &format!("{HOST}:443"))
    );
}

#[test]
fn a_batch_of_pushes_with_filters_siblings_and_what_was_deleted() {
    let ecr = Ecr::start();
    let settings = [
        ("SOCI_TAG_MODEL", "sibling"),
        ("SOCI_REPOSITORIES", "shop/*"),
        ("SOCI_EXCEPT_TAGS", "*-rc"),
    ];
    let web = ecr.push(&image(), "shop/web", "1");
    let candidate = ecr.push(&image(), "shop/web", "2-rc");
    let other = ecr.push(&image(), "tools", "1");
    let gone = event("shop/web", "gone", &expected(&image()));
    let function = ecr.function(&settings);
    let bodies: Vec<String> = [&web, &candidate, &other, &gone, &web]
        .iter()
        .map(|event| event.to_string())
        .chain(["{}".to_owned()])
        .collect();
    assert_eq!(
        function.call(&batch(&bodies)),
        Ok(json!({"batchItemFailures": [{"itemIdentifier": "m5"}]}))
    );
    let expected = expected(&image());
    assert_eq!(ecr.digest("shop/web", "1-soci"), expected);
    assert_eq!(ecr.try_digest("shop/web", "2-rc-soci"), None);
    assert_eq!(ecr.try_digest("tools", "1-soci"), None);
    // Its own push.
    assert_eq!(
        function.call(&event("shop/web", "1-soci", &expected)),
        done("ignored")
    );
    let lines = function.end();
    let expected = [
        "converted",
        "ignored",
        "ignored",
        "ignored",
        "already",
        "failed",
        "ignored",
    ];
    assert_eq!(outcomes(&lines), expected);
    let reason = lines[3]["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("deleted since the push"), "{reason}");
}

#[test]
fn without_the_right_to_log_in_the_call_fails_and_says_so() {
    let ecr = Ecr::start();
    let push = ecr.push(&image(), "shop/web", "1");
    let nobody = ecr.function(&[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")]);
    let error = nobody.call(&push).expect_err("nobody").to_string();
    assert!(error.contains("no AWS credentials"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
