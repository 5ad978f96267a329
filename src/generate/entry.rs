//! What one request was, whatever format it is written in.

/// A virtual host: its name and port as logged, and the start of a URL on it.
#[derive(Debug)]
pub(super) struct Vhost {
    pub(super) name_and_port: &'static str,
    pub(super) url: &'static str,
}

/// What a client asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request<'a> {
    /// A proper request line.
    Http { method: &'a str, target: &'a [u8], protocol: &'a str },
    /// Bytes that are no request line, not yet escaped.
    Garbage(&'a [u8]),
    /// Nothing came before the timeout.
    Nothing,
}

/// One request and its answer.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) vhost: &'a Vhost,
    pub(super) host: &'a [u8],
    pub(super) user: &'a str,
    pub(super) request: Request<'a>,
    pub(super) status: u16,
    /// Of the body.
    pub(super) bytes: u32,
    /// Quotes in it are escaped already.
    pub(super) referer: &'a [u8],
    /// Quotes in it are escaped already.
    pub(super) agent: &'a str,
}

/// Appends `number` in decimal digits.
pub(super) fn push_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(number).as_bytes());
}
