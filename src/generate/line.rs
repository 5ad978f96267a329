//! Writes one request as a line of a preset.

use super::clock::Clock;
use super::entry::{Entry, Request, push_number};
use super::service;
use crate::accesslog::Preset;

/// Lines of one preset.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineWriter {
    format: Preset,
}

impl LineWriter {
    pub(super) fn new(format: Preset) -> Self {
        LineWriter { format }
    }

    /// Whether the log is Apache's, which asks itself for something now and then.
    pub(super) fn apache(self) -> bool {
        matches!(self.format, Preset::Common | Preset::Combined | Preset::VhostCombined | Preset::CombinedIo)
    }

    /// Appends `entry` and a line feed to `out`.
    pub(super) fn write(self, entry: &Entry<'_>, clock: &Clock, out: &mut Vec<u8>) {
        if service::write(self.format, entry, clock, out) {
            out.push(b'\n');
            return;
        }
        if self.format == Preset::VhostCombined {
            out.extend_from_slice(entry.vhost.name_and_port.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(entry.host);
        out.extend_from_slice(b" - ");
        out.extend_from_slice(entry.user.as_bytes());
        out.push(b' ');
        out.extend_from_slice(clock.text());
        out.extend_from_slice(b" \"");
        let before = out.len();
        match entry.request {
            Request::Http { method, target, protocol } => {
                out.extend_from_slice(method.as_bytes());
                out.push(b' ');
                out.extend_from_slice(target);
                out.push(b' ');
                out.extend_from_slice(protocol.as_bytes());
            }
            Request::Garbage(bytes) => bytes.iter().for_each(|byte| self.escape(*byte, out)),
            Request::Nothing => out.push(b'-'),
        }
        let request_length = out.len() - before;
        out.extend_from_slice(b"\" ");
        push_number(u64::from(entry.status), out);
        out.push(b' ');
        // Apache's %b is `-` where no body was sent; nginx counts to zero.
        if entry.bytes == 0 && self.apache() {
            out.push(b'-');
        } else {
            push_number(u64::from(entry.bytes), out);
        }
        if self.format != Preset::Common {
            out.extend_from_slice(b" \"");
            out.extend_from_slice(entry.referer);
            out.extend_from_slice(b"\" \"");
            out.extend_from_slice(entry.agent.as_bytes());
            out.push(b'"');
        }
        if self.format == Preset::NginxMain {
            // A proxy in the local network tells whom it asks for.
            out.extend_from_slice(if entry.host.starts_with(b"192.168.") { b" \"203.0.113.9\"" } else { b" \"-\"" });
        }
        if self.format == Preset::CombinedIo {
            let (bytes_in, bytes_out) = traffic(entry, request_length);
            out.push(b' ');
            push_number(bytes_in, out);
            out.push(b' ');
            push_number(bytes_out, out);
        }
        out.push(b'\n');
    }

    /// Appends `byte` as the server escapes it.
    fn escape(self, byte: u8, out: &mut Vec<u8>) {
        let letter = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\t' => b't',
            b'\r' => b'r',
            0x08 => b'b',
            0x0b => b'v',
            0x0c => b'f',
            _ => 0,
        };
        if letter != 0 && self.apache() {
            out.extend_from_slice(&[b'\\', letter]);
        } else if letter != 0 || !(0x20..0x7f).contains(&byte) {
            let digits = if self.apache() { b"0123456789abcdef" } else { b"0123456789ABCDEF" };
            out.extend_from_slice(&[b'\\', b'x', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        } else {
            out.push(byte);
        }
    }
}

/// The bytes in and out of mod_logio, with headers: about what a browser and Apache send.
fn traffic(entry: &Entry<'_>, request_length: usize) -> (u64, u64) {
    match entry.request {
        Request::Nothing => (0, 0),
        Request::Garbage(bytes) => (bytes.len() as u64, u64::from(entry.bytes) + 150),
        Request::Http { method, .. } => {
            let body = if method == "POST" { 417 } else { 0 };
            let headers = request_length + entry.referer.len() + entry.agent.len();
            (headers as u64 + 212 + body, u64::from(entry.bytes) + 238)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::entry::Vhost;

    #[test]
    fn each_preset_has_its_line() {
        let vhost = Vhost { name_and_port: "www.example:80", url: "http://www.example" };
        let entry = Entry {
            vhost: &vhost,
            host: b"192.0.2.7",
            user: "-",
            request: Request::Garbage(b"\x16\x03\"\n\xff"),
            status: 400,
            bytes: 0,
            referer: b"-",
            agent: "-",
        };
        let clock = Clock::new(1_582_934_402, 253_402_300_799, 1);
        for (preset, expected) in [
            (Preset::Common, r#"192.0.2.7 - - [29/Feb/2020:00:00:02 +0000] "\x16\x03\"\n\xff" 400 -"#),
            (Preset::Combined, r#"192.0.2.7 - - [29/Feb/2020:00:00:02 +0000] "\x16\x03\"\n\xff" 400 - "-" "-""#),
            (Preset::VhostCombined, r#"www.example:80 192.0.2.7 - - [29/Feb/2020:00:00:02 +0000] "\x16\x03\"\n\xff" 400 - "-" "-""#),
            (Preset::CombinedIo, r#"192.0.2.7 - - [29/Feb/2020:00:00:02 +0000] "\x16\x03\"\n\xff" 400 - "-" "-" 5 150"#),
            (Preset::NginxMain, r#"192.0.2.7 - - [29/Feb/2020:00:00:02 +0000] "\x16\x03\x22\x0A\xFF" 400 0 "-" "-" "-""#),
            (Preset::NginxCombined, r#"192.0.2.7 - - [29/Feb/2020:00:00:02 +0000] "\x16\x03\x22\x0A\xFF" 400 0 "-" "-""#),
        ] {
            let mut out = Vec::new();
            LineWriter::new(preset).write(&entry, &clock, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"), "{}", preset.name());
        }
    }
}
