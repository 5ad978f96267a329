//! What is asked of each data set.

use crate::sql_text::quoted;
use arrow::datatypes::{DataType, Schema};
use serde::Serialize;

/// What tables are called in a question.
pub(super) const TABLE: &str = "log";

/// A query of the table `log`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    pub name: String,
    pub sql: String,
    /// The same for tables in folders, where it is said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partitioned_sql: Option<String>,
}

impl Question {
    /// One by its SQL, or by `NAME=SQL`; `number` names one without a name.
    pub fn parse(text: &str, number: usize) -> Question {
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        let (name, sql) = match text.split_once('=').map(|(name, sql)| (name.trim(), sql)) {
            Some((name, sql)) if is_name(name) => (name.to_string(), sql),
            _ => (format!("query {number}"), text),
        };
        Question { name, sql: sql.trim().to_string(), partitioned_sql: None }
    }

    /// All rows, those where a text has something in it, and three columns: those of the article where the rows are of a log.
    pub(super) fn usual(schema: &Schema) -> Vec<Question> {
        let question = |name: &str, sql: String| Question { name: name.to_string(), sql, partitioned_sql: None };
        let has = |name: &str| schema.field_with_name(name).is_ok();
        let mut questions = vec![question("all", format!("SELECT * FROM {TABLE}"))];
        let is_text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let text = schema.fields().iter().find(|field| is_text(field.data_type()));
        match text {
            _ if has("path") => questions.push(question("like", format!("SELECT * FROM {TABLE} WHERE path LIKE '%.php%'"))),
            Some(text) => questions.push(question("like", format!("SELECT * FROM {TABLE} WHERE {} LIKE '%e%'", quoted(text.name())))),
            None => {}
        }
        let columns = match ["host", "path", "status"].into_iter().all(has) {
            true => "host, path, status".to_string(),
            false => schema.fields().iter().take(3).map(|field| quoted(field.name())).collect::<Vec<_>>().join(", "),
        };
        questions.push(question("columns", format!("SELECT {columns} FROM {TABLE}")));
        questions
    }

    /// The rows of one day, which folders of `dt` have together.
    pub(super) fn of_day(day: &str, next: &str) -> Question {
        Question {
            name: "day".to_string(),
            sql: format!("SELECT * FROM {TABLE} WHERE time >= TIMESTAMP '{day} 00:00:00' AND time < TIMESTAMP '{next} 00:00:00'"),
            partitioned_sql: Some(format!("SELECT * FROM {TABLE} WHERE dt = DATE '{day}'")),
        }
    }

    /// The SQL for a table that has folders, or none.
    pub fn sql(&self, partitioned: bool) -> &str {
        match &self.partitioned_sql {
            Some(sql) if partitioned => sql,
            _ => &self.sql,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::Field;

    #[test]
    fn a_name_stands_before_an_equals_sign() {
        let parsed = |text| {
            let question = Question::parse(text, 2);
            (question.name, question.sql)
        };
        assert_eq!(parsed("errors=SELECT * FROM log WHERE status=500").0, "errors");
        assert_eq!(parsed("SELECT * FROM log WHERE status=500"), ("query 2".into(), "SELECT * FROM log WHERE status=500".into()));
    }

    #[test]
    fn any_table_has_questions() {
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, true), Field::new("a\"b", DataType::Utf8, true)]);
        let sqls: Vec<String> = Question::usual(&schema).into_iter().map(|question| question.sql).collect();
        assert_eq!(sqls, ["SELECT * FROM log", "SELECT * FROM log WHERE \"a\"\"b\" LIKE '%e%'", "SELECT \"n\", \"a\"\"b\" FROM log"]);
    }
}
