//! A socket between agent and runtime, at which every call is noted.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use cri_client::{GrpcRuntime, RecordedCall, Recorder};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_stream::wrappers::UnixListenerStream;

/// The proxy. Dropping it closes the socket.
#[derive(Debug)]
pub struct Proxy {
    recorder: Arc<Recorder<GrpcRuntime>>,
    began: Instant,
    endpoint: String,
    serving: JoinHandle<()>,
}

/// A moment of a recording.
#[derive(Clone, Copy, Debug)]
pub struct Mark(Duration);

impl Proxy {
    /// Serves `runtime` at a socket.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn serve(runtime: GrpcRuntime, socket: &Path) -> Result<Self> {
        let incoming = UnixListenerStream::new(
            UnixListener::bind(socket).with_context(|| socket.display().to_string())?,
        );
        let (recorder, began) = (Arc::new(Recorder::new(runtime)), Instant::now());
        let served = recorder.clone();
        let serving = tokio::spawn(async move {
            if let Err(error) = cri_client::serve(served, incoming, std::future::pending()).await {
                eprintln!("the recording proxy ended: {error}");
            }
        });
        Ok(Self { recorder, began, endpoint: format!("unix://{}", socket.display()), serving })
    }

    /// Where it serves.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Now.
    pub fn mark(&self) -> Mark {
        Mark(self.began.elapsed())
    }

    /// The calls since a mark, in order of arrival; each with its milliseconds since then.
    pub fn since(&self, mark: Mark) -> Vec<(f64, RecordedCall)> {
        let calls = self.recorder.calls().into_iter().filter(|call| call.at >= mark.0);
        calls.map(|call| ((call.at - mark.0).as_secs_f64() * 1000.0, call)).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
