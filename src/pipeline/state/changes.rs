//! What has changed since the rows of a table were made, and so what a run has to read.

use super::difference::{Difference, FileCounts, SegmentInputs};
use super::listing::Listing;
use super::pieces::{Piece, ReadSet, merge};
use super::recognition::{find_doubles, recognize};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::model::{Fingerprint, Mode, Removal};
use crate::publish::SourceFile;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known of an output before a run.
pub(crate) struct Before<'a> {
    pub(crate) mode: Mode,
    pub(crate) removed_sources: Removal,
    /// The inputs of each live segment; nothing where there is no table yet.
    pub(crate) segments: Option<&'a [SegmentInputs]>,
    /// What the pipeline says of the output is not what it said.
    pub(crate) redefined: bool,
    /// New rows can't stand beside the old ones.
    pub(crate) reshaped: bool,
    /// Which columns new files have that the table hasn't.
    pub(crate) columns_changed: Option<String>,
    /// Why the tables of the lake that it reads ask for new rows.
    pub(crate) tables_changed: Option<String>,
    /// All is to be rebuilt.
    pub(crate) full: bool,
    /// Files that had rejected lines are read again.
    pub(crate) retry_rejects: bool,
}

/// What a run does for one output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) step: Step,
    /// Why, in words.
    pub(crate) why: String,
    pub(crate) read: ReadSet,
    /// Segments that are rebuilt, or of which partitions are.
    pub(crate) stale: BTreeSet<usize>,
    pub(crate) counts: BTreeMap<String, FileCounts>,
    pub(crate) notes: Vec<String>,
}

/// What happens to the rows that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Step {
    #[default]
    Nothing,
    /// All rows are made.
    Rebuild,
    /// Rows are added to those of the segments that are not stale.
    Add,
    /// Partitions are rebuilt: those that are read into, and those of the stale segments.
    ReplacePartitions,
}

/// Decides what to do for an output that reads `listings`.
///
/// # Errors
/// [`ErrorKind::Input`] where a file can't be read for its checksum, or where rows would be lost whose source is gone.
pub(crate) fn decide(before: &Before<'_>, listings: &mut [&mut Listing]) -> Result<Changes> {
    let mut changes = Changes::default();
    let segments = before.segments.unwrap_or_default();
    // Where no source brings new rows, the table is what the sources are.
    let whole = before.mode == Mode::Overwrite || listings.iter().all(|listing| !listing.incremental);
    let mut fresh = ReadSet::new();
    let mut gone: Vec<String> = Vec::new();
    for listing in listings.iter_mut() {
        let diff = match listing.fingerprint {
            // A table that is made of all lines each time has those of today, whole or not.
            Fingerprint::Content => recognize(listing, segments, listing.incremental && !whole)?,
            _ => compare(listing, segments)?,
        };
        changes.counts.insert(listing.name.clone(), diff.counts);
        // Of a source that is joined with others, changes alone are no reason to add rows.
        let counts = diff.counts;
        if !listing.incremental && !whole && before.segments.is_some() && counts.new + counts.grown + counts.changed + counts.removed > 0 {
            changes.notes.push(format!("{} has changed; existing rows stay as they were made before", listing.name));
        }
        if listing.incremental || whole {
            changes.stale.extend(&diff.stale);
            if before.removed_sources == Removal::Drop {
                changes.stale.extend(&diff.stale_by_removal);
            }
            if !whole {
                changes.notes.extend(told_of(&diff, before.removed_sources));
            }
            fresh.insert(listing.name.clone(), diff.fresh);
            gone.extend(diff.removed);
        }
    }
    if let Some(why) = before.tables_changed.as_ref().filter(|_| !whole && before.segments.is_some()) {
        changes.notes.push(format!("{why}; existing rows stay as they were made before"));
    }
    let mut retried = 0;
    if before.retry_rejects {
        for listing in listings.iter().filter(|listing| listing.incremental || whole) {
            for (index, inputs) in segments.iter().enumerate() {
                let rejected = inputs.get(&listing.name).map_or(0, |input| input.files.iter().filter(|file| file.rejects > 0).count());
                retried += rejected;
                changes.stale.extend((rejected > 0).then_some(index));
            }
        }
    }
    let again = (retried > 0).then(|| format!("{retried} with rejected lines, read again"));
    let total = |pick: fn(&FileCounts) -> u64| changes.counts.values().map(pick).sum::<u64>();
    let (new, grown) = (total(|c| c.new), total(|c| c.grown));
    let (changed, removed) = (total(|c| c.changed), total(|c| c.removed));
    let read_all = |listings: &[&mut Listing]| listings.iter().map(|listing| (listing.name.clone(), listing.all())).collect();

    let rebuild = match before.segments {
        None => Some("the table is new".to_string()),
        Some(_) if before.full => Some("full rebuild, as asked for".to_string()),
        Some(_) if before.reshaped => Some("its definition changed".to_string()),
        Some(_) if before.columns_changed.is_some() => before.columns_changed.clone(),
        Some(_) if whole && before.redefined => Some("its format, layout or mode changed".to_string()),
        Some(_) if whole && new + grown + changed + removed > 0 => Some(told(new, grown, changed, removed)),
        Some(_) if whole && before.tables_changed.is_some() => before.tables_changed.clone(),
        Some(_) if whole => again.clone(),
        Some(_) => None,
    };
    if let Some(why) = rebuild {
        let keeps = !whole && before.removed_sources == Removal::Keep;
        if keeps && !gone.is_empty() && !before.full {
            return Err(lost(&why, &gone));
        }
        if !gone.is_empty() {
            changes.notes.push(format!("rows of files that are gone are no longer in the table: {}", short(&gone)));
        }
        for listing in listings.iter_mut().filter(|listing| listing.fingerprint == Fingerprint::Content) {
            find_doubles(listing)?;
        }
        (changes.step, changes.why, changes.read) = (Step::Rebuild, why, read_all(listings));
        changes.stale = (0..segments.len()).collect();
        return Ok(changes);
    }
    if whole || (fresh.values().all(Vec::is_empty) && changes.stale.is_empty()) {
        if !gone.is_empty() && !whole {
            changes.notes.push(format!("rows of files that are gone are kept: {}", short(&gone)));
        }
        changes.why = "nothing has changed".to_string();
        return Ok(changes);
    }
    let told = told(new, grown, changed, if before.removed_sources == Removal::Drop { removed } else { 0 });
    changes.why = [Some(told).filter(|told| !told.is_empty()), again].into_iter().flatten().collect::<Vec<_>>().join(", ");
    changes.step = if before.mode == Mode::Append { Step::Add } else { Step::ReplacePartitions };
    if changes.step == Step::Add {
        // What is rebuilt is made of all that it was made of.
        let (more, lost_now) = sources_of(segments, &changes.stale, listings.iter().map(|listing| &**listing));
        if !lost_now.is_empty() && before.removed_sources == Removal::Keep {
            return Err(lost(&changes.why, &lost_now));
        }
        merge(&mut fresh, more);
    }
    for listing in listings.iter().filter(|listing| !listing.incremental) {
        fresh.insert(listing.name.clone(), listing.all());
    }
    if !gone.is_empty() && before.removed_sources == Removal::Drop {
        changes.notes.push(format!("rows of files that are gone are dropped: {}", short(&gone)));
    }
    if !gone.is_empty() && before.removed_sources == Removal::Keep {
        // Which partitions are touched is known when the new files are read.
        let unless = match changes.step {
            Step::ReplacePartitions => ", unless they share a partition with new rows and a file that is there: then the run fails",
            _ => "",
        };
        changes.notes.push(format!("rows of files that are gone are kept: {}{unless}", short(&gone)));
    }
    changes.read = fresh;
    Ok(changes)
}

/// The files that the segments at `indices` were made of: those that are still there, by their places, and those that are gone.
pub(crate) fn sources_of<'a>(
    segments: &[SegmentInputs],
    indices: &BTreeSet<usize>,
    listings: impl IntoIterator<Item = &'a Listing>,
) -> (ReadSet, Vec<String>) {
    let (mut there, mut gone) = (ReadSet::new(), Vec::new());
    for listing in listings.into_iter().filter(|listing| listing.incremental) {
        let known = indices.iter().filter_map(|index| segments.get(*index)?.get(&listing.name)).flat_map(|input| &input.files);
        let mut found = Vec::new();
        for file in known {
            let content = file.content.as_ref().filter(|_| listing.fingerprint == Fingerprint::Content);
            match (listing.place_of(file), content) {
                (Some(place), Some(content)) => {
                    found.push(Piece { place, from: file.from, to: Some(content.bytes), lines: file.from_line });
                }
                (Some(place), None) => found.push(Piece::whole(place)),
                // Of one that had nothing in it nothing is missed.
                (None, Some(content)) if content.bytes == 0 => {}
                (None, _) if file.rowless => {}
                (None, _) => gone.push(file.path.clone()),
            }
        }
        there.insert(listing.name.clone(), found);
    }
    gone.sort();
    gone.dedup();
    (there, gone)
}

fn compare(listing: &mut Listing, segments: &[SegmentInputs]) -> Result<Difference> {
    let mut known: HashMap<&str, (&SourceFile, Vec<usize>)> = HashMap::new();
    let mut with_rows: BTreeSet<&str> = BTreeSet::new();
    let there: BTreeSet<String> = listing.files.iter().map(|listed| listed.file.path.clone()).collect();
    // The files that are gone, by their bytes: one that has come with the same bytes is the same under another name.
    let mut sums: HashMap<&str, &str> = HashMap::new();
    for (index, inputs) in segments.iter().enumerate() {
        for file in inputs.get(&listing.name).into_iter().flat_map(|input| &input.files) {
            if !file.rowless {
                with_rows.insert(&file.path);
            }
            let entry = known.entry(&file.path).or_insert((file, Vec::new()));
            // The newest segment has read it last.
            entry.0 = file;
            entry.1.push(index);
            if let Some(sum) = file.sha256.as_ref().filter(|_| !there.contains(&file.path)) {
                sums.insert(sum, &file.path);
            }
        }
    }
    let by_sum = listing.fingerprint == Fingerprint::Checksum;
    let mut found = Difference::default();
    let mut met: BTreeSet<&str> = BTreeSet::new();
    for (place, listed) in listing.files.iter_mut().enumerate() {
        let before = known.get_key_value(listed.file.path.as_str());
        if by_sum {
            listed.checksum()?;
        }
        let sum = listed.file.sha256.as_deref();
        if let Some((path, (file, _))) = before {
            met.insert(path);
            let same = match (sum, file.sha256.as_deref()) {
                (Some(now), Some(then)) => now == then,
                // Without a sum of then, its size and time have to do.
                _ => file.size == listed.file.size && file.mark == listed.file.mark,
            };
            if same {
                found.counts.unchanged += 1;
                continue;
            }
        } else if let Some(path) = sum.and_then(|sum| sums.remove(sum)) {
            met.insert(path);
            found.counts.unchanged += 1;
            continue;
        }
        found.fresh.push(Piece::whole(place));
        match before {
            Some((_, (_, indices))) => {
                found.counts.changed += 1;
                found.stale.extend(indices);
            }
            None => found.counts.new += 1,
        }
    }
    for (path, (_, indices)) in known.iter().filter(|(path, _)| !met.contains(**path) && with_rows.contains(**path)) {
        found.counts.removed += 1;
        found.stale_by_removal.extend(indices);
        found.removed.push((*path).to_string());
    }
    found.removed.sort();
    Ok(found)
}

/// What the user should know of files that are not what they were.
fn told_of(diff: &Difference, removed: Removal) -> Vec<String> {
    let mut notes = Vec::new();
    if !diff.replaced.is_empty() && removed == Removal::Keep {
        notes.push(format!(
            "other lines, or fewer, than were read under the name: {}; that is another file now, and the rows of the one before stay; where \
             files are corrected, `fingerprint: modified` puts the new rows in their place",
            short(&diff.replaced)
        ));
    }
    if !diff.shrunk.is_empty() {
        notes.push(format!("shorter than when it was last read: {}; everything after its known start is read as new", short(&diff.shrunk)));
    }
    if let Some((file, other)) = diff.alike.first() {
        let more = if diff.alike.len() > 1 { format!(", and {} more such files", diff.alike.len() - 1) } else { String::new() };
        notes.push(format!("{file} has the same lines as {other}; their names differ, so both are read as separate logs{more}"));
    }
    notes
}

fn told(new: u64, grown: u64, changed: u64, removed: u64) -> String {
    let files = |n: u64, what: &str| (n > 0).then(|| format!("{n} {what} {}", if n == 1 { "file" } else { "files" }));
    let parts: Vec<String> =
        [files(new, "new"), files(grown, "grown"), files(changed, "changed"), files(removed, "removed")].into_iter().flatten().collect();
    parts.join(", ")
}

fn lost(why: &str, gone: &[String]) -> Error {
    let message =
        format!("this would lose rows that can't be rebuilt ({why}), because their source files are gone, such as {}", short(gone));
    Error::new(ErrorKind::Input, message).with_context(
        "what to do",
        "restore the files, or use --full to rebuild without those rows; if a log was corrected, set `fingerprint: modified` on its source",
    )
}

/// The first of `names`, and how many more there are.
fn short(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests;
