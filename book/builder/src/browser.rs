//! The book in a real browser: what only shows when the pages run.
//!
//! A feature of this package (`browser`), since speaking with Chromium takes a minute to compile, and `book serve` does not need it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use chromiumoxide::browser::{Browser, BrowserConfig};
use chromiumoxide::handler::viewport::Viewport;
use futures::StreamExt as _;
use tokio::task::JoinHandle;
use tokio::time::timeout;

mod screenshots;
mod visit;

pub use screenshots::take;
pub use visit::check;

/// The programs that are taken, the first one that there is.
const PROGRAMS: [&str; 5] =
    ["chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable", "chromium-browser"];

/// The browser of this machine; none is a fact, not an error.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    PROGRAMS.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|file| file.is_file()))
}

/// What to say when there is none.
pub fn missing() -> String {
    format!(
        "not run: there is no browser ({}); on Debian: apt-get install chromium-headless-shell",
        PROGRAMS.join(", ")
    )
}

/// How long a browser may take to end before it is killed.
const FAREWELL: Duration = Duration::from_secs(10);

/// A width and height in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How wide.
    pub width: u32,
    /// How high.
    pub height: u32,
}

/// A desk's screen.
pub const WIDE: Size = Size { width: 1440, height: 900 };
/// A phone's.
pub const NARROW: Size = Size { width: 390, height: 844 };

/// A running browser, with a profile that goes with it.
pub struct Window {
    browser: Browser,
    handler: JoinHandle<()>,
    address: SocketAddr,
    _profile: tempfile::TempDir,
}

impl Window {
    /// Starts a browser that looks at the book at `address`.
    ///
    /// # Errors
    /// It does not start.
    pub async fn open(program: &Path, address: SocketAddr, size: Size) -> Result<Self> {
        let profile = tempfile::tempdir().context("a profile for the browser")?;
        let viewport = Viewport {
            width: size.width,
            height: size.height,
            emulating_mobile: size == NARROW,
            ..Viewport::default()
        };
        let config = BrowserConfig::builder()
            .chrome_executable(program)
            .user_data_dir(profile.path())
            .window_size(size.width, size.height)
            .viewport(viewport)
            // A container's root has no user namespaces to make a sandbox of; all it opens is our own book.
            .no_sandbox()
            .args(["disable-gpu", "disable-dev-shm-usage"])
            .build()
            .map_err(|e| anyhow!("the browser's options: {e}"))?;
        let (browser, mut events) =
            Browser::launch(config).await.with_context(|| format!("{} does not start", program.display()))?;
        let handler = tokio::spawn(async move { while events.next().await.is_some() {} });
        Ok(Self { browser, handler, address, _profile: profile })
    }

    /// The address of a page of the book: `crates/pleg.html`.
    pub fn address(&self, page: &str) -> String {
        format!("http://{}/{page}", self.address)
    }

    /// Ends the browser, also one that does not answer any more.
    ///
    /// # Errors
    /// Its process cannot be ended.
    pub async fn close(mut self) -> Result<()> {
        let asked = async {
            self.browser.close().await?;
            self.browser.wait().await?;
            anyhow::Ok(())
        };
        if !timeout(FAREWELL, asked).await.is_ok_and(|closed| closed.is_ok()) {
            self.browser.kill().await.transpose().context("ending the browser")?;
        }
        self.handler.abort();
        Ok(())
    }
}
