//! A plain HTTP request to the loopback address of a network namespace.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns};

/// How long a write or a read may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The body of a GET to 127.0.0.1, in the namespace or here.
///
/// # Errors
/// Nobody listens, or the answer is not 200.
pub(super) async fn get(netns: Option<PathBuf>, port: u16, path: &str) -> Result<String> {
    let (request, (tell, told)) =
        (format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"), tokio::sync::oneshot::channel());
    // A namespace belongs to a thread. This one enters it and ends with it; the threads of tokio stay where they are.
    std::thread::spawn(move || {
        let _nobody_waits = tell.send(exchange(netns, port, &request));
    });
    let answer = told.await.context("the thread of the request")??;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    if head.split(' ').nth(1) != Some("200") {
        bail!("{}: {body}", head.lines().next().unwrap_or_default());
    }
    Ok(body.to_owned())
}

fn exchange(netns: Option<PathBuf>, port: u16, request: &str) -> Result<String> {
    if let Some(netns) = netns {
        let said = || netns.display().to_string();
        setns(File::open(&netns).with_context(said)?, CloneFlags::CLONE_NEWNET).with_context(said)?;
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn answering(answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody");
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).expect("a request");
            assert!(asked[..length].starts_with(b"GET /healthz HTTP/1.0\r\n"));
            stream.write_all(answer.as_bytes()).expect("answered");
        });
        port
    }

    #[tokio::test]
    async fn the_body_of_a_good_answer_and_the_status_of_a_bad_one() {
        let port = answering("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
        assert_eq!(get(None, port, "/healthz").await.expect("fine"), "ok");
        let port = answering("HTTP/1.0 500 Internal Server Error\r\n\r\nno ping");
        let failed = get(None, port, "/healthz").await.expect_err("not fine");
        assert_eq!(failed.to_string(), "HTTP/1.0 500 Internal Server Error: no ping");
    }
}
