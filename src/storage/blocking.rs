//! The one place where code that waits meets code that does not.

use futures::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::mpsc::sync_channel;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Runs requests to stores, whatever thread asked for them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("storage").enable_all().build();
    // Without threads nothing can be done.
    runtime.expect("the system gives threads")
});

/// Where requests to stores run: their connections outlive whoever asked.
pub(super) fn handle() -> &'static Handle {
    RUNTIME.handle()
}

/// Starts `future`, and goes on; dropping the handle lets it run on.
pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    RUNTIME.spawn(future)
}

/// Waits for `future`, on any thread: also on one of another runtime, which then does nothing else meanwhile.
pub fn wait<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = sync_channel(1);
    RUNTIME.spawn(async move {
        let _ = sender.send(AssertUnwindSafe(future).catch_unwind().await);
    });
    match receiver.recv() {
        Ok(Ok(value)) => value,
        // The future panicked: so does who waits for it.
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(_) => unreachable!("nothing cancels the task, and it sends before it ends"),
    }
}
