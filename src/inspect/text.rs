//! Inspects what is read by lines: logs, CSV, TSV and JSON.

use super::model::{FileInspection, Inspection, LineInspection, LogInspection};
use super::profile::Profile;
use super::rejects::RejectCount;
use crate::decode::parts;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{BlockReader, Compression, Content, MAX_LINE, Table, TableFormat, growth};
use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, SchemaRef};
use arrow::record_batch::RecordBatch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads all lines of the table.
pub(super) fn inspect(table: &Table) -> Result<Inspection> {
    let schema = table.format.schema();
    let mut findings = Findings::new(schema.clone());
    let files = table.sources.iter().map(|source| findings.read(table, source)).collect::<Result<Vec<_>>>()?;
    let columns = schema.fields().iter().zip(&findings.profiles).map(|(field, profile)| profile.column(field)).collect();
    let log = match &table.format {
        TableFormat::Log { formats, .. } => {
            let time = schema.index_of("time").ok().map(|index| &findings.profiles[index]);
            Some(LogInspection {
                log_format: formats.text().to_string(),
                first_time: time.and_then(Profile::min),
                last_time: time.and_then(Profile::max),
                statuses: findings.statuses,
            })
        }
        _ => None,
    };
    let mut lines = findings.lines;
    lines.reasons = findings.rejects.top();
    Ok(Inspection {
        format: table.format.name().to_string(),
        notes: table.notes.iter().cloned().chain(table.alike()).chain(growth(&table.sources)).collect(),
        files,
        rows: lines.rows,
        columns,
        lines: Some(lines),
        log,
        parquet: None,
    })
}

/// What was found in the blocks read so far.
struct Findings {
    schema: SchemaRef,
    profiles: Vec<Profile>,
    statuses: BTreeMap<String, u64>,
    lines: LineInspection,
    rejects: RejectCount,
}

impl Findings {
    fn new(schema: SchemaRef) -> Self {
        let profiles = schema.fields().iter().map(|_| Profile::default()).collect();
        Findings { schema, profiles, statuses: BTreeMap::new(), lines: LineInspection::default(), rejects: RejectCount::default() }
    }

    fn read(&mut self, table: &Table, source: &crate::input::Source) -> Result<FileInspection> {
        let internal = || Error::new(ErrorKind::Internal, format!("{} was inspected as text but is none", source.path));
        let framing = table.format.framing().ok_or_else(internal)?;
        let mut decoder = table.format.decoder(None).ok_or_else(internal)?;
        decoder.arrange(source.layout.as_ref());
        let mut reader = BlockReader::open(source, framing)?;
        let too_long: Arc<str> = format!("longer than the {} MiB that a line may have", MAX_LINE >> 20).into();
        let before = self.lines.rows;
        let mut line = 0;
        while let Some(block) = reader.next_block()? {
            self.lines.bytes += block.passed;
            line += block.skipped;
            decoder.head(block.heading.as_ref());
            match block.content {
                Content::Records(bytes) => {
                    let before = line;
                    for decoded in parts(decoder.as_mut(), &bytes) {
                        let decoded = decoded?;
                        for reject in &decoded.rejects {
                            self.rejects.add(&source.path, before + reject.line, block.offset + reject.offset, &reject.reason, &reject.raw);
                        }
                        line += decoded.text_lines;
                        self.lines.lines += decoded.lines;
                        self.lines.blank += decoded.blank;
                        self.lines.repaired += decoded.repaired;
                        self.lines.rejects += decoded.rejects.len() as u64;
                        self.lines.rows += decoded.batch.num_rows() as u64;
                        self.see(&decoded.batch)?;
                    }
                    self.lines.bytes += bytes.len() as u64;
                }
                Content::LongLine { head, length } => {
                    self.rejects.add(&source.path, line, block.offset, &too_long, &head);
                    line += 1;
                    self.lines.lines += 1;
                    self.lines.rejects += 1;
                    self.lines.bytes += length;
                }
            }
        }
        let compression = (reader.compression() != Compression::None).then(|| reader.compression().name().to_string());
        Ok(FileInspection { path: source.path.clone(), bytes: reader.stored_bytes(), rows: self.lines.rows - before, compression })
    }

    fn see(&mut self, batch: &RecordBatch) -> Result<()> {
        for (profile, column) in self.profiles.iter_mut().zip(batch.columns()) {
            profile.see(column)?;
        }
        let status = self.schema.index_of("status").ok().and_then(|index| batch.column(index).as_primitive_opt::<Int32Type>());
        let mut classes = [0u64; 10];
        for class in status.into_iter().flatten().flatten().map(|status| status / 100) {
            if let Some(count) = usize::try_from(class).ok().and_then(|class| classes.get_mut(class)) {
                *count += 1;
            }
        }
        for (class, count) in classes.iter().enumerate().filter(|(_, count)| **count > 0) {
            *self.statuses.entry(format!("{class}xx")).or_default() += count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::inspect;
    use super::*;
    use crate::input::{TableOptions, resolve};
    use std::path::Path;

    fn table(folder: &Path, name: &str, text: &str) -> Table {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        Table::open(resolve(&[path.display().to_string()]).unwrap(), &TableOptions::default()).unwrap()
    }

    const LOG: &str = "\
::1 - - [29/Feb/2020:00:00:18 +0000] \"GET /a HTTP/1.0\" 200 5
::1 - frank [29/Feb/2020:01:00:18 +0100] \"GET /b HTTP/1.0\" 404 -

no line of a log
::1 - - [28/Feb/2020:23:00:00 +0000] \"GET /a HTTP/1.0\" 301 7
";

    #[test]
    fn a_log_is_counted_and_profiled() {
        let folder = tempfile::tempdir().unwrap();
        let found = inspect(&table(folder.path(), "access.log", LOG)).unwrap();
        let lines = found.lines.unwrap();
        assert_eq!((found.format.as_str(), lines.lines, lines.rows, lines.rejects, lines.blank), ("common", 5, 3, 1, 1));
        assert_eq!((lines.reasons[0].examples[0].line, lines.reasons[0].examples[0].raw.as_str()), (4, "no line of a log"));
        assert_eq!(lines.reasons[0].examples[0].offset, LOG.find("no line").unwrap() as u64);
        let log = found.log.unwrap();
        assert_eq!(
            (log.first_time.as_deref(), log.last_time.as_deref()),
            (Some("2020-02-28 23:00:00.000"), Some("2020-02-29 00:00:18.000"))
        );
        assert_eq!(log.statuses, BTreeMap::from([("2xx".into(), 1), ("3xx".into(), 1), ("4xx".into(), 1)]));
        let column = |name: &str| found.columns.iter().find(|c| c.name == name).unwrap();
        assert_eq!((column("auth_user").nulls, column("path").distinct.unwrap().count), (Some(2), 2));
        assert_eq!(column("host").directive.as_deref(), Some("%h"));
        assert!(found.notes[0].contains("3 of the first 4 lines fit"), "{:?}", found.notes);
    }

    #[test]
    fn csv_has_types_and_rejects() {
        let folder = tempfile::tempdir().unwrap();
        let found = inspect(&table(folder.path(), "sales.csv", "shop,price\n1,2.5\n2\n3,\n")).unwrap();
        let types: Vec<&str> = found.columns.iter().map(|c| c.data_type.as_str()).collect();
        assert_eq!((types, found.rows, found.columns[1].nulls), (vec!["bigint", "double"], 2, Some(1)));
        assert_eq!(found.lines.unwrap().reasons[0].examples[0].line, 3);
    }
}
