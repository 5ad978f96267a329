//! Units of work: a run of input that one worker decodes and encodes, small enough to be held, large enough for a row group.
//!
//! Units depend on the input alone, never on the number of threads, and so does the output.

use crate::error::{Error, ErrorKind, Result};
use crate::input::{
    Ahead, Block, BlockReader, Compression, Content, Framing, ObjectEnd, ObjectReader, RandomAccess, Source, Table, column_chunks,
    file_columns, footer,
};
use crate::output::Kind;
use arrow::datatypes::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Bytes of (decompressed) input in a unit that becomes a row group: some hundred thousand rows, as Parquet's readers like them.
const ROW_GROUP_UNIT: u64 = 32 << 20;
/// Bytes of input in a unit that becomes text, which can be cut anywhere: what it becomes stays in the cache until it is written.
const TEXT_UNIT: u64 = 4 << 20;

/// Bytes of row groups that are fetched from objects before a worker wants them.
const FETCHED_AHEAD: u64 = 64 << 20;
/// How many row groups that may be.
const GROUPS_AHEAD: usize = 32;

/// A run of one source.
#[derive(Debug)]
pub(super) struct Unit {
    /// Its place in the order of all.
    pub index: u64,
    /// The index of the source.
    pub source: usize,
    pub input: UnitInput,
}

/// How a unit's rows are read.
#[derive(Debug)]
pub(super) enum UnitInput {
    /// The lines that start in these bytes of a plain file, read by the worker.
    Range { start: u64, end: u64 },
    /// Blocks of a stream that can only be read from its start, read when the unit was taken; `stored` is what they took of the source.
    Blocks { blocks: Vec<Block>, stored: u64 },
    /// A row group of a Parquet file; `file` where it is an object, of which some is at hand or on its way.
    RowGroup { file: Option<RandomAccess>, footer: ArrowReaderMetadata, index: usize, stored: u64 },
}

/// What a row group needs of an object.
#[derive(Debug, Default)]
struct Needed {
    ranges: Vec<Range<u64>>,
    bytes: u64,
}

/// Gives out units, in order, to whichever worker asks.
#[derive(Debug)]
pub(super) struct Feeder<'a> {
    table: &'a Table,
    /// Bytes of input in a unit.
    size: u64,
    /// The columns that are read, all where not given.
    projection: Option<&'a [usize]>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_unit: u64,
    /// Sources whose bytes are on their way.
    ahead: Ahead<(usize, Begun)>,
    /// The first source that is not.
    next_source: usize,
    /// Units known without reading.
    ready: VecDeque<(usize, UnitInput, Needed)>,
    stream: Option<Stream>,
}

/// How far a source is opened before its turn.
#[derive(Debug)]
enum Begun {
    /// Not at all: it is no object.
    No,
    Text(ObjectReader),
    Parquet(ObjectEnd),
}

/// A source that is read from its start to its end.
#[derive(Debug)]
struct Stream {
    source: usize,
    reader: BlockReader,
    framing: Framing,
    /// The part of the last block that belongs to the next unit.
    pending: Option<Block>,
    /// Bytes of the source, as it is stored, that are read.
    stored: u64,
}

impl<'a> Feeder<'a> {
    /// Units of `table` for files of `kind`.
    pub(super) fn new(table: &'a Table, kind: Kind, projection: Option<&'a [usize]>) -> Feeder<'a> {
        let size = if kind == Kind::Parquet { ROW_GROUP_UNIT } else { TEXT_UNIT };
        Feeder { table, size, projection, state: Mutex::default() }
    }

    /// The next unit. A stream is read (and decompressed) by the worker that asks, while others work on units before.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where a source can't be read.
    pub(super) fn next(&self) -> Result<Option<Unit>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            while state.wants_more() && self.open_next(&mut state)? {}
            let found = match state.next_ready().map_err(|(index, e)| Error::input(&self.table.sources[index].path, e))? {
                Some(found) => Some(found),
                None => state.read_stream(self.size)?,
            };
            if let Some((source, input)) = found {
                let index = state.next_unit;
                state.next_unit += 1;
                return Ok(Some(Unit { index, source, input }));
            }
            if !self.open_next(&mut state)? {
                return Ok(None);
            }
        }
    }

    /// Opens the next source; false where there is none.
    fn open_next(&self, state: &mut State) -> Result<bool> {
        let State { ahead, next_source, .. } = state;
        let next = ahead.next(|| {
            let source = self.table.sources.get(*next_source)?;
            *next_source += 1;
            let (bytes, begun) = self.begin(source);
            Some((bytes, (*next_source - 1, begun)))
        });
        let Some((index, begun)) = next else { return Ok(false) };
        state.open(index, &self.table.sources[index], begun, self)?;
        Ok(true)
    }

    fn begin(&self, source: &Source) -> (u64, Begun) {
        let begun = match self.table.format.framing() {
            Some(_) => {
                let range = source.span.as_ref().filter(|span| span.plain).map(|span| {
                    let end = span.to.or(source.size).unwrap_or(u64::MAX);
                    (BlockReader::first_byte(span.from), end)
                });
                source.begin(range).map(|(bytes, reader)| (bytes, Begun::Text(reader)))
            }
            None => source.begin_end(true).map(|(bytes, end)| (bytes, Begun::Parquet(end))),
        };
        begun.unwrap_or((0, Begun::No))
    }
}

impl State {
    /// Whether row groups of further objects can be fetched already.
    fn wants_more(&self) -> bool {
        let bytes = || self.ready.iter().map(|(.., needed)| needed.bytes).sum::<u64>();
        self.ready.len() < GROUPS_AHEAD && (1..FETCHED_AHEAD).contains(&bytes())
    }

    /// The next unit that is known without reading. What the ones behind it need is on its way then. The error is that of a source.
    fn next_ready(&mut self) -> Result<Option<(usize, UnitInput)>, (usize, io::Error)> {
        let mut bytes = 0;
        for (source, input, needed) in self.ready.iter_mut().take(GROUPS_AHEAD) {
            let UnitInput::RowGroup { file: Some(file), .. } = input else { break };
            if bytes > FETCHED_AHEAD {
                break;
            }
            bytes += needed.bytes;
            if !needed.ranges.is_empty() {
                *file = file.with(std::mem::take(&mut needed.ranges)).map_err(|e| (*source, e))?;
            }
        }
        Ok(self.ready.pop_front().map(|(source, input, _)| (source, input)))
    }

    fn open(&mut self, index: usize, source: &Source, begun: Begun, feeder: &Feeder<'_>) -> Result<()> {
        let Some(framing) = feeder.table.format.framing() else {
            return self.open_parquet(index, source, begun, &feeder.table.format.schema(), feeder.projection);
        };
        // Any place of a plain file can be read at once; of others only the start. Of an object the parts that come next are on
        // their way already, so it is read from its start too.
        let (reader, anywhere) = match (begun, &source.span) {
            (Begun::Text(reader), Some(span)) if span.plain => {
                let to = span.to.or(source.size).unwrap_or(u64::MAX);
                (BlockReader::begun_range(Box::new(reader), source, span.from, to), None)
            }
            (Begun::Text(reader), _) => (BlockReader::begun(Box::new(reader), source, framing)?, None),
            (_, Some(span)) if span.plain && framing == Framing::Lines => {
                self.push_ranges(index, span.from, span.to.or(source.size).unwrap_or(span.from), feeder.size);
                return Ok(());
            }
            _ => {
                let reader = BlockReader::open(source, framing)?;
                let plain = framing == Framing::Lines && reader.compression() == Compression::None;
                (reader, source.size.filter(|_| plain))
            }
        };
        match anywhere {
            Some(size) => {
                let (mut from, mut to) = (0, size);
                if let Some(span) = &source.span {
                    span.ends_at(size);
                    (from, to) = (span.from, span.to.unwrap_or(size).min(size));
                }
                self.push_ranges(index, from, to, feeder.size);
            }
            None => self.stream = Some(Stream { source: index, reader, framing, pending: None, stored: 0 }),
        }
        Ok(())
    }

    /// Makes units of the bytes `from..to` of a plain file; they end at the same places wherever the first one starts.
    fn push_ranges(&mut self, index: usize, from: u64, to: u64, size: u64) {
        for start in (from - from % size..to).step_by(size as usize) {
            let range = UnitInput::Range { start: start.max(from), end: (start + size).min(to) };
            self.ready.push_back((index, range, Needed::default()));
        }
    }

    fn open_parquet(&mut self, index: usize, source: &Source, begun: Begun, schema: &Schema, projection: Option<&[usize]>) -> Result<()> {
        let (file, fetched) = match begun {
            Begun::Parquet(end) => (Some(source.ended(end)?), true),
            _ => (source.open_random()?, false),
        };
        let Some(file) = file else {
            return Err(Error::new(ErrorKind::Usage, "Parquet can't be read from standard input: its footer comes last"));
        };
        let again = |file: &RandomAccess| file.try_clone().map_err(|e| Error::input(&source.path, e));
        let footer = footer(&file, &source.path).map_err(|e| source.blamed(e))?;
        let known = footer.metadata();
        let wanted = file_columns(&footer, schema, projection);
        for (group, metadata) in known.row_groups().iter().enumerate() {
            let stored = metadata.compressed_size().max(0) as u64;
            let (mut handle, mut needed) = (None, Needed::default());
            if fetched {
                let schema = known.file_metadata().schema_descr();
                let mask = wanted.as_ref().map(|columns| ProjectionMask::roots(schema, columns.iter().copied()));
                needed.ranges = column_chunks(known, group, mask.as_ref()).into_iter().map(|(_, range)| range).collect();
                needed.bytes = needed.ranges.iter().map(|range| range.end - range.start).sum();
                handle = Some(again(&file)?);
            }
            self.ready.push_back((index, UnitInput::RowGroup { file: handle, footer: footer.clone(), index: group, stored }, needed));
        }
        Ok(())
    }

    fn read_stream(&mut self, unit: u64) -> Result<Option<(usize, UnitInput)>> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let found = stream.next_unit(unit);
        // Behind an error nothing is known of the stream: another worker must not go on in it.
        if !matches!(found, Ok(Some(_))) {
            self.stream = None;
        }
        found
    }
}

impl Stream {
    /// The blocks up to the next multiple of `size` bytes: the lines that start before it, as in a range of a plain file.
    fn next_unit(&mut self, size: u64) -> Result<Option<(usize, UnitInput)>> {
        let mut blocks = Vec::new();
        let mut stop = None;
        loop {
            let block = match self.pending.take() {
                Some(block) => block,
                None => match self.reader.next_block()? {
                    Some(block) => block,
                    None => break,
                },
            };
            let stop = *stop.get_or_insert((block.offset / size + 1) * size);
            let end = block.offset + block.content.length();
            match &block.content {
                Content::Records(bytes) if end > stop && self.framing == Framing::Lines => {
                    let last = (stop - 1).saturating_sub(block.offset) as usize;
                    let cut = memchr::memchr(b'\n', &bytes[last..]).map_or(bytes.len(), |at| last + at + 1);
                    if cut < bytes.len() {
                        let rest = Content::Records(bytes.slice(cut..));
                        let offset = block.offset + cut as u64;
                        self.pending = Some(Block { offset, skipped: 0, content: rest, passed: 0, heading: None });
                    }
                    blocks.push(Block { content: Content::Records(bytes.slice(..cut)), ..block });
                }
                _ => blocks.push(block),
            }
            if end >= stop {
                break;
            }
        }
        let stored = self.reader.stored_bytes() - self.stored;
        self.stored += stored;
        Ok((!blocks.is_empty()).then_some((self.source, UnitInput::Blocks { blocks, stored })))
    }
}
