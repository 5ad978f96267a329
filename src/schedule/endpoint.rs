//! Health and figures of a scheduler over HTTP.

use super::scheduler::Shared;
use crate::error::{Error, ErrorKind, Result};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Connections at once; each takes one of the files that the process may have open, which its runs need.
const CONNECTIONS: usize = 64;
/// How long a request's head may take to come.
const HEAD: Duration = Duration::from_secs(5);
/// How long a connection may last: one that asks from time to time must ask anew.
const LASTS: Duration = Duration::from_secs(60);
/// Lines of a request's head, and its bytes.
const HEADERS: usize = 64;
const BUFFER: usize = 16 << 10;

/// Answers `GET /healthz` and `GET /metrics` at `address`, on a thread of its own, as long as the process lives. Gives the address that
/// it listens at, which has a port where `address` has port 0.
///
/// # Errors
/// [`ErrorKind::Usage`] for an address that can't be listened at.
pub fn serve(address: SocketAddr, shared: Arc<Shared>) -> Result<SocketAddr> {
    let refused = |error| Error::new(ErrorKind::Usage, format!("can't listen at {address}")).with_source(error);
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let serve = move || {
        runtime.block_on(async {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            accept(listener, router(shared)).await;
        });
    };
    std::thread::Builder::new().name("etl-http".to_string()).spawn(serve).map_err(refused)?;
    Ok(bound)
}

/// Serves whoever comes, so many at once; it ends with the process.
async fn accept(listener: tokio::net::TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Those for whom there is no place wait in the system's queue, where they take none of our files.
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Without a file for it nobody can be served; in a while there may be one.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let router = router.clone();
        tokio::spawn(async move {
            // One that lasts too long, or breaks, is nobody's concern here.
            let _ = tokio::time::timeout(LASTS, connection(stream, router)).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, router: Router) -> hyper::Result<()> {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(HEADERS).max_buf_size(BUFFER);
    server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await
}

fn router(shared: Arc<Shared>) -> Router {
    let health = shared.clone();
    let healthz = move || {
        let answer = match health.trouble() {
            None => (StatusCode::OK, "ok\n".to_string()),
            Some(trouble) => (StatusCode::SERVICE_UNAVAILABLE, format!("{trouble}\n")),
        };
        async move { answer }
    };
    let metrics = move || {
        let page = shared.metrics();
        async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page).into_response() }
    };
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics))
}
