//! Files that are added to earlier ones must make one table with them.

use super::options::ConvertOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{FormatChoice, Table, TableOptions, objects, resolve};
use crate::output::Kind;
use crate::publish::Target;
use arrow::datatypes::{Schema, SchemaRef};
use std::path::Path;

/// Checks that new files with the columns of `schema` fit the file `earlier`, which lies below the output.
///
/// # Errors
/// [`ErrorKind::Output`] where the columns or the partition folders differ, naming how.
pub(super) fn check(options: &ConvertOptions, schema: &SchemaRef, target: &Target, earlier: &Path) -> Result<()> {
    let refuse = |what: String| {
        Err(Error::new(ErrorKind::Output, format!("can't add to {}: {what}", options.output))
            .with_context("what to do", "choose another folder, or use --overwrite to replace its files"))
    };
    let folders = earlier.parent().into_iter().flat_map(Path::iter);
    let keys: Vec<String> = folders.filter_map(|f| Some(f.to_str()?.split_once('=')?.0.to_string())).collect();
    if keys != options.partition_by {
        let shown = |keys: &[String]| if keys.is_empty() { "nothing".to_string() } else { keys.join(", ") };
        return refuse(format!("its files are partitioned by {}, the new ones by {}", shown(&keys), shown(&options.partition_by)));
    }
    let below = earlier.display().to_string();
    let inputs = match target.storage() {
        Some(storage) => objects(storage, &below)?.into(),
        None => resolve(&[options.output.join(&below)])?,
    };
    let written = match options.format.kind {
        Kind::Tsv => TableOptions { format: FormatChoice::Tsv, ..TableOptions::default() },
        _ => TableOptions { delimiter: Some(b','), ..TableOptions::default() },
    };
    let known = Table::open(inputs, &written)?.format.schema();
    let columns = |schema: &Schema| -> Vec<String> {
        // Text files have no types but those that are guessed.
        let typed = options.format.kind == Kind::Parquet;
        schema.fields().iter().map(|f| if typed { format!("{} {}", f.name(), f.data_type()) } else { f.name().clone() }).collect()
    };
    let (old, new) = (columns(&known), columns(schema));
    match old == new {
        true => Ok(()),
        false => refuse(format!("its files have the columns {}, the new ones have {}", old.join(", "), new.join(", "))),
    }
}
