//! A slow link in front of a server: a TCP proxy that holds bytes back.
//!
//! ```text
//! server ──► read, due = max(now, link free) + length ÷ rate, + delay ──► queue ──► wait until due ──► client
//! client ──► as it comes ──► server            (a new connection: one delay first)
//! ```
//!
//! Bytes towards the client leave at the rate of the link and arrive one delay later, so an answer costs one
//! delay and a stream runs at the full rate. What TCP itself does on a long way (slow start, loss) is not modelled.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Read at once from the server.
const PIECE: usize = 16 << 10;

/// Pieces on their way in one connection: 2 MiB, four times what 200 Mbit/s hold in 20 ms.
const PIECES: usize = 128;

/// What the link can do.
#[derive(Clone, Copy)]
pub(super) struct Link {
    /// Bytes per second towards the client.
    pub(super) rate: f64,
    /// How much later bytes arrive.
    pub(super) delay: Duration,
    /// Whether all connections share the rate.
    pub(super) shared: bool,
}

/// When a link is free again.
type Free = Arc<Mutex<Instant>>;

impl Link {
    /// A link that holds nothing back.
    pub(super) const DIRECT: Self = Self {
        rate: f64::INFINITY,
        delay: Duration::ZERO,
        shared: false,
    };

    /// Listens on a free port of loopback; ends with the process.
    pub(super) fn start(self, server: SocketAddr) -> Result<SocketAddr, String> {
        Ok(self.start_counting(server)?.0)
    }

    /// The same, and the bytes that have passed towards clients.
    pub(super) fn start_counting(self, server: SocketAddr) -> Result<(SocketAddr, Arc<AtomicU64>), String> {
        let failed = |error: std::io::Error| format!("cannot make a slow link: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let passed = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&passed);
        thread::spawn(move || {
            let all = free();
            for client in listener.incoming().flatten() {
                let free = if self.shared { Arc::clone(&all) } else { free() };
                let counter = Arc::clone(&counter);
                thread::spawn(move || self.connect(client, server, &free, &counter));
            }
        });
        Ok((address, passed))
    }

    /// One connection, until the server or the client ends it.
    fn connect(self, client: TcpStream, server: SocketAddr, free: &Free, passed: &AtomicU64) {
        thread::sleep(self.delay);
        let Ok(upstream) = TcpStream::connect(server) else {
            return;
        };
        // Small requests and answers do not wait for more bytes.
        let _ = (client.set_nodelay(true), upstream.set_nodelay(true));
        let (Ok(from_client), Ok(to_server)) = (client.try_clone(), upstream.try_clone()) else {
            return;
        };
        thread::spawn(move || up(from_client, to_server));
        self.down(upstream, client, free, passed);
    }

    /// From the server to the client, late and slowly.
    fn down(self, mut from: TcpStream, mut to: TcpStream, free: &Free, passed: &AtomicU64) {
        let (sender, receiver) = sync_channel::<(Instant, Vec<u8>)>(PIECES);
        let writer = thread::spawn(move || {
            for (due, piece) in receiver {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if to.write_all(&piece).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
        let mut buffer = vec![0; PIECE];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            passed.fetch_add(count as u64, Ordering::Relaxed);
            let left = {
                let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
                *free = (*free).max(Instant::now()) + Duration::from_secs_f64(count as f64 / self.rate);
                *free
            };
            // The queue is long: the rate itself holds the server back.
            thread::sleep(left.saturating_duration_since(Instant::now()));
            if sender
                .send((left + self.delay, buffer[..count].to_vec()))
                .is_err()
            {
                break;
            }
        }
        drop(sender);
        let _ = writer.join();
        let _ = from.shutdown(Shutdown::Both);
    }
}

/// From the client to the server.
fn up(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

fn free() -> Free {
    Arc::new(Mutex::new(Instant::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds until a client has `bytes` bytes over `connections` connections through the link.
    fn seconds(link: Link, connections: usize, bytes: usize) -> f64 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = listener.local_addr().expect("it is bound");
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                thread::spawn(move || client.write_all(&vec![1; bytes]));
            }
        });
        let address = link.start(server).expect("a free port");
        let begun = Instant::now();
        thread::scope(|scope| {
            for _ in 0..connections {
                scope.spawn(|| {
                    let mut client = TcpStream::connect(address).expect("the link listens");
                    let mut received = Vec::new();
                    client.read_to_end(&mut received).expect("the server sends");
                    assert_eq!(received.len(), bytes);
                });
            }
        });
        begun.elapsed().as_secs_f64()
    }

    #[test]
    fn bytes_come_at_the_rate_and_late() {
        let link = Link {
            rate: 10e6,
            delay: Duration::from_millis(50),
            shared: false,
        };
        // 0.2 s at the rate, 0.1 s for the connection and the way.
        for connections in [1, 3] {
            let took = seconds(link, connections, 2_000_000);
            assert!((0.29..1.0).contains(&took), "{connections} connections: {took} s");
        }
        let shared = Link { shared: true, ..link };
        let took = seconds(shared, 3, 2_000_000);
        assert!((0.69..1.6).contains(&took), "3 on one rate: {took} s");
    }
}
