//! A lake of one test, in a folder or in a bucket: pipelines that are run in it, and what readers see.

use crate::etl::{Etl, Outcome, generated};
use crate::minio::Minio;
use etl::storage::{Location, Storage};
use serde_json::Value;
use std::ops::Deref;

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

/// A folder to run the program in, and a lake.
pub(crate) struct Lake {
    etl: Etl,
    /// Where it is, as pipelines and commands name it.
    pub(crate) location: String,
    bucket: Option<Minio>,
}

/// Makes of each test two: one with its lake in a folder, one with its lake in a bucket.
macro_rules! on_both_lakes {
    ($($name:ident),* $(,)?) => {
        mod in_a_folder {
            $(#[test] fn $name() { super::$name(&crate::lake::Lake::in_folder()); })*
        }
        mod in_a_bucket {
            $(#[test] fn $name() { if let Some(lake) = crate::lake::Lake::in_bucket() { super::$name(&lake); } })*
        }
    };
}
pub(crate) use on_both_lakes;

impl Deref for Lake {
    type Target = Etl;

    fn deref(&self) -> &Etl {
        &self.etl
    }
}

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
}

impl Lake {
    pub(crate) fn in_folder() -> Lake {
        Lake { etl: Etl::new(), location: "lake".to_string(), bucket: None }
    }

    /// Nothing where there is no store.
    pub(crate) fn in_bucket() -> Option<Lake> {
        let minio = Minio::get()?;
        let etl = Etl::new().with("AWS_ENDPOINT_URL_S3", &minio.endpoint).with("AWS_REGION", "us-east-1");
        Some(Lake { etl, location: format!("s3://{}/lake", minio.bucket), bucket: Some(minio) })
    }

    /// Reaches the bucket by another way.
    pub(crate) fn through(self, endpoint: &str) -> Lake {
        Lake { etl: self.etl.with("AWS_ENDPOINT_URL_S3", endpoint), ..self }
    }

    /// Writes a pipeline, with its lake where this one is.
    pub(crate) fn pipeline(&self, name: &str, text: impl AsRef<str>) -> &Lake {
        self.write(name, text.as_ref().replace("location: lake}", &format!("location: '{}'}}", self.location)));
        self
    }

    /// What the program writes as JSON.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &str) -> Value {
        serde_json::from_slice(&self.etl(&format!("{arguments} --json")).ok().stdout).unwrap()
    }

    /// The first value that a query of the lake gives.
    #[track_caller]
    pub(crate) fn value(&self, sql: &str) -> String {
        let outcome = self.run(["query", "--lake", &self.location, "--format", "csv", sql]).ok();
        let text = String::from_utf8(outcome.stdout).unwrap();
        text.lines().nth(1).unwrap_or_default().to_string()
    }

    /// The lake's objects, if there is a lake.
    pub(crate) fn storage(&self) -> Option<Storage> {
        match &self.bucket {
            Some(minio) => Some(minio.storage("lake")),
            None => Storage::open(Location::Folder(self.path("lake"))).ok(),
        }
    }

    /// All keys below a folder of the lake, sorted.
    pub(crate) fn below(&self, folder: &str) -> Vec<String> {
        self.storage().map(|storage| storage.list(folder).unwrap()).unwrap_or_default().into_iter().map(|entry| entry.key).collect()
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
