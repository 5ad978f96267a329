//! An Athena that says what a test wants it to: answers by operation, in the JSON of its API, and what was asked of it.

use super::etl::Etl;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What is answered once.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    body: Value,
    after: Duration,
}

/// The stub, until it is dropped.
pub(crate) struct AthenaStub {
    pub(crate) endpoint: String,
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// By operation; the last answer stays.
    script: Mutex<HashMap<String, VecDeque<Answer>>>,
    /// The operations asked for, and the heads and bodies of the requests.
    calls: Mutex<Vec<(String, String, Value)>>,
    stopped: AtomicBool,
}

pub(crate) fn ok(body: Value) -> Answer {
    Answer { status: 200, body, after: Duration::ZERO }
}

/// An error in the form that Athena has.
pub(crate) fn refused(kind: &str, code: &str, message: &str) -> Answer {
    let body = json!({"__type": kind, "AthenaErrorCode": code, "ErrorCode": code, "Message": message});
    Answer { status: 400, body, after: Duration::ZERO }
}

/// How a query stands.
pub(crate) fn execution(state: &str) -> Value {
    json!({"QueryExecution": {
        "QueryExecutionId": "q-1",
        "Query": "SELECT 1",
        "StatementType": "DML",
        "SubstatementType": "SELECT",
        "Status": {"State": state},
        "Statistics": {
            "DataScannedInBytes": 12_300_000, "TotalExecutionTimeInMillis": 1_400, "QueryQueueTimeInMillis": 100, "EngineExecutionTimeInMillis": 1_200,
        },
    }})
}

/// A query that ended for `reason`, with `error` as Athena's own.
pub(crate) fn ended(state: &str, reason: &str, error: Value) -> Value {
    let mut execution = execution(state);
    execution["QueryExecution"]["Status"]["StateChangeReason"] = reason.into();
    if !error.is_null() {
        execution["QueryExecution"]["Status"]["AthenaError"] = error;
    }
    execution
}

/// A page of a result: columns of name, type, precision and scale; rows of texts, in which null is NULL.
pub(crate) fn page(columns: &[(&str, &str, i32, i32)], rows: &[Value], next: Option<&str>) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, kind, precision, scale)| {
            json!({"CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": name, "Label": name, "Type": kind,
                "Precision": precision, "Scale": scale, "Nullable": "UNKNOWN", "CaseSensitive": false})
        })
        .collect();
    let datum = |value: &Value| if value.is_null() { json!({}) } else { json!({"VarCharValue": value}) };
    let row = |row: &Value| json!({"Data": row.as_array().unwrap().iter().map(datum).collect::<Vec<_>>()});
    let rows: Vec<Value> = rows.iter().map(row).collect();
    let mut page = json!({"UpdateCount": 0, "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": columns}}});
    if let Some(next) = next {
        page["NextToken"] = next.into();
    }
    page
}

impl Answer {
    /// The same, given so much later.
    pub(crate) fn after(self, after: Duration) -> Answer {
        Answer { after, ..self }
    }
}

impl AthenaStub {
    pub(crate) fn start() -> AthenaStub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let serving = state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if serving.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(client), state) = (client, serving.clone()) else { continue };
                // A client that goes away ends its connection, and nothing else.
                thread::spawn(move || drop(serve(client, &state)));
            }
        });
        AthenaStub { endpoint: format!("http://{address}"), address, state }
    }

    /// A stub that runs any query to its end, which gives one page.
    pub(crate) fn giving(page: Value) -> AthenaStub {
        let stub = AthenaStub::start();
        stub.says("StartQueryExecution", [ok(json!({"QueryExecutionId": "q-1"}))]);
        stub.says("GetQueryExecution", [ok(execution("SUCCEEDED"))]);
        stub.says("StopQueryExecution", [ok(json!({}))]);
        stub.says("GetQueryResults", [ok(page)]);
        stub
    }

    /// Sets what is answered to `operation`, one after the other; the last is said again and again.
    pub(crate) fn says(&self, operation: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state.script.lock().unwrap().insert(operation.to_string(), answers.into_iter().collect());
    }

    /// What was asked for by `operation`, in its order.
    pub(crate) fn calls(&self, operation: &str) -> Vec<Value> {
        let calls = self.state.calls.lock().unwrap();
        calls.iter().filter(|(asked, ..)| asked == operation).map(|(.., body)| body.clone()).collect()
    }

    /// All operations that were asked for, in their order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.state.calls.lock().unwrap().iter().map(|(operation, ..)| operation.clone()).collect()
    }

    /// All that was sent to it.
    pub(crate) fn sent(&self) -> String {
        let calls = self.state.calls.lock().unwrap();
        calls.iter().map(|(_, head, body)| format!("{head}{body}\n")).collect()
    }

    /// Waits until `operation` was asked for.
    #[track_caller]
    pub(crate) fn wait_for(&self, operation: &str) {
        let begun = Instant::now();
        while self.calls(operation).is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{operation} was not asked for");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The program, with keys, in a folder of its own, that takes the stub for Athena.
    pub(crate) fn etl(&self) -> Etl {
        without_settings()
            .with("AWS_ENDPOINT_URL_ATHENA", &self.endpoint)
            .with("AWS_ACCESS_KEY_ID", "AKIDOFTHETESTS")
            .with("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
            .with("AWS_REGION", "eu-central-1")
    }
}

/// The program where nobody has set up anything of AWS.
pub(crate) fn without_settings() -> Etl {
    let nowhere = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let empty = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_ATHENA",
        "ETL_ATHENA_WORKGROUP",
        "ETL_ATHENA_PRICE_PER_TB",
        "ETL_LAKE",
    ];
    let etl = nowhere.iter().fold(Etl::new(), |etl, (name, value)| etl.with(name, value));
    empty.iter().fold(etl, |etl, name| etl.without(name)).with("AWS_MAX_ATTEMPTS", "4")
}

impl Drop for AthenaStub {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for clients.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(client: TcpStream, state: &State) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut client = client;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let header = |name: &str| {
            let line = head.lines().filter_map(|line| line.split_once(':')).find(|(found, _)| found.eq_ignore_ascii_case(name));
            line.map(|(_, value)| value.trim().to_string()).unwrap_or_default()
        };
        let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let target = header("x-amz-target");
        let operation = target.rsplit('.').next().unwrap_or_default().to_string();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        state.calls.lock().unwrap().push((operation.clone(), head, body));
        let answer = {
            let mut script = state.script.lock().unwrap();
            let answers = script.get_mut(&operation);
            let answer = answers.and_then(|answers| if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() });
            answer.unwrap_or_else(|| refused("InvalidRequestException", "INVALID_INPUT", &format!("the test has no answer to {operation}")))
        };
        thread::sleep(answer.after);
        let body = answer.body.to_string();
        write!(
            client,
            "HTTP/1.1 {} Answer\r\nContent-Type: application/x-amz-json-1.1\r\nx-amzn-RequestId: request-1\r\nContent-Length: {}\r\n\r\n{body}",
            answer.status,
            body.len()
        )?;
    }
}
