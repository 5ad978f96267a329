//! A lake of one test: pipelines that are run in it, and what readers see.

use crate::etl::{Etl, Outcome, generated};
use serde_json::Value;
use std::fs;

/// A pipeline that adds the logs of a folder to a table.
pub(crate) const APPEND: &str = "
version: 1
name: weblogs
lake: {location: lake}
sources:
  access: {location: logs/*.log}
outputs:
  access: {from: access, table: weblogs.access, format: parquet, mode: append}
";

impl Etl {
    /// The report of a run that must end with `code`.
    #[track_caller]
    pub(crate) fn run_pipeline(&self, arguments: &str, code: i32) -> Value {
        let outcome = self.etl(&format!("run {arguments} --json")).fails(code);
        serde_json::from_slice(&outcome.stdout).unwrap_or_else(|e| panic!("{e}: {}", outcome.stderr))
    }

    /// The program, with arguments that have no spaces in them.
    pub(crate) fn etl(&self, arguments: &str) -> Outcome {
        self.run(arguments.split_whitespace())
    }

    /// The first value that a query of the lake gives.
    #[track_caller]
    pub(crate) fn value(&self, sql: &str) -> String {
        let outcome = self.run(["query", "--lake", "lake", "--format", "csv", sql]).ok();
        let text = String::from_utf8(outcome.stdout).unwrap();
        text.lines().nth(1).unwrap_or_default().to_string()
    }

    /// All keys below a folder of the lake, sorted.
    pub(crate) fn below(&self, folder: &str) -> Vec<String> {
        fn walk(path: &std::path::Path, shown: &str, found: &mut Vec<String>) {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                let name = format!("{shown}/{}", entry.file_name().to_string_lossy());
                match entry.path().is_dir() {
                    true => walk(&entry.path(), &name, found),
                    false => found.push(name),
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.path(folder), folder, &mut found);
        found.sort();
        found
    }
}

/// The action that a report tells of its output `name`.
#[track_caller]
pub(crate) fn action<'a>(report: &'a Value, name: &str) -> &'a str {
    let outputs = report["outputs"].as_array().unwrap();
    outputs.iter().find(|output| output["name"] == name).unwrap_or_else(|| panic!("{report}"))["action"].as_str().unwrap()
}

/// A log of `lines` requests, all on one day of March 2020.
pub(crate) fn log_of_day(day: u32, lines: u64) -> Vec<u8> {
    let text = String::from_utf8(generated(lines)).unwrap();
    let moved = text.lines().map(|line| {
        let (before, rest) = line.split_once('[').unwrap();
        let (_, after) = rest.split_once(']').unwrap();
        format!("{before}[{day:02}/Mar/2020:12:00:00 +0000]{after}\n")
    });
    moved.collect::<String>().into_bytes()
}
