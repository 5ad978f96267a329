//! A look at each of many sources.

use super::source::{Place, Source};
use crate::error::{Error, ErrorKind, Result};
use std::thread;

/// How many objects are looked at at a time.
const AT_ONCE: usize = 64;

/// What `look` finds in each of `sources`, in their order. Files are looked at one after the other; objects many at a time, as each
/// look is a request.
pub fn each<'a, T: Send + 'a>(
    sources: &'a [Source],
    look: impl Fn(&'a Source) -> Result<T> + Sync + Clone + 'a,
) -> impl Iterator<Item = Result<T>> + 'a {
    sources.chunks(AT_ONCE).flat_map(move |chunk| -> Box<dyn Iterator<Item = Result<T>> + 'a> {
        if chunk.len() > 1 && chunk.iter().all(|source| matches!(source.place, Place::Object(_))) {
            return Box::new(at_once(chunk, &look).into_iter());
        }
        Box::new(chunk.iter().map(look.clone()))
    })
}

fn at_once<'a, T: Send>(chunk: &'a [Source], look: &(impl Fn(&'a Source) -> Result<T> + Sync)) -> Vec<Result<T>> {
    thread::scope(|scope| {
        let started: Vec<_> = chunk
            .iter()
            .map(|source| (source, thread::Builder::new().stack_size(1 << 20).spawn_scoped(scope, move || look(source))))
            .collect();
        let finished = started.into_iter().map(|(source, started)| match started {
            Ok(thread) => thread.join().unwrap_or_else(|_| {
                let message = format!("the look at {} failed in a way that it must not", source.path);
                Err(Error::new(ErrorKind::Internal, message))
            }),
            // Where the system gives no more threads, this one does it.
            Err(_) => look(source),
        });
        finished.collect()
    })
}
