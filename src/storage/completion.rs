//! How an object comes to be seen: by one request where it is small, by the last of many where it went up in parts.

use super::run_state::{Body, Ended, Multipart, Shared, lock};
use super::spool::{Spool, Spooled};
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, PutMode, PutOptions, PutPayload};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Makes an object seen; `new` where there is none so far.
pub(super) async fn complete(shared: Arc<Shared>, ended: Ended, new: bool) -> Result<()> {
    let Ended { key, body } = ended;
    let (store, path) = shared.storage.object(&key)?;
    {
        let mut state = lock(&shared.state);
        match new {
            true => drop(state.written.insert(key.clone(), false)),
            false => state.replaced = true,
        }
    }
    let done = match body {
        Body::Small { spooled, bytes } => put(&shared, &key, store, path, spooled, bytes, new).await,
        Body::Parts(multipart) => complete_parts(&shared, &key, store, path, &multipart, new).await,
    };
    let mut state = lock(&shared.state);
    match &done {
        Ok(()) if new => drop(state.written.insert(key, true)),
        Err(error) if error.kind() == ErrorKind::Conflict => drop(state.written.remove(&key)),
        _ => {}
    }
    done
}

async fn put(
    shared: &Shared,
    key: &str,
    store: Arc<dyn ObjectStore>,
    path: Path,
    spooled: Vec<Spooled>,
    bytes: Vec<u8>,
    new: bool,
) -> Result<()> {
    let length = spooled.iter().map(|s| s.length).sum::<usize>() + bytes.len();
    let _permit = shared.permit(length).await;
    shared.held.fetch_sub(bytes.len(), Ordering::Relaxed);
    let bytes = join(&shared.spool, &spooled, bytes).map_err(|e| Error::output("the temporary folder", e))?;
    let payload = PutPayload::from(Bytes::from(bytes));
    let options = |mode| PutOptions { mode, attributes: shared.attributes(), ..Default::default() };
    let mode = if new { PutMode::Create } else { PutMode::Overwrite };
    let mut put = store.put_opts(&path, payload.clone(), options(mode)).await;
    if let (true, Err(object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. })) = (new, &put) {
        // A store that can't look and write in one step: look, then write.
        put = match store.get_opts(&path, GetOptions { head: true, ..Default::default() }).await {
            Err(object_store::Error::NotFound { .. }) => store.put_opts(&path, payload, options(PutMode::Overwrite)).await,
            Err(error) => Err(error),
            Ok(_) => return Err(shared.conflict(key)),
        };
    }
    match put {
        Ok(_) => Ok(()),
        // The answer to an earlier try may have been lost.
        Err(_) if shared.is_ours(key).await => Ok(()),
        Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Err(shared.conflict(key)),
        Err(error) => Err(shared.refused(key, error)),
    }
}

async fn complete_parts(
    shared: &Shared,
    key: &str,
    store: Arc<dyn ObjectStore>,
    path: Path,
    multipart: &Multipart,
    new: bool,
) -> Result<()> {
    let parts = std::mem::take(&mut *lock(&multipart.parts));
    for part in parts {
        if !part.await.unwrap_or(false) {
            let told = lock(&shared.state).error.take();
            return Err(told.unwrap_or_else(|| Error::new(ErrorKind::Output, format!("can't write all of {key}"))));
        }
    }
    // Uploads in parts know no conditions; so the time between the look and the write is all that another run has.
    if new {
        match store.get_opts(&path, GetOptions { head: true, ..Default::default() }).await {
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(shared.refused(key, error)),
            Ok(_) => return Err(shared.conflict(key)),
        }
    }
    if let Err(error) = multipart.upload.lock().await.complete().await
        && !shared.is_ours(key).await
    {
        return Err(shared.refused(key, error));
    }
    lock(&shared.state).open.remove(&multipart.number);
    Ok(())
}

/// What was kept on disk, and `bytes` behind it.
pub(super) fn join(spool: &Spool, spooled: &[Spooled], mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if spooled.is_empty() {
        return Ok(bytes);
    }
    let mut joined = Vec::with_capacity(spooled.iter().map(|s| s.length).sum::<usize>() + bytes.len());
    for kept in spooled {
        spool.read(*kept, &mut joined)?;
    }
    joined.append(&mut bytes);
    Ok(joined)
}
