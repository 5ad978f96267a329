//! The words by which a pipeline's file writes the values of enums.

use super::projected_type::ProjectedType;
use crate::catalog::CsvTypes;
use crate::output::{CsvDialect, Timestamps};
use crate::pipeline::model::{
    CatchUp, CheckEngine, Fingerprint, Mode, OnError, OnFailure, OnMismatch, Removal, Severity, SourceFormat, TransformEngine,
};
use crate::storage::Sse;
use crate::yaml::{Content, Node, Problems, Read, words};
use schemars::JsonSchema;

words!(CsvTypes { "string" => CsvTypes::String, "native" => CsvTypes::Native });
words!(ProjectedType {
    "date" => ProjectedType::Date, "integer" => ProjectedType::Integer, "enum" => ProjectedType::Enum, "injected" => ProjectedType::Injected,
});
words!(SourceFormat {
    "auto" => SourceFormat::Auto,
    "log" => SourceFormat::Log,
    "csv" => SourceFormat::Csv,
    "tsv" => SourceFormat::Tsv,
    "json" => SourceFormat::Json,
    "parquet" => SourceFormat::Parquet,
});
words!(OnError { "reject" => OnError::Reject, "skip" => OnError::Skip, "fail" => OnError::Fail });
words!(OnMismatch { "reject" => OnMismatch::Reject, "null" => OnMismatch::Null, "text" => OnMismatch::Text });
words!(Fingerprint { "content" => Fingerprint::Content, "modified" => Fingerprint::Modified, "checksum" => Fingerprint::Checksum });
words!(Mode { "overwrite" => Mode::Overwrite, "append" => Mode::Append, "replace_partitions" => Mode::ReplacePartitions });
words!(Removal { "keep" => Removal::Keep, "drop" => Removal::Drop });
words!(CsvDialect { "athena" => CsvDialect::Athena, "rfc4180" => CsvDialect::Rfc4180 });
words!(Timestamps { "millis" => Timestamps::Millis, "micros" => Timestamps::Micros, "keep" => Timestamps::Keep });
words!(CheckEngine { "local" => CheckEngine::Local, "athena" => CheckEngine::Athena, "both" => CheckEngine::Both });
words!(OnFailure { "keep" => OnFailure::Keep, "rollback" => OnFailure::Rollback });
words!(TransformEngine { "local" => TransformEngine::Local, "athena" => TransformEngine::Athena });
words!(Severity { "fail" => Severity::Fail, "warn" => Severity::Warn });
words!(Sse { "s3" => Sse::S3, "kms" => Sse::Kms });
words!(CatchUp { "skip" => CatchUp::Skip, "once" => CatchUp::Once });
/// The one moment that checks come before or after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Publish;

words!(Publish { "publish" => Publish });

/// A section without keys.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct NoSettings {}

impl Read for NoSettings {
    fn read(node: &Node, problems: &mut Problems<'_>) -> Option<Self> {
        match &node.content {
            Content::Mapping(entries) if entries.is_empty() => {}
            Content::Mapping(entries) => {
                entries.iter().for_each(|entry| problems.error(&entry.key_place, "there are no settings here"));
            }
            _ => problems.error(&node.place, "there are no settings here; expected {}"),
        }
        Some(NoSettings {})
    }
}
