//! Names, connections and bytes under ureq, with two things that its own do not have: a time for the call as a whole,
//! and an ear for the interruption of the run.
//!
//! ureq bounds each wait. A peer that sends a byte now and then (a header, a chunk's frame, a trailer) keeps within
//! each of them and holds the call forever; and a thread that waits in the kernel does not see a flag. So every
//! wait here is cut into steps, and ends at the deadline of the call that this thread is in.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

/// How often a wait looks whether the run was interrupted.
const STEP: Duration = Duration::from_millis(100);

/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 8;

thread_local! {
    /// When the call that this thread is in must end.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Runs a call that ends within this time, whatever the peer does. A native call does its I/O on its own thread.
pub(super) fn within<R>(limit: Duration, call: impl FnOnce() -> R) -> R {
    struct Restore(Option<Instant>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEADLINE.set(self.0);
        }
    }
    let _restore = Restore(DEADLINE.replace(Instant::now().checked_add(limit)));
    call()
}

/// The flag that ends the run.
#[derive(Clone, Debug)]
pub(super) struct Flag(pub(super) Arc<AtomicBool>);

impl Flag {
    fn check(&self) -> Result<(), Error> {
        if self.0.load(Ordering::Relaxed) {
            // Not `ErrorKind::Interrupted`: readers take that as "once more".
            return Err(Error::Io(io::Error::other("interrupted")));
        }
        Ok(())
    }

    /// What another thread finds out, by the end of the time.
    fn wait_for<V: Send + 'static>(
        &self,
        end: &End,
        work: impl FnOnce() -> io::Result<V> + Send + 'static,
    ) -> Result<V, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        // If nobody waits any more, the answer goes nowhere; the thread ends with the system's own limit.
        thread::spawn(move || sender.send(work()).ok());
        loop {
            match receiver.recv_timeout(end.step()?) {
                Ok(outcome) => return outcome.map_err(Error::Io),
                Err(RecvTimeoutError::Timeout) => self.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::ConnectionFailed),
            }
        }
    }
}

/// When a wait ends, and what is said then.
struct End {
    at: Option<Instant>,
    reason: Timeout,
}

impl End {
    /// The sooner of ureq's own limit and the deadline of the call.
    fn of(timeout: NextTimeout) -> Self {
        let own = if timeout.after.is_not_happening() {
            None
        } else {
            Instant::now().checked_add(*timeout.after)
        };
        Self {
            at: [own, DEADLINE.get()].into_iter().flatten().min(),
            reason: timeout.reason,
        }
    }

    /// How long to wait before looking up; an error once the time is over.
    fn step(&self) -> Result<Duration, Error> {
        let Some(at) = self.at else { return Ok(STEP) };
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(self.reason));
        }
        // The system refuses a wait of nothing.
        Ok(left.clamp(Duration::from_millis(1), STEP))
    }
}

/// Looks names up.
#[derive(Debug)]
pub(super) struct Names(pub(super) Flag);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let authority = uri.authority().ok_or(Error::HostNotFound)?;
        let implied = if uri.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        let port = authority.port_u16().unwrap_or(implied);
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => {
                let end = End::of(timeout);
                let look = move || Ok((host.as_str(), port).to_socket_addrs()?.collect());
                // The system's words differ, and mean the same.
                self.0.wait_for(&end, look).map_err(|error| match error {
                    Error::Io(_) if self.0.check().is_ok() => Error::HostNotFound,
                    other => other,
                })?
            }
        };
        let mut addresses = self.empty();
        for address in found.into_iter().take(MOST_ADDRESSES) {
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(Error::HostNotFound);
        }
        Ok(addresses)
    }
}

/// Opens connections.
#[derive(Debug)]
pub(super) struct Sockets(pub(super) Flag);

impl<In: Transport> Connector<In> for Sockets {
    type Out = Either<In, Socket>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        // A way through a proxy is open already.
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let end = End::of(details.timeout);
        let mut last = Error::ConnectionFailed;
        for (at, address) in details.addrs.iter().copied().enumerate() {
            let left = end.at.map(|at| at.saturating_duration_since(Instant::now()));
            // The first addresses leave time for the others.
            let others = details.addrs.len() - at - 1;
            let share = left.map(|left| if others == 0 { left } else { left / 2 });
            let open = move || match share {
                Some(share) => TcpStream::connect_timeout(&address, share.max(Duration::from_millis(1))),
                None => TcpStream::connect(address),
            };
            match self.0.wait_for(&end, open) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    let config = details.config;
                    return Ok(Some(Either::B(Socket {
                        stream,
                        buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
                        flag: self.0.clone(),
                        read_step: None,
                        write_step: None,
                    })));
                }
                Err(error) => {
                    self.0.check()?;
                    end.step()?;
                    last = match error {
                        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                            Error::Timeout(Timeout::Connect)
                        }
                        other => other,
                    };
                }
            }
        }
        Err(last)
    }
}

/// A TCP connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
    flag: Flag,
    /// What the system was told last.
    read_step: Option<Duration>,
    write_step: Option<Duration>,
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let end = End::of(timeout.for_write());
        let mut sent = 0;
        while sent < amount {
            self.flag.check()?;
            let step = end.step()?;
            if self.write_step != Some(step) {
                self.stream.set_write_timeout(Some(step))?;
                self.write_step = Some(step);
            }
            match self.stream.write(&self.buffers.output()[sent..amount]) {
                Ok(0) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
                Ok(count) => sent += count,
                Err(error) if is_step(&error) => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let end = End::of(timeout.for_read());
        loop {
            self.flag.check()?;
            let step = end.step()?;
            if self.read_step != Some(step) {
                self.stream.set_read_timeout(Some(step))?;
                self.read_step = Some(step);
            }
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) if is_step(&error) => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
    }

    /// Whether an idle connection can be used again: nothing came meanwhile, neither bytes nor an end.
    fn is_open(&mut self) -> bool {
        let probe = |stream: &TcpStream| {
            stream.set_nonblocking(true)?;
            let seen = stream.peek(&mut [0]);
            stream.set_nonblocking(false)?;
            seen
        };
        matches!(probe(&self.stream), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// The end of a step, or a signal: look up and go on.
fn is_step(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}
