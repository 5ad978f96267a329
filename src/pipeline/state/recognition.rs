//! Which files are which, by what is in them: a file is what its decompressed bytes are, whatever its name is by now.

use super::difference::{Difference, SegmentInputs};
use super::listing::{Listed, Listing};
use super::memory::{ByHead, Memory};
use super::pieces::Piece;
use super::standing::Standing;
use crate::error::Result;
use crate::input::{self, FileContent, Look, all_of, byte_at, is_start_of, last_line_end, rotated_set, starts};
use crate::publish::SourceFile;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Compares the files of `listing` with those that `segments` were made of. What has no end yet is left for later where `holding_back`.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where a file can't be read.
pub(super) fn recognize(listing: &mut Listing, segments: &[SegmentInputs], holding_back: bool) -> Result<Difference> {
    let memory = Memory::of(&listing.name, segments);
    let mut found = Difference::default();
    let (unknown, changed) = know_by_name(listing, &memory)?;
    look(listing, &unknown, &memory, holding_back, &mut found)?;
    find_copies(listing, &unknown)?;
    for (place, listed) in listing.files.iter_mut().enumerate() {
        let whole = Piece { to: listed.to, ..Piece::whole(place) };
        match &listed.standing {
            // Only its name tells which file it was.
            Standing::New if changed.contains(&place) => {
                found.stale.extend(memory.names.get(listed.file.path.as_str()).into_iter().flat_map(|(_, stale)| stale));
                found.counts.changed += 1;
                found.fresh.push(whole);
            }
            _ if listed.copy_of.is_some() => found.counts.unchanged += 1,
            Standing::Known(_) => found.counts.unchanged += 1,
            Standing::New if listed.to == Some(0) => found.counts.unchanged += 1,
            Standing::New => {
                found.counts.new += 1;
                found.fresh.push(whole);
            }
            Standing::Grown(known, hashed) => {
                let (ended, lines) = known.content.as_ref().map_or((true, 0), |content| (content.ended, content.lines));
                if listed.to.is_some_and(|to| to < memory.longest(known)) {
                    found.shrunk.push(listed.file.path.clone());
                }
                found.counts.grown += 1;
                let grown = Piece { from: hashed.bytes(), lines, ..whole };
                if ended || !holding_back {
                    found.fresh.push(grown);
                } else if byte_at(&listed.source, hashed.bytes())? == Some(b'\n') {
                    // The newline that was missing is a blank line where reading starts at it.
                    let plain = listed.look.as_ref().is_some_and(|look| look.plain);
                    found.fresh.push(Piece { lines: lines.saturating_sub(u64::from(!plain)), ..grown });
                } else {
                    // Half of a line was taken for a whole one: what was read with it is read again.
                    found.stale.extend(memory.segments_of(known));
                    found.fresh.push(Piece { from: known.from, lines: known.from_line, ..whole });
                }
            }
        }
    }
    found.fresh.sort_unstable();
    gone(listing, &memory, &mut found);
    Ok(found)
}

/// Finds those that are known by name, size and time; gives the places of the others, and of those that only their names tell to have
/// changed.
fn know_by_name(listing: &mut Listing, memory: &Memory<'_>) -> Result<(Vec<usize>, HashSet<usize>)> {
    let (mut unknown, mut changed, mut moved) = (Vec::new(), HashSet::new(), HashSet::new());
    for (place, listed) in listing.files.iter_mut().enumerate() {
        let file = listed.file.clone();
        if let Some(known) = memory.seen.get(&(file.path.as_str(), file.size, file.mark.as_str())) {
            listed.file.held_back = known.held_back;
            // Only a file that is not compressed has lines without an end.
            listed.to = known.content.as_ref().filter(|_| known.held_back > 0).map(|content| content.bytes);
            listed.standing = Standing::Known((*known).clone());
            continue;
        }
        // Before contents were known, a file that was renamed kept its size and time.
        let same = memory.names.get(file.path.as_str()).filter(|(then, _)| (then.size, &then.mark) == (file.size, &file.mark));
        let set = || rotated_set(&file.path);
        let renamed = || {
            memory.names.values().find(|(then, _)| (then.size, &then.mark) == (file.size, &file.mark) && rotated_set(&then.path) == set())
        };
        if let Some((then, _)) = same.or_else(renamed) {
            moved.insert(then.path.clone());
            let (hashed, lines) = all_of(&listed.source, None)?;
            let known = SourceFile { content: Some(hashed.content(lines)), ..(*then).clone() };
            (listed.standing, listed.is_renamed) = (Standing::Known(known), true);
        } else if memory.names.contains_key(file.path.as_str()) {
            changed.insert(place);
        } else {
            unknown.push(place);
        }
    }
    // Where the file has another name by now, its own name is another file's.
    let (new, changed): (HashSet<usize>, _) = changed.into_iter().partition(|place| moved.contains(&listing.files[*place].file.path));
    unknown.extend(new);
    unknown.sort_unstable();
    Ok((unknown, changed))
}

/// Looks at the files at `places`, and finds what they are.
///
/// What is known of a log may be in any file that is of the same log. Another file has taken its place only where it is in none of
/// those any more: the logs of two servers may begin alike, or be the same for days.
fn look(listing: &mut Listing, places: &[usize], memory: &Memory<'_>, holding_back: bool, found: &mut Difference) -> Result<()> {
    let sources: Vec<input::Source> = places.iter().map(|place| listing.files[*place].source.clone()).collect();
    let by_head = ByHead::of(memory);
    let mut elsewhere = Vec::new();
    for (place, look) in places.iter().zip(input::each(&sources, Look::at)) {
        let (listed, mut look) = (&mut listing.files[*place], look?);
        let set = rotated_set(&listed.file.path);
        let (own, others): (Vec<_>, Vec<_>) = by_head.find(&look).into_iter().partition(|known| rotated_set(&known.path) == set);
        listed.standing = find(listed, &look, &own)?;
        if listed.standing.known().is_none() && !others.is_empty() {
            elsewhere.push((*place, others));
        }
        // Of very many files that would be much.
        look.head = Vec::new();
        listed.look = Some(look);
    }
    let lineage = |listed: &Listed| listed.standing.known().map(SourceFile::lineage);
    let mut at_home: HashSet<String> = listing.files.iter().filter_map(lineage).collect();
    for (place, others) in elsewhere {
        let listed = &mut listing.files[place];
        let standing = find(listed, &Look::at(&listed.source)?, &others)?;
        listed.standing = match standing {
            Standing::Known(known) if at_home.contains(&known.lineage()) => {
                found.alike.push((listed.file.path.clone(), known.path));
                Standing::New
            }
            Standing::Grown(known, _) if at_home.contains(&known.lineage()) => {
                let away: Vec<&SourceFile> = others.into_iter().filter(|known| !at_home.contains(&known.lineage())).collect();
                find(listed, &Look::at(&listed.source)?, &away)?
            }
            moved => moved,
        };
        at_home.extend(lineage(listed));
    }
    places.iter().try_for_each(|place| end(&mut listing.files[*place], holding_back))
}

/// Which content of those of `known`, whose heads `listed` has, it has all of or has grown from.
fn find(listed: &Listed, look: &Look, known: &[&SourceFile]) -> Result<Standing> {
    let contents: Vec<&FileContent> = known.iter().filter_map(|known| known.content.as_ref()).collect();
    if contents.is_empty() {
        return Ok(Standing::New);
    }
    let (starts, length) = starts(&listed.source, look, &contents)?;
    let Some((content, hashed)) = starts.into_iter().max_by_key(|(content, _)| content.bytes) else { return Ok(Standing::New) };
    let Some(known) = known.iter().find(|known| known.digest() == content.digest) else { return Ok(Standing::New) };
    Ok(match length == Some(content.bytes) {
        true => Standing::Known((*known).clone()),
        false => Standing::Grown((*known).clone(), Box::new(hashed)),
    })
}

/// Finds where the last whole line ends.
fn end(listed: &mut Listed, holding_back: bool) -> Result<()> {
    let Some(look) = &listed.look else { return Ok(()) };
    let size = listed.source.size.filter(|_| look.plain);
    let from = listed.standing.known().and_then(|known| known.content.as_ref()).map_or(0, |content| content.bytes);
    if let Some(size) = size {
        let is_known = matches!(listed.standing, Standing::Known(_));
        let to = if holding_back && !is_known { last_line_end(&listed.source, from, size)? } else { size };
        (listed.to, listed.file.held_back) = (Some(to), size - to);
    }
    match &mut listed.standing {
        Standing::Grown(known, _) if listed.to == Some(from) => listed.standing = Standing::Known(known.clone()),
        // Its head has more by now, but only so much of it is read.
        Standing::Grown(_, hashed) if listed.to.is_some_and(|to| to < FileContent::HEAD as u64) => {
            let look = Look::at(&listed.source)?;
            let end = listed.to.and_then(|to| usize::try_from(to).ok()).unwrap_or(usize::MAX);
            hashed.set_head(&look.head[..end.min(look.head.len())]);
        }
        _ => {}
    }
    listed.is_renamed = matches!(listed.standing, Standing::Known(_));
    Ok(())
}

/// Finds those of the files at `places` that are the start of another file of the same log: one that is copied just now, or is kept
/// twice.
fn find_copies(listing: &mut Listing, places: &[usize]) -> Result<()> {
    let is_read = |place: &&usize| {
        let listed = &listing.files[**place];
        !matches!(listed.standing, Standing::Known(_)) && listed.to != Some(0)
    };
    let fresh: Vec<usize> = places.iter().filter(is_read).copied().collect();
    compare_starts(listing, &fresh)
}

/// Finds those files that are the start of another one, of all that are known: where all is read anew, each line is read once.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where a file can't be read.
pub(super) fn find_doubles(listing: &mut Listing) -> Result<()> {
    let mut by_lineage: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, listed) in listing.files.iter().enumerate().filter(|(_, listed)| listed.copy_of.is_none()) {
        if let Some(known) = listed.standing.known() {
            by_lineage.entry(known.lineage()).or_default().push(place);
        }
    }
    let mut doubles: Vec<usize> = by_lineage.into_values().filter(|places| places.len() > 1).flatten().collect();
    doubles.sort_unstable();
    compare_starts(listing, &doubles)
}

fn compare_starts(listing: &mut Listing, places: &[usize]) -> Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    // Those of one log whose first lines are the same; lines of logs have times.
    let key = |listed: &Listed| {
        let known = listed.standing.known().and_then(|known| known.content.as_ref()).filter(|content| content.bytes > 0);
        let start = known.map(|content| &content.start).or_else(|| listed.look.as_ref()?.start.as_ref())?;
        Some((rotated_set(&listed.file.path), start.clone()))
    };
    let mut alike: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (place, listed) in listing.files.iter().enumerate() {
        if let Some(key) = key(listed) {
            alike.entry(key).or_default().push(place);
        }
    }
    for place in places {
        let beside = key(&listing.files[*place]).and_then(|key| alike.get(&key)).map_or(&[][..], Vec::as_slice);
        for other in beside.iter().copied().filter(|other| other != place) {
            let (listed, longer) = (&listing.files[*place], &listing.files[other]);
            if longer.copy_of.is_none() && is_start_of(&listed.source, &longer.source)? {
                let listed = &mut listing.files[*place];
                (listed.copy_of, listed.file.held_back) = (Some(other), 0);
                break;
            }
        }
    }
    Ok(())
}

/// Which contents are in no file any more.
fn gone(listing: &Listing, memory: &Memory<'_>, found: &mut Difference) {
    let mut there: HashSet<&str> = HashSet::new();
    // Of a log that has grown, what it was is there, too.
    let mut grown: HashMap<String, u64> = HashMap::new();
    for known in listing.files.iter().filter_map(|listed| listed.standing.known()) {
        there.insert(known.digest());
        let bytes = grown.entry(known.lineage()).or_default();
        *bytes = (*bytes).max(known.content.as_ref().map_or(0, |content| content.bytes));
    }
    let mut lost: Vec<(&SourceFile, &BTreeSet<usize>)> = Vec::new();
    for (file, stale) in memory.read() {
        let bytes = file.content.as_ref().map_or(0, |content| content.bytes);
        if bytes > 0 && !there.contains(file.digest()) && grown.get(&file.lineage()).is_none_or(|longest| *longest < bytes) {
            lost.push((file, stale));
        }
    }
    let names: HashSet<&str> = listing.files.iter().map(|listed| listed.file.path.as_str()).collect();
    let moved: HashSet<&str> = listing.files.iter().filter_map(|listed| Some(listed.standing.known()?.path.as_str())).collect();
    let is_there = |path: &str| names.contains(path) || moved.contains(path);
    lost.extend(memory.names.values().filter(|(file, _)| !is_there(&file.path)).map(|(file, stale)| (*file, stale)));
    // What gave no row is not missed.
    lost.retain(|(file, _)| !file.rowless);
    let new: HashSet<&str> = listing
        .files
        .iter()
        .filter(|listed| listed.standing.known().is_none() && listed.copy_of.is_none())
        .map(|listed| listed.file.path.as_str())
        .collect();
    let (mut removed, mut replaced) = (BTreeSet::new(), BTreeSet::new());
    for (file, stale) in lost {
        found.stale_by_removal.extend(stale);
        if new.contains(file.path.as_str()) {
            replaced.insert(file.path.clone());
        }
        removed.insert(if names.contains(file.path.as_str()) { format!("{} as it was", file.path) } else { file.path.clone() });
    }
    found.counts.removed = removed.len() as u64;
    found.removed = removed.into_iter().collect();
    found.replaced = replaced.into_iter().collect();
}
