//! A real reader of tables: the Trino that `ETL_TEST_TRINO_ENDPOINT` names, with the catalog of [`crate::glue`].

use crate::glue::endpoint;
use etl::storage::wait;
use object_store::ClientOptions;
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use serde_json::Value;

/// A Trino that can be asked.
pub(crate) struct Trino(String);

impl Trino {
    /// Nothing where there is none.
    pub(crate) fn get() -> Option<Trino> {
        endpoint("ETL_TEST_TRINO_ENDPOINT").map(Trino)
    }

    /// The names of the columns of a query's result, and its rows.
    #[track_caller]
    pub(crate) fn query(&self, sql: &str) -> (Vec<String>, Vec<Vec<Value>>) {
        let mut answer = ask("POST", &format!("{}/v1/statement", self.0), sql);
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        loop {
            assert!(answer["error"].is_null(), "{sql}: {}", answer["error"]["message"]);
            if let Some(told) = answer["columns"].as_array() {
                columns = told.iter().map(|column| column["name"].as_str().unwrap().to_string()).collect();
            }
            rows.extend(answer["data"].as_array().into_iter().flatten().map(|row| row.as_array().unwrap().clone()));
            let Some(next) = answer["nextUri"].as_str().map(str::to_string) else { return (columns, rows) };
            answer = ask("GET", &next, "");
        }
    }
}

fn ask(method: &str, url: &str, body: &str) -> Value {
    let mut request = HttpRequest::new(HttpRequestBody::from(body.to_string()));
    *request.method_mut() = method.try_into().unwrap();
    *request.uri_mut() = url.parse().unwrap();
    for (name, value) in [("x-trino-user", "tests"), ("x-trino-catalog", "awsdatacatalog"), ("x-trino-time-zone", "UTC")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    wait(async move {
        let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
        let body = client.execute(request).await.unwrap().into_body().bytes().await.unwrap();
        serde_json::from_slice(&body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&body)))
    })
}
