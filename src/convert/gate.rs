//! Where finished units wait for their turn: all that is behind it happens in the order of the input.

use super::accounting::{Mismatches, Tally, UnitTally};
use super::allowance::{self, FirstReject};
use super::assembly::Assembly;
use super::options::ConvertOptions;
use super::rejects::Rejects;
use super::unit_rejects::{Keep, UnitRejects};
use super::unit_streams::Piece;
use crate::error::{Error, ErrorKind, Result};
use crate::input::Table;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Where finished units wait for their turn, so that everything behind it is in the order of the input.
pub(super) struct Gate<'a> {
    options: &'a ConvertOptions,
    table: &'a Table,
    assembly: Option<&'a Assembly<'a>>,
    state: Mutex<GateState>,
    turn: Condvar,
    stopped: AtomicBool,
    /// Whether there are rejects to be taken, and whether their lines are kept.
    takes_rejects: AtomicBool,
    keeps_lines: AtomicBool,
}

struct GateState {
    next: u64,
    waiting: BTreeMap<u64, (usize, UnitTally, Vec<Piece>)>,
    tallies: Vec<Tally>,
    /// The first rejected line of each source.
    first: Vec<FirstReject>,
    mismatches: Mismatches,
    rejects: Option<Rejects>,
    error: Option<Error>,
}

impl<'a> Gate<'a> {
    /// A gate that counts; with an assembly it hands the pieces on. Of two passes over the same input the first has the `rejects`:
    /// then they are known before anything is written.
    pub(super) fn new(
        options: &'a ConvertOptions,
        table: &'a Table,
        assembly: Option<&'a Assembly<'a>>,
        rejects: Option<Rejects>,
    ) -> Gate<'a> {
        let tallies = vec![Tally::default(); table.sources.len()];
        let keep = rejects.as_ref().map_or(Keep::Nothing, Rejects::keep);
        let (first, mismatches) = (vec![None; table.sources.len()], Mismatches::new());
        let state = GateState { next: 0, waiting: BTreeMap::new(), tallies, first, mismatches, rejects, error: None };
        Gate {
            options,
            table,
            assembly,
            state: Mutex::new(state),
            turn: Condvar::new(),
            stopped: AtomicBool::new(false),
            takes_rejects: AtomicBool::new(keep != Keep::Nothing),
            keeps_lines: AtomicBool::new(keep == Keep::Lines),
        }
    }

    /// What a unit keeps of its rejected lines.
    pub(super) fn keep(&self) -> Keep {
        match (self.takes_rejects.load(Ordering::Relaxed), self.keeps_lines.load(Ordering::Relaxed)) {
            (false, _) => Keep::Nothing,
            (true, false) => Keep::Examples,
            (true, true) => Keep::Lines,
        }
    }

    /// Hands in what a unit has too much of to hold it to its end. Waits until all units before it are done.
    pub(super) fn advance(&self, unit: u64, source: usize, rejects: UnitRejects, pieces: Vec<Piece>) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while unit != state.next && !self.stopped() {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if self.stopped() {
            return Ok(());
        }
        self.take(&mut state, source, rejects, pieces)
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn fail(&self, error: Error) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.error.get_or_insert(error);
        self.stopped.store(true, Ordering::Relaxed);
        self.turn.notify_all();
    }

    /// Hands in a unit. Waits while too many units before it are not done.
    pub(super) fn pass(&self, unit: u64, source: usize, tally: UnitTally, pieces: Vec<Piece>) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while unit != state.next && state.waiting.len() >= self.options.threads && !self.stopped() {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.insert(unit, (source, tally, pieces));
        loop {
            let next = state.next;
            let Some((source, unit, pieces)) = state.waiting.remove(&next) else { break };
            self.take(&mut state, source, unit.rejects, pieces)?;
            state.tallies[source].add(unit.tally);
            unit.mismatches.iter().for_each(|(column, values)| *state.mismatches.entry(*column).or_default() += values);
            state.next += 1;
        }
        self.turn.notify_all();
        Ok(())
    }

    fn take(&self, state: &mut GateState, source: usize, unit: UnitRejects, pieces: Vec<Piece>) -> Result<()> {
        let path = &self.table.sources[source].path;
        let above = self.table.sources[source].lines_before();
        let before = state.tallies[source].text_lines + above + 1;
        if let (None, Some(line)) = (&state.first[source], unit.lines.first()) {
            state.first[source] = Some((before + line.line, line.reason.clone()));
        }
        if let Some(rejects) = &mut state.rejects {
            rejects.take(path, before, unit)?;
            if rejects.keep() != Keep::Lines {
                self.keeps_lines.store(false, Ordering::Relaxed);
            }
        }
        if let Some(assembly) = self.assembly {
            for piece in pieces {
                assembly.append(piece)?;
            }
        }
        Ok(())
    }

    pub(super) fn outcome(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // What was rejected is told also where the run fails.
        let flushed = state.rejects.as_mut().map_or(Ok(()), Rejects::finish);
        // First, as a read that was interrupted is an error too.
        if self.options.cancel.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was published"));
        }
        match state.error.take() {
            Some(error) => Err(error),
            None => flushed,
        }
    }

    /// What was counted, checked against what may be rejected. Where that is too much `tell` is told it.
    pub(super) fn into_totals(
        self,
        tell: impl FnOnce(&[Tally], Option<Rejects>, Mismatches),
    ) -> Result<(Vec<Tally>, Option<Rejects>, Mismatches)> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (source, tally) in self.table.sources.iter().zip(&state.tallies) {
            tally.check(&source.path)?;
        }
        match allowance::check(self.options, self.table, &state.tallies, &state.first, state.rejects.as_ref()) {
            Ok(()) => Ok((state.tallies, state.rejects, state.mismatches)),
            Err(error) => {
                tell(&state.tallies, state.rejects, state.mismatches);
                Err(error)
            }
        }
    }
}
