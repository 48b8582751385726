//! Images of a repository, told by ECR's own API: moto behind what it does not do.
#![cfg(all(feature = "account", target_os = "linux"))]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use soci_aws::account::{
    Account, AccountOptions, Answer, EcrError, EcrName, EcrRepository, Failure, Http, Keys, Request,
};
use soci_image::media_type::SOCI_INDEX_V1;
use soci_image::{Digest, EcrHost};
use soci_tests::ecr_api::{EcrApi, SIGNATURE};
use soci_tests::images::MadeImage;
use soci_tests::registry::digest_of;

const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// Hands everything to one server, whatever host was asked.
struct To(SocketAddr);

impl Http for To {
    fn exchange(&self, request: &Request) -> Result<Answer, Failure> {
        let path = request.url.splitn(4, '/').nth(3).unwrap_or_default();
        let mut stream = TcpStream::connect(self.0).expect("it listens");
        let mut head = format!("{} /{path} HTTP/1.1\r\nConnection: close\r\n", request.method);
        for (name, value) in request
            .headers
            .iter()
            .filter(|(name, _)| name != "content-length")
        {
            head += &format!("{name}: {value}\r\n");
        }
        write!(stream, "{head}Content-Length: {}\r\n\r\n", request.body.len()).expect("it reads");
        stream.write_all(&request.body).expect("it reads");
        stream.shutdown(std::net::Shutdown::Write).expect("it is open");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a header");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(Answer {
            status: status.expect("a status"),
            headers: vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())],
            body: answer[end + 4..].to_vec(),
        })
    }
}

fn repository(api: &EcrApi, name: &str) -> EcrRepository {
    let options = AccountOptions {
        keys: Some(Keys {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "hunter2".to_owned(),
            session_token: None,
        }),
        ..AccountOptions::default()
    };
    let account = Account::open(&options, Arc::new(To(api.address()))).expect("an account");
    let host = EcrHost::parse(HOST).expect("an ECR host");
    EcrRepository::new(Arc::new(account), &host, name)
}

/// A repository with one image under `1`.
fn filled() -> (EcrApi, MadeImage, tempfile::TempDir) {
    let api = EcrApi::start();
    let image = MadeImage::new(&[(1, 3000), (2, 5000)]);
    let folder = tempfile::tempdir().expect("a folder");
    image.write_layout(folder.path(), "1");
    api.create("web");
    api.push_layout(folder.path(), "web", "1");
    (api, image, folder)
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::parse(&digest_of(bytes)).expect("a digest")
}

#[test]
fn manifests_come_as_they_were_pushed() {
    let (api, image, _folder) = filled();
    let web = repository(&api, "web");
    let own = digest(&image.manifest);
    for name in [EcrName::Tag("1"), EcrName::Digest(&own)] {
        let told = web.manifest(name).expect("moto answers").expect("it is there");
        assert_eq!(told.bytes, image.manifest);
        assert_eq!(told.digest.as_ref(), Some(&own));
    }
    let other = Digest::sha256(b"other");
    for name in [EcrName::Tag("2"), EcrName::Digest(&other)] {
        assert_eq!(web.manifest(name), Ok(None));
    }
    assert_eq!(repository(&api, "nowhere").manifest(EcrName::Tag("1")), Ok(None));
}

#[test]
fn blobs_are_told_of_and_fetched() {
    let (api, image, _folder) = filled();
    let web = repository(&api, "web");
    let config = digest(&image.config);
    assert_eq!(web.has_blob(&config), Ok(true));
    assert_eq!(web.blob(&config), Ok(Some(image.config.clone())));
    let other = Digest::sha256(b"other");
    assert_eq!(web.has_blob(&other), Ok(false));
    assert_eq!(web.blob(&other), Ok(None));
    api.refuse_blobs(true);
    assert_eq!(web.has_blob(&config), Ok(true));
    let error = web.blob(&config).expect_err("it is refused").to_string();
    assert_eq!(error, format!("the address of {config} answers 403"));
    assert!(!error.contains(SIGNATURE));
}

#[test]
fn a_missing_right_names_itself() {
    let (api, image, _folder) = filled();
    let web = repository(&api, "web");
    let own = digest(&image.manifest);
    let permission = |error: EcrError| match error {
        EcrError::Denied { permission, words } => {
            assert!(words.contains("is not authorized to perform"), "{words}");
            permission
        }
        other => panic!("{other}"),
    };
    api.deny(&["BatchGetImage", "GetDownloadUrlForLayer", "ListImageReferrers"]);
    let error = web.manifest(EcrName::Tag("1")).expect_err("it is denied");
    assert_eq!(permission(error), "ecr:BatchGetImage");
    let error = web.has_blob(&own).expect_err("it is denied");
    assert_eq!(permission(error), "ecr:GetDownloadUrlForLayer");
    let error = web.referrers(&own, SOCI_INDEX_V1).expect_err("it is denied");
    assert_eq!(permission(error), "ecr:ListImageReferrers");
}

#[test]
fn referrers_come_in_pages_and_by_their_type() {
    let (api, image, _folder) = filled();
    let own = digest_of(&image.manifest);
    let web = repository(&api, "web");
    for (number, kind) in [SOCI_INDEX_V1, "application/vnd.example+json", SOCI_INDEX_V1]
        .iter()
        .enumerate()
    {
        let folder = tempfile::tempdir().expect("a folder");
        image.write_layout(folder.path(), "1");
        let document = serde_json::json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": kind, "number": number, "subject": {"digest": own}});
        let bytes = document.to_string();
        let name = digest_of(bytes.as_bytes());
        let name = name.strip_prefix("sha256:").expect("a SHA-256");
        std::fs::write(folder.path().join("blobs/sha256").join(name), bytes).expect("it is writable");
        // The image itself is there already.
        std::fs::remove_file(
            folder
                .path()
                .join("blobs/sha256")
                .join(own.strip_prefix("sha256:").expect("a SHA-256")),
        )
        .expect("it is there");
        api.push_layout(folder.path(), "web", "unused");
    }
    let own = digest(&image.manifest);
    let found = web.referrers(&own, SOCI_INDEX_V1).expect("it answers");
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|one| one.artifact_type == SOCI_INDEX_V1 && one.size > 100)
    );
    assert_eq!(
        web.referrers(&Digest::sha256(b"other"), SOCI_INDEX_V1),
        Ok(Vec::new())
    );
}
