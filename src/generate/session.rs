//! A session: what one client asks for, one request after the other.

use super::client::{Client, Kind};
use super::clock::Clock;
use super::entry::{Entry, Request, Vhost, push_number};
use super::random::Random;
use super::site::{ASSETS, DAV_CALLS, ENTRANCES, FOLDERS, MAIL, MAIL_PAGES, PROBES, Page, Part, SIGN_IN, WORDS, WWW, WWW_PAGES};

/// A client's session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    vhost: &'static Vhost,
    token: [u8; 8],
    /// The URL of the page in the browser, the referer of what comes next; `-` for none.
    page: Vec<u8>,
    /// What is asked for now.
    target: Vec<u8>,
    method: &'static str,
    user: &'static str,
    status: u16,
    bytes: u32,
    referer: Referer,
    /// The page's files still to load, a bit for each of [`ASSETS`].
    loading: u32,
    /// The files that the browser has.
    stored: u32,
    /// Requests made, those for files aside.
    made: u32,
    /// Requests yet to make, those for files aside.
    left: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Referer {
    None,
    /// The page in the browser.
    Page,
    /// The page in the browser, which the one that was asked for then replaces.
    PageBefore,
}

impl Session {
    /// A new session of `client`.
    pub(super) fn new(client: Client, random: &mut Random) -> Self {
        let (at_least, mean) = match client.kind {
            Kind::Mail => (6, 36),
            Kind::Visitor => (1, 7),
            Kind::Syncer => (2, 40),
            Kind::Crawler => (4, 24),
            Kind::Scanner => (6, 30),
        };
        let vhost = match client.kind {
            Kind::Mail | Kind::Syncer => &MAIL,
            Kind::Visitor | Kind::Crawler => &WWW,
            Kind::Scanner => random.pick(&[&MAIL, &WWW]),
        };
        let mut token = [0; 8];
        let bits = random.next();
        for (index, digit) in token.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(bits >> (index * 4) & 15) as usize];
        }
        let entrance = if client.kind == Kind::Visitor { random.pick(&ENTRANCES) } else { "-" };
        Session {
            client,
            vhost,
            token,
            page: entrance.into(),
            target: Vec::new(),
            method: "GET",
            user: "-",
            status: 200,
            bytes: 0,
            referer: Referer::None,
            loading: 0,
            // Who comes back has some of the files from the last time.
            stored: if random.chance(400) { (random.next() & random.next()) as u32 } else { 0 },
            made: 0,
            left: at_least + random.wait(mean) as u32,
        }
    }

    /// Whether the next request follows at once, not when a person has read the page.
    pub(super) fn is_hurried(&self) -> bool {
        self.loading != 0 || self.client.kind == Kind::Scanner
    }

    /// Goes on to the next request; false where the session is over.
    pub(super) fn advance(&mut self, clock: &Clock, random: &mut Random) -> bool {
        if self.referer == Referer::PageBefore {
            self.page.clear();
            self.page.extend_from_slice(self.vhost.url.as_bytes());
            self.page.extend_from_slice(&self.target);
        }
        if self.loading != 0 {
            self.ask_for_file();
            return true;
        }
        if self.left == 0 {
            return false;
        }
        match self.client.kind {
            Kind::Mail => match SIGN_IN.get(self.made as usize) {
                Some(page) => self.ask_for(page, clock, random),
                None => self.ask_for(weighted(&MAIL_PAGES, random), clock, random),
            },
            Kind::Visitor => {
                let at_home = self.made == 0 && random.chance(500);
                self.ask_for(if at_home { &WWW_PAGES[0] } else { weighted(&WWW_PAGES, random) }, clock, random);
            }
            Kind::Syncer => self.sync(clock, random),
            Kind::Crawler => self.crawl(clock, random),
            Kind::Scanner => self.probe(random),
        }
        self.made += 1;
        self.left -= 1;
        true
    }

    /// The current request.
    pub(super) fn entry(&self) -> Entry<'_> {
        Entry {
            vhost: self.vhost,
            host: &self.client.host,
            user: self.user,
            request: Request::Http { method: self.method, target: &self.target, protocol: self.client.protocol },
            status: self.status,
            bytes: self.bytes,
            referer: if self.referer == Referer::None || !self.client.tells_referer { b"-" } else { &self.page },
            agent: self.client.agent,
        }
    }

    /// A page or call in the browser.
    fn ask_for(&mut self, page: &Page, clock: &Clock, random: &mut Random) {
        self.answer(page.method, page.status, page.bytes.0 + random.below(page.bytes.1));
        self.build_target(page.target, clock, random);
        self.referer = Referer::Page;
        if random.chance(2) {
            self.answer(page.method, 500, 527);
        } else if self.made == 1 && page.method == "POST" && random.chance(120) {
            // The wrong password: the form again, and another try.
            self.answer("POST", 200, 2_611);
            self.made = 0;
        } else if let Some(files) = page.files {
            self.referer = Referer::PageBefore;
            for file in files {
                let bit = 1 << file;
                if self.stored & bit == 0 || random.chance(130) {
                    self.loading |= bit;
                }
            }
        }
    }

    /// The next file of the page.
    fn ask_for_file(&mut self) {
        let file = self.loading.trailing_zeros();
        let (path, bytes) = ASSETS[file as usize];
        self.loading &= self.loading - 1;
        self.target.clear();
        self.target.extend_from_slice(path.as_bytes());
        self.referer = Referer::Page;
        if self.stored & 1 << file == 0 {
            self.answer("GET", 200, bytes);
            self.stored |= 1 << file;
        } else {
            self.answer("GET", 304, 0);
        }
    }

    /// A calendar program asks without a name first, as it is told to.
    fn sync(&mut self, clock: &Clock, random: &mut Random) {
        let call = weighted(&DAV_CALLS, random);
        self.build_target(call.target, clock, random);
        if self.made == 0 {
            self.answer(call.method, 401, 381);
        } else {
            self.user = self.client.user;
            self.answer(call.method, call.status, call.bytes.0 + random.below(call.bytes.1));
        }
    }

    /// A robot reads the rules first, and asks for changes only of what it knows.
    fn crawl(&mut self, clock: &Clock, random: &mut Random) {
        if self.made == 0 {
            self.build_target(&[Part::Text("/robots.txt")], clock, random);
            return self.answer("GET", 200, 311);
        }
        let page = weighted(&WWW_PAGES, random);
        self.build_target(page.target, clock, random);
        match random.below(100) {
            0..8 => self.answer("HEAD", page.status, 0),
            8..20 => self.answer("GET", 304, 0),
            _ => self.answer("GET", page.status, page.bytes.0 + random.below(page.bytes.1)),
        }
    }

    fn probe(&mut self, random: &mut Random) {
        let (target, status, bytes) = random.pick(&PROBES);
        self.target.clear();
        self.target.extend_from_slice(target.as_bytes());
        self.answer(if random.chance(150) { "POST" } else { "GET" }, status, bytes);
    }

    fn answer(&mut self, method: &'static str, status: u16, bytes: u32) {
        (self.method, self.status, self.bytes) = (method, status, bytes);
    }

    fn build_target(&mut self, parts: &[Part], clock: &Clock, random: &mut Random) {
        self.target.clear();
        for part in parts {
            match *part {
                Part::Text(text) => self.target.extend_from_slice(text.as_bytes()),
                Part::Number(limit) => push_number(u64::from(1 + random.below(limit)), &mut self.target),
                Part::Token => self.target.extend_from_slice(&self.token),
                Part::User => self.target.extend_from_slice(self.client.user.as_bytes()),
                Part::Now => push_number(clock.second(), &mut self.target),
                Part::Word => self.target.extend_from_slice(random.pick(&WORDS).as_bytes()),
                Part::Folder => self.target.extend_from_slice(random.pick(&FOLDERS).as_bytes()),
            }
        }
    }
}

/// One of `pages`, by their weights.
fn weighted<'a>(pages: &'a [Page], random: &mut Random) -> &'a Page {
    let mut at = random.below(pages.iter().map(|page| page.weight).sum());
    for page in pages {
        if at < page.weight {
            return page;
        }
        at -= page.weight;
    }
    unreachable!("the number is below the sum of the weights")
}
