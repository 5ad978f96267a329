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
        /// The version of this format: 1.
        version: Needed<Value<Version>>,
        /// Lower-case letters, digits, `_` and `-`; the file's name where not given.
        name: Option<Text>,
        /// What it is for.
        description: Option<Text>,
        /// Where the tables are.
        lake: Needed<LakeText>,
        /// Whose days and hours `dt` and `hour` are, in all outputs that say nothing else: a name of the IANA data base, as `Europe/Berlin`; UTC
        /// where not given.
        timezone: Option<Text>,
        /// Variables with their values: `${name}` anywhere in a value. `--var name=value` takes their place; those without a value need it.
        vars: Option<Named<Option<Text>>>,
        /// What is read, by names that SQL uses.
        sources: Needed<Named<SourceText>>,
        /// Tables made by SQL of sources and other transforms, by names that SQL uses.
        transforms: Option<Named<TransformText>>,
        /// Tables that are written.
        outputs: Needed<Named<OutputText>>,
        /// What becomes of tables of this pipeline that no output makes any more: readers go on seeing them (`keep`, what you get), or don't (`drop`).
        removed_tables: Option<Value<Removal>>,
        /// LF-Tags with the values that they may have.
        tags: Option<Named<Vec<Text>>>,
        /// Who may do what.
        grants: Option<Vec<GrantText>>,
        /// All else about who may see what: a file of its own that pipelines of the lake share, or a section.
        governance: Option<TextOr<GovernanceText>>,
        /// What must hold of the tables.
        verify: Option<Vec<CheckText>>,
        /// How Athena is asked, where checks or transforms are its.
        athena: Option<AthenaText>,
        /// When it runs by itself: the five fields of cron, or a section with a time zone.
        schedule: Option<TextOr<ScheduleText>>,
        /// Who is told of a run that failed.
        on_failure: Option<HookText>,
        /// Who is told of a run that is published.
        on_success: Option<HookText>,
    }
}

section! {
    /// Who is told of a run; at least one of the two.
    pub(super) struct HookText {
        /// Run by `sh -c` in the folder of this file, with the run's report as JSON on standard input, and ETL_PIPELINE, ETL_RUN, ETL_STATUS, ETL_LAKE and
        /// ETL_REPORT in its environment.
        command: Option<Text>,
        /// Gets the report as JSON by POST: `https://…`.
        webhook: Option<Text>,
    }
}

section! {
    /// Where the tables are.
    pub(super) struct LakeText {
        /// A folder, relative to this file, or `s3://bucket/prefix`.
        location: Needed<Text>,
        /// Who else is told of the tables: nobody (`local`, which is what you get), or `glue`, with settings where it needs some.
        catalog: Option<TextOr<CatalogText>>,
        /// How the bucket is reached and written.
        s3: Option<S3Text>,
    }
}

section! {
    /// A catalog that is told of the tables when they are published.
    pub(super) struct CatalogText {
        /// The AWS Glue Data Catalog, which Athena, Trino and Spark read.
        glue: Needed<GlueText>,
    }
}

section! {
    /// Which Glue Data Catalog, and how it is told.
    pub(super) struct GlueText {
        /// What the names of databases begin with there: `prod_` makes `prod_web` of `web`.
        database_prefix: Option<Text>,
        /// The account whose catalog it is, where that is another than that of the keys: twelve digits.
        catalog_id: Option<Text>,
        /// Where it is; the bucket's region where not given.
        region: Option<Text>,
        /// Take over tables of the same names that somebody else made. False where not given: they are refused.
        adopt: Option<Value<bool>>,
    }
}

section! {
    /// How Athena is asked. It finds the tables in the Glue catalog that the lake tells.
    pub(super) struct AthenaText {
        /// The workgroup, whose limits hold; `primary` where not given.
        workgroup: Option<Text>,
        /// Where results are kept, where the workgroup doesn't say it: `s3://bucket/prefix/`.
        result_location: Option<Text>,
        /// A query that has scanned more is stopped: `1GB`.
        max_scan: Option<Value<ByteSize>>,
        /// A query that takes longer is stopped: `10m`.
        timeout: Option<Text>,
    }
}

section! {
    /// How a bucket is reached and written. Keys are not among it: they are found as the AWS tools find them.
    pub(super) struct S3Text {
        /// Region of the bucket, such as `eu-central-1`.
        region: Option<Text>,
        /// Address of a store that is not AWS, such as `http://127.0.0.1:9000`.
        endpoint_url: Option<Text>,
        /// The bucket is the first part of the path; true where there is an `endpoint_url`.
        path_style: Option<Value<bool>>,
        /// Profile of the AWS configuration files.
        profile: Option<Text>,
        /// Encryption at rest of what is written: `s3` or `kms`; the bucket decides where not given.
        sse: Option<Value<Sse>>,
        /// Key of KMS to encrypt with: its id, alias or ARN.
        kms_key_id: Option<Text>,
        /// Tags of the objects written, ten at most.
        tags: Option<Named<Text>>,
        /// False for stores that don't refuse a write where somebody else was faster; two runs at once may then lose rows.
        conditional_writes: Option<Value<bool>>,
    }
}

section! {
    /// Files that are read.
    pub(super) struct SourceText {
        /// Files, folders and globs, relative to this file, or `s3://bucket/prefix`; one or a list.
        location: Needed<OneOrMany<Text>>,
        /// What the files are; told by their names where not given.
        format: Option<Value<SourceFormat>>,
        /// A preset's name, or a LogFormat as in httpd.conf; found by the first lines where not given. Of a list, the first that fits a line is
        /// its, for logs whose LogFormat changed.
        log_format: Option<OneOrMany<Text>>,
        /// Decode Apache's escapes in values.
        unescape: Option<Value<bool>>,
        /// What is between the fields of CSV.
        delimiter: Option<Value<char>>,
        /// CSV and TSV files have a first line of names; true where not given.
        header: Option<Value<bool>>,
        /// A file, relative to this one, that describes the columns of CSV, TSV or JSON.
        schema: Option<Text>,
        /// Columns of CSV, TSV or JSON that had other names in earlier files.
        columns: Option<Named<SourceColumnText>>,
        /// What is done with a line that can't be read: it is kept and counted (`reject`), counted (`skip`), or ends the run (`fail`).
        on_error: Option<Value<OnError>>,
        /// What becomes of a value of CSV, TSV or JSON that its column's type can't hold exactly: its line is rejected (`reject`), it is NULL
        /// (`null`), or its column is one of text (`text`).
        on_mismatch: Option<Value<OnMismatch>>,
        /// With a larger share of rejected lines nothing is published: `1%`.
        max_reject_rate: Option<Value<Rate>>,
        /// How it is told which files were read: by the lines in them (`content`, for logs, which have it by themselves), by name, size and
        /// time (`modified`), or by their bytes as stored (`checksum`).
        fingerprint: Option<Value<Fingerprint>>,
        /// Outputs that add rows read only files that are new; false for tables that others are joined with. True where not given.
        incremental: Option<Value<bool>>,
        /// How the bucket is reached.
        s3: Option<S3Text>,
    }
}

section! {
    /// A column that is called otherwise in some files.
    pub(super) struct SourceColumnText {
        /// What it was called before; one name or a list.
        from: Needed<OneOrMany<Text>>,
    }
}

section! {
    /// A table made by SQL.
    pub(super) struct TransformText {
        /// A query of sources and other transforms, by their names; of tables of Glue, as `database.table`, where Athena makes it.
        sql: Needed<Text>,
        /// Who makes its rows: `local` (where not given), or `athena`, for what is too big for one machine.
        engine: Option<Value<TransformEngine>>,
    }
}

section! {
    /// A table that is written.
    pub(super) struct OutputText {
        /// The source or transform whose rows it holds.
        from: Needed<Text>,
        /// `database.table`: lower-case letters, digits and `_`.
        table: Needed<Text>,
        /// What the table holds.
        description: Option<Text>,
        /// Comments of columns.
        columns: Option<Named<Text>>,
        /// `parquet` (where not given), `json`, `csv`, `tsv`, or `csv` with settings.
        format: Option<TextOr<FormatText>>,
        /// `none`, `gzip`, `snappy` or `zstd`, or one with its level: `{zstd: 9}`.
        compression: Option<TextOr<CompressionText>>,
        /// Exactly so many files.
        splits: Option<Value<NonZeroU64>>,
        /// Files of so many rows.
        rows_per_file: Option<Value<NonZeroU64>>,
        /// Files of about that size: `128MiB`, which is what you get.
        target_size: Option<Value<ByteSize>>,
        /// Columns that become folders; `dt` and `hour` are those of `time`.
        partition_by: Option<OneOrMany<Text>>,
        /// Readers of Glue compute the partitions instead of looking them up: `true`, or settings for keys whose values can't be told of the
        /// partitions that there are.
        partition_projection: Option<TextOr<Named<ProjectedKeyText>>>,
        /// Whose days and hours `dt` and `hour` are: a name of the IANA data base, as `Asia/Tokyo`; times stay in UTC.
        timezone: Option<Text>,
        /// The unit of times in Parquet: `millis`, which is what Athena has and what you get, `micros`, or `keep` what the rows have.
        timestamps: Option<Value<Timestamps>>,
        /// What a run does with the rows that are there.
        mode: Option<Value<Mode>>,
        /// What becomes of rows whose source file is gone, where the mode isn't `overwrite`.
        removed_sources: Option<Value<Removal>>,
        /// LF-Tags of the table.
        tags: Option<Named<Text>>,
        /// LF-Tags of single columns, by their names; `*` stands for any letters.
        column_tags: Option<Named<Named<Text>>>,
    }
}

section! {
    /// How readers compute the values of a partition key.
    pub(super) struct ProjectedKeyText {
        /// `date`, `integer`, `enum`, or `injected`: every query names its value.
        r#type: Needed<Value<ProjectedType>>,
        /// From and to: `2020-01-01,NOW` of dates, `0,23` of integers.
        range: Option<Text>,
        /// How dates are written, by Java's letters: `yyyy-MM-dd` where not given.
        format: Option<Text>,
        /// The step from one value to the next: 1 where not given.
        interval: Option<Value<NonZeroU64>>,
        /// The unit of the step of dates: `DAYS`, `HOURS`, …
        unit: Option<Text>,
        /// So many digits, with zeros in front, of integers.
        digits: Option<Value<NonZeroU64>>,
        /// All values of an `enum`.
        values: Option<Vec<Text>>,
    }
}

section! {
    /// A format with its settings; exactly one.
    pub(super) struct FormatText {
        /// Parquet, which has no settings.
        parquet: Option<NoSettings>,
        /// An object a line, which has no settings.
        json: Option<NoSettings>,
        /// CSV.
        csv: Option<CsvText>,
        /// TSV as Hive's LazySimpleSerDe has it, which has no settings.
        tsv: Option<NoSettings>,
    }
}

section! {
    /// Settings of CSV.
    pub(super) struct CsvText {
        /// `athena` (where not given), which Athena's OpenCSVSerde reads back, or `rfc4180`.
        dialect: Option<Value<crate::output::CsvDialect>>,
        /// The types of columns in Glue: `string` for all (where not given), or `native`: numbers and booleans are such, which Athena alone
        /// reads, and makes NULL of what is none.
        types: Option<Value<crate::catalog::CsvTypes>>,
        /// The name of a view beside the table in Glue that gives its columns their types.
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
    /// What must hold; exactly one of `rows`, `value`, `between`, `unique`, `not_null`, `matches` and `equals_query`. Tables in SQL are
    /// `database.table`.
    pub(super) struct CheckText {
        /// What reports call it.
        name: Option<Text>,
        /// How many rows a query gives, or a table has.
        rows: Option<RowsText>,
        /// The one value that a query gives.
        value: Option<ValueText>,
        /// The one number that a query gives lies between these, both included.
        between: Option<BetweenText>,
        /// No two rows have the same values in these columns.
        unique: Option<ColumnsText>,
        /// None of these columns has a NULL.
        not_null: Option<ColumnsText>,
        /// Every value of a column that is not NULL matches a regular expression.
        matches: Option<MatchesText>,
        /// Two queries give the same rows, in any order.
        equals_query: Option<EqualsText>,
        /// Whether the run fails (what you get) or it is only reported.
        severity: Option<Value<Severity>>,
        /// `publish`, which is what you get: readers see the new rows only if it holds.
        before: Option<Value<Publish>>,
        /// `publish`: it is checked of what readers see.
        after: Option<Value<Publish>>,
        /// Who answers: `local` (where not given), `athena`, behind the publication, or `both`, whose answers are compared.
        engine: Option<Value<CheckEngine>>,
        /// What becomes of what is published where it fails: `keep` it (where not given), or `rollback` to what was before.
        on_failure: Option<Value<OnFailure>>,
    }
}

section! {
    /// How many rows; of `sql` or `table`.
    pub(super) struct RowsText {
        /// A query.
        sql: Option<Text>,
        /// `database.table`.
        table: Option<Text>,
        /// Exactly so many.
        equals: Option<Value<f64>>,
        /// At least so many.
        min: Option<Value<f64>>,
        /// At most so many.
        max: Option<Value<f64>>,
    }
}

section! {
    /// The one value of a query.
    pub(super) struct ValueText {
        /// A query that gives one row of one column.
        sql: Needed<Text>,
        /// The value, as text.
        equals: Needed<Text>,
    }
}

section! {
    /// The one number of a query; at least one of `min` and `max`.
    pub(super) struct BetweenText {
        /// A query that gives one row of one column.
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
        /// Their names.
        columns: Needed<OneOrMany<Text>>,
    }
}

section! {
    /// What the values of a column look like.
    pub(super) struct MatchesText {
        /// `database.table`.
        table: Needed<Text>,
        /// Its name.
        column: Needed<Text>,
        /// A regular expression; `^` and `$` for all of the value.
        pattern: Needed<Text>,
    }
}

section! {
    /// Two queries of the same rows.
    pub(super) struct EqualsText {
        /// A query.
        sql: Needed<Text>,
        /// Another.
        other: Needed<Text>,
    }
}

section! {
    /// When it runs by itself.
    pub(super) struct ScheduleText {
        /// Minute, hour, day of month, month, day of week: `0 3 * * *`.
        cron: Needed<Text>,
        /// A name of the IANA data base, as `Europe/Berlin`; UTC where not given.
        timezone: Option<Text>,
        /// What is done about times that passed while nothing ran: nothing (`skip`), or one run for all (`once`).
        catch_up: Option<Value<CatchUp>>,
    }
}
