//! What made a file, for its Parquet key-value metadata.

use super::options::ConvertOptions;
use crate::input::TableFormat;
use crate::secrets;

/// Key and value pairs. Nothing of them changes from run to run, so that the same input gives the same bytes.
pub(super) fn metadata(options: &ConvertOptions) -> Vec<(String, String)> {
    let mut pairs = vec![
        ("etl.version".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        ("etl.source_format".to_string(), options.table.format.name().to_string()),
    ];
    if let TableFormat::Log { formats, unescape } = &options.table.format {
        pairs.push(("etl.log_format".to_string(), secrets::redact(formats.text())));
        pairs.push(("etl.unescaped".to_string(), unescape.to_string()));
    }
    if !options.timezone.is_utc() {
        pairs.push(("etl.timezone".to_string(), options.timezone.to_string()));
    }
    pairs
}
