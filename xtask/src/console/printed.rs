//! What a process has printed so far, while it goes on printing.

use std::io::PipeWriter;
use std::process::Stdio;

use anyhow::Result;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Everything so far, and whether nobody is left who could print more.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    bytes: Vec<u8>,
    pub ended: bool,
}

impl Transcript {
    /// The text from this byte on.
    pub fn since(&self, from: usize) -> String {
        String::from_utf8_lossy(self.bytes.get(from..).unwrap_or_default()).into_owned()
    }

    /// The whole lines; at the end also what stands on the last one.
    pub fn lines(&self) -> String {
        let text = self.since(0);
        let end = if self.ended { text.len() } else { text.rfind('\n').map_or(0, |end| end + 1) };
        text[..end].to_owned()
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// The end of a pipe into which a process prints.
#[derive(Debug)]
pub struct Printed(watch::Receiver<Transcript>);

impl Printed {
    /// A pipe, and its other end twice: for the output and the errors of a process, in the order in which they come.
    pub fn pipe() -> Result<(Self, Stdio, Stdio)> {
        let (reader, writer) = std::io::pipe()?;
        let mut reader = Receiver::from_owned_fd(reader.into())?;
        let errors: PipeWriter = writer.try_clone()?;
        let (tell, told) = watch::channel(Transcript::default());
        tokio::spawn(async move {
            let mut part = vec![0; 16 * 1024];
            while let Ok(read @ 1..) = reader.read(&mut part).await {
                tell.send_modify(|transcript| transcript.bytes.extend_from_slice(&part[..read]));
            }
            tell.send_modify(|transcript| transcript.ended = true);
        });
        Ok((Self(told), writer.into(), errors.into()))
    }

    /// Everything so far.
    pub fn so_far(&self) -> Transcript {
        self.0.borrow().clone()
    }

    /// Waits until what is printed has something; nothing when it has not by then, or can never have.
    pub async fn until<T>(
        &mut self,
        deadline: Instant,
        mut look: impl FnMut(&Transcript) -> Option<T>,
    ) -> Option<T> {
        loop {
            let (seen, ended) = {
                let transcript = self.0.borrow_and_update();
                (look(&transcript), transcript.ended)
            };
            if seen.is_some() || ended {
                return seen;
            }
            match timeout_at(deadline, self.0.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return None,
            }
        }
    }
}
