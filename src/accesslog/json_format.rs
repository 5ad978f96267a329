//! Formats of JSON lines, made ready for reading.

use super::column::{Column, Nothing, Source, columns};
use super::directive::{Directive, Field};
use super::format::{Lex, LogFormat, Step, time_groups};
use super::guard::Guard;
use super::json_keys;
use super::parsed::Escapes;
use super::prefix::Prefix;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{DataType, TimeUnit};

/// The column of what has no place in a format.
pub(super) const EXTRA: &str = "extra";

/// Columns of which an entry of an access log has one at least.
const OF_REQUESTS: [&str; 10] = ["host", "method", "path", "request", "status", "c_ip", "cs_method", "cs_uri_stem", "sc_status", "bytes"];

impl LogFormat {
    /// The format `text` in the notation of [`json_keys`].
    ///
    /// # Errors
    /// [`ErrorKind::Format`] where it isn't in it.
    pub(super) fn of_keys(before: Prefix, name: &str, text: &str) -> Result<LogFormat> {
        if text.contains('\n') {
            return Err(Error::new(ErrorKind::Format, "a format of JSON lines must be written in one line"));
        }
        let (directives, keys) = json_keys::parse(text)?;
        let found: Vec<(Directive, Vec<u8>)> = directives.into_iter().map(|directive| (directive, Vec::new())).collect();
        let (groups, membership) = time_groups(&found);
        let step = |((directive, _), group): (&(Directive, Vec<u8>), &Option<usize>)| Step {
            lex: lex(&directive.field, *group),
            after: Vec::new(),
            text: directive.text.clone(),
            conditional: true,
            user: false,
            guard: Guard::None,
            ident: false,
            endpoint: false,
            quoted_next: false,
            short: None,
        };
        let steps: Vec<Step> = found.iter().zip(&membership).map(step).collect();
        let units: Vec<TimeUnit> = groups.iter().map(|group| group.unit).collect();
        let mut columns = columns(&found, &units, &membership, Escapes::Json);
        for column in &mut columns {
            if let Source::Text { nothing: nothing @ Nothing::Empty, .. } = &mut column.source {
                *nothing = Nothing::Either;
            }
        }
        let of_step = |step: usize| {
            columns.iter().any(|column| {
                let is_of = match column.source {
                    Source::Text { step: of, .. } | Source::Number { step: of } | Source::Request { step: of, .. } => of == step,
                    Source::Target { step: of, .. } => of == step,
                    _ => false,
                };
                is_of && OF_REQUESTS.contains(&column.name.as_str())
            })
        };
        let essential = (0..steps.len()).filter(|step| of_step(*step)).collect();
        let taken = |name: &str| columns.iter().any(|column| column.name == name);
        let name_of_rest =
            std::iter::once(EXTRA.to_string()).chain((2..).map(|number| format!("{EXTRA}_{number}"))).find(|name| !taken(name));
        columns.push(Column {
            name: name_of_rest.unwrap_or_default(),
            data_type: DataType::Utf8View,
            directive: "all other keys".to_string(),
            source: Source::Extra,
        });
        Ok(LogFormat {
            name: name.to_string(),
            text: text.to_string(),
            before,
            prefix: Vec::new(),
            steps,
            groups,
            escapes: Escapes::Json,
            heading: None,
            keys: Some(keys),
            essential,
            columns,
            notes: Vec::new(),
        })
    }

    /// Whether its lines are JSON objects that are read by their keys.
    pub fn is_keyed(&self) -> bool {
        self.keys.is_some()
    }
}

fn lex(field: &Field, group: Option<usize>) -> Lex {
    match field {
        Field::Time { items, .. } => Lex::Time { items: items.clone(), group },
        Field::Int(_) => Lex::Number { long: false, empty: true, signed: true },
        Field::Long(_) | Field::BytesOut { .. } => Lex::Number { long: true, empty: true, signed: true },
        Field::Millis(_) => Lex::Millis { empty: true },
        Field::Double(_) => Lex::Double { empty: true },
        _ => Lex::BeforeEnd { user: false },
    }
}
