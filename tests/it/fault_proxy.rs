//! A network and a store on a bad day: a proxy that breaks some of the requests that go through it, each in one of the ways
//! that real ones break. Which ones is told by a seed. The host that was signed stays as it is.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A way to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is reset before the store sees anything.
    ResetBefore,
    /// The store does what it was asked, and nobody hears of it.
    LostResponse,
    /// 500, without the store having seen anything.
    InternalError,
    /// 500, though the store did what it was asked.
    LateInternalError,
    /// 503 SlowDown.
    SlowDown,
    /// The answer comes in two halves, with a pause between.
    SlowBody,
    /// The answer ends in the middle.
    Truncated,
}

pub(crate) const FAULTS: [Fault; 7] = [
    Fault::ResetBefore,
    Fault::LostResponse,
    Fault::InternalError,
    Fault::LateInternalError,
    Fault::SlowDown,
    Fault::SlowBody,
    Fault::Truncated,
];

/// The proxy, until it is dropped.
pub(crate) struct FaultProxy {
    pub(crate) endpoint: String,
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    upstream: String,
    /// Of a thousand requests, how many break.
    per_mille: AtomicUsize,
    random: Mutex<u64>,
    /// Faults for the next requests, before chance decides: those whose first line has the text in it.
    script: Mutex<VecDeque<(String, Fault)>>,
    requests: AtomicUsize,
    injected: [AtomicUsize; FAULTS.len()],
    stopped: AtomicBool,
    runtime: tokio::runtime::Runtime,
}

impl FaultProxy {
    /// A proxy before the store at `upstream` (`http://host:port`), which breaks `per_mille` of a thousand requests.
    pub(crate) fn start(upstream: &str, per_mille: usize, seed: u64) -> FaultProxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            upstream: upstream.strip_prefix("http://").expect("a store without TLS").to_string(),
            per_mille: AtomicUsize::new(per_mille),
            random: Mutex::new(seed),
            script: Mutex::default(),
            requests: AtomicUsize::new(0),
            injected: Default::default(),
            stopped: AtomicBool::new(false),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
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
        FaultProxy { endpoint: format!("http://{address}"), address, state }
    }

    /// Breaks the next request whose first line has `text` in it: `PUT /bucket/key`. Called again, the one after that.
    pub(crate) fn next(&self, text: &str, fault: Fault) {
        self.state.script.lock().unwrap().push_back((text.to_string(), fault));
    }

    /// How many scripted faults nobody has run into.
    pub(crate) fn pending(&self) -> usize {
        self.state.script.lock().unwrap().len()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// How often each fault happened.
    pub(crate) fn injected(&self) -> Vec<(Fault, usize)> {
        FAULTS.iter().zip(&self.state.injected).map(|(fault, count)| (*fault, count.load(Ordering::Relaxed))).collect()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for clients.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    fn fault(&self, first_line: &str) -> Option<Fault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let scripted = {
            let mut script = self.script.lock().unwrap();
            let place = script.iter().position(|(text, _)| first_line.contains(text.as_str()));
            place.and_then(|place| script.remove(place)).map(|(_, fault)| fault)
        };
        let fault = scripted.or_else(|| {
            let chance = self.random() as usize;
            (chance % 1000 < self.per_mille.load(Ordering::Relaxed)).then(|| FAULTS[chance / 1000 % FAULTS.len()])
        });
        if let Some(fault) = fault {
            self.injected[FAULTS.iter().position(|one| *one == fault).unwrap()].fetch_add(1, Ordering::Relaxed);
        }
        fault
    }

    /// The next number of SplitMix64.
    fn random(&self) -> u64 {
        let mut state = self.random.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) >> 1
    }

    /// Ends a connection with a reset, as a crashed host does, and not politely.
    fn reset(&self, stream: TcpStream) -> Result<()> {
        let _context = self.runtime.enter();
        stream.set_nonblocking(true)?;
        tokio::net::TcpStream::from_std(stream)?.set_zero_linger()
    }
}

/// A head of HTTP, and its body.
pub(crate) struct Message {
    first_line: String,
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// Whether the sender closes the connection after it.
    closes: bool,
}

/// Reads a head; none where the connection ends before it.
pub(crate) fn read_head(reader: &mut impl BufRead) -> Result<Option<Message>> {
    let mut head = Vec::new();
    loop {
        let from = head.len();
        if reader.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        if head[from..] == *b"\r\n" {
            break;
        }
    }
    let text = String::from_utf8_lossy(&head);
    let first_line = text.lines().next().unwrap_or_default().to_string();
    let closes = header(&text, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok(Some(Message { first_line, head, body: Vec::new(), closes }))
}

pub(crate) fn header<'t>(head: &'t str, name: &str) -> Option<&'t str> {
    let line = head.lines().skip(1).filter_map(|line| line.split_once(':')).find(|(found, _)| found.eq_ignore_ascii_case(name));
    line.map(|(_, value)| value.trim())
}

/// Reads the body that `message` announces, as it is on the line.
pub(crate) fn read_body(reader: &mut impl BufRead, message: &mut Message, to_its_end: bool) -> Result<()> {
    let head = String::from_utf8_lossy(&message.head).into_owned();
    if header(&head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let from = message.body.len();
            reader.read_until(b'\n', &mut message.body)?;
            let size = String::from_utf8_lossy(&message.body[from..]).trim().to_string();
            let size = usize::from_str_radix(&size, 16).map_err(|e| Error::new(ErrorKind::InvalidData, e))?;
            let from = message.body.len();
            message.body.resize(from + size + 2, 0);
            reader.read_exact(&mut message.body[from..])?;
            if size == 0 {
                return Ok(());
            }
        }
    }
    match header(&head, "content-length").and_then(|value| value.parse().ok()) {
        Some(length) => {
            message.body.resize(length, 0);
            reader.read_exact(&mut message.body)
        }
        None if to_its_end => {
            message.closes = true;
            reader.read_to_end(&mut message.body).map(drop)
        }
        None => Ok(()),
    }
}

fn serve(mut client: TcpStream, state: &State) -> Result<()> {
    client.set_nodelay(true)?;
    client.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut upstream: Option<BufReader<TcpStream>> = None;
    while let Some(mut request) = read_head(&mut reader)? {
        let fault = state.fault(&request.first_line);
        if fault == Some(Fault::ResetBefore) {
            return state.reset(client);
        }
        read_body(&mut reader, &mut request, false)?;
        match fault {
            Some(Fault::InternalError) => refuse(&mut client, "500 Internal Server Error", "InternalError")?,
            Some(Fault::SlowDown) => refuse(&mut client, "503 Slow Down", "SlowDown")?,
            _ => {
                let answer = forward(&mut upstream, &request, state)?;
                match fault {
                    Some(Fault::LostResponse) => return state.reset(client),
                    Some(Fault::LateInternalError) => refuse(&mut client, "500 Internal Server Error", "InternalError")?,
                    Some(Fault::Truncated) => {
                        let whole = [answer.head, answer.body].concat();
                        client.write_all(&whole[..whole.len() - whole.len().min(1 + whole.len() / 3)])?;
                        client.flush()?;
                        return Ok(());
                    }
                    Some(Fault::SlowBody) => {
                        let (first, second) = answer.body.split_at(answer.body.len() / 2);
                        client.write_all(&answer.head)?;
                        client.write_all(first)?;
                        thread::sleep(Duration::from_millis(300));
                        client.write_all(second)?;
                    }
                    _ => {
                        client.write_all(&answer.head)?;
                        client.write_all(&answer.body)?;
                    }
                }
                if answer.closes {
                    return Ok(());
                }
            }
        }
        if request.closes {
            return Ok(());
        }
    }
    Ok(())
}

fn refuse(client: &mut TcpStream, status: &str, code: &str) -> Result<()> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Not now.</Message><RequestId>proxy</RequestId></Error>");
    write!(client, "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Sends a request to the store, over the connection there is or a new one, and reads the answer.
fn forward(upstream: &mut Option<BufReader<TcpStream>>, request: &Message, state: &State) -> Result<Message> {
    let has_body = !request.first_line.starts_with("HEAD ");
    let mut tries = 0;
    loop {
        let is_new = upstream.is_none();
        let mut connection = match upstream.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(&state.upstream)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(120)))?;
                BufReader::new(stream)
            }
        };
        let sent = connection.get_mut().write_all(&request.head).and_then(|()| connection.get_mut().write_all(&request.body));
        let answer = sent.and_then(|()| read_head(&mut connection));
        match answer {
            Ok(Some(mut answer)) => {
                let status = answer.first_line.split(' ').nth(1).unwrap_or_default().to_string();
                if has_body && !["204", "304"].contains(&status.as_str()) {
                    read_body(&mut connection, &mut answer, true)?;
                }
                if !answer.closes {
                    *upstream = Some(connection);
                }
                return Ok(answer);
            }
            // A connection that was kept may have been closed meanwhile, before the request got there.
            _ if !is_new && tries == 0 => tries += 1,
            Ok(None) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) => return Err(error),
        }
    }
}
