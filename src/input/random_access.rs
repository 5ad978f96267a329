//! Inputs that are read at any place: files, and objects, of which what is needed is fetched at once.

use super::local::{LocalAccess, LocalRead};
use super::object::{Fetch, LOOK, ObjectFile, ObjectReader};
use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// An input that can be read at any place.
#[derive(Debug)]
pub enum RandomAccess {
    File(LocalAccess),
    Object(ObjectAccess),
}

/// Ranges nearer to each other than this are fetched together, in bytes.
const GAP: u64 = 256 << 10;
/// What one request fetches at most.
const PART: u64 = 8 << 20;
/// An object no larger than this is fetched whole, where all of it is needed soon.
const SMALL: u64 = 4 << 20;

impl RandomAccess {
    /// Another handle of the same input.
    ///
    /// # Errors
    /// Where the system gives none.
    pub fn try_clone(&self) -> io::Result<RandomAccess> {
        Ok(match self {
            RandomAccess::File(file) => RandomAccess::File(file.clone()),
            RandomAccess::Object(object) => RandomAccess::Object(object.clone()),
        })
    }

    /// One that has `ranges` at hand, or on their way, where they would else be read bit by bit with a request each.
    ///
    /// # Errors
    /// Where the system gives no other handle of a file.
    pub fn with(&self, ranges: impl IntoIterator<Item = Range<u64>>) -> io::Result<RandomAccess> {
        match self {
            RandomAccess::File(_) => self.try_clone(),
            RandomAccess::Object(object) => Ok(RandomAccess::Object(object.with(ranges))),
        }
    }
}

/// An object, and those parts of it that are in memory or on their way there.
#[derive(Debug, Clone)]
pub struct ObjectAccess {
    object: Arc<ObjectFile>,
    /// Parts by where they start.
    parts: BTreeMap<u64, Arc<Part>>,
}

/// A part of an object.
#[derive(Debug)]
struct Part {
    length: u64,
    state: Mutex<PartState>,
}

#[derive(Debug)]
enum PartState {
    Coming(Fetch),
    Here(Bytes),
    Failed,
}

impl Part {
    fn new(length: u64, fetch: Fetch) -> Arc<Part> {
        Arc::new(Part { length, state: Mutex::new(PartState::Coming(fetch)) })
    }

    /// Waits for the bytes.
    fn bytes(&self) -> io::Result<Bytes> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, PartState::Failed) {
            PartState::Coming(fetch) => {
                let bytes = fetch.take()?;
                *state = PartState::Here(bytes.clone());
                Ok(bytes)
            }
            PartState::Here(bytes) => {
                *state = PartState::Here(bytes.clone());
                Ok(bytes)
            }
            // Whoever asked first was told why.
            PartState::Failed => Err(io::Error::other("a part of it couldn't be fetched")),
        }
    }
}

/// An object whose end is on its way, which says where all else is.
#[derive(Debug)]
pub(crate) struct ObjectEnd {
    object: Arc<ObjectFile>,
    start: u64,
    fetch: Option<Fetch>,
}

impl ObjectEnd {
    /// Starts to fetch the end of `object`; all of a small one where `soon` the rest is needed too.
    pub(super) fn begin(object: &Arc<ObjectFile>, soon: bool) -> ObjectEnd {
        let size = object.size();
        let start = if soon && size <= SMALL { 0 } else { size.saturating_sub(LOOK) };
        ObjectEnd { object: object.clone(), start, fetch: (size > start).then(|| object.start(start..size)) }
    }

    /// What it holds in memory, in bytes.
    pub(super) fn cost(&self) -> u64 {
        self.object.size() - self.start
    }

    /// Waits for it.
    pub(super) fn take(self) -> io::Result<ObjectAccess> {
        let mut parts = BTreeMap::new();
        if let Some(fetch) = self.fetch {
            let part = Part::new(self.object.size() - self.start, fetch);
            part.bytes()?;
            parts.insert(self.start, part);
        }
        Ok(ObjectAccess { object: self.object, parts })
    }
}

impl ObjectAccess {
    /// The part that byte `at` is in, and where it starts.
    fn part(&self, at: u64) -> Option<(u64, &Arc<Part>)> {
        let (start, part) = self.parts.range(..=at).next_back()?;
        (at < start + part.length).then_some((*start, part))
    }

    /// Where what is at hand from `at` on ends.
    fn reaches(&self, at: u64) -> u64 {
        let mut end = at;
        while let Some((start, part)) = self.part(end) {
            end = start + part.length;
        }
        end
    }

    fn get(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        if range.end > self.object.size() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.reaches(range.start) < range.end {
            return self.object.start(range).take();
        }
        let mut found = Vec::new();
        let mut at = range.start;
        while let Some((start, part)) = self.part(at).filter(|_| at < range.end) {
            let end = range.end.min(start + part.length);
            found.push(part.bytes()?.slice((at - start) as usize..(end - start) as usize));
            at = end;
        }
        Ok(if found.len() == 1 { found.remove(0) } else { found.concat().into() })
    }

    fn with(&self, ranges: impl IntoIterator<Item = Range<u64>>) -> ObjectAccess {
        let missing = |range: &Range<u64>| !range.is_empty() && range.end <= self.object.size() && self.reaches(range.start) < range.end;
        let mut parts = self.parts.clone();
        for range in joined(ranges.into_iter().filter(missing).collect()) {
            for start in (range.start..range.end).step_by(PART as usize) {
                let end = (start + PART).min(range.end);
                parts.insert(start, Part::new(end - start, self.object.start(start..end)));
            }
        }
        ObjectAccess { object: self.object.clone(), parts }
    }
}

/// `ranges` in order, those near to each other as one.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end + GAP => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

impl Length for RandomAccess {
    fn len(&self) -> u64 {
        match self {
            RandomAccess::File(file) => file.len(),
            RandomAccess::Object(access) => access.object.size(),
        }
    }
}

impl ChunkReader for RandomAccess {
    type T = RandomRead;

    fn get_read(&self, start: u64) -> Result<RandomRead> {
        match self {
            RandomAccess::File(file) => file.get_read(start).map(RandomRead::File),
            RandomAccess::Object(access) => {
                Ok(RandomRead::Object(Box::new(ObjectRead { access: access.clone(), at: start, chunk: Bytes::new(), rest: None })))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            RandomAccess::File(file) => file.get_bytes(start, length),
            RandomAccess::Object(access) => access.get(start..start + length as u64).map_err(|e| ParquetError::External(Box::new(e))),
        }
    }
}

/// Reads on from a place of a [`RandomAccess`].
#[derive(Debug)]
pub enum RandomRead {
    File(LocalRead),
    Object(Box<ObjectRead>),
}

/// Reads on from a place of an object: what is at hand, and then the rest.
#[derive(Debug)]
pub struct ObjectRead {
    access: ObjectAccess,
    at: u64,
    chunk: Bytes,
    rest: Option<ObjectReader>,
}

impl Read for ObjectRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && self.rest.is_none() {
            match self.access.part(self.at) {
                Some((start, part)) => self.chunk = part.bytes()?.slice((self.at - start) as usize..),
                None => self.rest = Some(ObjectReader::of(&self.access.object, self.at, self.at)),
            }
        }
        if let Some(rest) = &mut self.rest {
            return rest.read(buffer);
        }
        let n = buffer.len().min(self.chunk.len());
        buffer[..n].copy_from_slice(&self.chunk.split_to(n));
        self.at += n as u64;
        Ok(n)
    }
}

impl Read for RandomRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            RandomRead::File(file) => file.read(buffer),
            RandomRead::Object(object) => object.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Location, Storage};
    use object_store::memory::InMemory;
    use object_store::{ObjectStore, ObjectStoreExt};

    fn object(content: &[u8]) -> (Arc<dyn ObjectStore>, Arc<ObjectFile>) {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let (path, put) = (object_store::path::Path::from("a/b"), content.to_vec());
        let (writer, key) = (store.clone(), path.clone());
        let meta = crate::storage::wait(async move {
            writer.put(&key, put.into()).await.unwrap();
            writer.head(&key).await.unwrap()
        });
        let storage = Storage::open(Location::Folder(std::env::temp_dir())).unwrap();
        (store.clone(), Arc::new(ObjectFile::new(storage, store, meta)))
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i / 7 + i % 251) as u8).collect()
    }

    #[test]
    fn any_place_is_read_at_hand_or_not() {
        let content = bytes(3 << 20);
        let (_store, object) = object(&content);
        let end = ObjectEnd::begin(&object, false);
        assert_eq!(end.cost(), LOOK);
        let access = RandomAccess::Object(end.take().unwrap());
        let some = access.with([10..20, 1000..2000, 2_000_000..2_100_000]).unwrap();
        let RandomAccess::Object(held) = &some else { panic!() };
        let parts: Vec<(u64, u64)> = held.parts.iter().map(|(start, part)| (*start, part.length)).collect();
        assert_eq!(parts, [(10, 1990), (2_000_000, 100_000), (content.len() as u64 - LOOK, LOOK)]);
        for (start, length) in [(0, 5), (10, 10), (1_500, 100_000), (2_050_000, 1_000_000), (1_990, 10), (content.len() as u64 - 8, 8)] {
            let expected = &content[start as usize..start as usize + length];
            assert_eq!(some.get_bytes(start, length).unwrap(), expected);
            let mut read = Vec::new();
            some.get_read(start).unwrap().take(length as u64).read_to_end(&mut read).unwrap();
            assert!(read == expected, "{start}");
        }
        assert!(some.get_bytes(content.len() as u64 - 8, 9).is_err());
    }

    #[test]
    fn a_big_object_is_read_in_parts_and_never_as_two_versions() {
        let content = bytes(72 << 20);
        let (store, object) = object(&content);
        let mut read = Vec::new();
        ObjectReader::whole(&object).read_to_end(&mut read).unwrap();
        assert!(read == content);
        let mut lazy = Vec::new();
        ObjectReader::of(&object, 5, 9).read_to_end(&mut lazy).unwrap();
        assert!(lazy == content[5..]);
        let mut reader = ObjectReader::whole(&object);
        let mut start = vec![0; 1000];
        reader.read_exact(&mut start).unwrap();
        let key = object.path().clone();
        crate::storage::wait(async move { store.put(&key, bytes(72 << 20).into()).await.unwrap() });
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("was replaced while it was being read"), "{error}");
    }
}
