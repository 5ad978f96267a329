//! A look at each of many sources.

use super::source::{Place, Source};
use crate::error::{Error, ErrorKind, Result};
use std::num::NonZeroUsize;
use std::thread;

/// How many objects are looked at at a time.
const AT_ONCE: usize = 64;
/// So many files are worth a thread.
const SHARE: usize = 128;

/// What `look` finds in each of `sources`, in their order: files on all cores where there are many; objects many at a time, as each look is
/// a request.
pub fn each<'a, T: Send + 'a>(
    sources: &'a [Source],
    look: impl Fn(&'a Source) -> Result<T> + Sync + Clone + 'a,
) -> impl Iterator<Item = Result<T>> + 'a {
    let are_files = sources.len() > SHARE && sources.iter().all(|source| matches!(source.place, Place::File(_)));
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    sources.chunks(if are_files { SHARE * cores } else { AT_ONCE }).flat_map(move |chunk| -> Box<dyn Iterator<Item = Result<T>> + 'a> {
        if are_files && cores > 1 {
            return Box::new(shared(chunk, SHARE, &look).into_iter());
        }
        if chunk.len() > 1 && chunk.iter().all(|source| matches!(source.place, Place::Object(_))) {
            return Box::new(shared(chunk, 1, &look).into_iter());
        }
        Box::new(chunk.iter().map(look.clone()))
    })
}

/// What `look` finds in `chunk`, of which each thread looks at `share`.
fn shared<'a, T: Send>(chunk: &'a [Source], share: usize, look: &(impl Fn(&'a Source) -> Result<T> + Sync)) -> Vec<Result<T>> {
    let of = |share: &'a [Source]| share.iter().map(look).collect::<Vec<_>>();
    thread::scope(|scope| {
        let started: Vec<_> = chunk
            .chunks(share)
            .map(|share| (share, thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, move || of(share))))
            .collect();
        let finished = started.into_iter().flat_map(|(share, started)| match started {
            Ok(thread) => thread.join().unwrap_or_else(|_| share.iter().map(|source| Err(failed(source))).collect()),
            // Where the system gives no more threads, this one does it.
            Err(_) => of(share),
        });
        finished.collect()
    })
}

fn failed(source: &Source) -> Error {
    Error::new(ErrorKind::Internal, format!("the look at {} failed in a way that it must not", source.path))
}
