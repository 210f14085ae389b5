//! What h2 writes, over a stream whose other end is a test.

use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Handle;

use super::super::ping_interval::Interval;
use super::super::pulse::Pulse;
use super::*;

/// h2's side, the driver's, and that of the server, over a stream that holds `size` bytes.
fn wire(size: usize) -> (Wire, Wire, DuplexStream) {
    let (near, far) = duplex(size);
    let interval = Arc::new(Interval::new(Duration::from_mins(1)));
    let health = Health::new(Pulse::new(Handle::current().id()), interval);
    let (wire, driver) = Wire::new(Box::new(near), Arc::new(health));
    (wire, driver, far)
}

/// As the driver's task does it, for ever.
async fn drive(driver: Wire) {
    poll_fn(|cx| {
        match driver.poll_send(cx) {
            // Here all are one task.
            Sent::ForMore => cx.waker().wake_by_ref(),
            sent => assert_eq!(sent, Sent::AsFarAsPossible),
        }
        Poll::<()>::Pending
    })
    .await;
}

#[tokio::test]
async fn nothing_is_sent_before_the_driver_sends() {
    let (mut wire, driver, mut far) = wire(1 << 20);
    wire.write_all(b"one ").await.unwrap();
    assert_eq!(wire.write_vectored(&[IoSlice::new(b"two "), IoSlice::new(b"three")]).await.unwrap(), 9);
    wire.flush().await.unwrap();
    let mut received = [0; 13];
    assert!(at_once(far.read(&mut received)).await.is_none());
    assert_eq!(poll_fn(|cx| Poll::Ready(driver.poll_send(cx))).await, Sent::AsFarAsPossible);
    far.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"one two three");
}

/// What a future gives at once.
async fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    poll_fn(|cx| {
        Poll::Ready(match future.as_mut().poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn more_than_the_stream_takes_arrives_whole_and_is_not_piled_up() {
    for (size, part) in [(7, 1_000), (1_000, MAX_KEPT), (4_096, MAX_KEPT + 1), (1 << 20, 3 * MAX_KEPT)] {
        let (mut wire, driver, mut far) = wire(size);
        let sent: Vec<u8> = (0..5 * part).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let length = sent.len();
        let shared = wire.0.clone();
        let writes = async {
            for part in sent.chunks(part) {
                wire.write_all(part).await.unwrap();
                assert!(shared.lock().unwrap().outbound.kept.len() <= MAX_KEPT);
            }
            wire.shutdown().await.unwrap();
        };
        let mut received = Vec::new();
        tokio::select! {
            // As h2 and its driver take turns.
            biased;
            ((), read) = async { tokio::join!(writes, far.read_to_end(&mut received)) } => drop(read.unwrap()),
            () = drive(driver) => unreachable!("it drives for ever"),
        }
        assert!(received == sent, "{length} bytes in parts of {part} over a stream of {size}");
    }
}

#[tokio::test]
async fn who_writes_more_than_is_kept_waits_for_the_driver() {
    let (mut wire, driver, _far) = wire(1 << 20);
    let part = vec![1; MAX_KEPT / 2 + 1];
    wire.write_all(&part).await.unwrap();
    assert!(at_once(wire.write_all(&part)).await.is_none(), "it is not written while h2 holds its lock");
    for expected in [Sent::ForMore, Sent::AsFarAsPossible] {
        assert_eq!(poll_fn(|cx| Poll::Ready(driver.poll_send(cx))).await, expected);
        at_once(wire.write_all(&part[..1])).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_failure_is_heard_of_after_what_was_read() {
    let (mut wire, driver, mut far) = wire(1_000);
    far.write_all(b"goodbye").await.unwrap();
    drop(far);
    wire.write_all(b"hello").await.unwrap();
    assert_eq!(poll_fn(|cx| Poll::Ready(driver.poll_send(cx))).await, Sent::Failed);
    let mut read = [0; 7];
    wire.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"goodbye");
    assert_eq!(wire.write(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}
