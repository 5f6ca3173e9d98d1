//! Pictures of pages, for a person to look at: on a desk and on a phone, by day and by night.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use chromiumoxide::cdp::browser_protocol::emulation::MediaFeature;
use chromiumoxide::cdp::browser_protocol::page::CaptureScreenshotFormat;
use chromiumoxide::page::ScreenshotParams;

use super::{NARROW, WIDE, Window};
use crate::serve;

/// Takes four pictures of each page (`crates/pleg`) into `directory`, and returns their files.
///
/// # Errors
/// The browser does not start, a page does not exist, or a picture cannot be written.
pub async fn take(program: &Path, book: &Path, directory: &Path, pages: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for page in pages {
        let name = page.trim_end_matches(".md").trim_end_matches(".html");
        if !book.join(format!("{name}.html")).is_file() {
            bail!("the book has no page {name}; write it as crates/pleg");
        }
        files.push(name);
    }
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let address = serve::directory(book, 0).await?;
    let mut pictures = Vec::new();
    for (shape, size) in [("wide", WIDE), ("narrow", NARROW)] {
        let window = Window::open(program, address, size).await?;
        let taken = of_one_shape(&window, shape, directory, &files).await;
        window.close().await?;
        pictures.extend(taken?);
    }
    Ok(pictures)
}

async fn of_one_shape(
    window: &Window,
    shape: &str,
    directory: &Path,
    pages: &[&str],
) -> Result<Vec<PathBuf>> {
    let mut pictures = Vec::new();
    for name in pages {
        for theme in ["light", "dark"] {
            let tab = window.browser.new_page("about:blank").await.context("a new page")?;
            let scheme = MediaFeature::new("prefers-color-scheme", theme);
            tab.emulate_media_features(vec![scheme]).await.context("the theme")?;
            tab.goto(window.address(&format!("{name}.html"))).await.with_context(|| (*name).to_owned())?;
            super::visit::settle(&tab).await?;
            let how =
                ScreenshotParams::builder().format(CaptureScreenshotFormat::Png).full_page(true).build();
            let picture = directory.join(format!("{}-{shape}-{theme}.png", name.replace('/', "-")));
            tab.save_screenshot(how, &picture).await.with_context(|| picture.display().to_string())?;
            tab.close().await.context("closing the page")?;
            pictures.push(picture);
        }
    }
    Ok(pictures)
}
