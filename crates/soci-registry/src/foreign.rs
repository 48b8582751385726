//! A transport that whoever links this crate brings along: in WASM, the host's `fetch`.
//!
//! What is above the client is compiled for one type of transport. Natively that is `UreqTransport`; elsewhere it is
//! this one, which hides the door's own. Like the native transport it does its I/O before it returns: a door
//! runs it on a thread that may wait.

use std::time::Duration;

use crate::block_on;
use crate::transport::{Body, Request, Response, Transport, TransportError};

/// Some transport whose calls return when their work is done.
pub struct ForeignTransport(Box<dyn Exchanges>);

/// The body of one of its responses.
pub struct ForeignBody(Box<dyn Pieces>);

impl ForeignTransport {
    /// Hides a transport.
    pub fn new<T>(transport: T) -> Self
    where
        T: Transport + 'static,
        T::Body: 'static,
    {
        Self(Box::new(transport))
    }
}

/// [`Transport`] without futures, which a trait object cannot give.
trait Exchanges {
    fn send(&self, request: &Request<'_>) -> Result<Response<ForeignBody>, TransportError>;
    fn wait(&self, duration: Duration) -> Result<(), TransportError>;
    fn now(&self) -> Duration;
    fn random(&self) -> u64;
}

/// [`Body`] without futures.
trait Pieces {
    fn read(&mut self, buffer: &mut [u8], within: Duration) -> Result<usize, TransportError>;
}

impl<T> Exchanges for T
where
    T: Transport,
    T::Body: 'static,
{
    fn send(&self, request: &Request<'_>) -> Result<Response<ForeignBody>, TransportError> {
        let response = block_on(Transport::send(self, request))?;
        Ok(Response {
            status: response.status,
            headers: response.headers,
            body: ForeignBody(Box::new(response.body)),
        })
    }

    fn wait(&self, duration: Duration) -> Result<(), TransportError> {
        block_on(Transport::wait(self, duration))
    }

    fn now(&self) -> Duration {
        Transport::now(self)
    }

    fn random(&self) -> u64 {
        Transport::random(self)
    }
}

impl<B: Body> Pieces for B {
    fn read(&mut self, buffer: &mut [u8], within: Duration) -> Result<usize, TransportError> {
        block_on(Body::read(self, buffer, within))
    }
}

impl Transport for ForeignTransport {
    type Body = ForeignBody;

    async fn send(&self, request: &Request<'_>) -> Result<Response<ForeignBody>, TransportError> {
        self.0.send(request)
    }

    async fn wait(&self, duration: Duration) -> Result<(), TransportError> {
        self.0.wait(duration)
    }

    fn now(&self) -> Duration {
        self.0.now()
    }

    fn random(&self) -> u64 {
        self.0.random()
    }
}

impl Body for ForeignBody {
    async fn read(&mut self, buffer: &mut [u8], within: Duration) -> Result<usize, TransportError> {
        self.0.read(buffer, within)
    }
}
