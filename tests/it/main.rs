//! All integration tests, in one binary: it links once.

mod apache_truth;
mod decoder_edges;
mod decoder_properties;
mod fixture;
mod golden_logs;
mod log_line;
mod nginx_truth;
mod parser_cases;
mod table;
