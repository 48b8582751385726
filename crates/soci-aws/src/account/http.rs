//! The SDK's HTTP client over an exchange that the caller gives: one stack of TLS, proxies and authorities for all.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

/// One HTTP exchange. It blocks, and is called on a thread of its own; redirects are not followed.
pub trait Http: Send + Sync + 'static {
    /// Sends a request and reads the whole answer. A status of 400 and above is an answer.
    fn exchange(&self, request: &Request) -> Result<Answer, Failure>;
}

/// A request. Its header fields hold secrets: they are not for messages.
pub struct Request {
    /// `POST`
    pub method: String,
    /// The absolute address.
    pub url: String,
    /// The header fields, the signature among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Whether the same request may succeed a moment later.
    pub is_transient: bool,
    /// What happened.
    pub message: String,
}

#[derive(Clone)]
pub(super) struct Adapter(pub(super) Arc<dyn Http>);

impl fmt::Debug for Adapter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Adapter")
    }
}

impl HttpClient for Adapter {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            http: self.clone(),
            // Where the SDK looks for an instance's metadata it must not wait long: mostly nobody is there.
            within: settings
                .connect_timeout()
                .zip(settings.read_timeout())
                .map(|(connect, read)| connect + read),
        })
    }
}

#[derive(Debug)]
struct Connector {
    http: Adapter,
    within: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = self.http.0.clone();
        let within = self.within;
        HttpConnectorFuture::new(async move {
            let Some(body) = request.body().bytes().map(<[u8]>::to_vec) else {
                return Err(other("a body that streams"));
            };
            let request = Request {
                method: request.method().to_owned(),
                url: request.uri().to_owned(),
                headers: request
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect(),
                body,
            };
            let work = tokio::task::spawn_blocking(move || http.exchange(&request));
            let done = match within {
                None => work.await,
                Some(within) => tokio::time::timeout(within, work)
                    .await
                    .map_err(|_| ConnectorError::timeout("nothing arrived in time".into()))?,
            };
            let answer = done.map_err(|_| other("the exchange was broken off"))?;
            answer.map_err(of_failure).and_then(response)
        })
    }
}

fn of_failure(failure: Failure) -> ConnectorError {
    match failure.is_transient {
        true => ConnectorError::io(failure.into()),
        false => ConnectorError::user(failure.into()),
    }
}

fn other(text: &'static str) -> ConnectorError {
    ConnectorError::other(text.into(), None)
}

fn response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = answer
        .status
        .try_into()
        .map_err(|_| other("a status that is none"))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    for (name, value) in answer.headers {
        // A field that cannot be one is none that the SDK reads.
        let _ = response.headers_mut().try_append(name, value);
    }
    Ok(response)
}
