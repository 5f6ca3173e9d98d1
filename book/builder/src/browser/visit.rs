//! Each page is opened once, and everything that goes wrong meanwhile is noted.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chromiumoxide::Page;
use chromiumoxide::cdp::IntoEventKind;
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel};
use chromiumoxide::cdp::browser_protocol::network::{
    EventLoadingFailed, EventRequestWillBeSent, EventResponseReceived,
};
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use futures::StreamExt as _;
use tokio::time::timeout;

use super::{NARROW, Window};
use crate::press::pages;
use crate::serve;

/// How long one page may take in all. A page with diagrams takes about a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// A word that the book is full of.
const WORD: &str = "relist";

/// Opens every page of the built book, and searches it. Returns what went wrong, page by page.
///
/// # Errors
/// The browser does not start, or stops answering.
pub async fn check(program: &Path, book: &Path) -> Result<Vec<String>> {
    let address = serve::directory(book, 0).await?;
    let window = Window::open(program, address, NARROW).await?;
    let seen = look(&window, address, book).await;
    window.close().await?;
    seen
}

async fn look(window: &Window, address: SocketAddr, book: &Path) -> Result<Vec<String>> {
    timeout(PATIENCE, can_see(window)).await.context("the broken page: no end in sight")??;
    let mut problems = Vec::new();
    for page in pages(book)? {
        let found = timeout(PATIENCE, visit(window, address, &page))
            .await
            .with_context(|| format!("{page}: no end in sight"))?;
        problems.extend(found.with_context(|| page.clone())?.into_iter().map(|p| format!("{page}: {p}")));
    }
    let searched = timeout(PATIENCE, search(window)).await.context("search: no end in sight")?;
    problems.extend(searched.context("search")?);
    Ok(problems)
}

/// A page on which everything is wrong that [`visit`] looks for.
const BROKEN: &str = r#"<html><body><main>
<p style="width: 2000px">wide</p>
<img src="gone.png"><img src="http://127.0.0.2:9/elsewhere.png">
<pre class="mermaid">flowchart</pre>
<script>console.error("said"); throw new Error("thrown");</script>
</main></body></html>"#;

/// What must be said about it.
const SEEN: [&str; 7] = [
    "px wide on a phone",
    "gone.png: status 404",
    "asks another place for http://127.0.0.2:9/elsewhere.png",
    "diagram 1 was not drawn",
    "console error: \"said\"",
    "exception: Error: thrown",
    "has no title",
];

/// Shows the browser a broken page first: a look that sees nothing must not pass for a book without faults.
async fn can_see(window: &Window) -> Result<()> {
    let directory = tempfile::tempdir().context("a directory for the broken page")?;
    std::fs::write(directory.path().join("broken.html"), BROKEN).context("the broken page")?;
    let address = serve::directory(directory.path(), 0).await?;
    let seen = visit(window, address, "broken.html").await?.join("\n");
    match SEEN.iter().find(|what| !seen.contains(**what)) {
        Some(unseen) => bail!("the browser did not notice {unseen:?} on a page that has it; it saw:\n{seen}"),
        None => Ok(()),
    }
}

type Notes = Arc<Mutex<Vec<String>>>;

/// One page: does it load without an error, is everything from here, are the diagrams drawn, does a phone show it whole?
async fn visit(window: &Window, address: SocketAddr, name: &str) -> Result<Vec<String>> {
    let page = window.browser.new_page("about:blank").await.context("a new page")?;
    page.enable_log().await.context("the page's log")?;
    let notes = Notes::default();
    let here = format!("http://{address}/");
    note(&page, &notes, |e: &EventExceptionThrown| {
        let details = &e.exception_details;
        let thrown = details.exception.as_ref().and_then(|x| x.description.clone());
        Some(format!("exception: {}", thrown.unwrap_or_else(|| details.text.clone())))
    })
    .await?;
    note(&page, &notes, |e: &EventConsoleApiCalled| {
        let said: Vec<String> =
            e.args.iter().filter_map(|a| a.value.as_ref().map(ToString::to_string)).collect();
        (e.r#type == ConsoleApiCalledType::Error).then(|| format!("console error: {}", said.join(" ")))
    })
    .await?;
    note(&page, &notes, |e: &EventEntryAdded| {
        (e.entry.level == LogEntryLevel::Error).then(|| format!("log: {}", e.entry.text))
    })
    .await?;
    note(&page, &notes, |e: &EventResponseReceived| {
        (e.response.status >= 400).then(|| format!("{}: status {}", e.response.url, e.response.status))
    })
    .await?;
    // What is left when the page is closed is no failure.
    note(&page, &notes, |e: &EventLoadingFailed| {
        (e.canceled != Some(true)).then(|| format!("loading failed: {}", e.error_text))
    })
    .await?;
    note(&page, &notes, move |e: &EventRequestWillBeSent| {
        let url = &e.request.url;
        let from_here = url.starts_with(&here) || url.starts_with("data:") || url.starts_with("blob:");
        (!from_here && url != "about:blank")
            .then(|| format!("asks another place for {url}; the book must work alone"))
    })
    .await?;
    page.goto(format!("http://{address}/{name}")).await.context("opening it")?;
    let seen = settle(&page).await?;
    page.close().await.context("closing the page")?;
    let mut problems = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
    problems.extend(seen.lines().map(str::to_owned));
    Ok(problems)
}

/// Waits until the page is as it will stay. Returns a line for each thing that is wrong with it.
///
/// # Errors
/// The page does not answer.
pub async fn settle(page: &Page) -> Result<String> {
    told(page, SETTLE).await
}

/// Waits for the diagrams, then says a line for each thing that is wrong with the page as it stands.
const SETTLE: &str = r#"(async () => {
    const diagrams = Array.from(document.querySelectorAll('pre.mermaid'));
    const isDrawn = diagram => diagram.nextElementSibling && diagram.nextElementSibling.querySelector('svg');
    const drawn = () => diagrams.every(isDrawn);
    const loading = document.querySelector('script[src$="mermaid.min.js"]');
    for (let tries = 0; tries < 200 && loading && !drawn(); tries++) {
        await new Promise(resolve => setTimeout(resolve, 50));
    }
    const wrong = diagrams
        .map((d, i) => isDrawn(d) ? '' : `diagram ${i + 1} was not drawn`)
        .filter(line => line);
    const width = document.documentElement.clientWidth;
    const whole = document.documentElement.scrollWidth;
    if (whole > width) {
        const wide = Array.from(document.querySelectorAll('main *'))
            .filter(e => e.getBoundingClientRect().right > width + 1)
            .map(e => e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined ? '.' + e.className : ''));
        wrong.push(`is ${whole} px wide on a phone of ${width} px; look at ${wide.slice(0, 3).join(', ')}`);
    }
    if (!document.querySelector('main h1')) {
        wrong.push('has no title');
    }
    return wrong.join('\n');
})()"#;

/// Types a word into the search of the first page. Returns what went wrong.
async fn search(window: &Window) -> Result<Option<String>> {
    let page = window.browser.new_page(window.address("index.html")).await.context("a new page")?;
    let script = format!(
        r"(async () => {{
            document.getElementById('mdbook-search-toggle').click();
            const bar = document.getElementById('mdbook-searchbar');
            const results = () => document.querySelectorAll('#mdbook-searchresults li').length;
            for (let tries = 0; tries < 200 && results() === 0; tries++) {{
                bar.value = '{WORD}';
                bar.dispatchEvent(new Event('input', {{ bubbles: true }}));
                bar.dispatchEvent(new KeyboardEvent('keyup', {{ bubbles: true }}));
                await new Promise(resolve => setTimeout(resolve, 50));
            }}
            return String(results());
        }})()"
    );
    let results = told(&page, &script).await?;
    page.close().await.context("closing the page")?;
    Ok((results == "0").then(|| format!("search: nothing was found for {WORD:?}")))
}

/// What a script's promise comes to.
async fn told(page: &Page, script: &str) -> Result<String> {
    let ask = EvaluateParams::builder().expression(script).await_promise(true).return_by_value(true).build();
    let ask = ask.map_err(anyhow::Error::msg)?;
    page.evaluate_expression(ask).await.context("asking the page")?.into_value().context("the page's answer")
}

/// Notes what `says` makes of each event of a kind, as long as the page is open.
async fn note<E: IntoEventKind + Unpin>(
    page: &Page,
    notes: &Notes,
    says: impl Fn(&E) -> Option<String> + Send + 'static,
) -> Result<()> {
    let mut events = page.event_listener::<E>().await.context("listening to the page")?;
    let notes = Arc::clone(notes);
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            if let Some(text) = says(&event) {
                notes.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            }
        }
    });
    Ok(())
}
