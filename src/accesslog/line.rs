//! The values of one line: where each begins and ends, found in one pass and without a copy.
//!
//! Linear on any input: each step looks only at what is right of the one before, and a look ahead at numbers and times is bounded
//! by the format.

use super::clock::{Clock, GroupClock};
use super::ends::{bare_quote, begins, field, find, is_no_endpoint, list, short_text, upstream};
use super::format::{Lex, LogFormat, Step, TimeGroup};
use super::guard::Guard;
use super::instant::{self, Parts};
use super::misfit::Misfit;
use super::number::digits;
use super::strftime::{self, COMMON};
use super::user::could_be_columns;
use arrow::datatypes::TimeUnit;
use std::ops::Range;

/// Where the text of a step lies that the line ends before.
pub(super) const NONE: (u32, u32) = (1, 0);

/// The values of the line being read, one for each step of the format.
#[derive(Debug)]
pub(super) struct LineValues {
    /// Where a step's text lies in the line.
    pub(super) spans: Vec<(u32, u32)>,
    /// A step's number, where it is one.
    pub(super) numbers: Vec<Option<i64>>,
    /// The parts of each time group.
    pub(super) parts: Vec<Parts>,
    /// Whether a directive of the group was `-`.
    unknown: Vec<bool>,
    /// The instant of each group.
    pub(super) instants: Vec<Option<i64>>,
    pub(super) clocks: Vec<GroupClock>,
    /// How many steps each group has.
    pub(super) members: Vec<usize>,
    /// Of a line of JSON what has no place in the format, without the bracket that ends it; only where that is wanted.
    pub(super) extra: Vec<u8>,
    pub(super) keeps_extra: bool,
    /// The keys of the objects that are being read.
    pub(super) path: Vec<Range<usize>>,
}

impl LineValues {
    pub(super) fn new(format: &LogFormat) -> Self {
        let groups = format.groups.len();
        let of_group = |group: usize| {
            format.steps.iter().filter_map(move |step| match &step.lex {
                Lex::Time { group: Some(known), items, .. } if *known == group => Some(&items[..]),
                _ => None,
            })
        };
        let members: Vec<usize> = (0..groups).map(|group| of_group(group).count()).collect();
        let clocks = (0..groups).map(|group| GroupClock::of(of_group(group).next().filter(|_| members[group] == 1))).collect();
        LineValues {
            spans: vec![(0, 0); format.steps.len()],
            numbers: vec![None; format.steps.len()],
            parts: vec![Parts::default(); groups],
            unknown: vec![false; groups],
            instants: vec![None; groups],
            clocks,
            members,
            extra: Vec::new(),
            keeps_extra: false,
            path: Vec::new(),
        }
    }

    /// Finds the values of `line`, in one pass: each step looks only at what is right of the one before. Else says what is wrong, and at
    /// which byte.
    pub(super) fn read(&mut self, format: &LogFormat, line: &[u8]) -> Result<(), (Misfit, usize)> {
        if let Some(keys) = &format.keys {
            return self.read_json(format, keys, line);
        }
        let start = format.before.length(line).ok_or((Misfit::Before, 0))?;
        if !begins(&line[start..], &format.prefix) {
            return Err((Misfit::Prefix, start));
        }
        let mut at = start + format.prefix.len();
        for (group, parts) in self.parts.iter_mut().enumerate() {
            if matches!(self.clocks[group], GroupClock::Parts) {
                *parts = Parts::default();
            }
            self.unknown[group] = false;
        }
        let mut index = 0;
        while let Some(step) = format.steps.get(index) {
            let rest = &line[at..];
            let length = match &step.lex {
                Lex::Number { .. } | Lex::Status | Lex::Millis { .. } | Lex::Double { .. } => {
                    digits(&step.lex, rest).map(|(number, length)| {
                        self.numbers[index] = number;
                        length
                    })
                }
                Lex::Time { items, group } => self.time(items, *group, step.conditional, rest),
                Lex::Before(byte) => {
                    self.text(&format.steps[index + 1..], rest).map(|end| memchr::memchr(*byte, &rest[..end]).unwrap_or(end))
                }
                Lex::Field => field(step, rest).map(|(quotes, end)| {
                    self.spans[index] = ((at + quotes) as u32, (at + end - quotes) as u32);
                    end
                }),
                _ if step.endpoint && is_no_endpoint(&format.steps[index + 1..], rest) => {
                    self.spans[index] = (at as u32, at as u32 + 1);
                    self.spans[index + 1] = self.spans[index];
                    self.numbers[index + 1] = None;
                    at += 1 + format.steps[index + 1].after.len();
                    index += 2;
                    continue;
                }
                _ => self.text(&format.steps[index..], rest),
            };
            let length = match (length, &step.short) {
                (None, Some(short)) => short_text(&step.lex, rest, short),
                _ => length,
            };
            let end = at + length.ok_or_else(|| self.blame(&format.steps[index..], line, at, index))?;
            if step.lex != Lex::Field {
                // An empty user name is logged as "", a user named "" as \"\".
                let empty_user = step.lex.is_user() && &line[at..end] == b"\"\"";
                self.spans[index] = if empty_user { (at as u32, at as u32) } else { (at as u32, end as u32) };
            }
            // A name between tabs can't be more columns.
            if end - at > 1 && matches!(step.lex, Lex::Anchored { user: true }) && step.after.starts_with(b" ") {
                let before = index.checked_sub(1).filter(|before| format.steps[*before].ident).map(|before| self.spans[before]);
                let ident = before.map(|(start, end)| &line[start as usize..end as usize]);
                if could_be_columns(ident, &line[at..end]) {
                    let torn = torn(&format.steps[index..], &line[at..end]);
                    return Err(torn.map_or((Misfit::Shifted, at), |time| (Misfit::Value(index + 1), at + time)));
                }
            }
            if step.guard != Guard::None && !step.guard.passes(&line[at..end]) {
                return Err((Misfit::Guarded(index), at));
            }
            if !begins(&line[end..], &step.after) {
                if step.short.as_ref().is_some_and(|short| line[end..] == short[..]) {
                    self.leave(&format.steps, index + 1);
                    at = line.len();
                    break;
                }
                return Err((Misfit::After(index), end));
            }
            at = end + step.after.len();
            index += 1;
        }
        if at != line.len() {
            return Err((Misfit::Trailing, at));
        }
        for (group, made) in format.groups.iter().enumerate() {
            if matches!(self.clocks[group], GroupClock::Parts) {
                self.instants[group] = match self.unknown[group] {
                    true => None,
                    false => Some(self.instant(group, made).ok_or_else(|| (Misfit::Time, self.start_of(format, group)))?),
                };
            }
        }
        Ok(())
    }

    /// The instant that the parts of the group `made` fix, in its unit.
    pub(super) fn instant(&self, group: usize, made: &TimeGroup) -> Option<i64> {
        match made.unit {
            TimeUnit::Microsecond => instant::micros(&self.parts[group], made.mask),
            _ => instant::millis(&self.parts[group], made.mask),
        }
    }

    /// Leaves the `steps` from that of `index` on without values: the line ends before them.
    #[cold]
    fn leave(&mut self, steps: &[Step], index: usize) {
        for (index, step) in steps.iter().enumerate().skip(index) {
            self.spans[index] = NONE;
            self.numbers[index] = None;
            if let Lex::Time { group: Some(group), .. } = &step.lex {
                self.unknown[*group] = true;
                self.instants[*group] = None;
            }
        }
    }

    /// How long the text of the first of `steps` is at the start of `rest`.
    fn text(&mut self, steps: &[Step], rest: &[u8]) -> Option<usize> {
        let step = &steps[0];
        match &step.lex {
            Lex::Quoted { user: true } if rest.starts_with(b"\"\"") && begins(&rest[2..], &step.after) => Some(2),
            Lex::Quoted { .. } => bare_quote(rest),
            Lex::Anchored { .. } => self.find_anchored(steps, rest),
            Lex::BeforeIdent { dash } => match find(rest, dash, 0) {
                Some(at) if self.text_fits(&steps[2..], &rest[at + dash.len()..]) => Some(at),
                _ => list(rest, &step.after),
            },
            Lex::List => list(rest, &step.after),
            Lex::Upstream => upstream(rest, &step.after),
            Lex::Word => self.find_anchored(steps, rest).filter(|end| memchr::memchr(b' ', &rest[..*end]).is_none()),
            Lex::BeforeEnd { .. } => Some(rest.strip_suffix(&step.after[..])?.len()),
            _ => find(rest, &step.after, 0),
        }
    }

    /// Whether the first of `steps`, where it is a text before numbers and times, fits at the start of `rest`.
    fn text_fits(&mut self, steps: &[Step], rest: &[u8]) -> bool {
        match steps.first() {
            Some(step) if matches!(step.lex, Lex::Anchored { .. }) => self.find_anchored(steps, rest).is_some(),
            _ => true,
        }
    }

    /// Where the bytes after the first of `steps` stand and what follows them fits, as far as it is numbers and times: each place
    /// is looked at once, and each look is bounded by the format.
    fn find_anchored(&mut self, steps: &[Step], rest: &[u8]) -> Option<usize> {
        let after = &steps[0].after;
        let mut from = 0;
        loop {
            let at = find(rest, after, from)?;
            if self.fits(&steps[1..], &rest[at + after.len()..]) {
                return Some(at);
            }
            from = at + 1;
        }
    }

    /// Whether `text` begins as `steps` say, up to the first of them that is neither a number nor a time.
    fn fits(&mut self, steps: &[Step], mut text: &[u8]) -> bool {
        for step in steps {
            let Some(length) = self.bounded(step, text) else { return true };
            match length {
                Some(length) if begins(&text[length..], &step.after) => text = &text[length + step.after.len()..],
                // The line may end here.
                Some(length) => return step.short.as_ref().is_some_and(|short| text[length..] == short[..]),
                None => return false,
            }
        }
        text.is_empty()
    }

    /// How long the number or time of `step` is at the start of `text`, if it is there; nothing for steps whose length the format
    /// doesn't bound.
    #[inline(always)]
    fn bounded(&mut self, step: &Step, text: &[u8]) -> Option<Option<usize>> {
        Some(match &step.lex {
            Lex::Number { .. } | Lex::Status | Lex::Millis { .. } | Lex::Double { .. } => digits(&step.lex, text).map(|(_, length)| length),
            Lex::Time { .. } if step.conditional && is_dash(text) => Some(1),
            Lex::Time { items, group } => match group.and_then(|group| self.clocks[group].read(text)) {
                Some(read) => read.map(|(_, length)| length),
                None => strftime::read(items, text, &mut Parts::default()),
            },
            _ => return None,
        })
    }

    /// Where the first time of `group` starts in the line.
    #[cold]
    fn start_of(&self, format: &LogFormat, group: usize) -> usize {
        let is_of_group = |step: &Step| matches!(&step.lex, Lex::Time { group: Some(known), .. } if *known == group);
        format.steps.iter().position(is_of_group).map_or(0, |step| self.spans[step].0 as usize)
    }

    /// What is wrong with `line` from `start` on, which should go on as `steps` say, the first of which is that of `index` and was not
    /// found, and where: as numbers and times mark the end of a text, it is mostly one of them that is wrong.
    #[cold]
    fn blame(&mut self, steps: &[Step], line: &[u8], start: usize, index: usize) -> (Misfit, usize) {
        let rest = &line[start..];
        let Some((step, behind)) = steps.split_first() else { return (Misfit::Trailing, start) };
        if let Lex::Time { items, .. } = &step.lex {
            return (no_time(items, rest).unwrap_or(Misfit::Value(index)), start);
        }
        if !matches!(step.lex, Lex::Anchored { .. } | Lex::Word) {
            return (no_value(step, index, rest), start);
        }
        let (mut misfit, mut most, mut from) = ((Misfit::Value(index), start), 0, 0);
        while let Some(at) = find(rest, &step.after, from) {
            // The place where most of what follows fits is the one that was meant.
            let behind_it = start + at + step.after.len();
            let (likely, wrong, place) = self.fitting(behind, &line[behind_it..], index + 1);
            if likely > most {
                (most, misfit) = (likely, (wrong, behind_it + place));
            }
            from = at + 1;
        }
        misfit
    }

    /// How well `text` fits the numbers and times that `steps`, the first of which is that of `index`, begin with, and what is wrong
    /// where it doesn't, and at which byte.
    fn fitting(&mut self, steps: &[Step], text: &[u8], index: usize) -> (usize, Misfit, usize) {
        let mut at = 0;
        for (number, step) in steps.iter().enumerate() {
            let (fitting, index, rest) = (1 + number * 3, index + number, &text[at..]);
            let Some(length) = self.bounded(step, rest) else { return (fitting, Misfit::Value(index), at) };
            match (length, &step.lex) {
                (Some(length), _) if begins(&rest[length..], &step.after) => at += length + step.after.len(),
                (Some(length), _) => return (fitting + 1, Misfit::After(index), at + length),
                (None, Lex::Time { items, .. }) => match no_time(items, rest) {
                    Some(misfit) => return (fitting + 2, misfit, at),
                    None if items.first().is_some_and(|item| item.begins(rest)) => return (fitting + 1, Misfit::Value(index), at),
                    None => return (fitting, Misfit::Value(index), at),
                },
                (None, _) => return (fitting, no_value(step, index, rest), at),
            }
        }
        (1 + steps.len() * 3, Misfit::Trailing, at)
    }

    /// Reads a time at the start of `text`; gives its length.
    fn time(&mut self, items: &[strftime::TimeItem], group: Option<usize>, conditional: bool, text: &[u8]) -> Option<usize> {
        if conditional && is_dash(text) {
            if let Some(group) = group {
                self.unknown[group] = true;
                self.instants[group] = None;
            }
            return Some(1);
        }
        let Some(group) = group else { return strftime::read(items, text, &mut Parts::default()) };
        match self.clocks[group].read(text) {
            Some(read) => {
                let (instant, length) = read?;
                self.instants[group] = Some(instant);
                Some(length)
            }
            None => strftime::read(items, text, &mut self.parts[group]),
        }
    }
}

/// Whether `text` begins with the `-` of a time that was not logged, not with a negative number.
fn is_dash(text: &[u8]) -> bool {
    text.first() == Some(&b'-') && !text.get(1).is_some_and(u8::is_ascii_digit)
}

/// Where in `user`, the text of the first of `steps`, a time begins that is cut off: a line that was torn, and another behind it.
#[cold]
fn torn(steps: &[Step], user: &[u8]) -> Option<usize> {
    let (step, Lex::Time { items, .. }) = (&steps[0], &steps.get(1)?.lex) else { return None };
    let begin = items.get(..3)?;
    let mut at = 0;
    while strftime::read(begin, &user[at..], &mut Parts::default()).is_none() {
        at = find(user, &step.after, at)? + step.after.len();
    }
    Some(at)
}

/// What is wrong with what looks like the time of `items` at the start of `text`, and is none; nothing where it doesn't look like it.
#[cold]
fn no_time(items: &[strftime::TimeItem], text: &[u8]) -> Option<Misfit> {
    let mut parts = Parts::default();
    let length = strftime::read(items, text, &mut parts)?;
    if items != COMMON {
        return Some(Misfit::Time);
    }
    let mask = items.iter().fold(0, |mask, item| mask | item.part());
    let is_early = parts.year < Clock::FIRST_YEAR && instant::millis(&parts, mask).is_some();
    (length == Clock::LENGTH).then_some(if is_early { Misfit::Year } else { Misfit::Time })
}

/// What is wrong with `text`, where the value of `step`, of this index, was expected.
#[cold]
fn no_value(step: &Step, index: usize, text: &[u8]) -> Misfit {
    match (&step.lex, text) {
        (Lex::Number { .. }, [b'0', b'0'..=b'9', ..]) => Misfit::Zeros(index),
        _ => Misfit::Value(index),
    }
}
