//! The book on a loopback port, and built again when something of it changes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use notify::{RecursiveMode, Watcher as _};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::press::{self, Press};

/// What the book is made from, from the workspace's root.
const SOURCES: [&str; 5] = ["book", "labs", "crates", "deploy", "versions.toml"];

/// An editor writes a file in several steps; one build follows them all.
const SETTLED: Duration = Duration::from_millis(300);

/// Serves a directory on a loopback port until this program ends; port 0 takes any that is free.
///
/// # Errors
/// The port cannot be had.
pub async fn directory(directory: &Path, port: u16) -> Result<SocketAddr> {
    let listener =
        TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("port {port} of 127.0.0.1"))?;
    let address = listener.local_addr().context("the port that was given")?;
    let service = Router::new().fallback_service(ServeDir::new(directory));
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

/// Serves the book and builds it again after each change, until Ctrl-C.
///
/// # Errors
/// The first build fails, the port is taken, or the sources cannot be watched.
pub async fn book(root: &Path, port: u16, open: bool) -> Result<()> {
    let built = Press::take(root)?.build()?;
    press::report(&built);
    let address = directory(&built.directory, port).await?;
    println!("the book is at http://{address}/ and is built again when a file changes; Ctrl-C ends this");
    if open {
        show(&format!("http://{address}/"));
    }
    let (changed, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|e| e.kind.is_create() || e.kind.is_modify() || e.kind.is_remove()) {
            let _ = changed.send(());
        }
    })
    .context("watching files")?;
    for source in SOURCES {
        watcher.watch(&root.join(source), RecursiveMode::Recursive).with_context(|| source.to_owned())?;
    }
    let root: PathBuf = root.to_owned();
    let build = tokio::task::spawn_blocking(move || {
        while changes.recv().is_ok() {
            while changes.recv_timeout(SETTLED).is_ok() {}
            match Press::take(&root).and_then(|press| press.build()) {
                Ok(built) => {
                    press::report(&built);
                    println!("built again; reload the page");
                }
                Err(e) => eprintln!("book: {e:#}"),
            }
        }
    });
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
    drop(watcher);
    build.await.context("building")
}

/// Asks the desktop to open the address. Where there is none, the address was printed.
fn show(address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(e) = std::process::Command::new(program).arg(address).spawn() {
        println!("no browser was opened ({program}: {e})");
    }
}
