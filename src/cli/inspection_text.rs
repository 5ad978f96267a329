//! An inspection as people read it.

use crate::accesslog::Notation;
use crate::inspect::{ColumnInspection, Distinct, Inspection, LineInspection, LogInspection, ParquetInspection};
use crate::printable::printable;
use crate::units::{ByteSize, count, counted};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use std::fmt::{self, Display, Formatter};
use std::io::IsTerminal;

/// Files that are listed by name.
const LISTED: usize = 10;

/// Shows an inspection as text.
#[derive(Debug)]
pub(super) struct InspectionText<'a>(pub &'a Inspection);

impl Display for InspectionText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let found = self.0;
        self.files(f)?;
        fact(f, "format", &found.format)?;
        match (&found.parquet, &found.lines) {
            (Some(parquet), _) => self.parquet(f, parquet)?,
            (None, Some(lines)) => self.lines(f, lines, found.log.as_ref())?,
            (None, None) => fact(f, "rows", count(found.rows))?,
        }
        found.notes.iter().try_for_each(|note| fact(f, "note", note))?;
        writeln!(f, "\n{}", columns(&found.columns))?;
        if found.columns.iter().any(|c| c.distinct.is_some_and(|d| d.estimated)) {
            writeln!(f, "≈ is an estimate, accurate to about 2%")?;
        }
        found.lines.as_ref().map_or(Ok(()), |lines| rejects(f, lines))
    }
}

impl InspectionText<'_> {
    fn files(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let files = &self.0.files;
        if let [only] = &files[..] {
            return writeln!(f, "{}", safe(&only.path));
        }
        writeln!(f, "{}, {}", counted(files.len() as u64, "file"), counted(self.0.rows, "row"))?;
        for file in files.iter().take(LISTED) {
            writeln!(f, "  {} ({}, {})", safe(&file.path), ByteSize(file.bytes), counted(file.rows, "row"))?;
        }
        match files.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => writeln!(f, "  and {} more", count(more as u64)),
        }
    }

    /// The size as stored.
    fn stored(&self) -> ByteSize {
        ByteSize(self.0.files.iter().map(|file| file.bytes).sum())
    }

    fn parquet(&self, f: &mut Formatter<'_>, parquet: &ParquetInspection) -> fmt::Result {
        let groups = match parquet.row_group_rows {
            Some((least, most)) if parquet.row_groups > 1 => {
                format!(" in {} row groups of {} to {} rows", count(parquet.row_groups), count(least), count(most))
            }
            _ => String::new(),
        };
        fact(f, "rows", format!("{}{groups}", count(self.0.rows)))?;
        let (compressed, plain) = (parquet.compressed_bytes, parquet.uncompressed_bytes);
        fact(f, "size", format!("{}; columns {}, uncompressed {}", self.stored(), ByteSize(compressed), ByteSize(plain)))?;
        parquet.created_by.iter().try_for_each(|writer| fact(f, "written by", writer))?;
        parquet.metadata.iter().try_for_each(|(key, value)| fact(f, "metadata", format!("{key} = {value}")))
    }

    fn lines(&self, f: &mut Formatter<'_>, lines: &LineInspection, log: Option<&LogInspection>) -> fmt::Result {
        if let Some(log) = log {
            log.log_format.lines().try_for_each(|format| fact(f, Notation::told(format).map_or("LogFormat", Notation::name), format))?;
        }
        let (rows, rejects, blank) = (counted(lines.rows, "row"), counted(lines.rejects, "reject"), count(lines.blank));
        fact(f, "lines", format!("{} = {rows} + {rejects} + {blank} blank", count(lines.lines)))?;
        if lines.repaired > 0 {
            fact(f, "repaired", format!("{}: NUL bytes or a byte order mark before the line are ignored", count(lines.repaired)))?;
        }
        let compression = self.0.files.iter().find_map(|file| file.compression.as_deref());
        match compression {
            Some(name) => fact(f, "size", format!("{} in {name}, {} of lines", self.stored(), ByteSize(lines.bytes)))?,
            None => fact(f, "size", self.stored())?,
        }
        let Some(log) = log else { return Ok(()) };
        if let (Some(first), Some(last)) = (&log.first_time, &log.last_time) {
            fact(f, "time", format!("{first} to {last} (UTC)"))?;
        }
        let total = log.statuses.values().sum::<u64>().max(1) as f64;
        let share = |(class, rows): (&String, &u64)| format!("{class} {} ({:.1}%)", count(*rows), *rows as f64 / total * 100.0);
        match log.statuses.is_empty() {
            true => Ok(()),
            false => fact(f, "status", log.statuses.iter().map(share).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// A line of the head: what it is about, and what was found.
fn fact(f: &mut Formatter<'_>, name: &str, value: impl Display) -> fmt::Result {
    writeln!(f, "  {name:<11} {}", safe(&value.to_string()))
}

/// The table of the columns.
fn columns(columns: &[ColumnInspection]) -> Table {
    let stored = columns.iter().any(|c| c.storage.is_some());
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    let mut header = vec!["column", "type", "NULLs", "distinct", "min", "max"];
    if stored {
        header.extend(["size", "ratio", "compression", "encodings", "page index"]);
    }
    table.set_header(header);
    for column in columns {
        let text = |value: &Option<String>| safe(value.as_deref().unwrap_or_default());
        let mut row = vec![
            safe(&column.name),
            safe(&column.data_type),
            column.nulls.map(count).unwrap_or_default(),
            column.distinct.map(distinct).unwrap_or_default(),
            text(&column.min),
            text(&column.max),
        ];
        if let Some(storage) = &column.storage {
            row.push(ByteSize(storage.compressed_bytes).to_string());
            row.push(format!("{:.2}", storage.ratio));
            row.push(storage.compression.join(" "));
            row.push(storage.encodings.join(" "));
            row.push(if storage.page_index { "yes" } else { "no" }.to_string());
        }
        table.add_row(row);
    }
    for number in [2, 3, 6, 7] {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn distinct(distinct: Distinct) -> String {
    format!("{}{}", if distinct.estimated { "≈" } else { "" }, count(distinct.count))
}

fn rejects(f: &mut Formatter<'_>, lines: &LineInspection) -> fmt::Result {
    for reason in &lines.reasons {
        writeln!(f, "\n{} rejected: {}", count(reason.count), safe(&reason.reason))?;
        for example in &reason.examples {
            writeln!(f, "  {}:{} (byte {}): {}", safe(&example.path), example.line, example.offset, safe(&example.raw))?;
        }
    }
    Ok(())
}

/// On one line, and without what would control a terminal: the values come from whoever wrote the files.
fn safe(text: &str) -> String {
    printable(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Example, FileInspection, ReasonInspection};

    #[test]
    fn a_log_is_shown_with_its_rejects() {
        let example = Example { path: "a.log".into(), line: 4, offset: 120, raw: "no line".into() };
        let found = Inspection {
            format: "common".into(),
            files: vec![FileInspection { path: "a.log".into(), bytes: 1_500, rows: 3, compression: None }],
            rows: 3,
            columns: vec![ColumnInspection {
                name: "host".into(),
                data_type: "string".into(),
                nulls: Some(0),
                distinct: Some(Distinct { count: 12_345, estimated: true }),
                min: Some("\u{7}".into()),
                ..Default::default()
            }],
            lines: Some(LineInspection {
                lines: 5,
                rows: 3,
                rejects: 1,
                blank: 1,
                repaired: 0,
                bytes: 1_500,
                reasons: vec![ReasonInspection { reason: "no quote".into(), count: 1, examples: vec![example] }],
            }),
            log: Some(LogInspection { log_format: "%h".into(), statuses: [("2xx".to_string(), 3)].into(), ..Default::default() }),
            ..Default::default()
        };
        let expected = "\
a.log
  format      common
  LogFormat   %h
  lines       5 = 3 rows + 1 reject + 1 blank
  size        1.5 kB
  status      2xx 3 (100.0%)

┌────────┬────────┬───────┬──────────┬───────┬─────┐
│ column ┆ type   ┆ NULLs ┆ distinct ┆ min   ┆ max │
╞════════╪════════╪═══════╪══════════╪═══════╪═════╡
│ host   ┆ string ┆     0 ┆  ≈12,345 ┆ \\u{7} ┆     │
└────────┴────────┴───────┴──────────┴───────┴─────┘
≈ is an estimate, accurate to about 2%

1 rejected: no quote
  a.log:4 (byte 120): no line
";
        assert_eq!(InspectionText(&found).to_string(), expected);
    }
}
