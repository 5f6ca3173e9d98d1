//! The health port over real sockets, asked with raw HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use server::{Checks, Host, ServeError, bind_health, run_health, serve_health};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const LOOPBACK: &str = "127.0.0.1";
const LIMIT: Duration = Duration::from_secs(20);

/// A kubelet whose sync loop turns or hangs, as told.
struct Loop {
    turns: AtomicBool,
}

impl Host for Loop {
    fn sync_loop_healthy(&self) -> Result<(), String> {
        if self.turns.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err("sync loop took longer than expected".to_owned())
        }
    }
}

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), ServeError>>,
}

async fn served(checks: Checks) -> Served {
    let listener = bind_health(LOOPBACK, 0).await.expect("a free port");
    let (address, stop) = (listener.local_addr().expect("an address"), CancellationToken::new());
    let task = tokio::spawn(serve_health(listener, checks, stop.clone().cancelled_owned()));
    Served { address, stop, task }
}

/// One request, the whole answer: head in lower case, and body.
async fn ask(address: SocketAddr, method: &str, target: &str) -> std::io::Result<(String, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{method} {target} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    tokio::time::timeout(LIMIT, stream.read_to_string(&mut answer)).await??;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    Ok((head.to_ascii_lowercase(), body.to_owned()))
}

async fn get(address: SocketAddr, target: &str) -> (String, String) {
    ask(address, "GET", target).await.expect("an answer")
}

#[tokio::test]
async fn a_healthy_kubelet_says_ok_in_plain_text() {
    let served = served(Checks::ping()).await;
    let (head, body) = get(served.address, "/healthz").await;
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: text/plain; charset=utf-8"), "{head}");
    assert!(head.contains("\r\nx-content-type-options: nosniff"), "{head}");
    assert_eq!(body, "ok");
    assert_eq!(get(served.address, "/healthz?verbose").await.1, "[+]ping ok\nhealthz check passed\n");
    assert_eq!(get(served.address, "/healthz/ping").await.1, "ok");
}

#[tokio::test]
async fn every_method_is_answered_and_every_other_path_is_unknown() {
    let served = served(Checks::ping()).await;
    for (method, target, status, body) in [
        ("POST", "/healthz", "200", "ok"),
        ("DELETE", "/healthz/ping", "200", "ok"),
        ("HEAD", "/healthz", "200", ""),
        ("GET", "/", "404", "404 page not found\n"),
        ("GET", "/healthz/", "404", "404 page not found\n"),
        ("GET", "/healthz/syncloop", "404", "404 page not found\n"),
        ("GET", "/healthz/ping/x", "404", "404 page not found\n"),
        ("GET", "/pods", "404", "404 page not found\n"),
        ("POST", "/exec/default/web/app", "404", "404 page not found\n"),
    ] {
        let (head, got) = ask(served.address, method, target).await.expect("an answer");
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{method} {target}: {head}");
        assert!(head.contains("content-type: text/plain; charset=utf-8"), "{method} {target}: {head}");
        assert_eq!(got, body, "{method} {target}");
    }
}

#[tokio::test]
async fn a_hanging_sync_loop_fails_the_kubelets_checks_and_recovers() {
    let host = Arc::new(Loop { turns: AtomicBool::new(false) });
    let checks = Checks::of_kubelet(host.clone());
    assert_eq!(checks.failure(), Some(("syncloop", "sync loop took longer than expected".to_owned())));
    let served = served(checks.clone()).await;

    let (head, body) = get(served.address, "/healthz").await;
    assert!(head.starts_with("http/1.1 500 internal server error\r\n"), "{head}");
    assert_eq!(body, "[+]ping ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n");
    let (head, body) = get(served.address, "/healthz/syncloop").await;
    assert!(head.starts_with("http/1.1 500 "), "{head}");
    assert_eq!(body, "internal server error: sync loop took longer than expected\n");

    host.turns.store(true, Ordering::SeqCst);
    assert_eq!(get(served.address, "/healthz").await.1, "ok");
    assert_eq!(checks.failure(), None);
}

#[tokio::test]
async fn a_port_in_use_is_named_together_with_what_to_do() {
    let taken = TcpListener::bind((LOOPBACK, 0)).await.expect("a free port");
    let address = taken.local_addr().expect("an address");
    let error = bind_health(LOOPBACK, address.port()).await.expect_err("the port is taken");
    let text = error.to_string();
    assert!(text.contains(&address.to_string()) && text.contains("another kubelet"), "{text}");
    assert!(text.contains("--healthz-port"), "{text}");

    // An address that is kept for documentation.
    let error = bind_health("192.0.2.1", 0).await.expect_err("no interface has it");
    assert!(
        matches!(&error, ServeError::Bind { .. }) && error.to_string().contains("192.0.2.1:0"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_port_that_becomes_free_is_served_then() {
    let taken = TcpListener::bind((LOOPBACK, 0)).await.expect("a free port");
    let (port, stop) = (taken.local_addr().expect("an address").port(), CancellationToken::new());
    let task = tokio::spawn(run_health(
        LOOPBACK.to_owned(),
        port,
        Checks::ping(),
        Duration::from_millis(20),
        stop.clone(),
    ));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    drop(taken);
    let answer = tokio::time::timeout(LIMIT, async {
        loop {
            if let Ok((_, body)) = ask(address, "GET", "/healthz").await {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert_eq!(answer.await.expect("served within the limit"), "ok");
    stop.cancel();
    tokio::time::timeout(LIMIT, task).await.expect("stopped within the limit").expect("no panic");
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_client_that_never_finishes_its_request() {
    let served = served(Checks::ping()).await;
    let mut half = TcpStream::connect(served.address).await.expect("connected");
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: no").await.expect("half a request");
    // An answer to somebody else proves that the half request was taken in as well.
    assert_eq!(get(served.address, "/healthz").await.1, "ok");
    served.stop.cancel();
    let stopped = tokio::time::timeout(LIMIT, served.task).await.expect("stopped within the limit");
    stopped.expect("no panic").expect("no error");
}
