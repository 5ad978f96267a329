//! All integration tests, in one binary: it links once.

mod apache_truth;
mod architecture;
mod cli;
mod convert;
mod decoder_edges;
mod decoder_properties;
mod etl;
mod fixture;
mod golden_logs;
mod inputs;
mod log_line;
mod minio;
mod nginx_truth;
mod parser_cases;
mod partitions;
mod pipeline_errors;
mod publish;
mod readme;
mod rejects;
mod report;
mod rows;
mod s3;
mod splits;
mod table;
mod validate;
