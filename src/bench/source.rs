//! The rows that are compared.

use crate::accesslog::Preset;
use crate::catalog::resolve;
use crate::error::{Error, ErrorKind, Result};
use crate::generate::{GenerateOptions, generate};
use crate::input::{Place, Source, Table, TableOptions};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// As many lines as the published comparison's log has.
pub const GENERATED_LINES: u64 = 148_534;

/// Where rows come from.
#[derive(Debug, Clone, Default)]
pub struct SourceArguments {
    /// Files, folders, globs, buckets, `-`; a generated log where there are none.
    pub inputs: Vec<String>,
    /// How they are read,
    pub options: TableOptions,
    /// and the arguments of `etl convert` that say the same.
    pub arguments: Vec<String>,
}

/// Rows that can be read again and again.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What `etl convert` is given.
    pub(super) inputs: Vec<String>,
    pub(super) table: Table,
    /// As people call them.
    pub(super) name: String,
    /// Differs where the rows may differ.
    pub(super) fingerprint: String,
    pub(super) bytes: u64,
}

impl SourceArguments {
    /// The rows, `scale` times; what can be read only once, or has to be made, is kept in `data`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] and [`ErrorKind::Format`] where they can't be read, [`ErrorKind::Output`] where they can't be kept.
    pub(super) fn prepare(&self, scale: u32, data: &Path) -> Result<Prepared> {
        fs::create_dir_all(data).map_err(|e| Error::output(data.display(), e))?;
        let (inputs, name) = match self.inputs.as_slice() {
            [] => (vec![generated(data)?], format!("a generated log of {} lines", crate::units::count(GENERATED_LINES))),
            [only] if only == "-" => (vec![spooled(data)?], "standard input".to_string()),
            inputs => (inputs.to_vec(), inputs.join(", ")),
        };
        let sources = resolve(&inputs)?.sources;
        self.refuse_own(&sources, data)?;
        let mut digest = Sha256::new();
        for argument in [env!("CARGO_PKG_VERSION"), &scale.to_string()].into_iter().chain(self.arguments.iter().map(String::as_str)) {
            digest.update(argument.len().to_le_bytes());
            digest.update(argument);
        }
        let mut bytes = 0;
        for source in &sources {
            bytes += digested(source, &mut digest)?;
        }
        let fingerprint = hex::encode(&digest.finalize()[..6]);
        let inputs = match scale {
            1 => inputs,
            many => vec![repeated(&sources, many, &data.join(&fingerprint).join("input"))?],
        };
        let table = Table::open(resolve(&inputs)?, &self.options)?;
        let name = if scale == 1 { name } else { format!("{name}, {scale} times") };
        Ok(Prepared { inputs, table, name, fingerprint, bytes: bytes * u64::from(scale) })
    }

    /// What earlier comparisons made is not what is to be compared.
    fn refuse_own(&self, sources: &[Source], data: &Path) -> Result<()> {
        let Ok(data) = fs::canonicalize(data) else { return Ok(()) };
        let is_own = |source: &&Source| match &source.place {
            Place::File(file) => fs::canonicalize(file.path()).is_ok_and(|path| path.starts_with(&data)),
            Place::Stream(_) | Place::Object(_) => false,
        };
        // What was generated or read from a pipe is kept there, too.
        let made = self.inputs.is_empty() || self.inputs == ["-"];
        match sources.iter().find(is_own).filter(|_| !made) {
            None => Ok(()),
            Some(source) => {
                let message = format!("{} belongs to an earlier benchmark, and is among the inputs", source.path);
                Err(Error::new(ErrorKind::Usage, message)
                    .with_context("what to do", "name the input files, or a --data folder that is not among them"))
            }
        }
    }
}

/// Takes the bytes of a file into the digest, and of an object its name and size; how many there are.
fn digested(source: &Source, digest: &mut Sha256) -> Result<u64> {
    let Place::File(file) = &source.place else {
        digest.update(source.path.as_bytes());
        digest.update(source.size.unwrap_or_default().to_le_bytes());
        return Ok(source.size.unwrap_or_default());
    };
    let failed = |e| Error::input(&source.path, e);
    let mut file = File::open(file.path()).map_err(failed)?;
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            read => {
                digest.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
    digest.update(bytes.to_le_bytes());
    Ok(bytes)
}

fn generated(data: &Path) -> Result<String> {
    let path = data.join(format!("generated-{GENERATED_LINES}.log"));
    if !path.exists() {
        let options = GenerateOptions { lines: GENERATED_LINES, format: Preset::Combined, ..GenerateOptions::default() };
        kept(&path, |out| generate(&options, out))?;
    }
    Ok(path.display().to_string())
}

/// Standard input, as a file that is called by what is in it.
fn spooled(data: &Path) -> Result<String> {
    let path = data.join("standard-input");
    kept(&path, |out| io::copy(&mut io::stdin().lock(), out).map(drop).map_err(|e| Error::input("standard input", e)))?;
    Ok(path.display().to_string())
}

/// Makes a file that is there as a whole or not at all.
fn kept(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let failed = |e| Error::output(path.display(), e);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(file.as_file_mut());
    write(&mut out)?;
    out.flush().map_err(failed)?;
    drop(out);
    file.persist(path).map(drop).map_err(|e| failed(e.error))
}

/// A folder that has each file `times` times under other names.
fn repeated(sources: &[Source], times: u32, folder: &Path) -> Result<String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| Error::output(folder.display(), e))?;
    }
    fs::create_dir_all(folder).map_err(|e| Error::output(folder.display(), e))?;
    for (number, source) in sources.iter().enumerate() {
        let Place::File(file) = &source.place else {
            let message = format!("{} is not a local file, and only those can be repeated {times} times", source.path);
            return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "leave --scale out"));
        };
        let name = file.path().file_name().map(PathBuf::from).unwrap_or_default();
        for time in 0..times {
            let link = folder.join(format!("{time:04}-{number:04}-{}", name.display()));
            // Where no second name can be given, as to a file of another disk, it is copied.
            fs::hard_link(file.path(), &link)
                .or_else(|_| fs::copy(file.path(), &link).map(drop))
                .map_err(|e| Error::output(link.display(), e))?;
        }
    }
    Ok(folder.display().to_string())
}
