//! The second pass (or the only one): rows are encoded, and become pieces of files.

use super::assembly::Assembly;
use super::count::RowStarts;
use super::cuts::Cuts;
use super::partition::Partitioning;
use super::pass::{UnitWork, Work};
use super::unit_streams::{Piece, UnitStreams};
use crate::error::{Error, ErrorKind, Result};
use crate::output::{FileFormat, Loss, Losses, Written};
use arrow::record_batch::RecordBatch;
use std::sync::{Mutex, PoisonError};

/// Encodes the rows of all units.
pub(super) struct Writing<'a> {
    format: FileFormat,
    partitioning: &'a Partitioning,
    /// Makes the columns of the files.
    written: &'a Written,
    /// Where each unit's rows start, if files are cut by row.
    starts: Option<&'a RowStarts>,
    assembly: &'a Assembly<'a>,
    /// Encoders that no unit uses now.
    idle: Mutex<Vec<UnitStreams>>,
    losses: Mutex<Losses>,
}

struct UnitWriting<'a> {
    writing: &'a Writing<'a>,
    unit: u64,
    rows: u64,
    streams: UnitStreams,
    pieces: Vec<Piece>,
    losses: Losses,
}

/// So many bytes of pieces are held before the units before have to be waited for.
const HELD: usize = 32 << 20;

impl<'a> Writing<'a> {
    pub(super) fn new(
        format: FileFormat,
        partitioning: &'a Partitioning,
        written: &'a Written,
        starts: Option<&'a RowStarts>,
        assembly: &'a Assembly<'a>,
    ) -> Self {
        Writing { format, partitioning, written, starts, assembly, idle: Mutex::default(), losses: Mutex::default() }
    }

    /// What was lost of values.
    pub(super) fn losses(self) -> Losses {
        self.losses.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<UnitStreams>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work for Writing<'_> {
    fn begin(&self, unit: u64) -> Result<Box<dyn UnitWork + '_>> {
        let idle = self.idle().pop();
        let streams = match idle {
            Some(streams) => streams,
            None => UnitStreams::new(self.format, self.partitioning.schema.clone())?,
        };
        Ok(Box::new(UnitWriting { writing: self, unit, rows: 0, streams, pieces: Vec::new(), losses: Losses::default() }))
    }
}

impl UnitWork for UnitWriting<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        let batch = self.writing.written.apply(batch.clone(), &mut self.losses)?;
        for (folder, part) in self.writing.partitioning.split(&batch)? {
            let start = || match self.writing.starts {
                Some(starts) => starts.of(self.unit, &folder),
                None => (Cuts::Size(self.writing.assembly.target), 0),
            };
            self.streams.add(&folder, part, start, &mut |piece| keep(self.writing.assembly, &mut self.pieces, piece))?;
        }
        Ok(())
    }

    fn cut_off(&mut self, column: &str, values: u64) {
        self.losses.add(Loss::Int96, column, values);
    }

    fn ready(&mut self) -> Vec<Piece> {
        match self.pieces.iter().map(|piece| piece.segment.size()).sum::<usize>() >= HELD {
            true => std::mem::take(&mut self.pieces),
            false => Vec::new(),
        }
    }

    fn end(mut self: Box<Self>) -> Result<Vec<Piece>> {
        self.streams.finish(&mut |piece| keep(self.writing.assembly, &mut self.pieces, piece))?;
        if self.writing.starts.is_some_and(|starts| starts.rows(self.unit) != self.rows) {
            return Err(Error::new(ErrorKind::Input, "an input changed while it was being read; nothing was published"));
        }
        self.losses.extend(self.streams.losses());
        self.writing.losses.lock().unwrap_or_else(PoisonError::into_inner).extend(self.losses);
        self.writing.idle().push(self.streams);
        Ok(self.pieces)
    }
}

/// A file that lies whole in one unit is written by its worker: nobody else has to wait for it.
fn keep(assembly: &Assembly<'_>, pieces: &mut Vec<Piece>, piece: Piece) -> Result<()> {
    match piece {
        Piece { whole: true, file: Some(file), folder, segment } => assembly.write_whole(&folder, file, segment),
        piece => {
            pieces.push(piece);
            Ok(())
        }
    }
}
