//! Columns that become text because not all of their values are of their type.

use super::blocks::{BlockReader, Content};
use super::framing::Framing;
use super::many::each;
use super::source::Source;
use crate::decode::{Decoder, parts};
use crate::error::{Error, ErrorKind, Result};
use crate::tabular::text_of;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many values of which columns of the sources are none of their types, by the columns' places. All sources are read for that, so that
/// it depends on nothing but the input.
///
/// # Errors
/// [`ErrorKind::Usage`] for standard input, which can't be read twice; [`ErrorKind::Input`] where a source can't be read.
pub(super) fn misfits(sources: &[Source], framing: Framing, decoder: impl Fn() -> Box<dyn Decoder> + Sync) -> Result<BTreeMap<usize, u64>> {
    if let Some(stream) = sources.iter().find(|source| source.is_stream()) {
        let message = format!("{} can be read once, and --on-mismatch text reads its input twice", stream.path);
        return Err(
            Error::new(ErrorKind::Usage, message).with_context("what to do", "save it to a file, or give --on-mismatch reject or null")
        );
    }
    let decoder = &decoder;
    let look = move |source: &Source| {
        let (mut found, mut decoder): (BTreeMap<usize, u64>, _) = (BTreeMap::new(), decoder());
        decoder.arrange(source.layout.as_ref());
        let mut reader = BlockReader::open(source, framing)?;
        while let Some(block) = reader.next_block()? {
            decoder.head(block.heading.as_ref());
            let Content::Records(bytes) = block.content else { continue };
            for decoded in parts(decoder.as_mut(), &bytes) {
                decoded?.mismatches.into_iter().for_each(|(column, values)| *found.entry(column).or_default() += values);
            }
        }
        Ok(found)
    };
    let mut all: BTreeMap<usize, u64> = BTreeMap::new();
    for found in each(sources, look) {
        found?.into_iter().for_each(|(column, values)| *all.entry(column).or_default() += values);
    }
    Ok(all)
}

/// `schema` with text for the columns at `places`.
pub(super) fn with_text(schema: &SchemaRef, places: &BTreeMap<usize, u64>) -> SchemaRef {
    let new = |(index, field): (usize, &Arc<Field>)| match places.contains_key(&index) {
        true => Arc::new(Field::new(field.name(), text_of(field.data_type()), field.is_nullable())),
        false => field.clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().enumerate().map(new).collect::<Vec<_>>()))
}
