//! The site whose log is generated: a company's pages and its webmail, in PHP. Names and addresses are those that RFC
//! 2606, 5737, 3849 and 2544 keep for examples, so the log names nobody.

use super::entry::Vhost;

/// The public pages.
pub(super) const WWW: Vhost = Vhost { name_and_port: "www.example:80", url: "http://www.example" };
/// The webmail.
pub(super) const MAIL: Vhost = Vhost { name_and_port: "mail.example:443", url: "https://mail.example" };

/// A piece of a path or query.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Text(&'static str),
    /// A number below this.
    Number(u32),
    /// The token of the session.
    Token,
    /// The user's name.
    User,
    /// Seconds since 1970.
    Now,
    Word,
    Folder,
}

/// What a client can ask for beyond static files.
#[derive(Debug)]
pub(super) struct Page {
    /// How often it is asked for, against the others of its table.
    pub(super) weight: u32,
    pub(super) method: &'static str,
    pub(super) target: &'static [Part],
    pub(super) status: u16,
    /// The least and the range of the size of the answer.
    pub(super) bytes: (u32, u32),
    /// Whether it is what the browser shows: the referer of what comes next. Its files, as indices of [`ASSETS`], follow.
    pub(super) files: Option<&'static [u8]>,
}

use Part::{Folder, Now, Number, Text, Token, User, Word};

const fn page(weight: u32, target: &'static [Part], bytes: (u32, u32), files: &'static [u8]) -> Page {
    Page { weight, method: "GET", target, status: 200, bytes, files: Some(files) }
}

const fn call(weight: u32, method: &'static str, target: &'static [Part], status: u16, bytes: (u32, u32)) -> Page {
    Page { weight, method, target, status, bytes, files: None }
}

/// Static files and their sizes. There are as many as a session has bits to keep count of them.
pub(super) const ASSETS: [(&str, u32); 32] = [
    ("/calendar/js/month.min.js", 27_330),
    ("/css/site.css", 18_233),
    ("/js/jquery-3.4.1.min.js", 88_145),
    ("/img/logo.png", 7_411),
    ("/js/site.js", 9_874),
    ("/fonts/OpenSans-Regular.woff2", 44_268),
    ("/fonts/OpenSans-Bold.woff2", 45_104),
    ("/img/header.jpg", 132_907),
    ("/img/team.jpg", 88_672),
    ("/img/icons/phone.svg", 812),
    ("/img/icons/mail.svg", 947),
    ("/img/products/pump-a.jpg", 40_331),
    ("/img/products/pump-b.jpg", 38_019),
    ("/img/products/valve.jpg", 29_546),
    ("/css/print.css", 1_102),
    ("/js/consent.js?v=14", 3_391),
    ("/themes/slate/login.css", 5_728),
    ("/themes/slate/screen.css?v=5", 61_950),
    ("/js/app.min.js", 214_118),
    ("/js/list.min.js", 36_702),
    ("/js/compose.min.js", 58_467),
    ("/js/editor/plugin.min.js", 301_255),
    ("/themes/slate/img/logo.png", 5_127),
    ("/themes/slate/img/inbox.png", 693),
    ("/themes/slate/img/sent.png", 641),
    ("/themes/slate/img/trash.png", 702),
    ("/themes/slate/img/attach.png", 388),
    ("/themes/slate/img/loading.gif", 2_545),
    ("/themes/slate/img/reply.png", 571),
    ("/themes/slate/img/forward.png", 566),
    ("/calendar/themes/slate/calendar.css", 12_873),
    ("/favicon.ico", 4_286),
];

/// Signing in to the webmail, in order.
pub(super) const SIGN_IN: [Page; 3] = [
    page(1, &[Text("/login.php")], (2_473, 1), &[2, 16, 22, 31]),
    call(1, "POST", &[Text("/login.php")], 302, (0, 1)),
    page(1, &[Text("/inbox.php")], (21_306, 9_000), &[2, 17, 18, 19, 22, 23, 24, 25, 26, 27]),
];

/// The webmail, once signed in.
pub(super) const MAIL_PAGES: [Page; 15] = [
    call(30, "POST", &[Text("/poll.php?t="), Token], 200, (184, 120)),
    call(14, "GET", &[Text("/list.php?folder="), Folder, Text("&since="), Now], 200, (912, 14_000)),
    page(20, &[Text("/message.php?folder="), Folder, Text("&uid="), Number(42_000)], (6_120, 30_000), &[26, 28, 29]),
    page(9, &[Text("/inbox.php?page="), Number(12)], (19_755, 9_000), &[17, 18, 19, 23, 24, 25, 27]),
    call(5, "GET", &[Text("/avatar.php?size=48&id="), Number(600)], 200, (1_204, 3_000)),
    call(4, "POST", &[Text("/flag.php?t="), Token, Text("&uid="), Number(42_000)], 200, (96, 20)),
    page(4, &[Text("/compose.php?reply="), Number(42_000)], (14_890, 2_500), &[17, 20, 21]),
    call(3, "POST", &[Text("/send.php?t="), Token], 302, (0, 1)),
    call(3, "GET", &[Text("/attachment.php?uid="), Number(42_000), Text("&part=2&name="), Word, Text(".pdf")], 200, (31_000, 900_000)),
    page(3, &[Text("/search.php?q="), Word, Text("+"), Word], (8_322, 22_000), &[19]),
    page(3, &[Text("/calendar/month.php?user="), User], (24_411, 6_000), &[0, 22, 30]),
    page(2, &[Text("/addressbook/list.php?group="), Number(9), Text("")], (11_205, 9_000), &[17]),
    page(1, &[Text("/settings.php?section=identities")], (9_930, 300), &[17, 20]),
    call(1, "POST", &[Text("/upload.php?t="), Token, Text("&id="), Number(90)], 200, (61, 4)),
    call(1, "GET", &[Text("/logout.php?t="), Token], 302, (0, 1)),
];

/// The public pages; a visit begins with the first or with any.
pub(super) const WWW_PAGES: [Page; 15] = [
    page(16, &[Text("/")], (15_410, 40), &[1, 2, 3, 4, 5, 6, 7, 15, 31]),
    page(14, &[Text("/products/index.php?id="), Number(240)], (17_882, 4_000), &[1, 4, 11, 12, 13]),
    page(8, &[Text("/products/index.php?group="), Word, Text("&page="), Number(8)], (22_804, 7_000), &[1, 11, 12, 13]),
    page(7, &[Text("/news/")], (12_077, 30), &[1, 7]),
    page(9, &[Text("/news/2020/"), Number(400), Text("-"), Word, Text(".html")], (10_440, 6_000), &[1, 3, 14]),
    page(5, &[Text("/about.php?page=team")], (9_321, 8), &[1, 8, 9, 10]),
    page(4, &[Text("/contact.php")], (7_705, 8), &[1, 9, 10]),
    call(2, "POST", &[Text("/contact.php")], 303, (0, 1)),
    page(5, &[Text("/search.php?q="), Word, Text("+"), Word], (6_033, 9_000), &[1]),
    call(4, "GET", &[Text("/downloads/datasheet-"), Number(240), Text(".pdf")], 200, (180_000, 1_400_000)),
    call(2, "GET", &[Text("/downloads/datasheet-"), Number(240), Text(".pdf")], 206, (65_536, 65_536)),
    call(3, "GET", &[Text("/feed.xml")], 200, (28_113, 1)),
    call(2, "GET", &[Text("/old/"), Word, Text(".htm")], 404, (196, 1)),
    call(1, "GET", &[Text("/intern/"), Word, Text("/")], 403, (199, 1)),
    page(2, &[Text("/search.php?q=f%C3%BCr+"), Word, Text("&lang=de")], (6_214, 9_000), &[1]),
];

/// Calendars and address books kept in step, as a signed-in user.
pub(super) const DAV_CALLS: [Page; 4] = [
    call(6, "PROPFIND", &[Text("/dav/calendars/"), User, Text("/default/")], 207, (1_377, 900)),
    call(3, "REPORT", &[Text("/dav/calendars/"), User, Text("/default/")], 207, (610, 9_000)),
    call(2, "PROPFIND", &[Text("/dav/addressbooks/"), User, Text("/contacts/")], 207, (1_120, 600)),
    call(1, "PUT", &[Text("/dav/calendars/"), User, Text("/default/"), Number(9_000_000), Text(".ics")], 201, (0, 1)),
];

/// What scanners try, and how the site answers.
pub(super) const PROBES: [(&str, u16, u32); 24] = [
    ("/wp-login.php", 404, 196),
    ("/xmlrpc.php", 404, 196),
    ("/phpmyadmin/index.php", 404, 196),
    ("/phpMyAdmin/scripts/setup.php", 404, 196),
    ("/pma/index.php?lang=en", 404, 196),
    ("/admin.php", 404, 196),
    ("/shell.php?cmd=id", 404, 196),
    ("/info.php", 404, 196),
    ("/test.php", 404, 196),
    ("/config.php.bak", 403, 199),
    ("/.env", 403, 199),
    ("/.git/config", 403, 199),
    ("/wp-content/plugins/gallery/upload.php", 404, 196),
    ("/index.php?option=com_users&view=login", 200, 15_431),
    ("/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", 404, 196),
    ("/cgi-bin/test.cgi", 404, 196),
    ("/manager/html", 404, 196),
    ("/boaform/admin/formLogin", 404, 196),
    ("/solr/admin/info/system?wt=json", 404, 196),
    ("/setup.php", 404, 196),
    ("/search.php?q=%27+OR+1%3D1--", 500, 527),
    (r#"/search.php?q=\"><script>alert(1)</script>"#, 200, 6_107),
    ("/administrator/index.php", 404, 196),
    ("/backup.sql.gz", 404, 196),
];

/// Where visitors of the public pages come from; most say nothing.
pub(super) const ENTRANCES: [&str; 8] = [
    "-",
    "-",
    "-",
    "https://www.google.com/",
    "https://www.google.com/",
    "https://www.bing.com/",
    "https://duckduckgo.com/",
    "https://partner.example.net/suppliers.php?country=at&page=2",
];

/// The people who sign in.
pub(super) const USERS: [&str; 24] = [
    "a.berger",
    "b.haas",
    "c.novak",
    "d.weiss",
    "e.lang",
    "f.moser",
    "g.huber",
    "h.fuchs",
    "i.wolf",
    "j.steiner",
    "k.maier",
    "l.egger",
    "m.brunner",
    "n.aigner",
    "o.leitner",
    "p.winkler",
    "r.schmid",
    "s.ebner",
    "t.koller",
    "u.lehner",
    "v.haider",
    "w.reiter",
    "x.auer",
    "z.binder",
];

/// What people look for.
pub(super) const WORDS: [&str; 28] = [
    "invoice",
    "pump",
    "valve",
    "meeting",
    "budget",
    "holiday",
    "report",
    "order",
    "seal",
    "gasket",
    "price",
    "delivery",
    "contract",
    "service",
    "manual",
    "warranty",
    "training",
    "travel",
    "agenda",
    "minutes",
    "offer",
    "supplier",
    "audit",
    "pressure",
    "release",
    "schedule",
    "newsletter",
    "steel",
];

/// Mail folders.
pub(super) const FOLDERS: [&str; 8] = ["inbox", "inbox", "inbox", "sent", "drafts", "archive", "projects%2F2020", "trash"];
