//! The first of two passes: where files are cut by row, the rows before each unit must be known before any is written.

use super::cuts::Cuts;
use super::options::Layout;
use super::partition::Partitioning;
use super::pass::{UnitWork, Work};
use super::unit_streams::Piece;
use crate::error::Result;
use crate::output::{Losses, Written};
use arrow::record_batch::RecordBatch;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The rows in each partition.
type FolderRows = Vec<(Arc<str>, u64)>;

/// Counts rows by unit and partition.
#[derive(Debug)]
pub(super) struct Counting {
    /// Of batches that have only the columns that the partitions are told by.
    partitioning: Partitioning,
    /// Those columns as files have them.
    written: Written,
    units: Mutex<BTreeMap<u64, FolderRows>>,
}

struct UnitCount<'a> {
    counting: &'a Counting,
    unit: u64,
    rows: FolderRows,
    /// Where each partition is in `rows`.
    places: HashMap<Arc<str>, usize>,
}

/// Where each unit's rows start in each partition.
#[derive(Debug)]
pub(super) struct RowStarts {
    layout: Layout,
    totals: BTreeMap<Arc<str>, u64>,
    starts: HashMap<(u64, Arc<str>), u64>,
    rows: HashMap<u64, u64>,
}

impl Work for Counting {
    fn begin(&self, unit: u64) -> Result<Box<dyn UnitWork + '_>> {
        Ok(Box::new(UnitCount { counting: self, unit, rows: Vec::new(), places: HashMap::new() }))
    }
}

impl UnitWork for UnitCount<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        // What is lost of values is told by the second pass.
        let batch = self.counting.written.apply(batch.clone(), &mut Losses::default())?;
        for (folder, part) in self.counting.partitioning.split(&batch)? {
            let rows = part.num_rows() as u64;
            let place = *self.places.entry(folder).or_insert_with_key(|folder| {
                self.rows.push((folder.clone(), 0));
                self.rows.len() - 1
            });
            self.rows[place].1 += rows;
        }
        Ok(())
    }

    fn ready(&mut self) -> Vec<Piece> {
        Vec::new()
    }

    fn end(self: Box<Self>) -> Result<Vec<Piece>> {
        self.counting.units.lock().unwrap_or_else(PoisonError::into_inner).insert(self.unit, self.rows);
        Ok(Vec::new())
    }
}

impl Counting {
    pub(super) fn new(partitioning: &Partitioning, written: Written) -> Counting {
        Counting { partitioning: partitioning.of_keys_only(), written, units: Mutex::default() }
    }

    /// Adds the counts up in the order of the units.
    pub(super) fn starts(self, layout: Layout) -> RowStarts {
        let mut totals: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        let mut starts = HashMap::new();
        let mut rows = HashMap::new();
        for (unit, counts) in self.units.into_inner().unwrap_or_else(PoisonError::into_inner) {
            rows.insert(unit, counts.iter().map(|(_, n)| n).sum());
            for (folder, count) in counts {
                let total = totals.entry(folder.clone()).or_default();
                starts.insert((unit, folder), *total);
                *total += count;
            }
        }
        RowStarts { layout, totals, starts, rows }
    }
}

impl RowStarts {
    /// The cuts of a partition, and the number of the unit's first row in it.
    pub(super) fn of(&self, unit: u64, folder: &Arc<str>) -> (Cuts, u64) {
        let total = self.totals.get(folder).copied().unwrap_or_default();
        (Cuts::of(self.layout, total), self.starts.get(&(unit, folder.clone())).copied().unwrap_or_default())
    }

    /// The rows that a unit had in the first pass.
    pub(super) fn rows(&self, unit: u64) -> u64 {
        self.rows.get(&unit).copied().unwrap_or_default()
    }

    /// Partitions with fewer rows than files were asked for: how many, and the rows of the first.
    pub(super) fn short(&self, files: u64) -> Option<(usize, u64)> {
        let mut short = self.totals.values().filter(|rows| **rows < files);
        let first = *short.next()?;
        Some((1 + short.count(), first))
    }
}
