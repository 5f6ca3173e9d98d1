//! The socket: binding it, serving it, and trying again.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::{Answer, Checks, answer_one, answer_root};

/// How long the kubelet waits before it tries again to open its health port (`cmd/kubelet/app/server.go: run`).
pub const BIND_RETRY: Duration = Duration::from_secs(5);

/// How long open requests may take to end once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(1);

/// Why the health port does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process holds the port.
    #[error(
        "cannot serve /healthz on {address}: the port is in use, perhaps by another kubelet on this machine; stop it, \
         or choose another port (healthzPort, --healthz-port; 0 serves none)"
    )]
    InUse {
        /// The address asked for.
        address: String,
    },
    /// The address cannot be bound for another reason.
    #[error("cannot serve /healthz on {address} (healthzBindAddress, healthzPort)")]
    Bind {
        /// The address asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The listening socket broke.
    #[error("the /healthz server ended")]
    Serve(#[source] io::Error),
}

/// Opens the health port: `healthzBindAddress` (an IP address or, as in Go, a host name) and `healthzPort` of the
/// configuration.
///
/// # Errors
/// [`ServeError::InUse`] and [`ServeError::Bind`], naming the address.
pub async fn bind_health(bind_address: &str, port: u16) -> Result<TcpListener, ServeError> {
    TcpListener::bind((bind_address, port)).await.map_err(|source| {
        let address = if bind_address.contains(':') {
            format!("[{bind_address}]:{port}")
        } else {
            format!("{bind_address}:{port}")
        };
        match source.kind() {
            io::ErrorKind::AddrInUse => ServeError::InUse { address },
            _ => ServeError::Bind { address, source },
        }
    })
}

/// Serves `/healthz` and `/healthz/NAME` for each check until `stop` completes. Every method gets the same answer, as in
/// Go; anything else is 404.
///
/// Requests that are under way when `stop` completes get a second to end.
///
/// # Errors
/// [`ServeError::Serve`] when the listening socket breaks.
pub async fn serve_health(
    listener: TcpListener,
    checks: Checks,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let stopped = CancellationToken::new();
    let graceful = {
        let stopped = stopped.clone();
        async move {
            stop.await;
            stopped.cancel();
        }
    };
    let serving = axum::serve(listener, routes(checks)).with_graceful_shutdown(graceful).into_future();
    let drained = async {
        stopped.cancelled().await;
        // A client that has sent half a request may never send the rest.
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        biased;
        served = serving => served.map_err(ServeError::Serve),
        () = drained => Ok(()),
    }
}

/// Keeps the health port open until `stop` is cancelled: a port that cannot be had is logged and tried again after
/// `retry` ([`BIND_RETRY`] in an agent). The kubelet itself runs on meanwhile, since pods matter more than being asked
/// about them.
pub async fn run_health(
    bind_address: String,
    port: u16,
    checks: Checks,
    retry: Duration,
    stop: CancellationToken,
) {
    let serve = async || {
        let listener = bind_health(&bind_address, port).await?;
        serve_health(listener, checks.clone(), stop.clone().cancelled_owned()).await
    };
    let mut last_said = None;
    while !stop.is_cancelled() {
        if let Err(error) = serve().await {
            let (said, cause) =
                (error.to_string(), std::error::Error::source(&error).map(ToString::to_string));
            // The same trouble every five seconds is one event, not a line every five seconds.
            if last_said.as_ref() != Some(&said) {
                tracing::error!(cause, "{said}; trying again every {retry:?}");
                last_said = Some(said);
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(retry) => {}
        }
    }
}

fn routes(checks: Checks) -> Router {
    Router::new()
        .route("/healthz", any(root))
        .route("/healthz/{check}", any(one))
        .fallback(async || Answer::not_found())
        .with_state(checks)
}

async fn root(State(checks): State<Checks>, RawQuery(query): RawQuery) -> Answer {
    let outcomes = checks.run();
    for (name, outcome) in &outcomes {
        if let Err(reason) = outcome {
            // The client is not told why; whoever reads the log is.
            tracing::debug!(check = name, reason, "healthz check failed");
        }
    }
    answer_root(&outcomes, query.as_deref().unwrap_or_default())
}

async fn one(State(checks): State<Checks>, Path(name): Path<String>) -> Answer {
    checks.run_one(&name).map_or_else(Answer::not_found, |outcome| answer_one(&outcome))
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if self.nosniff {
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        response
    }
}
