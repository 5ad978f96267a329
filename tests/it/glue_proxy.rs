//! What stands between the program and Glue: it keeps what was asked, answers itself where a test wants it to, and can be slow.

use super::fault_proxy::{header, read_body, read_head};
use super::http::request;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The proxy, until it is dropped.
pub(crate) struct GlueProxy {
    pub(crate) endpoint: String,
    address: SocketAddr,
    state: Arc<State>,
}

/// An answer of a test: status and body.
pub(crate) type Answer = (u16, Value);

struct State {
    upstream: String,
    /// What is answered without asking anybody, by operation, one after the other.
    script: Mutex<HashMap<String, VecDeque<Answer>>>,
    /// What is always answered, by operation.
    rules: Mutex<HashMap<String, Answer>>,
    calls: Mutex<Vec<(String, Value)>>,
    /// Milliseconds before each answer.
    pause: AtomicU64,
    /// The operation that waits until it is let go on.
    held: Mutex<Option<String>>,
    stopped: AtomicBool,
}

/// An error as Glue has them.
pub(crate) fn refused(kind: &str, message: &str) -> Answer {
    (400, json!({"__type": kind, "Message": message}))
}

/// The operations that change something.
pub(crate) fn writes(operations: &[String]) -> Vec<&str> {
    operations.iter().map(String::as_str).filter(|operation| !operation.starts_with("Get") && !operation.starts_with("BatchGet")).collect()
}

impl GlueProxy {
    pub(crate) fn before(upstream: &str) -> GlueProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            upstream: upstream.to_string(),
            script: Mutex::default(),
            rules: Mutex::default(),
            calls: Mutex::default(),
            pause: AtomicU64::new(0),
            held: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
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
        GlueProxy { endpoint: format!("http://{address}"), address, state }
    }

    /// The next calls of `operation` are answered like this; those behind them by Glue.
    pub(crate) fn next(&self, operation: &str, answers: impl IntoIterator<Item = Answer>) {
        self.state.script.lock().unwrap().entry(operation.to_string()).or_default().extend(answers);
    }

    /// All calls of `operation` are answered like this.
    pub(crate) fn always(&self, operation: &str, answer: Answer) {
        self.state.rules.lock().unwrap().insert(operation.to_string(), answer);
    }

    /// From here on Glue answers all.
    pub(crate) fn never(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// How many answers of the test nobody has got.
    pub(crate) fn pending(&self) -> usize {
        self.state.script.lock().unwrap().values().map(VecDeque::len).sum()
    }

    /// Waits so long before each answer.
    pub(crate) fn slow(&self, pause: Duration) {
        self.state.pause.store(pause.as_millis() as u64, Ordering::Relaxed);
    }

    /// Calls of `operation` come to Glue only behind what `meanwhile` does, which begins when the first one is there.
    #[track_caller]
    pub(crate) fn hold(&self, operation: &str, run: impl FnOnce() -> Child, meanwhile: impl FnOnce()) -> Child {
        *self.state.held.lock().unwrap() = Some(operation.to_string());
        let child = run();
        let begun = Instant::now();
        while !self.state.calls.lock().unwrap().iter().any(|(asked, _)| asked == operation) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{operation} was not asked for");
            thread::sleep(Duration::from_millis(2));
        }
        meanwhile();
        *self.state.held.lock().unwrap() = None;
        child
    }

    /// The operations that were asked for since this was called last.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.calls().into_iter().map(|(operation, _)| operation).collect()
    }

    /// What was asked since this was called last: operations, and bodies of requests.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.state.calls.lock().unwrap())
    }
}

impl Drop for GlueProxy {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for clients.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some(mut asked) = read_head(&mut reader)? {
        read_body(&mut reader, &mut asked, false)?;
        let head = String::from_utf8_lossy(&asked.head).into_owned();
        let target = header(&head, "x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_string();
        let text = String::from_utf8_lossy(&asked.body).into_owned();
        state.calls.lock().unwrap().push((operation.clone(), serde_json::from_str(&text).unwrap_or(Value::Null)));
        thread::sleep(Duration::from_millis(state.pause.load(Ordering::Relaxed)));
        while state.held.lock().unwrap().as_deref() == Some(operation.as_str()) {
            thread::sleep(Duration::from_millis(2));
        }
        let scripted = state.script.lock().unwrap().get_mut(&operation).and_then(VecDeque::pop_front);
        let scripted = scripted.or_else(|| state.rules.lock().unwrap().get(&operation).cloned());
        let (status, body) = match scripted {
            Some((status, body)) => (status, body.to_string()),
            None => {
                let headers = [
                    ("x-amz-target", target),
                    ("content-type", "application/x-amz-json-1.1"),
                    ("authorization", header(&head, "authorization").unwrap_or_default()),
                ];
                request("POST", &state.upstream, &headers, &text).map_err(std::io::Error::other)?
            }
        };
        write!(
            client,
            "HTTP/1.1 {status} Answer\r\nContent-Type: application/x-amz-json-1.1\r\nx-amzn-RequestId: request-1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
    Ok(())
}
