//! Finds the values of a line that is a JSON object, by its keys.

use super::column::Nothing;
use super::format::{Lex, LogFormat};
use super::json_text::{Next, Token, blanks, next, only_text, value};
use super::keys::{Keys, Place};
use super::line::{LineValues, NONE};
use super::misfit::Misfit;
use super::number::digits;
use super::strftime;
use std::ops::Range;

impl LineValues {
    /// As [`LineValues::read`], of a format whose values are told by `keys`.
    pub(super) fn read_json(&mut self, format: &LogFormat, keys: &Keys, line: &[u8]) -> Result<(), (Misfit, usize)> {
        let start = format.before.length(line).ok_or((Misfit::Before, 0))?;
        self.spans.fill(NONE);
        self.numbers.fill(None);
        self.instants.fill(None);
        self.extra.clear();
        self.path.clear();
        let start = blanks(line, start);
        if line.get(start) != Some(&b'{') {
            return Err((Misfit::NoObject, start));
        }
        let end = self.object(format, keys, line, start)?;
        if blanks(line, end) != line.len() {
            return Err((Misfit::Trailing, end));
        }
        for (group, made) in format.groups.iter().enumerate() {
            if self.members[group] == 1 {
                continue;
            }
            let of_group = |lex: &Lex| matches!(lex, Lex::Time { group: Some(of), .. } if *of == group);
            let is_there = |step: &usize| self.spans[*step] != NONE && !Nothing::Either.is(&line[range(self.spans[*step])]);
            let steps = (0..format.steps.len()).filter(|step| of_group(&format.steps[*step].lex));
            let there: Vec<usize> = steps.filter(is_there).collect();
            if there.len() == self.members[group] {
                self.instants[group] = Some(self.instant(group, made).ok_or((Misfit::Time, start))?);
                continue;
            }
            // A day without its clock, or a clock without its day, fixes no instant, and is not lost.
            for step in there {
                let (text, path) = (range(self.spans[step]), keys.of_step(step).unwrap_or_default());
                let is_text = line[text.start - 1] == b'"';
                let whole = if is_text { text.start - 1..text.end + 1 } else { text };
                self.put_aside(path, &line[whole]);
            }
        }
        if !format.essential.is_empty() && format.essential.iter().all(|step| self.spans[*step] == NONE) {
            return Err((Misfit::NoRequest, start));
        }
        Ok(())
    }

    /// Reads the object that begins at `start`; gives its end.
    fn object(&mut self, format: &LogFormat, keys: &Keys, line: &[u8], start: usize) -> Result<usize, (Misfit, usize)> {
        let (mut at, mut expected) = (start + 1, 0);
        loop {
            let key = match next(line, at, at == start + 1) {
                Some(Next::Key(key)) => key,
                Some(Next::End(end)) => return Ok(end),
                None => return Err((Misfit::NoObject, at)),
            };
            let found = keys.find(&line[key.key.clone()], expected);
            if let Some((index, _)) = found {
                expected = index + 1;
            }
            let place = found.map(|(_, member)| &member.place);
            if let (Some(Place::Object(nested)), Some(b'{')) = (place, line.get(key.value)) {
                self.path.push(key.key);
                at = self.object(format, nested, line, key.value)?;
                self.path.pop();
                continue;
            }
            let token = value(line, key.value).ok_or((Misfit::NoObject, key.value))?;
            at = token.whole().end;
            if !place.is_some_and(|place| self.place(format, place, line, &token)) && !matches!(token, Token::Null(_)) {
                let path = self.path.iter().chain([&key.key]).map(|key| &line[key.clone()]).collect();
                self.put_aside(path, &line[token.whole()]);
            }
        }
    }

    /// Takes a value at its place; false where it is none of that.
    fn place(&mut self, format: &LogFormat, place: &Place, line: &[u8], token: &Token) -> bool {
        match (place, token) {
            (_, Token::Null(_)) => true,
            (Place::Step(step) | Place::Only(step), Token::Text(range) | Token::Bare(range)) => {
                self.take(format, *step, line, range.clone())
            }
            (Place::Only(step), Token::Nested(array)) => {
                only_text(line, array).is_some_and(|inside| self.take(format, *step, line, inside))
            }
            _ => false,
        }
    }

    /// Takes the value of a step; false where it is none of its type, or another one was taken.
    fn take(&mut self, format: &LogFormat, step: usize, line: &[u8], inside: Range<usize>) -> bool {
        let text = &line[inside.clone()];
        let fits = self.spans[step] == NONE
            && match &format.steps[step].lex {
                Lex::Number { .. } | Lex::Millis { .. } | Lex::Double { .. } => {
                    match digits(&format.steps[step].lex, text).filter(|(_, length)| *length == text.len()) {
                        Some((number, _)) => {
                            self.numbers[step] = number;
                            true
                        }
                        None => Nothing::Either.is(text) || self.take_exponent(&format.steps[step].lex, step, text),
                    }
                }
                Lex::Time { items, group: Some(group) } => Nothing::Either.is(text) || self.take_time(format, items, *group, text),
                _ => true,
            };
        if fits {
            self.spans[step] = (inside.start as u32, inside.end as u32);
        }
        fits
    }

    /// Takes a number that is written with an exponent, or with more digits than others are.
    fn take_exponent(&mut self, lex: &Lex, step: usize, text: &[u8]) -> bool {
        let is_plain = text.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
        let number = std::str::from_utf8(text).ok().filter(|_| is_plain && matches!(lex, Lex::Double { .. }));
        let number = number.and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
        self.numbers[step] = number.map(|number| number.to_bits() as i64);
        number.is_some()
    }

    fn take_time(&mut self, format: &LogFormat, items: &[strftime::TimeItem], group: usize, text: &[u8]) -> bool {
        match self.clocks[group].read(text) {
            Some(read) => {
                self.instants[group] = read.filter(|(_, length)| *length == text.len()).map(|(instant, _)| instant);
                self.instants[group].is_some()
            }
            None => {
                if strftime::read(items, text, &mut self.parts[group]) != Some(text.len()) {
                    return false;
                }
                if self.members[group] > 1 {
                    return true;
                }
                self.instants[group] = self.instant(group, &format.groups[group]);
                self.instants[group].is_some()
            }
        }
    }

    /// Keeps a value that has no place, with the keys of the objects that it is in and its own.
    fn put_aside(&mut self, path: Vec<&[u8]>, value: &[u8]) {
        if !self.keeps_extra {
            return;
        }
        self.extra.push(if self.extra.is_empty() { b'{' } else { b',' });
        self.extra.push(b'"');
        self.extra.extend_from_slice(&path.join(&b'.'));
        self.extra.extend_from_slice(b"\":");
        self.extra.extend_from_slice(value);
    }
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}
