//! A pipeline as it is written. The comments here are what editors show: they come from the JSON Schema.

use super::projected_type::ProjectedType;
use super::words::*;
use crate::governance::{GovernanceText, GrantText, Version};
use crate::output::Timestamps;
use crate::pipeline::model::{
    CatchUp, CheckEngine, Fingerprint, Mode, OnError, OnFailure, OnMismatch, Removal, Severity, SourceFormat, TransformEngine,
};
use crate::storage::Sse;
use crate::units::{ByteSize, Rate};
use crate::yaml::{Named, Needed, OneOrMany, Text, TextOr, Value, section};
use std::num::NonZeroU64;

section! {
    /// A job of etl: sources become tables of a lake.
    pub(super) struct PipelineText {
        /// Version of this format: 1.
        version: Needed<Value<Version>>,
        /// Lower-case letters, digits, `_` and `-`; default: the file's name.
        name: Option<Text>,
        /// Description, for people.
        description: Option<Text>,
        /// Where the tables are.
        lake: Needed<LakeText>,
        /// Time zone of `dt` and `hour` in all outputs that don't set their own: an IANA name such as `Europe/Berlin`; default: UTC.
        timezone: Option<Text>,
        /// Variables with their values, used in values as `${name}`. `--var name=value` overrides them, and must be given for those without a value.
        vars: Option<Named<Option<Text>>>,
        /// Files to read, by the names that SQL uses.
        sources: Needed<Named<SourceText>>,
        /// Tables computed by SQL from sources and other transforms, by the names that SQL uses.
        transforms: Option<Named<TransformText>>,
        /// Tables to write.
        outputs: Needed<Named<OutputText>>,
        /// What to do with tables of this pipeline that are no longer listed here: keep them (`keep`, the default), or remove them (`drop`).
        removed_tables: Option<Value<Removal>>,
        /// LF-Tags with their allowed values.
        tags: Option<Named<Vec<Text>>>,
        /// Who may do what.
        grants: Option<Vec<GrantText>>,
        /// All other access rules: a policy file that pipelines of the lake can share, or a section.
        governance: Option<TextOr<GovernanceText>>,
        /// Checks on the tables.
        verify: Option<Vec<CheckText>>,
        /// Athena settings, for checks and transforms that run there.
        athena: Option<AthenaText>,
        /// When `etl schedule` runs it: a cron expression of five fields, or a section with a time zone.
        schedule: Option<TextOr<ScheduleText>>,
        /// Notification of a failed run.
        on_failure: Option<HookText>,
        /// Notification of a published run.
        on_success: Option<HookText>,
    }
}

section! {
    /// A notification of a run; at least one of the two.
    pub(super) struct HookText {
        /// Run by `sh -c` in the folder of this file, with the run's report as JSON on standard input, and ETL_PIPELINE, ETL_RUN, ETL_STATUS, ETL_LAKE and
        /// ETL_REPORT in its environment.
        command: Option<Text>,
        /// URL that receives the report as JSON by POST: `https://…`.
        webhook: Option<Text>,
    }
}

section! {
    /// Where the tables are.
    pub(super) struct LakeText {
        /// A folder, relative to this file, or `s3://bucket/prefix`.
        location: Needed<Text>,
        /// Where tables are registered besides the lake: nowhere (`local`, the default), or `glue`, optionally with settings.
        catalog: Option<TextOr<CatalogText>>,
        /// Settings of the bucket.
        s3: Option<S3Text>,
    }
}

section! {
    /// A catalog in which tables are registered when they are published.
    pub(super) struct CatalogText {
        /// The AWS Glue Data Catalog, which Athena, Trino and Spark read.
        glue: Needed<GlueText>,
    }
}

section! {
    /// Which Glue Data Catalog, and how tables are registered in it.
    pub(super) struct GlueText {
        /// Prefix of database names in Glue: `prod_` turns `web` into `prod_web`.
        database_prefix: Option<Text>,
        /// Account of the catalog, twelve digits; default: that of the credentials.
        catalog_id: Option<Text>,
        /// Region of the catalog; default: the bucket's.
        region: Option<Text>,
        /// Take over tables of the same names that somebody else made. Default: false, they are refused.
        adopt: Option<Value<bool>>,
    }
}

section! {
    /// Athena settings. Athena finds the tables in the Glue catalog in which the lake registers them.
    pub(super) struct AthenaText {
        /// The workgroup, whose limits apply; default: `primary`.
        workgroup: Option<Text>,
        /// Where results are stored if the workgroup doesn't say: `s3://bucket/prefix/`.
        result_location: Option<Text>,
        /// Stop queries that have scanned more than this: `1GB`.
        max_scan: Option<Value<ByteSize>>,
        /// Stop queries that take longer than this: `10m`.
        timeout: Option<Text>,
    }
}

section! {
    /// Settings of a bucket. Credentials are not among them: they are found as the AWS tools find them.
    pub(super) struct S3Text {
        /// Region of the bucket, such as `eu-central-1`.
        region: Option<Text>,
        /// Endpoint of a store other than AWS, such as `http://127.0.0.1:9000`.
        endpoint_url: Option<Text>,
        /// The bucket is the first part of the path; default: true if there is an `endpoint_url`.
        path_style: Option<Value<bool>>,
        /// Profile of the AWS configuration files.
        profile: Option<Text>,
        /// Encryption at rest: `s3` or `kms`; default: the bucket's setting.
        sse: Option<Value<Sse>>,
        /// KMS key to encrypt with: its id, alias or ARN.
        kms_key_id: Option<Text>,
        /// Tags of written objects, at most ten.
        tags: Option<Named<Text>>,
        /// False for stores without conditional writes; then two concurrent runs may lose rows.
        conditional_writes: Option<Value<bool>>,
    }
}

section! {
    /// Files to read.
    pub(super) struct SourceText {
        /// Files, folders and globs, relative to this file, or `s3://bucket/prefix`; one or a list.
        location: Needed<OneOrMany<Text>>,
        /// Format of the files; default: by file name.
        format: Option<Value<SourceFormat>>,
        /// A preset, or a LogFormat as in httpd.conf; detected by default. From a list, each line is read with the first format that fits,
        /// for logs whose LogFormat changed.
        log_format: Option<OneOrMany<Text>>,
        /// Decode Apache's escapes in values.
        unescape: Option<Value<bool>>,
        /// The delimiter of CSV.
        delimiter: Option<Value<char>>,
        /// CSV and TSV files start with a line of column names; default: true.
        header: Option<Value<bool>>,
        /// A file, relative to this one, that describes the columns of CSV, TSV or JSON.
        schema: Option<Text>,
        /// Columns of CSV, TSV or JSON that had other names in earlier files.
        columns: Option<Named<SourceColumnText>>,
        /// What to do with lines that can't be read: store and count them (`reject`), count them (`skip`), or end the run (`fail`).
        on_error: Option<Value<OnError>>,
        /// What to do with values of CSV, TSV or JSON that don't exactly fit their column's type: reject the line (`reject`), replace them with
        /// NULL (`null`), or turn the column into text (`text`).
        on_mismatch: Option<Value<OnMismatch>>,
        /// Publish nothing if a larger share of the lines is rejected: `1%`.
        max_reject_rate: Option<Value<Rate>>,
        /// How files that were already read are recognised: by their lines (`content`, the default for logs), by name, size and time
        /// (`modified`), or by their bytes as stored (`checksum`).
        fingerprint: Option<Value<Fingerprint>>,
        /// Outputs that add rows read only new files; false for tables that others are joined with. Default: true.
        incremental: Option<Value<bool>>,
        /// Settings of the bucket.
        s3: Option<S3Text>,
    }
}

section! {
    /// A column that has another name in some files.
    pub(super) struct SourceColumnText {
        /// Its name in those files; one name or a list.
        from: Needed<OneOrMany<Text>>,
    }
}

section! {
    /// A table computed by SQL.
    pub(super) struct TransformText {
        /// A query of sources and other transforms, by name; with Athena, of Glue tables, as `database.table`.
        sql: Needed<Text>,
        /// The engine: `local` (the default), or `athena`, for what is too big for one machine.
        engine: Option<Value<TransformEngine>>,
    }
}

section! {
    /// A table to write.
    pub(super) struct OutputText {
        /// The source or transform that supplies the rows.
        from: Needed<Text>,
        /// `database.table`: lower-case letters, digits and `_`.
        table: Needed<Text>,
        /// Description of the table.
        description: Option<Text>,
        /// Comments on columns.
        columns: Option<Named<Text>>,
        /// `parquet` (the default), `json`, `csv`, `tsv`, or `csv` with settings.
        format: Option<TextOr<FormatText>>,
        /// `none`, `gzip`, `snappy` or `zstd`, or one with a level: `{zstd: 9}`.
        compression: Option<TextOr<CompressionText>>,
        /// Exact number of files.
        splits: Option<Value<NonZeroU64>>,
        /// Number of rows per file.
        rows_per_file: Option<Value<NonZeroU64>>,
        /// Approximate size of files; default: `128MiB`.
        target_size: Option<Value<ByteSize>>,
        /// Columns that become folders; `dt` and `hour` are derived from `time`.
        partition_by: Option<OneOrMany<Text>>,
        /// Readers of Glue compute the partitions instead of looking them up: `true`, or settings for keys whose values can't be derived from
        /// the existing partitions.
        partition_projection: Option<TextOr<Named<ProjectedKeyText>>>,
        /// Time zone of `dt` and `hour`: an IANA name such as `Asia/Tokyo`; times stay in UTC.
        timezone: Option<Text>,
        /// Unit of times in Parquet: `millis` (the default, as in Athena), `micros`, or `keep` for that of the rows.
        timestamps: Option<Value<Timestamps>>,
        /// What a run does with existing rows.
        mode: Option<Value<Mode>>,
        /// What to do with rows whose source file is gone, unless the mode is `overwrite`.
        removed_sources: Option<Value<Removal>>,
        /// LF-Tags of the table.
        tags: Option<Named<Text>>,
        /// LF-Tags of individual columns, by name; `*` matches any characters.
        column_tags: Option<Named<Named<Text>>>,
    }
}

section! {
    /// How readers compute the values of a partition key.
    pub(super) struct ProjectedKeyText {
        /// `date`, `integer`, `enum`, or `injected`, for which every query must name its value.
        r#type: Needed<Value<ProjectedType>>,
        /// First and last value: `2020-01-01,NOW` for dates, `0,23` for integers.
        range: Option<Text>,
        /// Date format, as in Java; default: `yyyy-MM-dd`.
        format: Option<Text>,
        /// Step from one value to the next; default: 1.
        interval: Option<Value<NonZeroU64>>,
        /// Unit of the step for dates: `DAYS`, `HOURS`, …
        unit: Option<Text>,
        /// Number of digits of integers, padded with zeros.
        digits: Option<Value<NonZeroU64>>,
        /// All values of an `enum`.
        values: Option<Vec<Text>>,
    }
}

section! {
    /// A format with its settings; exactly one.
    pub(super) struct FormatText {
        /// Parquet; no settings.
        parquet: Option<NoSettings>,
        /// One object per line; no settings.
        json: Option<NoSettings>,
        /// CSV.
        csv: Option<CsvText>,
        /// TSV as in Hive's LazySimpleSerDe; no settings.
        tsv: Option<NoSettings>,
    }
}

section! {
    /// Settings of CSV.
    pub(super) struct CsvText {
        /// `athena` (the default), which Athena's OpenCSVSerde reads, or `rfc4180`.
        dialect: Option<Value<crate::output::CsvDialect>>,
        /// Types of columns in Glue: `string` for all (the default), or `native`: numbers and booleans keep their types, which only Athena
        /// reads; it turns values that don't fit into NULL.
        types: Option<Value<crate::catalog::CsvTypes>>,
        /// Name of a view next to the table in Glue that gives its columns their types.
        cast_view: Option<Text>,
    }
}

section! {
    /// A codec with its level; exactly one.
    pub(super) struct CompressionText {
        /// 1 to 9.
        gzip: Option<Value<i64>>,
        /// 1 to 22.
        zstd: Option<Value<i64>>,
    }
}

section! {
    /// A check; exactly one of `rows`, `value`, `between`, `unique`, `not_null`, `matches` and `equals_query`. Tables in SQL are
    /// `database.table`.
    pub(super) struct CheckText {
        /// Name of the check in reports.
        name: Option<Text>,
        /// Number of rows of a query or table.
        rows: Option<RowsText>,
        /// The single value returned by a query.
        value: Option<ValueText>,
        /// The single number returned by a query is between these, both included.
        between: Option<BetweenText>,
        /// No two rows have the same values in these columns.
        unique: Option<ColumnsText>,
        /// None of these columns contains NULL.
        not_null: Option<ColumnsText>,
        /// Every value of a column that is not NULL matches a regular expression.
        matches: Option<MatchesText>,
        /// Two queries return the same rows, in any order.
        equals_query: Option<EqualsText>,
        /// Whether the run fails (the default) or the failure is only reported.
        severity: Option<Value<Severity>>,
        /// `publish` (the default): readers see the new rows only if the check passes.
        before: Option<Value<Publish>>,
        /// `publish`: run the check on the published tables.
        after: Option<Value<Publish>>,
        /// The engine: `local` (the default), `athena`, after publishing, or `both`, which also compares their answers.
        engine: Option<Value<CheckEngine>>,
        /// What to do if the check fails after publishing: `keep` what was published (the default), or `rollback` to the previous state.
        on_failure: Option<Value<OnFailure>>,
    }
}

section! {
    /// Number of rows of `sql` or `table`.
    pub(super) struct RowsText {
        /// A query.
        sql: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
        /// Exactly this many.
        equals: Option<Value<f64>>,
        /// At least this many.
        min: Option<Value<f64>>,
        /// At most this many.
        max: Option<Value<f64>>,
    }
}

section! {
    /// The single value returned by a query.
    pub(super) struct ValueText {
        /// A query that returns one row with one column.
        sql: Needed<Text>,
        /// The value, as text.
        equals: Needed<Text>,
    }
}

section! {
    /// The single number returned by a query; at least one of `min` and `max`.
    pub(super) struct BetweenText {
        /// A query that returns one row with one column.
        sql: Needed<Text>,
        /// At least this.
        min: Option<Value<f64>>,
        /// At most this.
        max: Option<Value<f64>>,
    }
}

section! {
    /// Columns of a table.
    pub(super) struct ColumnsText {
        /// `database.table`.
        table: Needed<Text>,
        /// Column names.
        columns: Needed<OneOrMany<Text>>,
    }
}

section! {
    /// Pattern of a column's values.
    pub(super) struct MatchesText {
        /// `database.table`.
        table: Needed<Text>,
        /// Name of the column.
        column: Needed<Text>,
        /// A regular expression; use `^` and `$` to match the whole value.
        pattern: Needed<Text>,
    }
}

section! {
    /// Two queries with the same rows.
    pub(super) struct EqualsText {
        /// A query.
        sql: Needed<Text>,
        /// Another query.
        other: Needed<Text>,
    }
}

section! {
    /// When `etl schedule` runs it.
    pub(super) struct ScheduleText {
        /// Minute, hour, day of month, month, day of week: `0 3 * * *`.
        cron: Needed<Text>,
        /// An IANA time zone such as `Europe/Berlin`; default: UTC.
        timezone: Option<Text>,
        /// What to do about times that passed while the scheduler was not running: nothing (`skip`), or one run for all (`once`).
        catch_up: Option<Value<CatchUp>>,
    }
}
