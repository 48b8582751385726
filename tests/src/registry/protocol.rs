//! The distribution protocol: a request in, a response out.

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Value, json};

use super::State;
use super::http::{Delivery, Request, Response};
use super::store::{RepositoryContent, StoredManifest, digest_of};
use crate::generated::GeneratedLayer;

const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// Answers a request that passed the login.
pub(super) fn answer(state: &mut State, request: &Request) -> Response {
    if request.path == "/v2/" || request.path == "/v2" {
        return Response::new(200)
            .with("Docker-Distribution-API-Version", "registry/2.0")
            .with_body("{}");
    }
    let Some(rest) = request.path.strip_prefix("/v2/") else {
        return Response::new(404);
    };
    if let Some(repository) = rest.strip_suffix("/tags/list") {
        return tags(state, request, repository);
    }
    for (marker, route) in [
        ("/manifests/", manifest as Route),
        ("/blobs/uploads/", upload as Route),
        ("/blobs/", blob as Route),
        ("/referrers/", referrers as Route),
    ] {
        if let Some((repository, name)) = rest.rsplit_once(marker) {
            return route(state, request, repository, name);
        }
    }
    Response::new(404)
}

type Route = fn(&mut State, &Request, &str, &str) -> Response;

/// A refusal in the registry's words.
pub(super) fn refuse(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"errors": [{"code": code, "message": message}]});
    Response::new(status)
        .with("Content-Type", "application/json")
        .with_body(body.to_string())
}

fn manifest(state: &mut State, request: &Request, repository: &str, name: &str) -> Response {
    let behaviour = state.behaviour.clone();
    match request.method.as_str() {
        "GET" | "HEAD" => {
            let found = state
                .repositories
                .get(repository)
                .and_then(|content| content.manifest(name));
            let Some((digest, stored)) = found else {
                return refuse(404, "MANIFEST_UNKNOWN", "manifest unknown");
            };
            let response = send_bytes(request, &stored.bytes, &stored.media_type);
            let response = if request.method == "HEAD" && !behaviour.head_digest {
                response
            } else {
                response.with("Docker-Content-Digest", digest)
            };
            if behaviour.conditions {
                response.with("ETag", format!("\"{digest}\""))
            } else {
                response
            }
        }
        "PUT" => {
            let content = state.repositories.entry(repository.to_owned()).or_default();
            let digest = digest_of(&request.body);
            let document: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            if !document.is_object() {
                return refuse(400, "MANIFEST_INVALID", "no JSON object");
            }
            let is_digest = name.starts_with("sha256:");
            if is_digest && name != digest {
                return refuse(400, "DIGEST_INVALID", "the bytes have another digest");
            }
            if let Some(missing) = content.missing(&request.body) {
                return refuse(400, "MANIFEST_BLOB_UNKNOWN", &format!("{missing} is unknown"));
            }
            let subject = document
                .get("subject")
                .and_then(|subject| subject.get("digest")?.as_str());
            if subject.is_some() && !behaviour.subjects {
                return Response::new(405);
            }
            if !behaviour.inline_data && has_inline_data(&document) {
                let message = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
                return refuse(405, "UNSUPPORTED", message);
            }
            if !is_digest {
                let now = content.tags.get(name);
                let other = request
                    .header("if-match")
                    .is_some_and(|wanted| now.is_none_or(|now| wanted.trim_matches('"') != now));
                let exists = request.header("if-none-match").is_some() && now.is_some();
                if behaviour.conditions && (other || exists) {
                    return Response::new(412);
                }
                if now.is_some_and(|now| *now != digest) && !behaviour.mutable_tags {
                    let message = format!(
                        "The image tag '{name}' already exists in the '{repository}' repository and cannot be overwritten because the tag is immutable."
                    );
                    return refuse(400, "TAG_INVALID", &message);
                }
                content.tags.insert(name.to_owned(), digest.clone());
            }
            let media_type = request.header("content-type").unwrap_or_default().to_owned();
            let stored = StoredManifest {
                media_type,
                bytes: Arc::new(request.body.clone()),
            };
            content.manifests.insert(digest.clone(), stored);
            let mut response = Response::new(201)
                .with("Location", format!("/v2/{repository}/manifests/{digest}"))
                .with("Docker-Content-Digest", &digest);
            if let Some(subject) = subject.filter(|_| behaviour.native_referrers) {
                response = response.with("OCI-Subject", subject);
            }
            response
        }
        _ => Response::new(405),
    }
}

/// Whether a descriptor holds its content.
fn has_inline_data(document: &Value) -> bool {
    let lists = ["layers", "manifests", "blobs"];
    let listed = lists
        .iter()
        .filter_map(|name| document[name].as_array())
        .flatten();
    listed
        .chain([&document["config"]])
        .any(|one| one.get("data").is_some())
}

fn blob(state: &mut State, request: &Request, repository: &str, digest: &str) -> Response {
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Response::new(405);
    }
    let content = state.repositories.get(repository);
    if let Some(layer) = content.and_then(|content| content.generated.get(digest)) {
        return generated(state, request, layer).with("Docker-Content-Digest", digest);
    }
    let found = content.and_then(|content| content.blobs.get(digest)).cloned();
    let Some(bytes) = found else {
        return refuse(404, "BLOB_UNKNOWN", "blob unknown to registry");
    };
    if state.behaviour.redirects && request.method == "GET" {
        let address = state.sign(repository, digest);
        return Response::new(307).with("Location", address);
    }
    blob_bytes(state, request, &bytes).with("Docker-Content-Digest", digest)
}

/// The bytes of a blob, or the range of it that was asked for.
pub(super) fn blob_bytes(state: &State, request: &Request, bytes: &Arc<Vec<u8>>) -> Response {
    asked_part(state, request, bytes.len() as u64, |response, part| {
        send(request, response, &bytes[part.start as usize..part.end as usize])
    })
}

/// The same of a blob that is made as it goes out.
fn generated(state: &State, request: &Request, layer: &Arc<GeneratedLayer>) -> Response {
    asked_part(state, request, layer.size(), |response, part| {
        let mut response = response.with("Content-Length", (part.end - part.start).to_string());
        response.delivery = Delivery::Generated(Arc::clone(layer), part);
        response
    })
}

/// A blob of this size, or the range of it that was asked for: `put` gives the response its bytes.
fn asked_part(
    state: &State,
    request: &Request,
    size: u64,
    put: impl FnOnce(Response, Range<u64>) -> Response,
) -> Response {
    let range = request.header("range").filter(|_| state.behaviour.ranges);
    let (response, part) = match range.map(|range| part(range, size)) {
        None => (Response::new(200), 0..size),
        Some(Some(part)) => {
            let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            (Response::new(206).with("Content-Range", range), part)
        }
        Some(None) => {
            return Response::new(416).with("Content-Range", format!("bytes */{size}"));
        }
    };
    put(response.with("Content-Type", "application/octet-stream"), part)
}

/// The bytes that a `Range` field asks for; `None` if there are none.
fn part(range: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() {
        u64::MAX
    } else {
        last.parse().ok()?
    };
    let last = last.min(size.checked_sub(1)?);
    (first <= last).then_some(first..last + 1)
}

fn send_bytes(request: &Request, bytes: &[u8], media_type: &str) -> Response {
    send(
        request,
        Response::new(200).with("Content-Type", media_type),
        bytes,
    )
}

fn send(request: &Request, response: Response, bytes: &[u8]) -> Response {
    match request.method.as_str() {
        "HEAD" => response.with("Content-Length", bytes.len().to_string()),
        _ => response.with_body(bytes),
    }
}

fn upload(state: &mut State, request: &Request, repository: &str, id: &str) -> Response {
    let behaviour = state.behaviour.clone();
    let number = state.next_number();
    if request.method == "POST" {
        if let (Some(digest), Some(from), true) = (
            request.parameter("mount"),
            request.parameter("from"),
            behaviour.mounts,
        ) {
            let found = state
                .repositories
                .get(from)
                .and_then(|content| content.blobs.get(digest))
                .cloned();
            if let Some(bytes) = found {
                let content = state.repositories.entry(repository.to_owned()).or_default();
                content.blobs.insert(digest.to_owned(), bytes);
                return Response::new(201)
                    .with("Location", format!("/v2/{repository}/blobs/{digest}"))
                    .with("Docker-Content-Digest", digest);
            }
        }
        let id = format!("u{number}");
        let content = state.repositories.entry(repository.to_owned()).or_default();
        content.uploads.insert(id.clone(), Some(Vec::new()));
        if behaviour.uploads_elsewhere {
            return Response::new(202).with("Location", format!("http://{}/upload/{id}", state.other));
        }
        return session(Response::new(202), &behaviour, repository, &id, number, 0);
    }
    let content = state.repositories.entry(repository.to_owned()).or_default();
    let Some(upload) = content.uploads.get_mut(id) else {
        return refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    };
    match request.method.as_str() {
        "GET" => match upload {
            Some(bytes) => {
                let size = bytes.len();
                session(Response::new(204), &behaviour, repository, id, number, size)
            }
            None => refuse(404, "BLOB_UPLOAD_UNKNOWN", "the upload was closed by a PUT"),
        },
        "PATCH" => {
            let Some(bytes) = upload else {
                return Response::new(416);
            };
            let first = request
                .header("content-range")
                .and_then(|range| range.split('-').next()?.parse().ok());
            if first.is_some_and(|first: usize| first != bytes.len()) {
                let size = bytes.len();
                return session(Response::new(416), &behaviour, repository, id, number, size);
            }
            bytes.extend_from_slice(&request.body);
            let size = bytes.len();
            session(Response::new(202), &behaviour, repository, id, number, size)
        }
        "PUT" => {
            // Whatever comes of it, this session takes no second PUT.
            let Some(mut bytes) = upload.take() else {
                return Response::new(416);
            };
            bytes.extend_from_slice(&request.body);
            let digest = digest_of(&bytes);
            if request.parameter("digest") != Some(digest.as_str()) {
                return refuse(
                    400,
                    "DIGEST_INVALID",
                    "provided digest did not match uploaded content",
                );
            }
            content.uploads.remove(id);
            put(content, digest.clone(), bytes);
            Response::new(201)
                .with("Location", format!("/v2/{repository}/blobs/{digest}"))
                .with("Docker-Content-Digest", digest)
        }
        "DELETE" => {
            content.uploads.remove(id);
            Response::new(204)
        }
        _ => Response::new(405),
    }
}

fn put(content: &mut RepositoryContent, digest: String, bytes: Vec<u8>) {
    content.blobs.insert(digest, Arc::new(bytes));
}

/// The header of a session; its address changes with every answer.
fn session(
    response: Response,
    behaviour: &super::Behaviour,
    repository: &str,
    id: &str,
    number: u64,
    size: usize,
) -> Response {
    let name = if behaviour.relative_locations {
        id.to_owned()
    } else {
        format!("/v2/{repository}/blobs/uploads/{id}")
    };
    let location = format!("{name}?_state=s{number}%3D");
    response
        .with("Location", location)
        .with("Range", format!("0-{}", size.saturating_sub(1)))
}

/// At most as many tags as a page of this registry has, or as were asked for.
fn tags(state: &mut State, request: &Request, repository: &str) -> Response {
    let Some(content) = state.repositories.get(repository) else {
        return refuse(404, "NAME_UNKNOWN", "repository name not known to registry");
    };
    let asked: Option<usize> = request.parameter("n").and_then(|text| text.parse().ok());
    let page = asked
        .map_or(usize::MAX, |asked| asked)
        .min(state.behaviour.list_page)
        .max(1);
    let last = request.parameter("last").unwrap_or_default();
    let mut left = content.tags.keys().filter(|tag| tag.as_str() > last);
    let shown: Vec<&String> = left.by_ref().take(page).collect();
    let body = json!({"name": repository, "tags": shown});
    let mut response = Response::new(200)
        .with("Content-Type", "application/json")
        .with_body(body.to_string());
    if let (Some(last), true) = (shown.last(), left.next().is_some()) {
        let next = format!("/v2/{repository}/tags/list?n={page}&last={last}");
        response = response.with("Link", format!("<{next}>; rel=\"next\""));
    }
    response
}

fn referrers(state: &mut State, request: &Request, repository: &str, subject: &str) -> Response {
    if !state.behaviour.native_referrers {
        return Response::new(404);
    }
    let all = state
        .repositories
        .get(repository)
        .map(|content| content.referrers(subject))
        .unwrap_or_default();
    let wanted = request.parameter("artifactType");
    let all: Vec<Value> = all
        .into_iter()
        .filter(|entry| wanted.is_none_or(|wanted| entry["artifactType"] == wanted))
        .collect();
    let from: usize = request
        .parameter("from")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let page = state.behaviour.list_page.max(1);
    let shown: Vec<&Value> = all.iter().skip(from).take(page).collect();
    let body = json!({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": shown});
    let mut response = Response::new(200)
        .with("Content-Type", INDEX_TYPE)
        .with_body(body.to_string());
    if wanted.is_some() {
        response = response.with("OCI-Filters-Applied", "artifactType");
    }
    if from + page < all.len() {
        let next = format!("/v2/{repository}/referrers/{subject}?from={}", from + page);
        let next = match wanted {
            Some(wanted) => format!("{next}&artifactType={wanted}"),
            None => next,
        };
        response = response.with("Link", format!("<{next}>; rel=\"next\""));
    }
    response
}
