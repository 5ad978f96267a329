//! Stand-ins for AWS's Glue, and for what Athena runs: moto and Trino, where `ETL_TEST_GLUE_ENDPOINT` and `ETL_TEST_TRINO_ENDPOINT` name them.
//! Where they don't, what needs them is skipped, loudly, and `ETL_TEST_REQUIRE=aws` forbids that.

use crate::etl::{Etl, Outcome};
use crate::minio::Minio;
use crate::stand_in::endpoint;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// A bucket, and a database of Glue that Trino reads.
pub(crate) struct StandIns {
    pub(crate) minio: Minio,
    pub(crate) database: String,
    pub(crate) glue_endpoint: String,
    trino_endpoint: String,
    pub(crate) etl: Etl,
}

impl StandIns {
    /// An empty bucket and an empty database, or nothing where there is no stand-in.
    pub(crate) fn get() -> Option<StandIns> {
        let (glue_endpoint, trino_endpoint) = (endpoint("ETL_TEST_GLUE_ENDPOINT")?, endpoint("ETL_TEST_TRINO_ENDPOINT")?);
        let minio = Minio::get()?;
        let database = minio.bucket.replace('-', "_");
        let etl = Etl::new()
            .with("AWS_ENDPOINT_URL_S3", &minio.endpoint)
            .with("AWS_ENDPOINT_URL_GLUE", &glue_endpoint)
            .with("AWS_REGION", "us-east-1");
        let there = StandIns { minio, database, glue_endpoint, trino_endpoint, etl };
        there.glue("CreateDatabase", &json!({"DatabaseInput": {"Name": there.database}}));
        Some(there)
    }

    /// What Glue answers to `action`.
    pub(crate) fn glue(&self, action: &str, body: &Value) -> Value {
        let headers = format!(
            "X-Amz-Target: AWSGlue.{action}\r\nContent-Type: application/x-amz-json-1.1\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/glue/aws4_request, SignedHeaders=host, Signature=0\r\n"
        );
        post("POST", &self.glue_endpoint, "/", &headers, &body.to_string())
    }

    /// Writes an object to the bucket.
    pub(crate) fn put(&self, key: &str, content: impl AsRef<[u8]>) {
        self.minio.storage("").put(key, content.as_ref().to_vec()).unwrap();
    }

    /// How rows are stored below `folder` of the bucket.
    pub(crate) fn stored(&self, folder: &str, columns: &[(&str, &str)], input: &str, serde: &str, settings: &Value) -> Value {
        let columns: Vec<Value> = columns.iter().map(|(name, data_type)| json!({"Name": name, "Type": data_type})).collect();
        json!({
            "Columns": columns,
            "Location": format!("s3://{}/{folder}/", self.minio.bucket),
            "InputFormat": input,
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": settings},
        })
    }

    /// Makes a table.
    pub(crate) fn table(&self, name: &str, stored: &Value, parameters: &Value, keys: &[(&str, &str)]) {
        let keys: Vec<Value> = keys.iter().map(|(name, data_type)| json!({"Name": name, "Type": data_type})).collect();
        let input = json!({
            "Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": parameters, "PartitionKeys": keys, "StorageDescriptor": stored,
        });
        self.glue("CreateTable", &json!({"DatabaseName": self.database, "TableInput": input}));
    }

    /// The rows that Trino gives for `sql`, in which `$` is the database, as JSON; and how many bytes it read.
    pub(crate) fn trino(&self, sql: &str) -> (Vec<Vec<Value>>, u64) {
        let headers = format!(
            "X-Trino-User: test\r\nX-Trino-Catalog: awsdatacatalog\r\nX-Trino-Schema: {}\r\nX-Trino-Time-Zone: UTC\r\n",
            self.database
        );
        let mut answer = post("POST", &self.trino_endpoint, "/v1/statement", &headers, &sql.replace('$', &self.database));
        let mut rows = Vec::new();
        loop {
            assert!(answer["error"].is_null(), "{sql}: {}", answer["error"]["message"]);
            for row in answer["data"].as_array().into_iter().flatten() {
                rows.push(row.as_array().unwrap().clone());
            }
            let Some(next) = answer["nextUri"].as_str() else { break };
            let path = next.splitn(4, '/').nth(3).unwrap();
            answer = post("GET", &self.trino_endpoint, &format!("/{path}"), &headers, "");
        }
        (rows, answer["stats"]["physicalInputBytes"].as_u64().unwrap())
    }

    /// What `etl query` gives for `sql`, in which `$` is the database.
    pub(crate) fn query(&self, sql: &str) -> Outcome {
        let sql = sql.replace('$', &self.database);
        self.etl.run(["query", "--catalog", "glue", "--format", "json", sql.as_str()])
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        // A panic here would hide the one of the test.
        let body = json!({"Name": self.database}).to_string();
        let _ = std::panic::catch_unwind(|| self.glue("DeleteDatabase", &serde_json::from_str(&body).unwrap_or_default()));
    }
}

/// The JSON that an address answers.
fn post(method: &str, endpoint: &str, path: &str, headers: &str, body: &str) -> Value {
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap_or_else(|e| panic!("{endpoint} can't be reached: {e}"));
    let length = body.len();
    // With this version the answer ends where the connection does.
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer of HTTP: {answer}"));
    assert!(head.contains(" 200 "), "{method} {path}: {answer}");
    serde_json::from_str(body).unwrap_or_default()
}
