//! All integration tests, in one binary: it links once.

mod apache_truth;
mod fixture;
mod golden_logs;
mod nginx_truth;
mod parser_cases;
mod table;
