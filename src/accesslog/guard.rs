//! What a value must be so that it can't be part of another one: where its end is found, doubt may be left.

use super::directive::{Directive, Field, Kind};
use super::near;

/// What is asked of a value beside ending where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    None,
    /// It is something: servers log `-` for nothing, and two blanks are a column that is missing.
    Filled,
    /// It is something, and no list goes on behind it.
    Host,
    /// It neither begins nor ends with a blank, which servers cut off: that is a column that is missing.
    Trimmed,
    /// It is one word, and no part of a text in quotes, which may have quotes and blanks within.
    Word,
    /// It has no comma, as it stands behind a header that ends at one: the header may be a list.
    Single,
}

impl Guard {
    /// What is asked of the value of `found[index]`.
    pub(super) fn of(found: &[(Directive, Vec<u8>)], index: usize) -> Guard {
        let (directive, after) = &found[index];
        let may_be_list = |(before, comma): &(Directive, Vec<u8>)| before.kind == Kind::Header && comma.starts_with(b",");
        let mut before = found[..index]
            .iter()
            .rev()
            .take_while(|(known, comma)| comma.starts_with(b",") && !comma.contains(&b'"') && !known.is_bounded());
        match after.first() {
            _ if directive.is_bounded() => Guard::None,
            _ if before.any(may_be_list) => Guard::Single,
            Some(b'"') => Guard::None,
            _ if directive.kind.is_word() => Guard::Host,
            _ if directive.kind == Kind::Token => Guard::Word,
            Some(b' ') | None if directive.kind == Kind::Ident => Guard::Filled,
            Some(b' ') if directive.kind == Kind::Header || directive.field == Field::User => Guard::Trimmed,
            _ => Guard::None,
        }
    }

    #[inline]
    pub(super) fn passes(self, value: &[u8]) -> bool {
        match self {
            Guard::None => true,
            Guard::Filled => !value.is_empty(),
            Guard::Host => value.last().is_some_and(|last| *last != b','),
            Guard::Trimmed => value.first() != Some(&b' ') && value.last() != Some(&b' '),
            Guard::Word => !value.is_empty() && near::find([b' ', b'"'], value).is_none(),
            Guard::Single => !value.is_empty() && near::find([b','], value).is_none(),
        }
    }

    /// What is wrong with a value of `directive` that doesn't pass.
    pub(super) fn reason(self, directive: &str) -> String {
        match self {
            Guard::None | Guard::Filled => format!("{directive} is empty"),
            Guard::Word => format!("{directive} is empty, or has a blank or a quote"),
            Guard::Host => format!("{directive} is empty, or ends with a comma"),
            Guard::Trimmed => format!("{directive} begins or ends with a blank, as if a column were missing"),
            Guard::Single => {
                format!("{directive} is empty or has a comma, so the list before it may end elsewhere; put quotes around the list")
            }
        }
    }
}
