//! A query that runs: it is stopped when it must not go on, and when nobody waits for it any more.

use super::client::Client;
use super::limits::{Limits, Stop};
use super::request::Request;
use super::statistics::Statistics;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{spawn, wait};
use crate::units::ByteSize;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionState};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// The first pause before it is asked how the query stands, and the longest; each is half as long again as the one before.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// So long a query is waited for that must not go on: to hear its id, to stop it, and to hear what it took.
const PATIENCE: Duration = Duration::from_secs(5);

/// A query that Athena has.
#[derive(Debug)]
pub(super) struct Running {
    client: Client,
    id: String,
    begun: Instant,
    over: bool,
}

impl Running {
    /// Starts the query. If that isn't waited for to its end, it is stopped as soon as its id is known.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where Athena doesn't take it or it takes too long, [`ErrorKind::Interrupted`].
    pub(super) async fn start(client: &Client, request: &Request, token: String, limits: &Limits, begun: Instant) -> Result<Running> {
        let (sender, mut started) = oneshot::channel();
        let (starting, request) = (client.clone(), request.clone());
        spawn(async move {
            let answer = starting.start(&request, token).await;
            if let Err(Ok(id)) = sender.send(answer) {
                // Nobody is left who could be told of a failure.
                let _ = starting.stop(&id).await;
            }
        });
        let answer = tokio::select! {
            answer = &mut started => answer,
            stop = limits.passed(begun) => {
                if let Ok(Ok(Ok(id))) = timeout(PATIENCE, started).await {
                    return Err(Running { client: client.clone(), id, begun, over: false }.stopped(stop).await);
                }
                return Err(told(stop));
            }
        };
        let id = answer.map_err(|_| Error::new(ErrorKind::Internal, "the start of a query gave no answer"))??;
        Ok(Running { client: client.clone(), id, begun, over: false })
    }

    /// Waits until the query is over, however it ends.
    ///
    /// # Errors
    /// [`ErrorKind::Query`] where it was stopped for its limits, or Athena doesn't tell how it stands; [`ErrorKind::Interrupted`].
    pub(super) async fn finish(mut self, limits: &Limits) -> Result<QueryExecution> {
        let mut pause = FIRST;
        loop {
            let asked = or_stopped(self.client.execution(&self.id), limits, self.begun).await;
            let execution = match asked {
                Ok(execution) => execution?,
                Err(stop) => return Err(self.stopped(stop).await),
            };
            if is_over(&execution) {
                self.over = true;
                return Ok(execution);
            }
            if let Some(stop) = limits.scanned(Statistics::of(&execution).scanned) {
                return Err(self.stopped(stop).await);
            }
            if let Err(stop) = or_stopped(sleep(jittered(pause)), limits, self.begun).await {
                return Err(self.stopped(stop).await);
            }
            pause = (pause + pause / 2).min(LONGEST);
        }
    }

    /// Stops the query, and tells why.
    async fn stopped(mut self, stop: Stop) -> Error {
        self.over = true;
        let error = told(stop).with_context("query id", &self.id);
        let failed = match timeout(PATIENCE, self.client.stop(&self.id)).await {
            Ok(Ok(())) => None,
            Ok(Err(failed)) => Some(failed.message().to_string()),
            Err(_) => Some("Athena doesn't answer".to_string()),
        };
        if let Some(failed) = failed {
            return error.with_context("what to do", format!("stop it in the console of Athena, or it may go on: {failed}"));
        }
        match timeout(PATIENCE, self.last()).await {
            Ok(Some(Statistics { scanned, .. })) => error.with_context("scanned", format!("{}, which is charged for", ByteSize(scanned))),
            _ => error,
        }
    }

    /// What the query took that was stopped.
    async fn last(&self) -> Option<Statistics> {
        loop {
            let execution = self.client.execution(&self.id).await.ok()?;
            if is_over(&execution) {
                return Some(Statistics::of(&execution));
            }
            sleep(FIRST).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            let (client, id) = (self.client.clone(), self.id.clone());
            // The process may end right after this: what runs on costs.
            wait(async move { drop(timeout(PATIENCE, client.stop(&id)).await) });
        }
    }
}

/// What `work` gives, unless the query must not go on before that.
async fn or_stopped<T>(work: impl Future<Output = T>, limits: &Limits, begun: Instant) -> Result<T, Stop> {
    tokio::select! {
        done = work => Ok(done),
        stop = limits.passed(begun) => Err(stop),
    }
}

fn is_over(execution: &QueryExecution) -> bool {
    let state = execution.status().and_then(|status| status.state());
    matches!(state, Some(QueryExecutionState::Succeeded | QueryExecutionState::Failed | QueryExecutionState::Cancelled))
}

fn told(stop: Stop) -> Error {
    match stop {
        Stop::Interrupted => Error::new(ErrorKind::Interrupted, "interrupted: the query was stopped"),
        Stop::TimedOut(after) => {
            Error::new(ErrorKind::Query, format!("the query was stopped: it took longer than {} s (--timeout)", after.as_secs_f64()))
        }
        Stop::Scanned { most } => Error::new(
            ErrorKind::Query,
            format!("the query was stopped: it scanned more than {} (--max-scan, --max-cost)", ByteSize(most).as_given()),
        ),
    }
}

/// A pause of half its length at least, so that many who wait don't ask at the same time.
pub(super) fn jittered(pause: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX);
    pause.mul_f64(0.5 + share / 2.0)
}
