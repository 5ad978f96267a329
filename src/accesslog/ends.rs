//! Where the text of a value ends, told by what stands behind it.

use super::format::{Lex, Step};
use super::near;

/// Whether `text` begins with `literal`, which is of few bytes in every format there is: then comparing them here costs less than a
/// call.
#[inline(always)]
pub(super) fn begins(text: &[u8], literal: &[u8]) -> bool {
    match (literal, text) {
        ([], _) => true,
        ([a], [x, ..]) => a == x,
        ([a, b], [x, y, ..]) => a == x && b == y,
        ([a, b, c], [x, y, z, ..]) => a == x && b == y && c == z,
        _ => text.starts_with(literal),
    }
}

/// The first quote that no backslash stands before.
#[inline]
pub(super) fn bare_quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + near::find([b'"', b'\\'], text.get(from..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Where `literal` first stands in `text`, from `from` on.
#[inline]
pub(super) fn find(text: &[u8], literal: &[u8], mut from: usize) -> Option<usize> {
    let (first, rest) = literal.split_first()?;
    loop {
        let at = from + near::find([*first], text.get(from..)?)?;
        if begins(&text[at + 1..], rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Where `after` first stands in `text` and no comma before it: a blank behind a comma goes on with a list of addresses.
#[inline]
pub(super) fn list(text: &[u8], after: &[u8]) -> Option<usize> {
    find_end(text, after, |at| at == 0 || text[at - 1] != b',')
}

/// Where `after` first stands in `text` and the list of what upstream servers did doesn't go on.
#[inline]
pub(super) fn upstream(text: &[u8], after: &[u8]) -> Option<usize> {
    find_end(text, after, |at| !text[..at].ends_with(b",") && !text[..at].ends_with(b" :") && !text[at..].starts_with(b" : "))
}

/// The first place in `text` where `after` stands, and which `is_end`.
#[inline]
fn find_end(text: &[u8], after: &[u8], is_end: impl Fn(usize) -> bool) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = find(text, after, from)?;
        if is_end(at) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// How many quotes the value of `step` begins with at the start of `text`, none or one, and where it ends with them.
#[inline]
pub(super) fn field(step: &Step, text: &[u8]) -> Option<(usize, usize)> {
    let ends = |at: usize| match (&step.short, step.after.as_slice()) {
        (_, []) => at == text.len(),
        (short, after) if begins(&text[at..], after) => {
            // A quote within the next word that doesn't begin with one: this is no end, as quotes within values are written as they are.
            let next = &text[at + after.len()..];
            let hit = near::find([b'"', b' ', b'\t'], next).unwrap_or(next.len());
            (hit == 0 && step.quoted_next) || next.get(hit) != Some(&b'"') || short.as_ref().is_some_and(|short| next == &short[..])
        }
        (short, _) => short.as_ref().is_some_and(|short| text[at..] == short[..]),
    };
    if text.first() == Some(&b'"') {
        let mut from = 1;
        while let Some(at) = near::find([b'"'], text.get(from..)?) {
            from += at + 1;
            if ends(from) {
                return Some((1, from));
            }
        }
        return None;
    }
    match find(text, &step.after, 0) {
        Some(end) if !step.after.is_empty() => Some((0, end)),
        _ => ends(text.len()).then_some((0, text.len())),
    }
}

/// Whether `text` begins with the `-` of an address that is not there, nor its port, which is the first of `steps`.
pub(super) fn is_no_endpoint(steps: &[Step], text: &[u8]) -> bool {
    steps.first().is_some_and(|port| {
        let behind = text.get(1..).unwrap_or_default();
        text.first() == Some(&b'-') && (begins(behind, &port.after) || port.short.as_ref().is_some_and(|short| behind == &short[..]))
    })
}

/// How long the text at the start of `rest` is where the line ends behind it and `short`.
#[cold]
pub(super) fn short_text(lex: &Lex, rest: &[u8], short: &[u8]) -> Option<usize> {
    let text = rest.strip_suffix(short)?;
    let is_one = match (lex, short) {
        (Lex::Number { .. } | Lex::Status | Lex::Millis { .. } | Lex::Double { .. } | Lex::Time { .. }, _) => false,
        (_, []) => !text.contains(&b' ') && !text.contains(&b'\t'),
        _ => true,
    };
    is_one.then_some(text.len())
}
