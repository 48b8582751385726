//! Runs the futures of native transports and stores: they do their I/O before they return and are ready at once.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The value of a future that is ready when first polled.
///
/// # Panics
/// If the future waits for something: nothing native does, and nothing here could wake it.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a native call returned before its work was done"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_futures_give_their_value_through_awaits() {
        async fn one() -> u32 {
            1
        }
        assert_eq!(block_on(async { one().await + one().await }), 2);
    }

    #[test]
    #[should_panic(expected = "before its work was done")]
    fn a_future_that_waits_is_a_bug() {
        block_on(std::future::pending::<()>());
    }
}
