//! The Glue of the tests, asked and changed by somebody else than the program.

use super::http::request;
use serde_json::{Value, json};

/// A Glue that can be asked.
pub(crate) struct Glue {
    pub(crate) endpoint: String,
}

impl Glue {
    /// The answer to `operation`; the error that it gave, as it gave it.
    pub(crate) fn ask(&self, operation: &str, body: &Value) -> Result<Value, Value> {
        let target = format!("AWSGlue.{operation}");
        // moto finds the service by the scope, and believes every signature.
        let scope = "AWS4-HMAC-SHA256 Credential=tests/20200101/us-east-1/glue/aws4_request, SignedHeaders=host, Signature=0";
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1"), ("authorization", scope)];
        let (status, text) = request("POST", &self.endpoint, &headers, &body.to_string()).unwrap();
        let answer = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status == 200 { Ok(answer) } else { Err(answer) }
    }

    #[track_caller]
    pub(crate) fn done(&self, operation: &str, body: &Value) -> Value {
        self.ask(operation, body).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// The table, if it is there.
    pub(crate) fn table(&self, database: &str, name: &str) -> Option<Value> {
        self.ask("GetTable", &json!({"DatabaseName": database, "Name": name})).ok().map(|answer| answer["Table"].clone())
    }

    /// Its partitions; there are few.
    #[track_caller]
    pub(crate) fn partitions(&self, database: &str, table: &str) -> Vec<Value> {
        let answer = self.done("GetPartitions", &json!({"DatabaseName": database, "TableName": table}));
        assert!(answer.get("NextToken").is_none(), "more partitions than come at once");
        answer["Partitions"].as_array().unwrap().clone()
    }

    /// Changes a table as somebody does who reads it, and writes it back.
    #[track_caller]
    pub(crate) fn change(&self, database: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let table = self.table(database, name).unwrap_or_else(|| panic!("there is no table {database}.{name}"));
        let mut input = json!({});
        let kept = [
            "Name",
            "Description",
            "Owner",
            "Retention",
            "StorageDescriptor",
            "PartitionKeys",
            "TableType",
            "Parameters",
            "ViewOriginalText",
            "ViewExpandedText",
        ];
        for key in kept {
            if let Some(value) = table.get(key) {
                input[key] = value.clone();
            }
        }
        change(&mut input);
        self.done("UpdateTable", &json!({"DatabaseName": database, "TableInput": input}));
    }
}
