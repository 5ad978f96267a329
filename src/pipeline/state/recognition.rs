//! Which files are which, by what is in them: a file is what its decompressed bytes are, whatever its name is by now.

use super::difference::{Difference, SegmentInputs};
use super::listing::{Listed, Listing};
use super::pieces::Piece;
use super::standing::Standing;
use crate::error::Result;
use crate::input::{self, FileContent, Look, is_current, is_start_of, last_line_end, rotated_set, starts};
use crate::publish::SourceFile;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Bytes of each file's start that are kept, to tell copies from other files.
const KEPT: usize = 1 << 10;

/// The contents that were read, and by which segments.
struct Memory<'a> {
    /// By their digests, and the files that had them; the newest record of each.
    contents: HashMap<(&'a str, String), (&'a SourceFile, BTreeSet<usize>)>,
    /// Those of which no content is known, by their names.
    names: HashMap<&'a str, (&'a SourceFile, BTreeSet<usize>)>,
    /// How long each file has been, by what it has grown from.
    longest: HashMap<String, u64>,
    /// Names with size and mark, of what they were seen to be.
    seen: HashMap<(&'a str, u64, &'a str), &'a SourceFile>,
}

impl<'a> Memory<'a> {
    fn of(name: &str, segments: &'a [SegmentInputs]) -> Memory<'a> {
        let mut memory = Memory { contents: HashMap::new(), names: HashMap::new(), longest: HashMap::new(), seen: HashMap::new() };
        let inputs = || segments.iter().enumerate().filter_map(|(index, inputs)| Some((index, inputs.get(name)?)));
        for file in inputs().flat_map(|(_, input)| input.files.iter().chain(&input.seen)).filter(|file| file.content.is_some()) {
            memory.seen.insert((&file.path, file.size, &file.mark), file);
        }
        for (index, file) in inputs().flat_map(|(index, input)| input.files.iter().map(move |file| (index, file))) {
            // What was read before contents were known may have been looked at since.
            let file =
                memory.seen.get(&(file.path.as_str(), file.size, file.mark.as_str())).filter(|_| file.content.is_none()).unwrap_or(&file);
            if let Some(content) = &file.content {
                let longest = memory.longest.entry(file.lineage()).or_default();
                *longest = content.bytes.max(*longest);
            }
            let first = (*file, BTreeSet::new());
            let entry = match &file.content {
                Some(content) => memory.contents.entry((&content.digest, file.lineage())).or_insert(first),
                None => memory.names.entry(&file.path).or_insert(first),
            };
            (entry.0, _) = (file, entry.1.insert(index));
        }
        let contents = &memory.contents;
        memory.seen.retain(|_, file| contents.contains_key(&(file.digest(), file.lineage())));
        memory
    }
}

/// Compares the files of `listing` with those that `segments` were made of. What has no end yet is left for later where `holding_back`.
///
/// # Errors
/// [`crate::ErrorKind::Input`] where a file can't be read.
pub(super) fn recognize(listing: &mut Listing, segments: &[SegmentInputs], holding_back: bool) -> Result<Difference> {
    let memory = Memory::of(&listing.name, segments);
    let mut found = Difference::default();
    let (mut unknown, mut changed) = (Vec::new(), HashSet::new());
    for (place, listed) in listing.files.iter_mut().enumerate() {
        let file = listed.file.clone();
        if let Some(known) = memory.seen.get(&(file.path.as_str(), file.size, file.mark.as_str())) {
            listed.file.held_back = known.held_back;
            // Only a file that is not compressed has lines without an end.
            listed.to = known.content.as_ref().filter(|_| known.held_back > 0).map(|content| content.bytes);
            listed.standing = Standing::Known((*known).clone());
        } else if let Some((then, stale)) = memory.names.get(file.path.as_str()) {
            if (then.size, &then.mark) != (file.size, &file.mark) {
                // Only its name tells which file it was.
                found.stale.extend(stale);
                changed.insert(place);
                continue;
            }
            let (content, lines) = input::all_of(&listed.source)?;
            listed.standing = Standing::Known(SourceFile { content: Some(content.content(lines)), ..listed.file.clone() });
            listed.is_renamed = true;
        } else {
            unknown.push(place);
        }
    }
    look(listing, &unknown, &memory, holding_back)?;
    find_copies(listing, &unknown)?;
    for (place, listed) in listing.files.iter_mut().enumerate() {
        let whole = Piece { to: listed.to, ..Piece::whole(place) };
        let nothing = listed.to == Some(0);
        match &listed.standing {
            _ if changed.contains(&place) => {
                found.counts.changed += 1;
                found.fresh.push(whole);
            }
            Standing::Known(_) | Standing::Copy(_) => found.counts.unchanged += 1,
            Standing::New if nothing => found.counts.unchanged += 1,
            Standing::New => {
                found.counts.new += 1;
                found.fresh.push(whole);
            }
            Standing::Grown(known, hashed) if known.content.as_ref().is_some_and(|content| content.ended) => {
                let lines = known.content.as_ref().map_or(0, |content| content.lines);
                let longest = memory.longest.get(&known.lineage()).copied().unwrap_or_default();
                if listed.to.is_some_and(|to| to < longest) {
                    found.shrunk.push(listed.file.path.clone());
                }
                found.counts.grown += 1;
                found.fresh.push(Piece { from: hashed.bytes(), lines, ..whole });
            }
            // Half of a line was taken for a whole one.
            Standing::Grown(known, _) => {
                found.counts.changed += 1;
                found.stale.extend(memory.contents.get(&(known.digest(), known.lineage())).into_iter().flat_map(|(_, stale)| stale));
                found.fresh.push(whole);
                listed.standing = Standing::New;
            }
        }
    }
    found.fresh.sort_unstable();
    gone(listing, &memory, &mut found);
    Ok(found)
}

/// Looks at the files at `places`, and finds what they are.
///
/// What is known of a log may be in any file that is of the same log. Another file has taken its place only where it is in none of
/// those any more: the logs of two servers may begin alike, or be the same for days.
fn look(listing: &mut Listing, places: &[usize], memory: &Memory<'_>, holding_back: bool) -> Result<()> {
    let sources: Vec<input::Source> = places.iter().map(|place| listing.files[*place].source.clone()).collect();
    let by_head = ByHead::of(memory);
    let mut elsewhere = Vec::new();
    for (place, look) in places.iter().zip(input::each(&sources, Look::at)) {
        let (listed, mut look) = (&mut listing.files[*place], look?);
        let set = rotated_set(&listed.file.path);
        let (own, others): (Vec<_>, Vec<_>) = by_head.find(&look).into_iter().partition(|known| rotated_set(&known.path) == set);
        listed.find(&look, &own)?;
        if listed.lineage().is_none() && !others.is_empty() {
            elsewhere.push((*place, others));
        }
        look.head.truncate(KEPT);
        listed.look = Some(look);
    }
    let mut at_home: HashSet<String> = listing.files.iter().filter_map(Listed::lineage).collect();
    for (place, mut others) in elsewhere {
        let listed = &mut listing.files[place];
        others.retain(|known| !at_home.contains(&known.lineage()));
        if !others.is_empty() {
            listed.find(&Look::at(&listed.source)?, &others)?;
            at_home.extend(listed.lineage());
        }
    }
    places.iter().try_for_each(|place| listing.files[*place].end(holding_back))
}

impl Listed {
    /// What it has grown from.
    fn lineage(&self) -> Option<String> {
        match &self.standing {
            Standing::Known(known) | Standing::Grown(known, _) => Some(known.lineage()),
            Standing::New | Standing::Copy(_) => None,
        }
    }

    /// Finds which content of those of `known`, whose heads it has, it has all of or has grown from.
    fn find(&mut self, look: &Look, known: &[&SourceFile]) -> Result<()> {
        let contents: Vec<&FileContent> = known.iter().filter_map(|known| known.content.as_ref()).collect();
        if contents.is_empty() {
            return Ok(());
        }
        let (starts, length) = starts(&self.source, look, &contents)?;
        let Some((content, hashed)) = starts.into_iter().max_by_key(|(content, _)| content.bytes) else { return Ok(()) };
        let Some(known) = known.iter().find(|known| known.digest() == content.digest) else { return Ok(()) };
        self.standing = match length == Some(content.bytes) {
            true => Standing::Known((*known).clone()),
            false => Standing::Grown((*known).clone(), hashed),
        };
        Ok(())
    }

    /// Finds where its last whole line ends.
    fn end(&mut self, holding_back: bool) -> Result<()> {
        let Some(look) = &self.look else { return Ok(()) };
        let from = match &self.standing {
            Standing::Grown(_, hashed) => hashed.bytes(),
            _ => 0,
        };
        if let (true, Some(size)) = (look.plain, self.source.size) {
            let to = if holding_back { last_line_end(&self.source, from, size)? } else { size };
            (self.to, self.file.held_back) = (Some(to), size - to);
        }
        match &mut self.standing {
            Standing::Grown(known, _) if self.to == Some(from) => self.standing = Standing::Known(known.clone()),
            // Its head has more by now, but only so much of it is read.
            Standing::Grown(_, hashed) if self.to.is_some_and(|to| to < FileContent::HEAD as u64) => {
                let look = Look::at(&self.source)?;
                let end = self.to.and_then(|to| usize::try_from(to).ok()).unwrap_or(usize::MAX);
                hashed.set_head(&look.head[..end.min(look.head.len())]);
            }
            _ => {}
        }
        self.is_renamed = matches!(self.standing, Standing::Known(_));
        Ok(())
    }
}

/// Contents by how long their heads are: of each length a file has one.
struct ByHead<'a>(BTreeMap<usize, HashMap<&'a str, Vec<&'a SourceFile>>>);

impl<'a> ByHead<'a> {
    fn of(memory: &Memory<'a>) -> ByHead<'a> {
        let mut heads: BTreeMap<usize, HashMap<&str, Vec<&SourceFile>>> = BTreeMap::new();
        for (file, _) in memory.contents.values() {
            if let Some(content) = file.content.as_ref().filter(|content| content.bytes > 0) {
                heads.entry(content.head_length()).or_default().entry(&content.head).or_default().push(file);
            }
        }
        ByHead(heads)
    }

    fn find(&self, look: &Look) -> Vec<&'a SourceFile> {
        let lengths = self.0.range(..=look.head.len());
        let heads = look.heads(lengths.clone().map(|(length, _)| *length));
        lengths.zip(heads).filter_map(|((_, known), head)| known.get(head.as_str())).flatten().copied().collect()
    }
}

/// Finds those of the files at `places` whose lines are the first ones of another file of the same log: one that is copied just now, or
/// is kept twice.
fn find_copies(listing: &mut Listing, places: &[usize]) -> Result<()> {
    let is_read = |listed: &Listed| matches!(listed.standing, Standing::New | Standing::Grown(..)) && listed.to != Some(0);
    let fresh: Vec<usize> = places.iter().copied().filter(|place| is_read(&listing.files[*place])).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let mut sets: HashMap<String, Vec<usize>> =
        fresh.iter().map(|place| (rotated_set(&listing.files[*place].file.path), Vec::new())).collect();
    // What is known of a log is compared where it can be the one that is copied: the one that is written to.
    let asked: HashSet<usize> = places.iter().copied().collect();
    for (place, listed) in listing.files.iter().enumerate() {
        let set = rotated_set(&listed.file.path);
        if let Some(others) = sets.get_mut(&set).filter(|_| asked.contains(&place) || is_current(&listed.file.path)) {
            others.push(place);
        }
    }
    for place in fresh {
        let beside = sets.get(&rotated_set(&listing.files[place].file.path)).map_or(&[][..], Vec::as_slice);
        for other in beside.iter().copied().filter(|other| *other != place) {
            if listing.files[other].look.is_none() {
                let mut look = Look::at(&listing.files[other].source)?;
                look.head.truncate(KEPT);
                listing.files[other].look = Some(look);
            }
            let (listed, longer) = (&listing.files[place], &listing.files[other]);
            let may_be = matches!((&listed.look, &longer.look), (Some(look), Some(longer)) if longer.head.starts_with(&look.head));
            if may_be && !matches!(longer.standing, Standing::Copy(_)) && is_start_of(&listed.source, &longer.source)? {
                listing.files[place].standing = Standing::Copy(other);
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
    for listed in &listing.files {
        if let Standing::Known(known) | Standing::Grown(known, _) = &listed.standing {
            there.insert(known.digest());
            let bytes = grown.entry(known.lineage()).or_default();
            *bytes = (*bytes).max(known.content.as_ref().map_or(0, |content| content.bytes));
        }
    }
    let mut lost: Vec<(&SourceFile, &BTreeSet<usize>)> = Vec::new();
    for (file, stale) in memory.contents.values() {
        let bytes = file.content.as_ref().map_or(0, |content| content.bytes);
        if bytes > 0 && !there.contains(file.digest()) && grown.get(&file.lineage()).is_none_or(|longest| *longest < bytes) {
            lost.push((file, stale));
        }
    }
    let names: HashSet<&str> = listing.files.iter().map(|listed| listed.file.path.as_str()).collect();
    lost.extend(memory.names.values().filter(|(file, _)| !names.contains(file.path.as_str())).map(|(file, stale)| (*file, stale)));
    let new: HashSet<&str> =
        listing.files.iter().filter(|listed| matches!(listed.standing, Standing::New)).map(|l| l.file.path.as_str()).collect();
    for (file, stale) in lost {
        found.counts.removed += 1;
        found.stale_by_removal.extend(stale);
        match new.contains(file.path.as_str()) {
            true => {
                found.replaced.push(file.path.clone());
                found.removed.push(format!("{} as it was", file.path));
            }
            false => found.removed.push(file.path.clone()),
        }
    }
    found.replaced.sort();
    found.removed.sort();
}
