//! A client: the address it comes from, and what it always says of itself.

use super::agent::{BROWSERS, CRAWLERS, SCANNERS, SYNCERS};
use super::entry::push_number;
use super::random::Random;
use super::site::USERS;
use std::io::Write;

/// What a client is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Reads and writes mail in a browser.
    Mail,
    /// Visits the public pages in a browser.
    Visitor,
    /// Keeps a calendar in step.
    Syncer,
    /// Reads the public pages as a robot.
    Crawler,
    /// Looks for weak spots.
    Scanner,
}

/// A client; it is the same whenever it comes back.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) kind: Kind,
    /// As logged.
    pub(super) host: Vec<u8>,
    pub(super) agent: &'static str,
    pub(super) user: &'static str,
    pub(super) protocol: &'static str,
    /// Whether it says which page it comes from.
    pub(super) tells_referer: bool,
}

impl Client {
    /// The client number `index` of the site that `seed` made.
    pub(super) fn of(seed: u64, index: u32) -> Self {
        let mut random = Random::of(seed, u64::from(index));
        let kind = match random.below(100) {
            0..42 => Kind::Mail,
            42..82 => Kind::Visitor,
            82..88 => Kind::Syncer,
            88..96 => Kind::Crawler,
            _ => Kind::Scanner,
        };
        let agent = match kind {
            Kind::Mail | Kind::Visitor => {
                let least_common = random.skewed(BROWSERS.len() as u32) as usize;
                random.pick(&BROWSERS[..=least_common])
            }
            Kind::Syncer => random.pick(&SYNCERS),
            Kind::Crawler => random.pick(&CRAWLERS),
            Kind::Scanner => random.pick(&SCANNERS),
        };
        let protocol = if matches!(kind, Kind::Mail | Kind::Syncer) && random.chance(350) { "HTTP/2.0" } else { "HTTP/1.1" };
        let mut host = Vec::with_capacity(39);
        push_address(kind, &mut random, &mut host);
        Client { kind, host, agent, user: random.pick(&USERS), protocol, tells_referer: !random.chance(140) }
    }
}

/// Appends an address of a range that is nobody's: the company's own networks for most of the mail, else the ranges of
/// examples and benchmarks.
fn push_address(kind: Kind, random: &mut Random, out: &mut Vec<u8>) {
    let inside = matches!(kind, Kind::Mail | Kind::Syncer) && random.chance(700);
    if !inside && random.chance(90) {
        let (site, net) = (random.below(0x1000), random.below(0x100));
        let interface = random.next();
        let words = [0, 16, 32, 48].map(|shift| (interface >> shift) & 0xffff);
        // Writing to memory can't fail.
        let _ = write!(out, "2001:db8:{site:x}:{net:x}:{:x}:{:x}:{:x}:{:x}", words[0], words[1], words[2], words[3]);
        return;
    }
    let octets = match (inside, random.below(4)) {
        (true, 0) => [10, 20, random.below(16), 1 + random.below(254)],
        (true, _) => [192, 168, 10 + random.below(8), 1 + random.below(254)],
        (false, 0) => [203, 0, 113, 1 + random.below(254)],
        (false, _) => [198, 18 + random.below(2), random.below(256), 1 + random.below(254)],
    };
    for (index, octet) in octets.into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        push_number(u64::from(octet), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn clients_come_back_the_same_from_addresses_that_are_nobodys() {
        let mut six = 0;
        for index in 0..2_000 {
            let (client, again) = (Client::of(5, index), Client::of(5, index));
            assert_eq!((&client.host, client.agent), (&again.host, again.agent));
            match String::from_utf8(client.host).unwrap().parse().unwrap() {
                IpAddr::V4(four) => {
                    let benchmark = four.octets()[..2] == [198, 18] || four.octets()[..2] == [198, 19];
                    assert!(four.is_private() || four.is_documentation() || benchmark, "{four}");
                }
                IpAddr::V6(address) => {
                    assert_eq!(address.segments()[..2], [0x2001, 0xdb8]);
                    six += 1;
                }
            }
        }
        assert!((40..300).contains(&six), "{six}");
    }
}
