//! Test control of a child process: named points at which a test may stop or kill it, and the test's clock. Compiled into
//! debug builds only; a release build has neither the socket nor the points.

#[cfg(any(test, debug_assertions))]
pub use inner::{attach, point};

/// A named point; nothing in a release build.
#[cfg(not(any(test, debug_assertions)))]
#[expect(clippy::unused_async, reason = "the debug build's twin waits here")]
pub async fn point(_name: &str, _what: &str) {}

#[cfg(any(test, debug_assertions))]
mod inner {
    use std::sync::OnceLock;

    use chat_sandbox::SimClock;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpStream;
    use tokio::sync::{Semaphore, mpsc};

    static CONTROL: OnceLock<Control> = OnceLock::new();

    #[derive(Debug)]
    struct Control {
        reached: mpsc::UnboundedSender<String>,
        /// A permit for each word of the test: two tasks may be at points at once, and none of two words may be lost.
        go: Semaphore,
    }

    /// Connects to the test at `address` and returns its clock. Lines in: `clock MS`, `go`. Lines out: `point NAME KEY`.
    ///
    /// # Errors
    /// The test is not there.
    pub async fn attach(address: &str) -> std::io::Result<SimClock> {
        let stream = TcpStream::connect(address).await?;
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let first = lines.next_line().await?.unwrap_or_default();
        let clock = SimClock::frozen(first.strip_prefix("clock ").and_then(|ms| ms.parse().ok()).unwrap_or(0));
        let (reached, mut points) = mpsc::unbounded_channel::<String>();
        let _already: Result<(), Control> = CONTROL.set(Control { reached, go: Semaphore::new(0) });
        tokio::spawn(async move {
            while let Some(name) = points.recv().await {
                if write.write_all(format!("point {name}\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        let moved = clock.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(ms) = line.strip_prefix("clock ").and_then(|ms| ms.parse().ok()) {
                    moved.move_to(ms);
                } else if line == "go"
                    && let Some(control) = CONTROL.get()
                {
                    control.go.add_permits(1);
                }
            }
        });
        Ok(clock)
    }

    /// Tells the test that a point was reached and waits for its word.
    pub async fn point(name: &str, what: &str) {
        if let Some(control) = CONTROL.get()
            && control.reached.send(format!("{name} {what}")).is_ok()
            && let Ok(permit) = control.go.acquire().await
        {
            permit.forget();
        }
    }
}
