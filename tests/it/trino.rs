//! Trino, a reader of Glue's tables whose code is not ours; Athena's engine is made of it.

use super::http::request;
use crate::stand_in::endpoint;
use serde_json::Value;

/// A Trino that can be asked.
pub(crate) struct Trino {
    endpoint: String,
}

/// What a query gives.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Names and types.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Trino {
    /// Nothing where there is none.
    pub(crate) fn get() -> Option<Trino> {
        endpoint("ETL_TEST_TRINO_ENDPOINT").map(|endpoint| Trino::at(&endpoint))
    }

    pub(crate) fn at(endpoint: &str) -> Trino {
        Trino { endpoint: endpoint.trim_end_matches('/').to_string() }
    }

    /// What `sql` gives, or Trino's reason.
    pub(crate) fn ask(&self, sql: &str) -> Result<Rows, String> {
        let headers = [("x-trino-user", "tests"), ("x-trino-catalog", "awsdatacatalog"), ("x-trino-time-zone", "UTC")];
        let (mut method, mut url, mut body) = ("POST", format!("{}/v1/statement", self.endpoint), sql);
        let mut result = Rows { columns: Vec::new(), rows: Vec::new() };
        loop {
            let (status, text) = request(method, &url, &headers, body)?;
            let page: Value = serde_json::from_str(&text).map_err(|e| format!("Trino answered {status}, {e}: {text}"))?;
            if let Some(error) = page.get("error") {
                return Err(error["message"].as_str().unwrap_or_default().to_string());
            }
            if let Some(columns) = page["columns"].as_array() {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
                result.columns = columns.iter().map(|column| (text(&column["name"]), text(&column["type"]))).collect();
            }
            let rows = page["data"].as_array().into_iter().flatten();
            result.rows.extend(rows.map(|row| row.as_array().cloned().unwrap_or_default()));
            match page["nextUri"].as_str() {
                Some(next) => (method, url, body) = ("GET", next.to_string(), ""),
                None => return Ok(result),
            }
        }
    }

    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Rows {
        self.ask(sql).unwrap_or_else(|reason| panic!("{sql}: {reason}"))
    }

    /// The one number that `sql` gives.
    #[track_caller]
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let rows = self.rows(sql).rows;
        rows[0][0].as_i64().unwrap_or_else(|| panic!("{sql}: {rows:?}"))
    }
}
