//! Amazon ECR's own API, with repositories that are filled from OCI layouts: moto keeps the manifests; what moto does
//! not do (addresses of blobs, referrers, missing rights) stands in front of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use crate::registry::http::{read_request, write_response};
use crate::registry::{Request, Response, digest_of};
use crate::servers::Server;

/// A running API; it ends with the process.
pub struct EcrApi {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    moto: Server,
    address: SocketAddr,
    content: Mutex<Content>,
}

#[derive(Default)]
struct Content {
    /// By repository and digest.
    blobs: BTreeMap<(String, String), Vec<u8>>,
    /// Of each repository what refers to a digest.
    referrers: BTreeMap<(String, String), Vec<Value>>,
    denied: BTreeSet<String>,
    /// Whether nobody's credentials are taken.
    expired: bool,
    /// Whether the addresses of blobs answer with 403, as where S3 is out of reach.
    blobs_refused: bool,
    calls: Vec<String>,
}

/// A part of the address of each blob that is nobody's to print.
pub const SIGNATURE: &str = "f00dfeedsignature";

impl EcrApi {
    /// Starts it, empty.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(State {
            moto: Server::moto(),
            address,
            content: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, state }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers these actions with a missing right, and no others.
    pub fn deny(&self, actions: &[&str]) {
        self.state.content().denied = actions.iter().map(|action| (*action).to_owned()).collect();
    }

    /// Takes nobody's credentials any more.
    pub fn expire(&self) {
        self.state.content().expired = true;
    }

    /// Whether the addresses of blobs lead nowhere.
    pub fn refuse_blobs(&self, refused: bool) {
        self.state.content().blobs_refused = refused;
    }

    /// Takes a blob out.
    pub fn lose(&self, repository: &str, digest: &str) {
        let key = (repository.to_owned(), digest.to_owned());
        self.state.content().blobs.remove(&key);
    }

    /// The actions that were called since the last time.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.content().calls)
    }

    /// Makes a repository.
    pub fn create(&self, repository: &str) {
        self.call("CreateRepository", &json!({ "repositoryName": repository }));
    }

    /// Puts all that an OCI layout has into a repository, its one listed image under the tag. Gives the digest.
    pub fn push_layout(&self, layout: &Path, repository: &str, tag: &str) -> String {
        let read = |path: &Path| fs::read(path).expect("the layout is there");
        let index: Value = serde_json::from_slice(&read(&layout.join("index.json"))).expect("an index");
        let listed = index["manifests"].as_array().expect("a list");
        let tagged = |entry: &&Value| entry["artifactType"].is_null();
        let root = listed.iter().find(tagged).expect("an image")["digest"].as_str();
        let root = root.expect("a digest").to_owned();
        for entry in fs::read_dir(layout.join("blobs/sha256")).expect("the layout is there") {
            let bytes = read(&entry.expect("an entry").path());
            let digest = digest_of(&bytes);
            let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let media_type = document["mediaType"].as_str().unwrap_or_default();
            let is_manifest = media_type.contains("manifest") || media_type.contains("index");
            if !is_manifest {
                let key = (repository.to_owned(), digest);
                self.state.content().blobs.insert(key, bytes);
                continue;
            }
            let text = String::from_utf8(bytes).expect("JSON");
            let mut image = json!({"repositoryName": repository, "imageManifest": text, "imageManifestMediaType": media_type,
                "imageDigest": digest});
            if digest == root {
                image["imageTag"] = json!(tag);
            }
            self.call("PutImage", &image);
            if let Some(subject) = document["subject"]["digest"].as_str() {
                let referrer = json!({"digest": digest, "mediaType": media_type, "size": text.len(),
                    "artifactType": document["artifactType"].as_str().or(document["config"]["mediaType"].as_str())});
                let key = (repository.to_owned(), subject.to_owned());
                self.state
                    .content()
                    .referrers
                    .entry(key)
                    .or_default()
                    .push(referrer);
            }
        }
        root
    }

    fn call(&self, action: &str, body: &Value) {
        let target = format!("AmazonEC2ContainerRegistry_V20150921.{action}");
        let (status, answer) = self.state.to_moto(&target, body.to_string().as_bytes());
        assert_eq!(status, 200, "{action}: {}", String::from_utf8_lossy(&answer));
    }
}

impl State {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) {
        let Ok(mut output) = stream.try_clone() else {
            return;
        };
        let mut reader = BufReader::new(stream);
        while let Ok(Some(request)) = read_request(&mut reader) {
            let response = self.answer(&request);
            if !write_response(&mut output, &response, request.method == "HEAD").0 {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Response {
        if let Some(path) = request.path.strip_prefix("/blob/") {
            let (repository, digest) = path.rsplit_once('/').unwrap_or_default();
            let content = self.content();
            let key = (repository.to_owned(), digest.to_owned());
            return match content.blobs.get(&key) {
                Some(_) if content.blobs_refused => Response::new(403),
                Some(bytes) => Response::new(200).with_body(bytes.clone()),
                None => Response::new(404),
            };
        }
        let target = request.header("x-amz-target").unwrap_or_default().to_owned();
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let text = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
        let repository = text("repositoryName");
        let mut content = self.content();
        content.calls.push(action.clone());
        if content.expired {
            return error(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            );
        }
        if content.denied.contains(&action) {
            let message = format!(
                "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: ecr:{action} on resource: \
                 arn:aws:ecr:eu-west-1:123456789012:repository/{repository}"
            );
            return error("AccessDeniedException", &message);
        }
        match action.as_str() {
            "GetDownloadUrlForLayer" => {
                let digest = text("layerDigest");
                match content.blobs.contains_key(&(repository.clone(), digest.clone())) {
                    true => {
                        let url = format!(
                            "http://{}/blob/{repository}/{digest}?X-Amz-Signature={SIGNATURE}",
                            self.address
                        );
                        good(&json!({"downloadUrl": url, "layerDigest": digest}))
                    }
                    false => error(
                        "LayersNotFoundException",
                        &format!("The layer {digest} was not found"),
                    ),
                }
            }
            "ListImageReferrers" => {
                // One a page: pages are what the API is about.
                let subject = asked["subjectId"]["imageDigest"].as_str().unwrap_or_default();
                let from: usize = text("nextToken").parse().unwrap_or_default();
                let all = content.referrers.get(&(repository, subject.to_owned()));
                let all = all.map_or(&[][..], Vec::as_slice);
                let mut answer = json!({"referrers": all.get(from..from + 1).unwrap_or_default()});
                if from + 1 < all.len() {
                    answer["nextToken"] = json!((from + 1).to_string());
                }
                good(&answer)
            }
            _ => {
                drop(content);
                let (status, body) = self.to_moto(&target, &request.body);
                json_response(status, body)
            }
        }
    }

    fn to_moto(&self, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let service = match target.contains("ContainerRegistry") {
            true => "ecr",
            false => "ecs",
        };
        let mut stream = TcpStream::connect(self.moto.address()).expect("moto listens");
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {service}.eu-west-1.amazonaws.com\r\nConnection: close\r\nX-Amz-Target: {target}\r\n\
             Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=AKIDEXAMPLE/20261129/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            body.len()
        )
        .expect("moto reads");
        stream.write_all(body).expect("moto reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("moto answers");
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a header");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), answer[end + 4..].to_vec())
    }
}

fn good(body: &Value) -> Response {
    json_response(200, body.to_string().into_bytes())
}

fn error(code: &str, message: &str) -> Response {
    json_response(
        400,
        json!({"__type": code, "message": message})
            .to_string()
            .into_bytes(),
    )
}

fn json_response(status: u16, body: Vec<u8>) -> Response {
    Response::new(status)
        .with("Content-Type", "application/x-amz-json-1.1")
        .with_body(body)
}
