//! What a log format is made of, in whichever notation it is written: literals, and directives that stand for values.

use super::strftime::TimeItem;
use std::ops::Range;

/// One piece of a LogFormat, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Bytes that stand in the log as they are.
    Literal(Vec<u8>),
    /// A value that the server puts there.
    Directive(Directive),
}

/// What stands for a value: `%…` of Apache, `$…` of nginx, `{…}` in a list of fields.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Directive {
    /// As written, for messages and schemas: `%{Referer}i`, `$http_referer`.
    pub text: String,
    /// Where it stands in the format's string, in bytes.
    pub span: Range<usize>,
    /// What it logs.
    pub field: Field,
    /// What may be in its text.
    pub kind: Kind,
    /// Which request of an internal redirect it looks at.
    pub request: Request,
    /// Whether it is logged only for some statuses (`-` otherwise).
    pub conditional: bool,
    /// Whether a line may end before it.
    pub optional: bool,
}

impl Directive {
    /// Whether its values are digits only, or times, which have an end of their own.
    pub(super) fn is_bounded(&self) -> bool {
        self.field.is_number() || matches!(self.field, Field::Time { .. })
    }
}

/// What may be in the text of a value, where its end is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No blank: a host or an address. A line where one would be is of another format.
    Word,
    /// As `Word`, before its port; `-` where there is neither.
    Endpoint,
    /// No blank, and never nothing.
    Token,
    /// In quotes, which are none of it, or without any.
    Quoted,
    /// Three digits, as the status of an answer has them.
    Status,
    /// The name that identd gave, `-` without.
    Ident,
    /// What a client or an application wrote to a header: blanks, and lists with commas.
    Header,
    /// Blanks, too.
    Free,
    /// What upstream servers did, in the order in which they were asked: between them are `, ` and ` : `.
    Upstream,
    /// What has no blank by its nature, as far as is known.
    Plain,
}

impl Kind {
    /// Whether its values have no blank.
    pub(super) fn is_word(self) -> bool {
        matches!(self, Kind::Word | Kind::Endpoint)
    }
}

/// Which request of a chain of internal redirects a directive looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// The one that the directive takes without `<` or `>`.
    Default,
    /// `<`: the request as it came in.
    Original,
    /// `>`: the request that was answered.
    Final,
}

/// What a directive logs, by how it is read back.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    /// Text in a column of this name.
    Text(String),
    /// `%u`: text, where `""` stands for an empty name.
    User,
    /// `%r`: the request line, split into method, path, query and protocol.
    RequestLine,
    /// `%q`: the query with its `?`, or nothing.
    Query,
    /// What was asked for: the path, and the query behind its `?`.
    Target,
    /// A request line whose target is a URL, as load balancers write it: scheme, host and port stand in a column of their own.
    UrlRequest,
    /// `%X`: `X`, `+` or `-`, where `-` is a value.
    ConnectionStatus,
    /// A 32-bit number in a column of this name.
    Int(String),
    /// A 64-bit number in a column of this name.
    Long(String),
    /// Seconds with digits behind the point, at most three, in a column of milliseconds.
    Millis(&'static str),
    /// A number with a point, in a column of this name; -1 stands for what wasn't measured.
    Double(String),
    /// What upstream servers did, in a column of this name, and the sum of it in another.
    Sum(&'static str),
    /// `%b`, `%B`, `%O`: bytes sent; which of the two columns those with headers fill depends on the others.
    BytesOut { headers: bool },
    /// `%t`, `%{…}t` and other times.
    Time {
        /// The column of the instant of which it tells all or a part.
        column: String,
        /// The pattern of the text.
        items: Vec<TimeItem>,
    },
}

impl Field {
    /// Whether its values are numbers.
    pub(super) fn is_number(&self) -> bool {
        matches!(self, Field::Int(_) | Field::Long(_) | Field::Millis(_) | Field::Double(_) | Field::BytesOut { .. })
    }

    /// Whether it is the status of an answer.
    pub(super) fn is_status(&self) -> bool {
        matches!(self, Field::Int(name) if name == "status")
    }
}

/// A header's or variable's name as a column's: lower case, `_` between words.
pub(super) fn snake_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    let trimmed = out.trim_end_matches('_');
    if trimmed.is_empty() { "unnamed".to_string() } else { trimmed.to_string() }
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn names_become_columns() {
        assert_eq!(snake_case("X-Forwarded-For"), "x_forwarded_for");
        assert_eq!(snake_case("cs(User-Agent)"), "cs_user_agent");
        assert_eq!(snake_case("--"), "unnamed");
    }
}
