//! A log format made ready for reading: what follows what in a line, and which columns come of it.

use super::column::{Column, columns};
use super::directive::{Directive, Field, Kind, Piece};
use super::guard::Guard;
use super::instant;
use super::keys::Keys;
use super::nginx;
use super::notation::Notation;
use super::parsed::{Escapes, Parsed};
use super::prefix::Prefix;
use super::strftime::TimeItem;
use crate::diagnostic::caret;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{Field as ArrowField, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// A format that lines can be read by.
#[derive(Debug, Clone)]
pub struct LogFormat {
    name: String,
    text: String,
    /// What the logger that the server writes to puts before its lines.
    pub(super) before: Prefix,
    pub(super) prefix: Vec<u8>,
    pub(super) steps: Vec<Step>,
    pub(super) groups: Vec<TimeGroup>,
    pub(super) escapes: Escapes,
    /// What lines begin with that are none of the log's, but say how it is written.
    pub(super) heading: Option<Vec<u8>>,
    /// The keys that values are found by, where lines are JSON objects.
    pub(super) keys: Option<Keys>,
    /// The steps of which a line has a value of one at least, where it must.
    pub(super) essential: Vec<usize>,
    pub(super) columns: Vec<Column>,
    notes: Vec<String>,
}

/// One directive in the order of the line.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub lex: Lex,
    /// The bytes that follow it, up to the next directive or the end of the line.
    pub after: Vec<u8>,
    /// The directive as written.
    pub text: String,
    /// Whether it may be `-` for some statuses, a time too.
    pub conditional: bool,
    /// What its value must be, beside ending there.
    pub guard: Guard,
    /// The name that identd gave, before which a user with blanks is in doubt.
    pub ident: bool,
    /// An address before its port: `-` stands for both where there is neither.
    pub endpoint: bool,
    /// Whether what is behind it may stand in quotes.
    pub quoted_next: bool,
    /// What ends a line that has nothing of what is behind this, where it may.
    pub short: Option<Vec<u8>>,
}

/// How the end of a value is found.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lex {
    /// Where it begins with a quote, at the next with the bytes after it behind, and else at those.
    Field,
    /// At a quote that no backslash escapes; `user` is for `%u`, where `""` is an empty name.
    Quoted { user: bool },
    /// At the first place where the bytes after it stand.
    Until { user: bool },
    /// At the first place where the bytes after it stand and the numbers and times behind them fit.
    Anchored { user: bool },
    /// At the first place where the bytes after it stand and no comma before them: a header, which may be a list of addresses.
    List,
    /// As `List`, where ` : ` goes on with it, too: what upstream servers did.
    Upstream,
    /// At the first place where the ident behind it is the `-` that it is without identd; else as `List`.
    BeforeIdent { dash: Vec<u8> },
    /// As `Anchored`, of a value that has no blank in it: a host, an address.
    Word,
    /// Right before the bytes that end the line: it is the last value.
    BeforeEnd { user: bool },
    /// Three digits, or `-`.
    Status,
    /// Digits, or what stands for nothing: `-`, or no digits.
    Number { long: bool, empty: bool, signed: bool },
    /// Seconds with digits behind the point, which become milliseconds, or what stands for nothing.
    Millis { empty: bool },
    /// A number with or without a point, or what stands for nothing.
    Double { empty: bool },
    /// What fits the pattern; the second number is the index of the time group, where it belongs to one.
    Time { items: Vec<TimeItem>, group: Option<usize> },
    /// What has a query or a path right behind it (`%U%q`): at the first such byte before where that ends, or there.
    Before(u8),
}

impl Step {
    /// Whether its value is a word of a list of fields.
    pub(super) fn is_token(&self) -> bool {
        self.guard == Guard::Word
    }
}

impl Lex {
    /// Whether this is `%u`, for which Apache writes `""` where the name is empty.
    pub(super) fn is_user(&self) -> bool {
        match self {
            Lex::Quoted { user } | Lex::Until { user } | Lex::Anchored { user } | Lex::BeforeEnd { user } => *user,
            _ => false,
        }
    }
}

/// The directives that fix one instant together.
#[derive(Debug, Clone)]
pub(super) struct TimeGroup {
    /// Which parts are known, as bits of [`instant::part`].
    pub mask: u32,
    /// Microseconds where one of them logs those, else milliseconds.
    pub unit: TimeUnit,
}

impl LogFormat {
    /// Reads the string of a format in its [`Notation`]; `name` is what messages call it.
    ///
    /// # Errors
    /// [`ErrorKind::Format`], with a caret under the directive that is unknown, or whose end nothing marks.
    pub fn parse(name: &str, text: &str) -> Result<LogFormat> {
        let (before, rest) = Prefix::split(text);
        if rest == text && text.starts_with(Prefix::MARK) {
            return Err(Prefix::unknown(text));
        }
        let mut format = LogFormat::bare(before, name, rest)?;
        if before != Prefix::None {
            format.text = format!("prefix={} {}", before.name(), format.text);
        }
        Ok(format)
    }

    fn bare(before: Prefix, name: &str, text: &str) -> Result<LogFormat> {
        let notation = Notation::of(text);
        let Parsed { pieces, escapes, keys, heading, notes } = notation.parse(text)?;
        let mut pieces = pieces.into_iter().peekable();
        let prefix = match pieces.next_if(|p| matches!(p, Piece::Literal(_))) {
            Some(Piece::Literal(bytes)) => bytes,
            _ => Vec::new(),
        };
        let mut found: Vec<(Directive, Vec<u8>)> = Vec::new();
        for piece in pieces {
            match (piece, found.last_mut()) {
                (Piece::Literal(bytes), Some((_, after))) => after.extend(bytes),
                (Piece::Literal(_), None) => unreachable!("the leading literal was taken above"),
                (Piece::Directive(directive), _) => found.push((directive, Vec::new())),
            }
        }
        if found.is_empty() {
            return Err(Error::new(
                ErrorKind::Format,
                format!("the log format `{text}` has no directive; expected for example `%h %l %u %t \"%r\" %>s %b`"),
            ));
        }
        if std::iter::once(&prefix).chain(found.iter().map(|(_, after)| after)).any(|literal| literal.contains(&b'\n')) {
            return Err(Error::new(
                ErrorKind::Format,
                format!("the log format `{}` has a line break in it; expected one line for each request", text.escape_debug()),
            ));
        }
        let (groups, membership) = time_groups(&found);
        let mut format = LogFormat {
            name: name.to_string(),
            text: text.to_string(),
            before,
            prefix,
            steps: Vec::with_capacity(found.len()),
            groups,
            escapes,
            heading,
            keys,
            essential: Vec::new(),
            columns: Vec::new(),
            notes,
        };
        for (index, (directive, after)) in found.iter().enumerate() {
            let lex = format.lex(&found, index, membership[index])?;
            format.steps.push(Step {
                lex,
                after: after.clone(),
                text: directive.text.clone(),
                conditional: directive.conditional,
                guard: Guard::of(&found, index),
                ident: directive.kind == Kind::Ident,
                endpoint: directive.kind == Kind::Endpoint,
                quoted_next: found.get(index + 1).is_some_and(|(next, _)| matches!(next.kind, Kind::Quoted | Kind::Free)),
                short: found.get(index + 1).filter(|(next, _)| next.optional).map(|_| before_separator(after)),
            });
        }
        let units: Vec<TimeUnit> = format.groups.iter().map(|group| group.unit).collect();
        format.columns = columns(&found, &units, &membership, escapes);
        if format.is_keyed() {
            format.essential = format.essential_steps();
            format.columns.push(format.extra_column());
        }
        if notation == Notation::Nginx {
            format.text = nginx::normal(text);
        }
        // Named fields are of services, whose times without a zone are UTC.
        if matches!(notation, Notation::Apache | Notation::Nginx)
            && format.groups.iter().any(|g| g.mask & (instant::part::ZONE | instant::part::EPOCH) == 0)
        {
            format.notes.push("the format's time has no zone: it is taken as UTC".to_string());
        }
        Ok(format)
    }

    /// How the end of `found[index]` is found.
    fn lex(&mut self, found: &[(Directive, Vec<u8>)], index: usize, group: Option<usize>) -> Result<Lex> {
        let (directive, after) = &found[index];
        if self.is_keyed() {
            return Ok(LogFormat::keyed_lex(&directive.field, group));
        }
        let next = found.get(index + 1).map(|(d, _)| d);
        let user = directive.field == Field::User;
        let refuse = |why: String| {
            Error::of_lines(
                ErrorKind::Format,
                format!("this log format can't be read without guessing:\n{}", caret(&self.text, directive.span.clone(), &why)),
            )
        };
        let lex = match &directive.field {
            Field::Time { items, .. } => {
                let open_ended = matches!(items.last(), Some(TimeItem::Epoch | TimeItem::EpochMillis | TimeItem::EpochMicros));
                let fixed_next = matches!(next.map(|d| &d.field), Some(Field::Time { items, .. })
                    if matches!(items.first(), Some(TimeItem::MillisFraction | TimeItem::MicrosFraction)));
                if after.is_empty() && open_ended && fixed_next && items.last() == Some(&TimeItem::Epoch) {
                    // `%{sec}t%{usec_frac}t`: the seconds are the ten digits that they are from 2001 to 2286.
                    let mut items = items.clone();
                    items.pop();
                    items.push(TimeItem::EpochTenDigits);
                    return Ok(Lex::Time { items, group });
                }
                if after.is_empty() && open_ended && starts_with_digit(next) {
                    return Err(refuse(format!("nothing marks where {} ends", directive.text)));
                }
                Lex::Time { items: items.clone(), group }
            }
            field if field.is_number() => {
                if after.is_empty() && (starts_with_digit(next) || next.is_some_and(|d| !matches!(d.field, Field::Time { .. }))) {
                    return Err(refuse(format!("nothing marks where {} ends; put a blank or quotes around it", directive.text)));
                }
                let empty = self.escapes.nothing_is_empty();
                let signed = self.escapes == Escapes::Dash;
                match field {
                    field if field.is_status() || directive.kind == Kind::Status => Lex::Status,
                    Field::Int(_) => Lex::Number { long: false, empty, signed },
                    Field::Millis(_) => Lex::Millis { empty },
                    Field::Double(_) => Lex::Double { empty },
                    _ => Lex::Number { long: true, empty, signed },
                }
            }
            Field::Text(name) if name == "path" && after.is_empty() && next.is_some_and(|d| d.field == Field::Query) => Lex::Before(b'?'),
            Field::Text(_) if after.is_empty() && next.is_some_and(|d| d.field == Field::Target) => Lex::Before(b'/'),
            _ if after.is_empty() && next.is_some() => {
                return Err(refuse(format!("nothing marks where {} ends; put a blank or quotes around it", directive.text)));
            }
            _ if directive.kind == Kind::Quoted => Lex::Field,
            // Apache writes a quote inside a value as \", so the first bare quote is the end.
            _ if after.first() == Some(&b'"') && self.escapes.escape_quotes() => Lex::Quoted { user },
            _ if next.is_none() => Lex::BeforeEnd { user },
            _ if directive.kind.is_word() && (after[..] != *b" " || next.is_some_and(Directive::is_bounded)) => Lex::Word,
            _ if directive.kind == Kind::Token && after[0] == b' ' && next.is_some_and(Directive::is_bounded) => Lex::Word,
            // `%{X-Forwarded-For}i %l %u`: the list of a header has blanks in it.
            Field::Text(_) if !directive.kind.is_word() && next.is_some_and(|d| d.kind == Kind::Ident) => {
                Lex::BeforeIdent { dash: [after, &b"-"[..], &found[index + 1].1].concat() }
            }
            _ if after[0] == b' ' && directive.kind == Kind::Upstream => Lex::Upstream,
            _ => match next {
                Some(next) if next.is_bounded() => Lex::Anchored { user },
                _ if after[0] == b' ' && directive.kind == Kind::Header => Lex::List,
                _ => Lex::Until { user },
            },
        };
        let free_text = match &directive.field {
            Field::RequestLine | Field::Target => true,
            Field::User => !matches!(next.map(|d| &d.field), Some(Field::Time { .. })),
            Field::Text(_) => matches!(directive.kind, Kind::Header | Kind::Free),
            _ => false,
        };
        let open = matches!(lex, Lex::Until { .. } | Lex::Anchored { .. } | Lex::BeforeIdent { .. } | Lex::List);
        if free_text && after.first() == Some(&b' ') && open && self.escapes != Escapes::Dash {
            let shown = String::from_utf8_lossy(after);
            self.notes.push(format!(
                "{} may hold a blank itself: it is read up to the first `{}` after which the line fits (quotes around it in the format end the doubt)",
                directive.text,
                shown.escape_debug()
            ));
        }
        Ok(lex)
    }

    /// What messages call this format: a preset's name, a nickname of httpd.conf, or `custom`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The LogFormat string it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The columns of the table, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many lines each file begins with that are headings, where that is known: CloudFront's `#Version` and `#Fields`, the names of VPC
    /// flow logs.
    pub fn heading_lines(&self) -> Option<u32> {
        match self.heading.as_deref() {
            Some(b"#") => Some(2),
            Some(_) => Some(1),
            None => None,
        }
    }

    /// Whether headings may stand anywhere in a file, as in W3C logs that are none of CloudFront's.
    pub fn has_headings_within(&self) -> bool {
        self.heading.as_deref() == Some(b"#") && self.name == "w3c"
    }

    /// What a user should know before trusting the result: assumptions that the format forces.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The Arrow schema of the table; every column can be NULL and names its directives in the field metadata `directive`.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<ArrowField> = self
            .columns
            .iter()
            .map(|c| {
                ArrowField::new(&c.name, c.data_type.clone(), true)
                    .with_metadata(HashMap::from([("directive".to_string(), c.directive.clone())]))
            })
            .collect();
        Arc::new(Schema::new(fields))
    }
}

fn starts_with_digit(next: Option<&Directive>) -> bool {
    match next.map(|d| &d.field) {
        Some(Field::Time { items, .. }) => items.first().is_some_and(|item| item.starts_with_digit()),
        Some(field) => field.is_number(),
        None => false,
    }
}

/// What of `literal`, which is between a value and the next, is the value's: all before the blank or tab that is between the two.
fn before_separator(literal: &[u8]) -> Vec<u8> {
    let end = literal.iter().rposition(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(literal.len());
    literal[..end].to_vec()
}

/// Gathers the time directives into groups that fix an instant each; a directive outside of them gets a text column of its own.
fn time_groups(found: &[(Directive, Vec<u8>)]) -> (Vec<TimeGroup>, Vec<Option<usize>>) {
    struct Open<'a> {
        column: &'a str,
        mask: u32,
        members: Vec<usize>,
    }
    let mut open: Vec<Open<'_>> = Vec::new();
    for (index, (directive, _)) in found.iter().enumerate() {
        let Field::Time { column, items } = &directive.field else { continue };
        let mask = items.iter().fold(0, |mask, item| mask | item.part());
        let whole = instant::fixes_instant(mask);
        let last = open.iter_mut().rev().find(|group| group.column == column);
        match last {
            Some(group) if group.mask & mask == 0 && !(whole && instant::fixes_instant(group.mask)) => {
                group.mask |= mask;
                group.members.push(index);
            }
            _ => open.push(Open { column, mask, members: vec![index] }),
        }
    }
    let mut membership = vec![None; found.len()];
    let mut groups = Vec::new();
    for group in open.into_iter().filter(|g| instant::fixes_instant(g.mask)) {
        let has_micros =
            |member: &usize| matches!(&found[*member].0.field, Field::Time { items, .. } if items.iter().any(|i| i.has_micros()));
        let unit = if group.members.iter().any(has_micros) { TimeUnit::Microsecond } else { TimeUnit::Millisecond };
        for member in group.members {
            membership[member] = Some(groups.len());
        }
        groups.push(TimeGroup { mask: group.mask, unit });
    }
    (groups, membership)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(format: &str) -> Vec<String> {
        LogFormat::parse("test", format).unwrap().columns.into_iter().map(|c| c.name).collect()
    }

    #[test]
    fn columns_have_the_names_of_their_directives() {
        assert_eq!(
            names(r#"%h %l %u %t "%r" %>s %b"#),
            ["host", "ident", "auth_user", "time", "method", "path", "query", "protocol", "status", "bytes", "request"]
        );
        assert_eq!(names("%b %O"), ["bytes", "bytes_out"]);
        assert_eq!(names("%O %I"), ["bytes", "bytes_in"]);
        assert_eq!(names("%s %>s %<s"), ["status", "status_2", "status_original"]);
        assert_eq!(names("%<s"), ["status"]);
        assert_eq!(names("%400>s %>s"), ["status_2", "status"]);
        assert_eq!(names("%{X-Forwarded-For}i|%{SSL_PROTOCOL}x"), ["x_forwarded_for", "ssl_protocol"]);
    }

    #[test]
    fn time_directives_join_where_they_fix_one_instant() {
        assert_eq!(names("%{%Y-%m-%d}t %{%T}t.%{msec_frac}t %{%z}t"), ["time"]);
        assert_eq!(names("%{sec}t%{usec_frac}t %{end:sec}t %{usec}t"), ["time", "time_end", "time_2"]);
        assert_eq!(names("%{%A}t %h"), ["time_text", "host"]);
    }

    #[test]
    fn what_needs_guessing_is_refused() {
        for bad in ["%h%u", "%>s%b", "%b%h", "%u%t", "%h\\n%u", "plain text", "", "%{sec}t%{sec}t"] {
            assert_eq!(LogFormat::parse("test", bad).unwrap_err().kind(), ErrorKind::Format, "{bad}");
        }
        let error = LogFormat::parse("test", "%t %h%u").unwrap_err().to_string();
        assert!(error.contains("  %t %h%u\n     ^^ nothing marks where %h ends"), "{error}");
    }
}
