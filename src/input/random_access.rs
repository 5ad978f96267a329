//! Inputs that are read at any place: files, and objects, of which what is needed is fetched at once.

use super::object::{Fetch, LOOK, ObjectFile, ObjectReader};
use bytes::{Buf, Bytes, buf};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::sync::Arc;

/// An input that can be read at any place.
#[derive(Debug)]
pub enum RandomAccess {
    File(File),
    Object(ObjectAccess),
}

/// Ranges nearer to each other than this are fetched together, in bytes.
const GAP: u64 = 256 << 10;
/// What one request fetches at most.
const PART: u64 = 8 << 20;
/// How many requests run at a time.
const WINDOW: usize = 8;
/// An object no larger than this is fetched whole, where all of it is needed soon.
const SMALL: u64 = 4 << 20;

impl RandomAccess {
    /// Another handle of the same input.
    ///
    /// # Errors
    /// Where the system gives none.
    pub fn try_clone(&self) -> io::Result<RandomAccess> {
        Ok(match self {
            RandomAccess::File(file) => RandomAccess::File(file.try_clone()?),
            RandomAccess::Object(object) => RandomAccess::Object(object.clone()),
        })
    }

    /// One that has `ranges` at hand, where they would else be read bit by bit with a request each.
    ///
    /// # Errors
    /// Where they can't be fetched.
    pub fn with(&self, ranges: impl IntoIterator<Item = Range<u64>>) -> io::Result<RandomAccess> {
        match self {
            RandomAccess::File(_) => self.try_clone(),
            RandomAccess::Object(object) => object.with(ranges).map(RandomAccess::Object),
        }
    }
}

/// An object, and those parts of it that are in memory.
#[derive(Debug, Clone)]
pub struct ObjectAccess {
    object: Arc<ObjectFile>,
    held: Vec<(u64, Bytes)>,
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
        let held = match self.fetch {
            Some(fetch) => vec![(self.start, fetch.take()?)],
            None => Vec::new(),
        };
        Ok(ObjectAccess { object: self.object, held })
    }
}

impl ObjectAccess {
    fn at_hand(&self, start: u64) -> Option<Bytes> {
        let within = |(from, bytes): &&(u64, Bytes)| (*from..from + bytes.len() as u64).contains(&start);
        self.held.iter().find(within).map(|(from, bytes)| bytes.slice((start - from) as usize..))
    }

    fn get(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let length = (range.end - range.start) as usize;
        match self.at_hand(range.start).filter(|bytes| bytes.len() >= length) {
            Some(bytes) => Ok(bytes.slice(..length)),
            None if range.end > self.object.size() => Err(io::ErrorKind::UnexpectedEof.into()),
            None => self.object.start(range).take(),
        }
    }

    fn with(&self, ranges: impl IntoIterator<Item = Range<u64>>) -> io::Result<ObjectAccess> {
        let missing = |range: &Range<u64>| {
            let length = (range.end - range.start) as usize;
            !range.is_empty() && range.end <= self.object.size() && self.at_hand(range.start).is_none_or(|bytes| bytes.len() < length)
        };
        let wanted = joined(ranges.into_iter().filter(missing).collect());
        let cut = |(index, range): (usize, &Range<u64>)| {
            let (start, end) = (range.start, range.end);
            (start..end).step_by(PART as usize).map(move |start| (index, start..(start + PART).min(end))).collect::<Vec<_>>()
        };
        let mut parts = wanted.iter().enumerate().flat_map(cut);
        let mut fetched: Vec<Vec<Bytes>> = vec![Vec::new(); wanted.len()];
        let mut coming: VecDeque<(usize, Fetch)> = VecDeque::new();
        loop {
            coming.extend(parts.by_ref().take(WINDOW - coming.len()).map(|(index, part)| (index, self.object.start(part))));
            let Some((index, fetch)) = coming.pop_front() else { break };
            fetched[index].push(fetch.take()?);
        }
        let mut held = self.held.clone();
        held.extend(wanted.iter().zip(fetched).map(|(range, mut parts)| match parts.len() {
            1 => (range.start, parts.remove(0)),
            _ => (range.start, parts.concat().into()),
        }));
        Ok(ObjectAccess { object: self.object.clone(), held })
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
            RandomAccess::Object(access) => match access.at_hand(start) {
                Some(bytes) => {
                    let behind = start + bytes.len() as u64;
                    let rest = ObjectReader::of(&access.object, behind, behind);
                    Ok(RandomRead::Object(Box::new(bytes.reader().chain(rest))))
                }
                None => {
                    let reader = ObjectReader::of(&access.object, start, start);
                    Ok(RandomRead::Object(Box::new(Bytes::new().reader().chain(reader))))
                }
            },
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
    File(BufReader<File>),
    Object(Box<io::Chain<buf::Reader<Bytes>, ObjectReader>>),
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
        assert_eq!(
            held.held.iter().map(|(start, bytes)| (*start, bytes.len())).collect::<Vec<_>>(),
            [(content.len() as u64 - LOOK, LOOK as usize), (10, 1990), (2_000_000, 100_000)]
        );
        for (start, length) in [(0, 5), (10, 10), (1_500, 100_000), (2_050_000, 1_000_000), (content.len() as u64 - 8, 8)] {
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
        assert!(error.to_string().contains("was replaced while it was read"), "{error}");
    }
}
