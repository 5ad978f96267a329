//! The comparison as CSV: a line for each question to each data set.

use crate::bench::BenchReport;
use crate::cli::csv_field::csv_field;
use crate::printable::printable;
use std::fmt::Write;

/// With a header, and numbers without units: seconds, bytes.
pub(super) fn csv(report: &BenchReport) -> String {
    let mut text = String::from(
        "data_set,format,compression,splits,partition_by,question,seconds,fastest,slowest,rows,bytes_read,reads,files,bytes,\
         conversion_seconds,conversion_memory,queued,usd,error\n",
    );
    for cell in &report.cells {
        let Some(made) = report.data_sets.iter().find(|made| made.name == cell.data_set) else { continue };
        let (set, record) = (&made.data_set, made.record.as_ref());
        let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let seconds = |value: Option<f64>| value.map(|value| format!("{value:.6}")).unwrap_or_default();
        let timing = cell.seconds.as_ref();
        let fields = [
            made.name.clone(),
            set.form.format.name().to_string(),
            set.form.compression.clone(),
            set.splits.to_string(),
            csv_field(&printable(&set.partition_by.join(","))).into_owned(),
            csv_field(&printable(&cell.question)).into_owned(),
            seconds(timing.map(|timing| timing.mean)),
            seconds(timing.map(|timing| timing.fastest)),
            seconds(timing.map(|timing| timing.slowest)),
            number(cell.rows),
            number(cell.bytes_read),
            number(cell.reads),
            number(record.map(|record| record.files)),
            number(record.map(|record| record.bytes)),
            seconds(record.map(|record| record.conversion_seconds)),
            number(record.and_then(|record| record.conversion_memory)),
            seconds(cell.queued.as_ref().map(|timing| timing.mean)),
            seconds(cell.usd),
            csv_field(&printable(cell.error.as_deref().unwrap_or_default())).into_owned(),
        ];
        let _ = writeln!(text, "{}", fields.join(","));
    }
    text
}
