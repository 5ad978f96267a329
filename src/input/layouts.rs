//! CSV and TSV files of one table whose headers differ: columns are told by their names, wherever they stand. What a file hasn't is NULL, and
//! where the columns are guessed, one that is new in a later file is one of the table.

use super::beginnings::{first_records, long_start};
use super::blocks::{Block, BlockReader, Content};
use super::framing::Framing;
use super::lacking::note_lacking;
use super::many::each;
use super::options::TableOptions;
use super::source::Source;
use crate::decode::Layout;
use crate::error::{Error, ErrorKind, Result};
use crate::tabular::{Renames, RowGuess, RowSyntax, check_header, guess_rows, header_names, plain_name};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The columns of `sources`, of which each is told how its records lie where they don't lie so; what the user should know goes to `notes`.
///
/// # Errors
/// [`ErrorKind::Format`] for a header that is broken, has no column of the table, or has one that a declared table hasn't.
pub(super) fn columns(sources: &mut [Source], syntax: RowSyntax, options: &TableOptions, notes: &mut Vec<String>) -> Result<SchemaRef> {
    let headers = headers(sources, syntax, &options.renames)?;
    let schema = match &options.schema {
        Some(declared) if !options.guessed => declared.clone(),
        known => guessed(sources, &headers, syntax, known.as_ref(), &options.renames, notes)?,
    };
    let mut missing: BTreeMap<usize, (u64, String)> = BTreeMap::new();
    // Most files have one header.
    let mut known: HashMap<&[String], Kind> = HashMap::new();
    for (source, header) in sources.iter_mut().zip(&headers) {
        let Some(header) = header else { continue };
        if !known.contains_key(header.names.as_slice()) {
            let Arranged { mut layout, unknown } = arrange(&header.names, &schema);
            if !unknown.is_empty() || layout.fields.iter().all(Option::is_none) {
                // Values of a column that the table hasn't would be lost, and of two that are alike it isn't known which is which: then
                // all names must be the table's, in its order. What is expected is named, and the delimiter where that is what is wrong.
                check_header(&source.path, &header.start, syntax, &schema)?;
                layout.fields = (0..layout.width).map(Some).collect();
            }
            let is_plain = layout.width == schema.fields().len() && layout.fields.iter().enumerate().all(|(at, field)| *field == Some(at));
            let lacks = layout.fields.iter().enumerate().filter(|(_, field)| field.is_none()).map(|(column, _)| column).collect();
            known.insert(&header.names, Kind { layout: (!is_plain).then(|| Arc::new(layout)), lacks });
        }
        let Some(Kind { layout, lacks }) = known.get(header.names.as_slice()) else { continue };
        for column in lacks {
            missing.entry(*column).or_insert_with(|| (0, source.path.clone())).0 += 1;
        }
        source.layout.clone_from(layout);
    }
    let lacking: Vec<(&str, u64, &str)> =
        missing.iter().map(|(column, (files, first))| (schema.field(*column).name().as_str(), *files, first.as_str())).collect();
    note_lacking(&lacking, notes);
    Ok(schema)
}

/// The files of one header.
struct Kind {
    /// How their records lie, where that isn't as in the table.
    layout: Option<Arc<Layout>>,
    /// The columns that they haven't.
    lacks: Vec<usize>,
}

/// The first line of a file.
struct Header {
    names: Vec<String>,
    /// The file's start.
    start: Vec<u8>,
}

/// So much of a file's start is kept to say what is wrong with it.
const KEPT: usize = 1 << 10;

/// The headers of all sources, with the names that columns have now; nothing of those without anything in them.
fn headers(sources: &[Source], syntax: RowSyntax, renames: &Renames) -> Result<Vec<Option<Header>>> {
    let framing = Framing::Rows(syntax.with_header(false));
    let read = |source: &Source| match BlockReader::peek(source, framing)?.starting_small().next_block()? {
        Some(Block { content: Content::Records(start), .. }) => {
            let names = renamed(&source.path, header_names(&source.path, &start, syntax)?, renames)?;
            // The header, and some records: there may be very many files.
            let line = memchr::memchr(b'\n', &start).map_or(start.len(), |end| end + 1);
            Ok(Some(Header { names, start: start[..line.max(KEPT).min(start.len())].to_vec() }))
        }
        Some(Block { content: Content::LongLine { head, .. }, .. }) => Err(long_start(source, &head)),
        None => Ok(None),
    };
    each(sources, read).collect()
}

/// The `names` of the header of the file at `path`, as columns are called now.
fn renamed(path: &str, names: Vec<String>, renames: &Renames) -> Result<Vec<String>> {
    let now: Vec<String> = names.iter().map(|name| renames.now(name).to_string()).collect();
    for (at, name) in now.iter().enumerate().filter(|(at, name)| names[*at] != **name) {
        if let Some(other) = (0..now.len()).find(|other| *other != at && now[*other] == *name) {
            let message = format!(
                "{path}:1: `{}` and `{}` are both the column `{name}`, but a file can have only one of them",
                names[other], names[at]
            );
            return Err(Error::new(ErrorKind::Format, message)
                .with_context("what to do", "leave the name out of the column's `from`, and put the two together in SQL: coalesce(…)"));
        }
    }
    Ok(now)
}

/// The columns that all sources have together: those that are `known`, then what is new, file by file.
fn guessed(
    sources: &[Source],
    headers: &[Option<Header>],
    syntax: RowSyntax,
    known: Option<&SchemaRef>,
    renames: &Renames,
    notes: &mut Vec<String>,
) -> Result<SchemaRef> {
    // Files with one header are guessed together.
    let mut kinds: Vec<(&Header, Vec<Source>)> = Vec::new();
    for (source, header) in sources.iter().zip(headers) {
        let Some(header) = header else { continue };
        match kinds.iter_mut().find(|(known, _)| known.names == header.names) {
            Some((_, alike)) => alike.push(source.clone()),
            None => kinds.push((header, vec![source.clone()])),
        }
    }
    let guess = |sources: &[Source]| -> Result<RowGuess> {
        let (path, start) = first_records(sources, Framing::Rows(syntax.with_header(false)), Framing::Rows(syntax))?;
        guess_rows(&path, &start, syntax).map(|guess| guess.renamed(renames))
    };
    let Some(known) = known else {
        let mut all: Option<RowGuess> = None;
        for (header, alike) in &kinds {
            let found = guess(alike)?;
            all = Some(match all {
                None => found,
                Some(all) => {
                    if !all.names().any(|name| found.names().any(|other| plain_name(name) == plain_name(other))) {
                        check_header(&alike[0].path, &header.start, syntax, &all.schema())?;
                    }
                    all.merged(found)
                }
            });
        }
        // Where nothing is in any of them, that is told.
        return all.map_or_else(|| guess(sources).map(|guess| guess.schema()), |all| Ok(all.schema()));
    };
    let mut fields: Vec<Field> = known.fields().iter().map(|field| Field::clone(field)).collect();
    for (header, alike) in &kinds {
        let Arranged { layout, .. } = arrange(&header.names, known);
        // That a file is none of this table is told where all are arranged.
        if layout.fields.iter().all(Option::is_none) {
            continue;
        }
        for (at, field) in guess(alike)?.schema().fields().iter().enumerate() {
            let own = layout.fields.iter().position(|file| *file == Some(at));
            let alike_to = || fields.iter().position(|known| plain_name(known.name()) == plain_name(field.name()));
            let place = own.or_else(alike_to);
            grow(&mut fields, place, field, &alike[0].path, notes);
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Takes a column that `files` have into the guessed `fields` of a table: whole numbers become fractions where these files have such, and a
/// column that isn't at any `place` comes last. A value that is otherwise none of its column's type is a reject: one makes no text of a column.
pub(super) fn grow(fields: &mut Vec<Field>, place: Option<usize>, found: &Field, files: &str, notes: &mut Vec<String>) {
    let name = found.name();
    match place.map(|place| &mut fields[place]) {
        Some(known) if *known.data_type() == DataType::Int64 && *found.data_type() == DataType::Float64 => {
            notes.push(format!("column `{name}`, which held whole numbers, has fractions in {files}: it is double now"));
            *known = Field::new(known.name(), DataType::Float64, true);
        }
        Some(_) => {}
        None => {
            notes.push(format!("column `{name}` is new in {files}: it is NULL in what was read before"));
            fields.push(found.clone());
        }
    }
}

/// How a header's names lie to the columns of a table.
struct Arranged {
    layout: Layout,
    /// Names that no column has.
    unknown: Vec<usize>,
}

/// Which of `names` is which column of `schema`: by the name itself, else by one that differs in capitals and signs only.
fn arrange(names: &[String], schema: &Schema) -> Arranged {
    let mut taken = vec![false; names.len()];
    let mut fields: Vec<Option<usize>> = vec![None; schema.fields().len()];
    let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
    for exact in [true, false] {
        for (field, column) in fields.iter_mut().zip(schema.fields()).filter(|(field, _)| field.is_none()) {
            let wanted = plain_name(column.name());
            let is_it = |at: usize| !taken[at] && if exact { names[at] == *column.name() } else { plain[at] == wanted };
            let mut found = (0..names.len()).filter(|at| is_it(*at));
            // Two that are alike are none of it.
            if let (Some(at), None) = (found.next(), found.next()) {
                *field = Some(at);
                taken[at] = true;
            }
        }
    }
    let unknown = (0..names.len()).filter(|at| !taken[*at]).collect();
    Arranged { layout: Layout { width: names.len(), fields }, unknown }
}

/// The error of a table that can't have a column.
pub(super) fn nested(schema: &Schema, syntax: RowSyntax) -> Option<Error> {
    let field = schema.fields().iter().find(|field| field.data_type().is_nested())?;
    let name = syntax.name().to_uppercase();
    let message = format!("column {} has a type that {name} can't represent: {}", field.name(), field.data_type());
    Some(Error::new(ErrorKind::Usage, message).with_context("what to do", "declare it as string, or read JSON"))
}
