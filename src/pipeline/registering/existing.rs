//! Files that are there already become a table of a catalog, without being read in full or changed.

use crate::catalog::{Catalog, Change, Entry, Existing, REGISTERED, Registered, Told, refuse_files_of_lakes, told_again};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Look, RowSyntax, Source, Table, TableFormat, TableOptions, each, footer, partitions_in, resolve};
use crate::schema::fit::{self, Place};
use crate::storage::{Entry as Object, Location, Storage, StoreSettings};
use crate::units::count;
use std::collections::{BTreeMap, BTreeSet};

/// Which files are to be which table.
#[derive(Debug)]
pub struct Registering<'a> {
    /// A folder, or a prefix of a bucket.
    pub location: &'a str,
    pub database: &'a str,
    pub name: &'a str,
    pub options: &'a TableOptions,
    /// Partitions are computed by readers.
    pub projected: bool,
    /// A table of somebody else is taken over.
    pub adopt: bool,
}

/// How many files are looked at to tell how they are compressed.
const LOOKED_AT: usize = 200;
/// How often it is begun again because somebody else was faster.
const MOST_TRIES: u32 = 5;

impl Registering<'_> {
    /// Tells `catalog` of the files; with what the user should know of them.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] and [`ErrorKind::Format`] where it can't be told what the files are, [`ErrorKind::Usage`] where they can't be one table
    /// or the table is somebody else's, and what the catalog says.
    pub fn register(&self, catalog: &dyn Catalog) -> Result<Registered> {
        let address = address(self.location)?;
        let found = Found::of(&address, self.options)?;
        let mut error = None;
        for _ in 0..MOST_TRIES {
            let there = catalog.look(self.database, self.name)?;
            let known = there.entry.as_ref().filter(|entry| entry.parameters.contains_key(REGISTERED));
            self.refuse_moved(&address, known)?;
            let projected = self.projected || known.is_some_and(Entry::is_projected);
            let mut told = found.tell(&address, self.database, self.name, projected)?;
            let mut notes = found.notes.clone();
            if let Some(known) = known {
                notes.extend(kept(&told, known));
                told = told_again(told, known);
            }
            match catalog.register(&there, &told, self.adopt) {
                Err(busy) if busy.kind() == ErrorKind::Conflict => error = Some(busy),
                Err(other) => return Err(other),
                Ok(registered) => return Ok(Registered { notes: notes.into_iter().chain(registered.notes).collect(), ..registered }),
            }
        }
        Err(error.unwrap_or_else(|| Error::new(ErrorKind::Internal, "nothing was tried")))
    }

    /// Readers would see other rows at once: that is not what registering once more is for.
    fn refuse_moved(&self, address: &str, known: Option<&Entry>) -> Result<()> {
        let Some(place) = known.and_then(|known| known.parameters.get(REGISTERED)).filter(|place| *place != address) else { return Ok(()) };
        let message = format!("{}.{} is registered with the files at {place}, not at {address}", self.database, self.name);
        Err(Error::new(ErrorKind::Usage, message)
            .with_context("what to do", format!("use another name, or run `etl catalog drop {}.{}` first", self.database, self.name)))
    }
}

/// The address of a folder, with a slash at its end.
fn address(location: &str) -> Result<String> {
    let parsed = Location::parse(location)?;
    if location == "-" || location.contains(['*', '?', '[']) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("`{location}` is not a folder; a table consists of all files in a folder: s3://bucket/prefix/"),
        ));
    }
    let parsed = match parsed {
        Location::Folder(path) => {
            let whole = std::fs::canonicalize(&path).map_err(|e| Error::input(path.display(), e))?;
            if whole.is_file() {
                return Err(file(location));
            }
            if whole.to_str().is_none() {
                return Err(Error::new(ErrorKind::Usage, format!("the name of {} is not UTF-8, which catalogs require", whole.display())));
            }
            Location::Folder(whole)
        }
        bucket => bucket,
    };
    Ok(format!("{}/", parsed.to_string().trim_end_matches('/')))
}

fn file(location: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("{location} is a file; a table consists of all files in a folder: name the folder"))
}

/// What the files are.
struct Found {
    table: Table,
    compression: String,
    keys: Vec<String>,
    folders: BTreeMap<String, Vec<String>>,
    notes: Vec<String>,
}

impl Found {
    fn of(address: &str, options: &TableOptions) -> Result<Found> {
        let location = Location::parse(address)?;
        let is_bucket = location.path().is_none();
        let storage = Storage::open(location)?;
        if is_bucket && storage.is_object()? {
            return Err(file(address.trim_end_matches('/')));
        }
        let mut notes = passed_over(&storage.list("")?);
        let inputs = resolve(&[address.trim_end_matches('/').to_string()])?;
        refuse_files_of_lakes(address, &inputs.sources, &StoreSettings::default())?;
        let table = Table::open(inputs, options)?;
        notes.extend(table.notes.iter().cloned());
        if let TableFormat::Log { formats, .. } = &table.format
            && formats.single().is_none()
        {
            let message = "a table of raw logs can have only one LogFormat";
            return Err(Error::new(ErrorKind::Usage, message)
                .with_context("what to do", "register the files of each format as a separate table, or convert them into one table"));
        }
        if let TableFormat::Log { formats, .. } = &table.format
            && formats.single().is_some_and(|format| format.has_headings_within())
        {
            let message = "a W3C log has headings anywhere in its files, which Athena's readers take for rows";
            return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "convert it, and register what comes of it"));
        }
        let schema = table.format.schema();
        fit::check(schema.fields().iter().map(AsRef::as_ref), Place::Athena).map_err(|error| error.with_context("files", address))?;
        let (keys, folders) = partitions(address, &table.sources, &mut notes)?;
        let compression = compression(&table, &mut notes)?;
        notes.extend(of_format(&table.format));
        Ok(Found { table, compression, keys, folders, notes })
    }

    fn tell(&self, address: &str, database: &str, name: &str, projected: bool) -> Result<Told> {
        let (format, compression) = (&self.table.format, self.compression.as_str());
        Existing { database, name, address, format, compression, keys: &self.keys, folders: &self.folders, projected }.tell()
    }
}

/// What lies in the folder and is no row for readers.
fn passed_over(objects: &[Object]) -> Vec<String> {
    let mut notes = Vec::new();
    let is_hidden = |object: &&Object| object.key.split('/').any(|part| part.starts_with(['_', '.']));
    let mut say = |what: &str, some: Vec<&Object>| {
        if let Some(first) = some.first() {
            let more = if some.len() > 1 { format!(", and {} more", count(some.len() as u64 - 1)) } else { String::new() };
            notes.push(format!("{what}: {}{more}", first.key));
        }
    };
    say("hidden files are ignored, here and by readers", objects.iter().filter(is_hidden).collect());
    let is_empty = |object: &&Object| object.size == 0 && !is_hidden(object) && !object.key.ends_with('/') && !object.key.is_empty();
    say("empty files have no rows", objects.iter().filter(is_empty).collect());
    notes
}

/// The values of the partition keys, by folder.
type Folders = BTreeMap<String, Vec<String>>;

/// The partition keys, and the folders with their values. Folders that are no partitions are read with the one that they lie in.
fn partitions(address: &str, sources: &[Source], notes: &mut Vec<String>) -> Result<(Vec<String>, Folders)> {
    let mut known: Option<(Vec<String>, &str)> = None;
    let (mut folders, mut odd): (BTreeMap<String, Vec<String>>, BTreeSet<String>) = Default::default();
    for source in sources {
        let below = source.path.strip_prefix(address).unwrap_or(&source.path);
        let parts: Vec<&str> = below.rsplit_once('/').map_or("", |(folder, _)| folder).split('/').filter(|part| !part.is_empty()).collect();
        let is_key = |part: &&&str| part.split_once('=').is_some_and(|(key, _)| !key.is_empty());
        let partition: Vec<&str> = parts.iter().take_while(is_key).copied().collect();
        if partition.len() < parts.len() {
            odd.insert(parts.join("/"));
            if parts[partition.len()..].iter().any(|part| is_key(&part)) {
                let message =
                    format!("{} is in folders like `k=v` below a folder that isn't one: readers find no partitions there", source.path);
                return Err(Error::new(ErrorKind::Format, message)
                    .with_context("what to do", "name the folder directly above the first one of that form"));
            }
        }
        let folder = partition.join("/");
        let pairs = partitions_in(&folder);
        if let Some((key, _)) = pairs.iter().find(|(_, value)| value.is_empty()) {
            let message = format!("{} is in a folder `{key}=` without a value, which catalogs don't support", source.path);
            return Err(Error::new(ErrorKind::Format, message).with_context(
                "what to do",
                format!("rename the folder to {key}=__HIVE_DEFAULT_PARTITION__, which means NULL, or move the file"),
            ));
        }
        let keys: Vec<String> = pairs.iter().map(|(key, _)| key.clone()).collect();
        match &known {
            None => known = Some((keys, &source.path)),
            Some((first, path)) if *first != keys => {
                let shown = |keys: &[String]| if keys.is_empty() { "none".to_string() } else { keys.join("/") };
                let message = format!("{} and {path} are in partitions with different keys, so they can't be one table", source.path);
                return Err(Error::new(ErrorKind::Format, message).with_context("keys", format!("{} and {}", shown(&keys), shown(first))));
            }
            Some(_) => {}
        }
        folders.insert(folder, pairs.into_iter().map(|(_, value)| value).collect());
    }
    if let Some(first) = odd.first() {
        let more = if odd.len() > 1 { format!(", and {} more", count(odd.len() as u64 - 1)) } else { String::new() };
        notes.push(format!("folders that are no partitions are read with the one above them: {first}{more}"));
    }
    Ok((known.map(|(keys, _)| keys).unwrap_or_default(), folders))
}

/// By which all files are compressed; told by what is in them, and readers go by their names.
fn compression(table: &Table, notes: &mut Vec<String>) -> Result<String> {
    let sources = &table.sources[..table.sources.len().min(LOOKED_AT)];
    if let TableFormat::Parquet { .. } = table.format {
        let Some(file) = sources.first() else { return Ok("none".to_string()) };
        let Some(opened) = file.open_random()? else { return Ok("none".to_string()) };
        let footer = footer(&opened, &file.path)?;
        let codec = footer.metadata().row_groups().first().and_then(|group| group.columns().first()).map(|column| column.compression());
        let name = codec.map_or("none".to_string(), |codec| codec.to_string().to_lowercase());
        return Ok(match name.split('(').next().unwrap_or_default() {
            "uncompressed" => "none".to_string(),
            name => name.to_string(),
        });
    }
    let mut codecs: BTreeMap<&'static str, &str> = BTreeMap::new();
    let mut misnamed = Vec::new();
    for (source, look) in sources.iter().zip(each(sources, Look::at)) {
        let codec = look?.compression.name();
        codecs.entry(codec).or_insert(&source.path);
        let by_name = match source.path.rsplit('.').next().unwrap_or_default() {
            "gz" => "gzip",
            "zst" => "zstd",
            "bz2" => "bzip2",
            _ => "none",
        };
        if by_name != codec {
            misnamed.push((&source.path, codec, by_name));
        }
    }
    if let Some((path, codec, by_name)) = misnamed.first() {
        let more = if misnamed.len() > 1 { format!(", and {} more", count(misnamed.len() as u64 - 1)) } else { String::new() };
        notes.push(format!(
            "{path}{more}: its content is of compression `{codec}` and its name says `{by_name}`, by which readers of S3 go: rename it"
        ));
    }
    if codecs.len() > 1 {
        let shown: Vec<String> = codecs.iter().map(|(codec, path)| format!("{codec} ({path})")).collect();
        notes.push(format!("files have different compression, which readers detect by file name: {}", shown.join(", ")));
        return Ok("none".to_string());
    }
    Ok(codecs.into_keys().next().unwrap_or("none").to_string())
}

/// What is to be said of files of a format that no etl wrote.
fn of_format(format: &TableFormat) -> Vec<String> {
    match format {
        TableFormat::Rows { syntax: RowSyntax::Csv(options), .. } => {
            let mut notes = vec!["columns of CSV are text, which every reader understands".to_string()];
            if options.dialect == crate::input::CsvDialect::Rfc4180 {
                notes.push("Athena treats a line end within quotes as a new row; `etl convert` avoids them".to_string());
            }
            notes
        }
        TableFormat::Log { .. } => {
            vec!["a line that doesn't match the format is a row of NULLs; a value logged as `-` is NULL".to_string()]
        }
        TableFormat::Rows { syntax: RowSyntax::Tsv { .. }, .. }
        | TableFormat::Json { .. }
        | TableFormat::Parquet { .. }
        | TableFormat::Hive(_) => Vec::new(),
    }
}

/// What is to be said where the files are found to have other columns than the table, which keeps its own.
fn kept(told: &Told, known: &Entry) -> Option<String> {
    let shape =
        |entry: &Entry| entry.storage.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect::<Vec<_>>();
    (shape(&told.entry) != shape(known)).then(|| {
        format!("{} keeps its columns, but the files now have others; drop and register it again to rebuild it", known.full_name())
    })
}

/// What became of it, in words.
pub fn said(registered: &Registered) -> String {
    let verb = match registered.change {
        Change::Created => "is registered",
        Change::Updated => "is updated",
        Change::Unchanged if registered.wrote() => "has other partitions",
        Change::Unchanged => "is so already",
        Change::Later => "already has a later version",
    };
    let mut text = format!("{} {verb}", registered.table);
    for (number, what) in [(registered.created, "registered"), (registered.updated, "moved"), (registered.deleted, "taken away")] {
        if number > 0 {
            text.push_str(&format!(", {} {} {what}", count(number), if number == 1 { "partition" } else { "partitions" }));
        }
    }
    text
}
