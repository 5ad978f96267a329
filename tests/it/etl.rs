//! Runs the program in a folder of its own, and keeps what it said.

use arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The program, and the folder it runs in.
pub(crate) struct Etl {
    folder: TempDir,
    /// What is set in the environment of the program.
    environment: Vec<(String, String)>,
    /// What is not, whatever is set where the tests run.
    unset: Vec<String>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Etl {
    pub(crate) fn new() -> Etl {
        Etl { folder: tempfile::tempdir().unwrap(), environment: Vec::new(), unset: Vec::new() }
    }

    /// Sets a variable in the environment of the program.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Etl {
        self.environment.push((name.to_string(), value.to_string()));
        self
    }

    /// Takes a variable out of the environment of the program.
    pub(crate) fn without(mut self, name: &str) -> Etl {
        self.unset.push(name.to_string());
        self
    }

    /// The path of `name` in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, its folders made.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Etl {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes a generated log.
    pub(crate) fn log(&self, name: &str, lines: u64) -> &Etl {
        self.write(name, generated(lines))
    }

    /// Writes a file of Parquet with these columns.
    pub(crate) fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(fs::File::create(self.path(name)).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// All names in a folder, hidden ones too, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.path(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A command that is yet to be run.
    pub(crate) fn command(&self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Outcome {
        Outcome::of(self.command(arguments).output().unwrap())
    }

    /// `etl convert` with arguments that have no spaces in them.
    pub(crate) fn convert(&self, arguments: &str) -> Outcome {
        self.run(["convert"].into_iter().chain(arguments.split_whitespace()))
    }

    /// The report of a conversion that must succeed.
    pub(crate) fn report(&self, arguments: &str) -> Value {
        let outcome = self.convert(&format!("{arguments} --report json")).ok();
        serde_json::from_slice(&outcome.stdout).unwrap()
    }

    /// `etl convert`, with `input` on standard input.
    pub(crate) fn pipe(&self, arguments: &str, input: &[u8]) -> Outcome {
        let mut child = self.command(["convert"].into_iter().chain(arguments.split_whitespace())).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // The program may end before it has read all.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let outcome = Outcome::of(child.wait_with_output().unwrap());
        writer.join().unwrap();
        outcome
    }
}

impl Outcome {
    pub(crate) fn of(output: Output) -> Outcome {
        Outcome { code: output.status.code(), stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Outcome {
        self.fails(0)
    }

    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> Outcome {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Outcome {
        assert!(self.stderr.contains(text), "`{text}` is not in: {}", self.stderr);
        self
    }

    /// What was said, without the figures that change from run to run.
    pub(crate) fn scrubbed(&self) -> String {
        let scrub = |line: &str| -> String {
            let words: Vec<&str> = line
                .split(", ")
                .map(|word| match word {
                    word if word.ends_with("MB/s") => "[rate]",
                    word if word.strip_suffix(" s").is_some_and(|seconds| seconds.parse::<f64>().is_ok()) => "[time]",
                    word => word,
                })
                .collect();
            words.join(", ")
        };
        self.stderr.lines().map(scrub).collect::<Vec<_>>().join("\n")
    }
}

/// The program under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_etl"))
}

/// A log in the combined format.
pub(crate) fn generated(lines: u64) -> Vec<u8> {
    let mut log = Vec::new();
    etl::generate::generate(&etl::generate::GenerateOptions { lines, ..Default::default() }, &mut log).unwrap();
    log
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}
