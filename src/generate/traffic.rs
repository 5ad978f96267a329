//! All that reaches the server: sessions that overlap, and the noise between them.

use super::agent::{DUMMY, MONITOR};
use super::client::Client;
use super::clock::Clock;
use super::entry::{Entry, Request};
use super::line::LineWriter;
use super::random::Random;
use super::session::Session;
use super::site::WWW;

/// How many sessions are open at a time.
const OPEN_SESSIONS: usize = 12;

/// The requests in the order of their times.
#[derive(Debug)]
pub(super) struct Traffic {
    seed: u64,
    clients: u32,
    random: Random,
    clock: Clock,
    sessions: Vec<Session>,
    current: usize,
    garbage: Vec<u8>,
}

impl Traffic {
    /// The traffic of `clients` clients.
    pub(super) fn new(seed: u64, clients: u32, clock: Clock) -> Self {
        let mut random = Random::new(seed);
        let sessions = (0..OPEN_SESSIONS).map(|_| open(seed, clients, &mut random)).collect();
        Traffic { seed, clients, random, clock, sessions, current: 0, garbage: Vec::new() }
    }

    /// Appends the next line to `out`.
    pub(super) fn write_next(&mut self, writer: LineWriter, out: &mut Vec<u8>) {
        match self.random.below(1000) {
            // Apache wakes its children so; nginx has no such thing.
            0..5 if writer.apache() => self.write_own(b"::1", "OPTIONS", b"*", 110, DUMMY, writer, out),
            5..8 => self.write_own(b"192.168.10.5", "HEAD", b"/", 0, MONITOR, writer, out),
            8..10 => self.write_refused(Request::Nothing, writer, out),
            10 => {
                // A TLS greeting on the plain port. A NUL would end what Apache logs of it.
                self.garbage.clear();
                self.garbage.extend_from_slice(b"\x16\x03\x01");
                for _ in 0..8 + self.random.below(40) {
                    self.garbage.push(1 + self.random.below(255) as u8);
                }
                let garbage = std::mem::take(&mut self.garbage);
                self.write_refused(Request::Garbage(&garbage), writer, out);
                self.garbage = garbage;
            }
            _ => self.write_of_session(writer, out),
        }
    }

    fn write_of_session(&mut self, writer: LineWriter, out: &mut Vec<u8>) {
        if !self.sessions[self.current].is_hurried() || self.random.chance(120) {
            // Who is loading a page goes before who reads one.
            let any = self.random.below(OPEN_SESSIONS as u32) as usize;
            let in_turn = (any..OPEN_SESSIONS).chain(0..any);
            self.current = in_turn.into_iter().find(|index| self.sessions[*index].is_hurried()).unwrap_or(any);
        }
        if self.sessions[self.current].is_hurried() {
            self.clock.tick(&mut self.random);
        } else {
            self.clock.pause(&mut self.random);
        }
        if !self.sessions[self.current].advance(&self.clock, &mut self.random) {
            self.sessions[self.current] = open(self.seed, self.clients, &mut self.random);
            // A new session has a first request.
            self.sessions[self.current].advance(&self.clock, &mut self.random);
        }
        writer.write(&self.sessions[self.current].entry(), &self.clock, out);
    }

    /// A request of the server to itself, or of who watches it.
    #[allow(clippy::too_many_arguments)]
    fn write_own(&mut self, host: &[u8], method: &str, target: &[u8], bytes: u32, agent: &str, writer: LineWriter, out: &mut Vec<u8>) {
        self.clock.tick(&mut self.random);
        let request = Request::Http { method, target, protocol: "HTTP/1.0" };
        writer.write(&Entry { vhost: &WWW, host, user: "-", request, status: 200, bytes, referer: b"-", agent }, &self.clock, out);
    }

    /// What was no request: the client of the current session says nothing, or nothing of HTTP.
    fn write_refused(&mut self, request: Request<'_>, writer: LineWriter, out: &mut Vec<u8>) {
        self.clock.tick(&mut self.random);
        let (status, bytes) = if matches!(request, Request::Nothing) { (408, 0) } else { (400, 226) };
        let host = &self.sessions[self.current].client.host;
        writer.write(&Entry { vhost: &WWW, host, user: "-", request, status, bytes, referer: b"-", agent: "-" }, &self.clock, out);
    }
}

/// A session of one of the clients, of those more often that come often.
fn open(seed: u64, clients: u32, random: &mut Random) -> Session {
    let client = Client::of(seed, random.skewed(clients));
    Session::new(client, random)
}
