//! A page of a result, as Athena gives it.

use crate::error::{Error, ErrorKind, Result};
use crate::units::count;
use aws_sdk_athena::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_athena::types::{ColumnInfo, Row};

/// Rows of texts, and what is said of their columns.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) columns: Vec<ColumnInfo>,
    pub(super) rows: Vec<Row>,
    /// Where the next page is, if there is one.
    pub(super) next: Option<String>,
    /// How many rows a statement wrote.
    pub(super) written: Option<u64>,
}

impl Page {
    pub(super) fn of(answer: GetQueryResultsOutput) -> Page {
        let next = answer.next_token.filter(|token| !token.is_empty());
        let written = answer.update_count.and_then(|count| u64::try_from(count).ok()).filter(|count| *count > 0);
        let (rows, metadata) = answer.result_set.map(|set| (set.rows, set.result_set_metadata)).unwrap_or_default();
        let columns = metadata.and_then(|metadata| metadata.column_info).unwrap_or_default();
        Page { columns, rows: rows.unwrap_or_default(), next, written }
    }

    /// Takes the row of names away that stands before the rows of a query; what describes tables has none.
    pub(super) fn behead(&mut self) {
        let is_head = |row: &Row| {
            let names = self.columns.iter().map(|column| Some(column.name()));
            row.data().len() == self.columns.len() && row.data().iter().map(|datum| datum.var_char_value()).eq(names)
        };
        if self.rows.first().is_some_and(is_head) {
            self.rows.remove(0);
        }
    }
}

/// The values of `row`, which is the `number`th, one for each of `width` columns.
///
/// # Errors
/// [`ErrorKind::Query`] where there are more or less.
pub(super) fn values(row: &Row, width: usize, number: u64) -> Result<Vec<Option<&str>>> {
    let data: Vec<Option<&str>> = row.data().iter().map(|datum| datum.var_char_value()).collect();
    match data[..] {
        _ if data.len() == width => Ok(data),
        // DESCRIBE gives lines, in which tabs stand between the columns.
        [line] if line.is_none_or(|line| line.split('\t').count() <= width) => {
            let cells = line.unwrap_or_default().split('\t').map(Some);
            Ok(cells.chain(std::iter::repeat(None)).take(width).collect())
        }
        _ => {
            let error = format!("row {} of Athena's answer has {} values, where there are {width} columns", count(number), data.len());
            Err(Error::new(ErrorKind::Query, error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_athena::types::Datum;

    fn row(values: &[Option<&str>]) -> Row {
        let data = values.iter().map(|value| Datum::builder().set_var_char_value(value.map(str::to_string)).build());
        Row::builder().set_data(Some(data.collect())).build()
    }

    fn page(rows: Vec<Row>) -> Page {
        let column = |name: &str| ColumnInfo::builder().name(name).r#type("varchar").build().expect("it has name and type");
        Page { columns: vec![column("a"), column("b")], rows, next: None, written: None }
    }

    #[test]
    fn only_a_row_of_names_is_a_head() {
        let mut headed = page(vec![row(&[Some("a"), Some("b")]), row(&[Some("a"), Some("b")])]);
        headed.behead();
        assert_eq!(headed.rows.len(), 1);
        for other in [row(&[Some("a"), None]), row(&[Some("a")]), row(&[Some("b"), Some("a")])] {
            let mut other = page(vec![other]);
            other.behead();
            assert_eq!(other.rows.len(), 1);
        }
        page(Vec::new()).behead();
    }

    #[test]
    fn a_line_of_describe_is_cut_at_its_tabs() {
        assert_eq!(values(&row(&[Some("id\tint\t")]), 3, 1).unwrap(), [Some("id"), Some("int"), Some("")]);
        assert_eq!(values(&row(&[Some("")]), 3, 1).unwrap(), [Some(""), None, None]);
        assert_eq!(values(&row(&[Some("a"), None]), 2, 1).unwrap(), [Some("a"), None]);
        let error = values(&row(&[Some("a"), Some("b")]), 3, 1_234).unwrap_err();
        assert!(error.to_string().starts_with("row 1,234 of Athena's answer has 2 values"), "{error}");
        assert!(values(&row(&[Some("a\tb\tc\td")]), 3, 1).is_err());
    }
}
