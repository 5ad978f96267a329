//! What runs before remember of the files of a source.

use super::difference::SegmentInputs;
use crate::input::Look;
use crate::publish::SourceFile;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The contents that were read, and by which segments.
pub(super) struct Memory<'a> {
    /// By their digests, and the files that had them; the newest record of each. Those of copies, which were not read, are of no segment.
    contents: HashMap<(&'a str, String), (&'a SourceFile, BTreeSet<usize>)>,
    /// Files of which no content is known, by their names.
    pub(super) names: HashMap<&'a str, (&'a SourceFile, BTreeSet<usize>)>,
    /// How long each file has been when it was read.
    longest: HashMap<String, u64>,
    /// Names with size and mark, of what they were seen to be.
    pub(super) seen: HashMap<(&'a str, u64, &'a str), &'a SourceFile>,
}

impl<'a> Memory<'a> {
    /// What is remembered of the source `name` by those who made `segments`.
    pub(super) fn of(name: &str, segments: &'a [SegmentInputs]) -> Memory<'a> {
        let mut memory = Memory { contents: HashMap::new(), names: HashMap::new(), longest: HashMap::new(), seen: HashMap::new() };
        let inputs = || segments.iter().enumerate().filter_map(|(index, inputs)| Some((index, inputs.get(name)?)));
        for file in inputs().flat_map(|(_, input)| input.files.iter().chain(&input.seen)).filter(|file| file.content.is_some()) {
            memory.seen.insert((&file.path, file.size, &file.mark), file);
        }
        for (index, file) in inputs().flat_map(|(index, input)| input.files.iter().map(move |file| (index, file))) {
            // What was read before contents were known may have been looked at since.
            let looked_at = memory.seen.get(&(file.path.as_str(), file.size, file.mark.as_str())).copied();
            let file = looked_at.filter(|_| file.content.is_none()).unwrap_or(file);
            let first = (file, BTreeSet::new());
            let entry = match &file.content {
                Some(content) => {
                    let longest = memory.longest.entry(file.lineage()).or_default();
                    *longest = content.bytes.max(*longest);
                    memory.contents.entry((&content.digest, file.lineage())).or_insert(first)
                }
                None => memory.names.entry(&file.path).or_insert(first),
            };
            (entry.0, _) = (file, entry.1.insert(index));
        }
        // What a file was seen to be counts as long as lines of it are in the table.
        let longest = &memory.longest;
        let is_read = |file: &SourceFile| {
            let bytes = file.content.as_ref().map_or(0, |content| content.bytes);
            longest.get(&file.lineage()).is_some_and(|longest| *longest >= bytes)
        };
        memory.seen.retain(|_, file| is_read(file));
        for file in memory.seen.values() {
            memory.contents.entry((file.digest(), file.lineage())).or_insert((file, BTreeSet::new()));
        }
        memory
    }

    /// How long the file that `known` was has been.
    pub(super) fn longest(&self, known: &SourceFile) -> u64 {
        self.longest.get(&known.lineage()).copied().unwrap_or_default()
    }

    /// The segments that `known` was read for.
    pub(super) fn segments_of(&self, known: &SourceFile) -> BTreeSet<usize> {
        self.contents.get(&(known.digest(), known.lineage())).map(|(_, segments)| segments.clone()).unwrap_or_default()
    }

    /// What was read, and for which segments.
    pub(super) fn read(&self) -> impl Iterator<Item = &(&'a SourceFile, BTreeSet<usize>)> {
        self.contents.values().filter(|(_, segments)| !segments.is_empty())
    }
}

/// Contents by how long their heads are: of each length a file has one.
pub(super) struct ByHead<'a>(BTreeMap<usize, HashMap<&'a str, Vec<&'a SourceFile>>>);

impl<'a> ByHead<'a> {
    pub(super) fn of(memory: &Memory<'a>) -> ByHead<'a> {
        let mut heads: BTreeMap<usize, HashMap<&str, Vec<&SourceFile>>> = BTreeMap::new();
        for (file, _) in memory.contents.values() {
            if let Some(content) = file.content.as_ref().filter(|content| content.bytes > 0) {
                heads.entry(content.head_length()).or_default().entry(&content.head).or_default().push(file);
            }
        }
        ByHead(heads)
    }

    /// Those whose head a file has that `look` has looked at.
    pub(super) fn find(&self, look: &Look) -> Vec<&'a SourceFile> {
        let lengths = self.0.range(..=look.head.len());
        let heads = look.heads(lengths.clone().map(|(length, _)| *length));
        lengths.zip(heads).filter_map(|((_, known), head)| known.get(head.as_str())).flatten().copied().collect()
    }
}
