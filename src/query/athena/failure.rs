//! What Athena's reasons mean for who asked: where in the query it is, and what to do.

use super::request::Request;
use super::statistics::Statistics;
use crate::diagnostic::caret;
use crate::error::{Error, ErrorKind};
use crate::printable::printable;
use crate::units::ByteSize;
use aws_sdk_athena::types::{QueryExecution, QueryExecutionState};
use std::ops::Range;

/// The error of a query that Athena did not take: `code` is why it finds the request wrong, if it is that. `other` makes the error of what
/// is no matter of SQL.
pub(super) fn not_started(request: &Request, code: Option<&str>, told: Option<&str>, other: impl FnOnce(&str) -> Error) -> Error {
    let reason = Reason::of(told.unwrap_or_default());
    if code == Some("MALFORMED_QUERY") || reason.place.is_some() {
        return advised(reason.pointed(&request.sql), &reason, request);
    }
    let error = other("can't start the query");
    // What to do about all else is told already.
    if code.is_some() { advised(error, &reason, request) } else { error }
}

/// The error of a query that Athena began and did not end.
pub(super) fn ended(request: &Request, execution: &QueryExecution, statistics: &Statistics) -> Error {
    let status = execution.status();
    let told = status.and_then(|status| status.state_change_reason()).filter(|reason| !reason.trim().is_empty());
    let detail = status.and_then(|status| status.athena_error()).and_then(|error| error.error_message());
    let reason = Reason::of(told.or(detail).unwrap_or("Athena gives no reason"));
    let cancelled = status.and_then(|status| status.state()) == Some(&QueryExecutionState::Cancelled);
    let error = match cancelled {
        true if reason.text.contains("scanned limit") => {
            let message = format!("Athena stopped the query: it scanned more than workgroup {} lets a query scan", request.workgroup);
            Error::new(ErrorKind::Query, message)
        }
        true => Error::new(ErrorKind::Query, format!("the query was cancelled: {}", reason.text)),
        false => reason.pointed(&request.sql),
    };
    let error = error.with_context("query id", &statistics.id);
    let error = match cancelled && statistics.scanned > 0 {
        true => error.with_context("scanned", format!("{}, which is charged for", ByteSize(statistics.scanned))),
        false => error,
    };
    advised(error, &reason, request)
}

/// Whether Athena says that there is no workgroup of the name.
pub(super) fn names_no_workgroup(told: &str) -> bool {
    told.starts_with("WorkGroup") && told.contains("not found")
}

/// The table that Athena can't find: its database and its name.
pub(super) fn unknown_table(error: &QueryExecution) -> Option<(String, String)> {
    let reason = Reason::of(error.status()?.state_change_reason()?);
    if reason.code != Some("TABLE_NOT_FOUND") {
        return None;
    }
    let name = reason.text.split('\'').nth(1)?;
    let mut parts = name.rsplit('.');
    let (table, database) = (parts.next()?, parts.next()?);
    Some((database.to_string(), table.to_string()))
}

/// A reason taken apart: `COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved`.
struct Reason<'a> {
    code: Option<&'a str>,
    /// The line and the column in it, from 1.
    place: Option<(usize, usize)>,
    text: &'a str,
}

impl<'a> Reason<'a> {
    fn of(told: &'a str) -> Reason<'a> {
        // What follows is the same under each reason.
        let told = told.split("This query ran against the").next().unwrap_or(told).trim();
        let is_code = |text: &str| text.len() > 3 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        let (code, text) = match told.split_once(": ") {
            Some((code, text)) if is_code(code) => (Some(code), text),
            _ => (None, told),
        };
        let placed = text.strip_prefix("line ").and_then(|text| {
            let (place, text) = text.split_once(": ")?;
            let (line, column) = place.split_once(':')?;
            Some(((line.parse().ok()?, column.parse().ok()?), text))
        });
        match placed {
            Some((place, text)) => Reason { code, place: Some(place), text },
            None => Reason { code, place: None, text },
        }
    }

    /// The error of it, with a caret under the place in the query, where one is told.
    fn pointed(&self, sql: &str) -> Error {
        let code = self.code.map(|code| format!("{code}: ")).unwrap_or_default();
        let shown = self.place.and_then(|(line, column)| {
            let line = sql.lines().nth(line.checked_sub(1)?)?;
            Some(caret(line, word(line, column), "here"))
        });
        match shown {
            Some(shown) => Error::of_lines(ErrorKind::Query, format!("{}\n{shown}", printable(&format!("{code}{}", self.text)))),
            None => Error::new(ErrorKind::Query, format!("{code}{}", self.text)),
        }
    }

    /// What to do about it.
    fn advice(&self, request: &Request) -> Option<String> {
        let says = |text: &str| self.text.contains(text);
        let workgroup = &request.workgroup;
        let advice = match self.code.unwrap_or_default() {
            _ if says("Lake Formation") => {
                "Lake Formation decides here: have its administrator grant these credentials what the reason names (SELECT on the table's \
                 columns, DESCRIBE on its database and on `default`)"
            }
            "TABLE_NOT_FOUND" | "SCHEMA_NOT_FOUND" | "CATALOG_NOT_FOUND" => {
                "name it as database.table, or give --database; tables that these credentials may not see aren't found either"
            }
            "COLUMN_NOT_FOUND" => {
                "DESCRIBE shows its columns; a column that Lake Formation doesn't grant to these credentials looks missing, too"
            }
            "HIVE_BAD_DATA" => "a file of the table has other types than the catalog says; the reason names the file and column",
            "HIVE_TOO_MANY_OPEN_PARTITIONS" | "HIVE_EXCEEDED_PARTITION_LIMIT" => {
                "a statement can write at most 100 partitions: write fewer at a time"
            }
            _ if names_no_workgroup(self.text) => {
                return Some(format!(
                    "name another by --workgroup or ETL_ATHENA_WORKGROUP (`etl athena workgroup list` shows them), or make it: \
                     etl athena workgroup ensure {workgroup} --max-scan 10GB"
                ));
            }
            _ if says("output location") || says("OutputLocation") || says("output bucket") => match request.result_location.is_some() {
                true if says("anaged") => "leave --result-location out: the workgroup has its results kept by Athena",
                true => {
                    "let these credentials write there, in a bucket of the query's region, or let Athena keep the results: \
                         etl athena workgroup ensure NAME --max-scan 10GB"
                }
                false => {
                    return Some(format!(
                        "let Athena keep the results (etl athena workgroup ensure {workgroup} --max-scan 10GB), or say where: \
                         --result-location s3://BUCKET/PREFIX/"
                    ));
                }
            },
            _ if says("scanned limit") => {
                return Some(format!(
                    "ask for fewer columns, partitions or days, or raise the limit: etl athena workgroup ensure {workgroup} --max-scan SIZE"
                ));
            }
            "PERMISSION_DENIED" => {
                "the policy of these credentials must allow what the reason names: Athena, Glue, and S3 of the table's files"
            }
            _ if says("Access Denied") || says("AccessDenied") || says("Access denied") || says("not authorized") => {
                "the policy of these credentials must allow what the reason names: Athena, Glue, and S3 of the table's files and of the result"
            }
            _ if says("exhausted resources") || self.code == Some("EXCEEDED_MEMORY_LIMIT") => {
                "ask for less: fewer columns, an ORDER BY with a LIMIT, smaller tables on the right of joins, approx_distinct for distinct counts"
            }
            _ if says("timeout") || self.code == Some("EXCEEDED_TIME_LIMIT") => {
                "a query runs for 30 minutes at most unless the account has a higher quota: ask for less"
            }
            _ if says("SlowDown") || says("Please reduce your request rate") => {
                "S3 is asked too often: wait, or make fewer and larger files (etl convert --target-size 128MiB)"
            }
            _ => return None,
        };
        Some(advice.to_string())
    }
}

fn advised(error: Error, reason: &Reason<'_>, request: &Request) -> Error {
    match reason.advice(request) {
        Some(advice) => error.with_context("what to do", advice),
        None => error,
    }
}

/// The bytes of the word of `line` that begins at character `column`, from 1; of one character at least, or where the line ends.
fn word(line: &str, column: usize) -> Range<usize> {
    let start = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let rest = &line[start..];
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        _ => rest.find(|c: char| !(c.is_alphanumeric() || "_.$@".contains(c))).unwrap_or(rest.len()),
    };
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start..start + length.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_athena::types::{AthenaError, QueryExecutionStatus};

    fn request(sql: &str) -> Request {
        Request { sql: sql.to_string(), workgroup: "etl".to_string(), ..Request::default() }
    }

    fn told(sql: &str, state: QueryExecutionState, reason: &str) -> String {
        let status = QueryExecutionStatus::builder().state(state).state_change_reason(reason).build();
        let execution = QueryExecution::builder().status(status).build();
        let statistics = Statistics { id: "q-1".to_string(), scanned: 12_300_000, ..Statistics::default() };
        ended(&request(sql), &execution, &statistics).to_string()
    }

    #[test]
    fn a_place_has_a_caret() {
        let reason = "COLUMN_NOT_FOUND: line 2:8: Column 'stauts' cannot be resolved or requester is not authorized to access requested \
                      resources\nThis query ran against the \"db\" database, unless qualified by the query. Please post";
        let text = told("-- é\nSELECT stauts FROM t", QueryExecutionState::Failed, reason);
        let expected = "\
COLUMN_NOT_FOUND: Column 'stauts' cannot be resolved or requester is not authorized to access requested resources
  SELECT stauts FROM t
         ^^^^^^ here
  query id: q-1
  what to do: DESCRIBE shows its columns; a column that Lake Formation doesn't grant to these credentials looks missing, too";
        assert_eq!(text, expected);
        let text = told("SELECT 1", QueryExecutionState::Failed, "SYNTAX_ERROR: line 9:9: what");
        assert!(text.starts_with("SYNTAX_ERROR: what\n  query id"), "{text}");
        let error =
            not_started(&request("SELEC 1"), Some("MALFORMED_QUERY"), Some("line 1:1: mismatched input 'SELEC'"), |_| unreachable!());
        assert!(error.to_string().contains("\n  SELEC 1\n  ^^^^^ here"), "{error}");
    }

    #[test]
    fn words_are_what_is_meant() {
        assert_eq!(word("SELECT a.b, c", 8), 7..10);
        assert_eq!(word("SELECT \"a b\" x", 8), 7..12);
        assert_eq!(word("SELECT ÄÖ", 8), 7..11);
        assert_eq!(word("SELECT *", 8), 7..8);
        assert_eq!(word("SELECT €", 8), 7..10);
        assert_eq!(word("SELECT", 99), 6..6);
        assert_eq!(word("", 0), 0..0);
    }

    #[test]
    fn each_reason_has_its_way_out() {
        for (state, reason, advice) in [
            (QueryExecutionState::Cancelled, "Bytes scanned limit was exceeded", "ensure etl --max-scan SIZE"),
            (QueryExecutionState::Failed, "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.t' does not exist", "--database"),
            (
                QueryExecutionState::Failed,
                "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s)",
                "grant",
            ),
            (QueryExecutionState::Failed, "Query exhausted resources at this scale factor", "ask for less"),
            (QueryExecutionState::Failed, "PERMISSION_DENIED: Access Denied on s3", "policy"),
        ] {
            assert!(told("SELECT * FROM t", state, reason).contains(advice), "{reason}");
        }
        let text = told("SELECT 1", QueryExecutionState::Cancelled, "Bytes scanned limit was exceeded");
        assert!(text.contains("workgroup etl lets") && text.contains("scanned: 12.3 MB, which is charged for"), "{text}");
        for (message, advice) in [
            ("WorkGroup is not found.", "etl athena workgroup ensure etl"),
            ("No output location provided. An output location is required", "--result-location"),
        ] {
            let error =
                not_started(&request("SELECT 1"), Some("INVALID_INPUT"), Some(message), |doing| Error::new(ErrorKind::Query, doing));
            assert!(error.to_string().contains(advice), "{error}");
        }
    }

    #[test]
    fn a_reason_may_be_missing_or_stand_in_the_error() {
        let error = AthenaError::builder().error_message("GENERIC_INTERNAL_ERROR: null").build();
        let status = QueryExecutionStatus::builder().state(QueryExecutionState::Failed).athena_error(error).build();
        let execution = QueryExecution::builder().status(status).build();
        assert!(ended(&request(""), &execution, &Statistics::default()).to_string().starts_with("GENERIC_INTERNAL_ERROR: null"));
        assert!(told("", QueryExecutionState::Failed, " ").starts_with("Athena gives no reason"));
        let status =
            QueryExecutionStatus::builder().state_change_reason("TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.t' does not exist");
        let execution = QueryExecution::builder().status(status.build()).build();
        assert_eq!(unknown_table(&execution), Some(("db".to_string(), "t".to_string())));
    }
}
