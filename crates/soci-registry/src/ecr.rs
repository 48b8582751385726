//! The login to Amazon ECR with AWS credentials of the environment: one signed call.
//!
//! `GetAuthorizationToken`
//! (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>, checked
//! 2026-11-24) answers with `base64("AWS:password")` and the time it ends, twelve hours later. The
//! calling identity needs `ecr:GetAuthorizationToken`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use soci_image::EcrHost;

use crate::credentials::Credential;
use crate::environment::Environment;
use crate::secret::Secret;
use crate::sigv4::{AwsCredentials, SignedPost, sign};
use crate::url::Url;

/// Largest answer that is read; real ones have about 3 KiB.
pub const MAX_ANSWER: u64 = 64 * 1024;

const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const BODY: &[u8] = b"{}";

/// A call that is ready to be sent as a POST.
#[derive(Debug)]
pub struct TokenCall {
    /// The address of the ECR API in the registry's region.
    pub url: Url,
    /// The header fields, signature included: not for messages.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: &'static [u8],
}

/// What the call brought.
#[derive(Debug)]
pub struct EcrToken {
    /// User `AWS` and the token.
    pub credential: Credential,
    /// Seconds since 1970 when it ends, where the answer says so.
    pub expires: Option<u64>,
}

/// AWS credentials of the environment, if both halves are there.
pub fn credentials_of(environment: &Environment) -> Option<AwsCredentials> {
    Some(AwsCredentials {
        access_key_id: Secret::new(environment.get("AWS_ACCESS_KEY_ID")?),
        secret_access_key: Secret::new(environment.get("AWS_SECRET_ACCESS_KEY")?),
        session_token: environment.get("AWS_SESSION_TOKEN").map(Secret::new),
    })
}

/// Builds the call for a registry.
///
/// `AWS_ENDPOINT_URL_ECR` and `AWS_ENDPOINT_URL` replace the address, as in AWS' own tools.
pub fn token_call(
    host: &EcrHost,
    environment: &Environment,
    credentials: &AwsCredentials,
    now: Duration,
) -> Result<TokenCall, String> {
    let endpoint = environment
        .get("AWS_ENDPOINT_URL_ECR")
        .or_else(|| environment.get("AWS_ENDPOINT_URL"))
        .map_or_else(|| format!("https://{}/", host.api_host()), str::to_owned);
    let url = Url::parse(&endpoint)
        .map_err(|error| format!("the endpoint of the ECR API cannot be used: {error}"))?;
    if !url.is_https() && !url.is_loopback() {
        return Err("the endpoint of the ECR API is plain http".into());
    }
    let mut headers = vec![
        ("content-type", CONTENT_TYPE.to_owned()),
        ("host", url.authority().to_owned()),
        ("x-amz-target", TARGET.to_owned()),
    ];
    let post = SignedPost {
        region: &host.region,
        service: "ecr",
        path: &url.path_and_query(),
        headers: &headers,
        body: BODY,
    };
    let added = sign(&post, credentials, now);
    // The transport writes the Host field from the address; it is the same text.
    headers.retain(|(name, _)| *name != "host");
    headers.extend(added);
    Ok(TokenCall {
        url,
        headers,
        body: BODY,
    })
}

/// Reads the answer; the error text holds nothing of a good answer.
pub fn read_answer(status: u16, body: &[u8]) -> Result<EcrToken, String> {
    if status != 200 {
        return Err(refusal(status, body));
    }
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| "the ECR API answered something else than a token".to_owned())?;
    let data = answer
        .data
        .into_iter()
        .next()
        .ok_or("the ECR API answered without a token")?;
    let text = STANDARD
        .decode(&data.token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or("the token of the ECR API is not base64 text")?;
    let (username, password) = text
        .split_once(':')
        .ok_or("the token of the ECR API has no colon between user and password")?;
    Ok(EcrToken {
        credential: Credential::Basic {
            username: username.to_owned(),
            password: Secret::new(password),
        },
        expires: data
            .expires
            .filter(|seconds| *seconds > 0.0)
            .map(|seconds| seconds as u64),
    })
}

/// AWS' words about a refusal: `{"__type": "…#AccessDeniedException", "message": …}`.
fn refusal(status: u16, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "__type", default)]
        kind: String,
        #[serde(alias = "Message", default)]
        message: String,
    }
    match serde_json::from_slice::<Refusal>(body) {
        Ok(refusal) => {
            let kind = refusal.kind.rsplit('#').next().unwrap_or_default();
            let message: String = refusal
                .message
                .chars()
                .filter(|c| !c.is_control())
                .take(300)
                .collect();
            format!("the ECR API answered {status} {kind}: {message}")
        }
        Err(_) => format!("the ECR API answered {status}"),
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "authorizationData")]
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "authorizationToken")]
    token: String,
    #[serde(rename = "expiresAt")]
    expires: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(host: &str, variables: &[(&str, &str)]) -> Result<TokenCall, String> {
        let environment = Environment::new(variables.iter().copied());
        let credentials = AwsCredentials {
            access_key_id: Secret::new("AKIDEXAMPLE"),
            secret_access_key: Secret::new("KEY"),
            session_token: None,
        };
        token_call(
            &EcrHost::parse(host).unwrap(),
            &environment,
            &credentials,
            Duration::ZERO,
        )
    }

    #[test]
    fn the_api_of_the_registrys_region_is_called() {
        let call = call("123456789012.dkr.ecr.eu-west-1.amazonaws.com", &[]).unwrap();
        assert_eq!(call.url.to_wire(), "https://api.ecr.eu-west-1.amazonaws.com/");
        let names: Vec<&str> = call.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(
            names,
            ["content-type", "x-amz-target", "x-amz-date", "authorization"]
        );
        assert!(
            call.headers[3]
                .1
                .contains("/19700101/eu-west-1/ecr/aws4_request, ")
        );
        assert!(
            call.headers[3]
                .1
                .contains("SignedHeaders=content-type;host;x-amz-date;x-amz-target,")
        );
    }

    #[test]
    fn another_endpoint_can_be_named_but_not_over_plain_http() {
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let local = [
            ("AWS_ENDPOINT_URL", "http://no"),
            ("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:9/"),
        ];
        assert_eq!(call(host, &local).unwrap().url.to_wire(), "http://127.0.0.1:9/");
        assert!(
            call(host, &[("AWS_ENDPOINT_URL", "http://ecr.example/")])
                .unwrap_err()
                .contains("plain http")
        );
        assert!(call(host, &[("AWS_ENDPOINT_URL", "ecr.example")]).is_err());
    }

    #[test]
    fn answers_are_read() {
        // "AWS:pass:word"
        let body = br#"{"authorizationData": [{"authorizationToken": "QVdTOnBhc3M6d29yZA==", "expiresAt": 1.7e9, "proxyEndpoint": "https://x"}]}"#;
        let token = read_answer(200, body).unwrap();
        assert_eq!(token.expires, Some(1_700_000_000));
        assert_eq!(
            token.credential,
            Credential::Basic {
                username: "AWS".into(),
                password: Secret::new("pass:word")
            }
        );
        let denied = br#"{"__type":"com.amazonaws.ecr#AccessDeniedException","message":"no"}"#;
        assert_eq!(
            read_answer(400, denied).unwrap_err(),
            "the ECR API answered 400 AccessDeniedException: no"
        );
        assert_eq!(
            read_answer(503, b"<html>").unwrap_err(),
            "the ECR API answered 503"
        );
        for body in [
            &b"{"[..],
            br#"{"authorizationData": []}"#,
            br#"{"authorizationData": [{"authorizationToken": "QVdT"}]}"#,
        ] {
            assert!(read_answer(200, body).is_err());
        }
    }
}
