//! Health and figures of a scheduler over HTTP.

use super::scheduler::Shared;
use crate::error::{Error, ErrorKind, Result};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

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
            // It ends with the process.
            let _ = axum::serve(listener, router(shared)).await;
        });
    };
    std::thread::Builder::new().name("etl-http".to_string()).spawn(serve).map_err(refused)?;
    Ok(bound)
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
