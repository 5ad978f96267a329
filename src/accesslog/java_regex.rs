//! A LogFormat as a regular expression of Java: what Hive's, Athena's and Trino's RegexSerDe reads raw logs by.
//!
//! It finds the values as [`super::line`] does, from left to right and without going back on what it found: groups are atomic, repetitions
//! possessive. So it is as fast as that on any line, and needs no stack for long ones. What can't be said in it is left out: that a day is in
//! its month beyond the 31st, that a number fits 64 bits to the last digit, and which names of users with blanks may as well be columns:
//! a name with a blank is none here.

use super::column::{Nothing, RequestPiece, Source};
use super::format::{Lex, LogFormat};
use super::guard::Guard;
use super::strftime::{COMMON, TimeItem};
use std::collections::HashSet;

/// The expression, and the columns that its groups give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JavaRegex {
    /// Matches a whole line, without its end.
    pub regex: String,
    /// The name of each column, with its directive. All are text; a group that took part in no match is NULL, as what is logged as `-` is.
    pub columns: Vec<(String, String)>,
}

impl LogFormat {
    /// The format as an expression.
    pub fn java_regex(&self) -> JavaRegex {
        let mut regex = format!("{}{}", self.before.java_regex(), literal(&self.prefix));
        let mut index = 0;
        let mut open = 0;
        while index < self.steps.len() {
            if self.steps[index].endpoint && index + 1 < self.steps.len() {
                let port = self.steps[index + 1].after.as_slice();
                let both = self.step(index) + self.step(index + 1).trim_end_matches(&literal(port));
                regex.push_str(&format!("(?:-(?={})|{both}){}", literal(port), literal(port)));
                index += 1;
            } else {
                regex.push_str(&self.step(index));
            }
            // A line may end here: all behind it is there, or nothing.
            if let Some(short) = &self.steps[index].short {
                let after = literal(&self.steps[index].after);
                let kept = literal(short);
                regex.truncate(regex.len() - after.len());
                regex.push_str(&format!("{kept}(?:{}", &after[kept.len()..]));
                open += 1;
            }
            index += 1;
        }
        regex.push_str(&")?+".repeat(open));
        let mut taken = HashSet::new();
        let columns = (0..self.steps.len()).map(|step| (self.named(step, &mut taken), self.steps[step].text.clone())).collect();
        JavaRegex { regex, columns }
    }

    /// The name of the column of a step: that of the table's column, where it has one of its own.
    fn named(&self, step: usize, taken: &mut HashSet<String>) -> String {
        let is_of = |source: &Source| match (source, &self.steps[step].lex) {
            (Source::Text { step: of, .. } | Source::Number { step: of } | Source::Query { step: of }, _) => *of == step,
            (Source::Target { step: of, is_query: false }, _) => *of == step,
            (Source::Request { step: of, piece }, _) => *of == step && *piece == RequestPiece::Unsplit,
            (Source::Time { group: of }, Lex::Time { group: Some(group), .. }) => of == group,
            _ => false,
        };
        let own = self.columns().iter().find(|column| is_of(&column.source)).map_or("value", |column| column.name.as_str());
        // What is a number of milliseconds in the table is text in seconds here.
        let own = match self.steps[step].lex {
            Lex::Millis { .. } => own.replace("_ms", "_s"),
            _ => own.to_string(),
        };
        let mut name = own.clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{own}_{number}");
        }
        name
    }

    /// The value of a step and the bytes after it.
    fn step(&self, index: usize) -> String {
        let step = &self.steps[index];
        let after = literal(&step.after);
        let source = |wanted: Source| self.columns().iter().any(|column| column.source == wanted);
        let is_query = source(Source::Query { step: index });
        match &step.lex {
            Lex::Status => format!("(?:-|([0-9]{{3}})){after}"),
            Lex::Number { long, empty, signed } => {
                let (sign, most) = (if *signed { "-?+" } else { "" }, if *long { 17 } else { 8 });
                format!("(?:{}({sign}(?:0|[1-9][0-9]{{0,{most}}}+))){}{after}", dash(*empty), perhaps(*empty))
            }
            Lex::Field => {
                let end = match &step.short {
                    Some(short) => format!("(?:{after}|{}$)", literal(short)),
                    None if after.is_empty() => "$".to_string(),
                    None => after.clone(),
                };
                let bare = if after.is_empty() { "[\\s\\S]*+".to_string() } else { format!("(?>[\\s\\S]*?(?={end}))") };
                // One group for both: it looks at whether a quote is before it.
                // A quote within the next word that doesn't begin with one: this is no end.
                let word = match (after.is_empty(), step.quoted_next) {
                    (true, _) => "",
                    (false, true) => "(?!.[^\\s\"]+\")",
                    (false, false) => "(?!.[^\\s\"]*\")",
                };
                let value = format!("\"?+((?<=\")(?>[\\s\\S]*?(?=\"{word}{end}))|(?<!\"){bare})\"?+");
                format!("(?:\"-\"(?={end})|-(?={end})|{value}){after}")
            }
            Lex::Millis { empty } => {
                format!("(?:{}((?:0|[1-9][0-9]{{0,14}}+)(?:\\.[0-9]{{1,3}}+)?+)){}{after}", dash(*empty), perhaps(*empty))
            }
            Lex::Double { empty } => format!("(?:{}({DOUBLE})){}{after}", dash(*empty), perhaps(*empty)),
            Lex::Time { items, .. } => {
                let dash = if step.conditional { "-(?![0-9])|" } else { "" };
                format!("(?:{dash}{}){after}", time(items, true))
            }
            _ => {
                let end = self.end(index);
                // What is logged where there is nothing: the group takes no part.
                let dash = match source(Source::Text { step: index, nothing: Nothing::Never }) || step.after.starts_with(b"-") {
                    true => String::new(),
                    false if self.escapes.nothing_is_empty() && !matches!(step.guard, Guard::None | Guard::Trimmed) => String::new(),
                    false if self.escapes.nothing_is_empty() => format!("(?={end})|"),
                    false => format!("-(?={end})|"),
                };
                let nothing = if is_query { format!("(?={end})|\\??+") } else { String::new() };
                let user = if step.lex.is_user() { format!("(?:\"\"(?={end}))?+") } else { String::new() };
                let open = if dash.is_empty() && nothing.is_empty() { "" } else { "(?:" };
                let close = if open.is_empty() { "" } else { ")" };
                format!("{user}{open}{dash}{nothing}({}){close}{after}", self.value(index, &end))
            }
        }
    }

    /// What follows the value of a step: the bytes after it, and the numbers and times behind them where its end is told by those.
    fn end(&self, index: usize) -> String {
        let step = &self.steps[index];
        let after = match &step.short {
            Some(short) => format!("(?:{}|{}$)", literal(&step.after), literal(short)),
            None => literal(&step.after),
        };
        match &step.lex {
            Lex::BeforeEnd { .. } => format!("{after}$"),
            Lex::Before(byte) => format!("{}|{}", literal(&[*byte]), self.end(index + 1)),
            Lex::Anchored { .. } | Lex::Word => format!("{after}{}", self.behind(index)),
            _ => after,
        }
    }

    /// The numbers and times right behind the step at `index`.
    fn behind(&self, index: usize) -> String {
        let mut behind = String::new();
        for step in &self.steps[index + 1..] {
            match &step.lex {
                Lex::Status => behind.push_str("(?:[0-9]{3}|-)"),
                Lex::Number { empty, signed, .. } => {
                    let sign = if *signed { "-?+" } else { "" };
                    behind.push_str(&format!("(?:{sign}(?:0|[1-9][0-9]*+)|-){}", perhaps(*empty)));
                }
                Lex::Millis { empty } | Lex::Double { empty } => behind.push_str(&format!("(?:{DOUBLE}|-){}", perhaps(*empty))),
                Lex::Time { items, .. } if step.conditional => behind.push_str(&format!("(?:-(?![0-9])|{})", time(items, false))),
                Lex::Time { items, .. } => behind.push_str(&time(items, false)),
                _ => return behind,
            }
            match &step.short {
                // The line may end here.
                Some(short) => {
                    behind.push_str(&format!("(?:{}|{}$)", literal(&step.after), literal(short)));
                    return behind;
                }
                None => behind.push_str(&literal(&step.after)),
            }
        }
        behind.push('$');
        behind
    }

    /// The text of a step, which ends before the first `end`.
    fn value(&self, index: usize, end: &str) -> String {
        let step = &self.steps[index];
        let first = |of: &str| format!("(?>{of}*?(?={end}))");
        let text = match (&step.lex, step.after.as_slice()) {
            (Lex::Quoted { .. }, _) => return QUOTED.to_string(),
            (Lex::Before(b'?'), _) if matches!(self.steps.get(index + 1).map(|query| &query.lex), Some(Lex::Quoted { .. })) => {
                return r#"[^"\\?]*+(?:\\[^?][^"\\?]*+)*+"#.to_string();
            }
            (Lex::BeforeEnd { .. }, []) => "[\\s\\S]*+".to_string(),
            (Lex::BeforeEnd { .. }, _) => format!("[\\s\\S]*(?={end})"),
            // Up to a byte that is not in it.
            (Lex::Until { .. }, [byte]) if byte.is_ascii() => format!("[^{}]*+", literal(&[*byte])),
            (Lex::Anchored { user: true }, [b' ']) => "[^ ]*+".to_string(),
            (Lex::Anchored { user: true }, [b' ', ..]) | (Lex::Word, _) => first("[^ ]"),
            (Lex::Before(byte), _) => first(&format!("[^{}]", literal(&[*byte]))),
            (Lex::List, _) => format!("(?>[\\s\\S]*?(?<!,)(?={end}))"),
            (Lex::Upstream, _) => format!("(?>[\\s\\S]*?(?<!,)(?<! :)(?! : )(?={end}))"),
            (Lex::BeforeIdent { dash }, _) => {
                let dash = literal(dash);
                format!("(?=[\\s\\S]*?{dash})(?>[\\s\\S]*?(?={dash}))|(?>[\\s\\S]*?(?<!,)(?={end}))")
            }
            _ if step.guard == Guard::Single => first("[^,]"),
            _ => first("[\\s\\S]"),
        };
        // Of such bytes it can't be empty, or begin with a blank.
        let simple = text.strip_prefix("[^ ").and_then(|_| text.strip_suffix("*+"));
        match step.guard {
            Guard::None => text,
            Guard::Trimmed if simple.is_some() => text,
            Guard::Word if simple.is_some() => text.replace("[^ ]*+", "[^ \"]++"),
            Guard::Filled if simple.is_some() => text.replace("*+", "++"),
            Guard::Host if simple.is_some() => text.replace("*+", "++(?<!,)"),
            Guard::Word => format!("(?!{end})(?:{})", text.replace("[\\s\\S]", "[^ \"]").replace("[^ ]", "[^ \"]")),
            Guard::Filled | Guard::Single => format!("(?!{end})(?:{text})"),
            Guard::Host => format!("(?!{end})(?:{text})(?<!,)"),
            Guard::Trimmed => format!("(?={end})|(?! )(?:{text})(?<! )"),
        }
    }
}

/// What stands for nothing before a number, unless that is no text at all.
fn dash(empty: bool) -> &'static str {
    if empty { "" } else { "-(?![0-9.])|" }
}

/// The sign behind a number that may be missing.
fn perhaps(empty: bool) -> &'static str {
    if empty { "?+" } else { "" }
}

/// A number with or without a point.
const DOUBLE: &str = "-?+(?:0|[1-9][0-9]{0,14}+)(?:\\.[0-9]{1,9}+)?+";

/// Up to the first quote that no backslash stands before.
const QUOTED: &str = r#"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"#;

/// The text of a time. With `captured` it is a group, without the brackets around it.
fn time(items: &[TimeItem], captured: bool) -> String {
    let is_common = *items == COMMON;
    let inner = |items: &[TimeItem]| items.iter().map(|item| if is_common { common(*item) } else { part(*item) }).collect::<String>();
    match items {
        [TimeItem::Literal(b'['), within @ .., TimeItem::Literal(b']')] if captured => format!("\\[({})\\]", inner(within)),
        _ if captured => format!("({})", inner(items)),
        _ => inner(items),
    }
}

/// A part of `%t`, whose parts all have their widths.
fn common(item: TimeItem) -> String {
    match item {
        TimeItem::Day => "(?:0[1-9]|[12][0-9]|3[01])".to_string(),
        TimeItem::MonthName => MONTHS.to_string(),
        TimeItem::Year => "(?:19(?:69|[7-9][0-9])|[2-9][0-9]{3})".to_string(),
        TimeItem::Hour => "(?:[01][0-9]|2[0-3])".to_string(),
        TimeItem::Offset => "[+-](?:0[0-9]|1[0-5])[0-5][0-9]".to_string(),
        item => part(item),
    }
}

const MONTHS: &str = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const FULL_MONTHS: &str = "(?:Jan(?:uary)?+|Feb(?:ruary)?+|Mar(?:ch)?+|Apr(?:il)?+|May|June?+|July?+|Aug(?:ust)?+|Sep(?:tember)?+|Oct(?:ober)?+|Nov(?:ember)?+|Dec(?:ember)?+)";
const OFFSET: &str = "(?:[+-](?:0[0-9]|1[0-5]):?[0-5][0-9]|[Zz])";

fn part(item: TimeItem) -> String {
    let text = match item {
        TimeItem::Literal(byte) => return literal(&[byte]),
        TimeItem::Digits(count) => return format!("[0-9]{{{count}}}"),
        TimeItem::ZoneName => return format!("(?:[A-Za-z]{{1,64}}+|{OFFSET}|[+-](?:0[0-9]|1[0-5]))"),
        TimeItem::Space => "\\s{0,64}+",
        TimeItem::Year => "[0-9]{4}",
        TimeItem::Year2 => "[0-9]{2}",
        TimeItem::Month => "(?:0[1-9]|1[0-2])",
        TimeItem::MonthName => FULL_MONTHS,
        TimeItem::Day => "(?:0[1-9]|[12][0-9]|3[01]| ?+[1-9](?![0-9]))",
        TimeItem::DayOfYear => "[0-3][0-9]{2}",
        TimeItem::Hour => "(?:[01][0-9]|2[0-3]| ?+[0-9](?![0-9]))",
        TimeItem::Hour12 => "(?:0[1-9]|1[0-2]| ?+[1-9](?![0-9]))",
        TimeItem::AmPm => "[AaPp][Mm]",
        TimeItem::Minute => "[0-5][0-9]",
        TimeItem::Second => "(?:[0-5][0-9]|60)",
        TimeItem::Offset => OFFSET,
        TimeItem::Epoch | TimeItem::EpochMillis | TimeItem::EpochMicros => "(?:0|-?+[1-9][0-9]{0,17}+)",
        TimeItem::EpochTenDigits => "-?+[1-9][0-9]{9}",
        TimeItem::MillisFraction => "[0-9]{3}",
        TimeItem::MicrosFraction => "[0-9]{6}",
        TimeItem::LongFraction => "(?:\\.[0-9]{1,64}+)?+",
        TimeItem::PointFraction => "(?:\\.[0-9]{1,6}+)?+",
        TimeItem::UtcOrOffset => return format!("{OFFSET}?+"),
        TimeItem::Name => "[A-Za-z]{1,64}+",
    };
    text.to_string()
}

/// `bytes` as they are.
fn literal(bytes: &[u8]) -> String {
    let mut regex = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '\t' => regex.push_str("\\t"),
            '\r' => regex.push_str("\\r"),
            c if "\\^$.|?*+()[]{}".contains(c) => regex.extend(['\\', c]),
            c => regex.push(c),
        }
    }
    regex
}

#[cfg(test)]
mod tests {
    use crate::accesslog::{LogFormat, Preset};

    #[test]
    fn a_directive_is_a_column() {
        let names = |format: &LogFormat| format.java_regex().columns.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ");
        assert_eq!(names(&Preset::Combined.format()), "host ident auth_user time request status bytes referer user_agent");
        let format = LogFormat::parse("x", r#"%v %{%F}t %{%T}t "%U%q" %D %D %X %<s %>s"#).unwrap();
        assert_eq!(names(&format), "vhost time time_2 path query duration_us duration_us_2 connection_status status_original status");
        for preset in Preset::ALL {
            let regex = preset.format().java_regex();
            // A group for each column, and no more.
            let groups = regex.regex.replace("\\(", "").replace("(?", "").matches('(').count();
            assert_eq!(groups, regex.columns.len(), "{}", regex.regex);
        }
    }
}
