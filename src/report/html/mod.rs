//! A run as one page that needs nothing else: no network, no script; light or dark as the reader's system is, and fit for print.

mod chart;
mod checks;
mod comparison;
mod lines;
mod matrix;
mod outputs;
mod parts;
mod past;
mod sources;
mod summary;

pub use comparison::comparison;
pub use matrix::matrix;

use self::parts::page;
use super::wording::registered;
use crate::catalog::Registered;
use crate::pipeline::{Around, RunReport};
use crate::printable::printable;
use maud::{Markup, html};

/// The report as a page of HTML, which lies beside the JSON of it; `around` are the runs before and after.
pub fn html(report: &RunReport, around: &Around) -> String {
    let bad = report.checks.iter().any(|check| !check.passed);
    let body = html! {
        (summary::header(report, past::links(report, around)))
        main {
            // What is wrong stands first.
            @if bad { (checks::section(&report.checks)) }
            (outputs::section(&report.outputs))
            (sources::section(&report.sources))
            (sources::rejects(&report.sources))
            (outputs::transforms(&report.transforms))
            (outputs::steps(&report.steps))
            (past::section(report, around))
            @if !bad { (checks::section(&report.checks)) }
            (catalog(report))
            (access(report))
            (notes(report))
        }
        (summary::footer(report))
    };
    page(html! { (printable(&report.pipeline)) ": " (super::wording::outcome(report)) }, body)
}

/// What readers' catalogs were told.
fn catalog(report: &RunReport) -> Markup {
    if !report.catalog.iter().any(Registered::wrote) {
        return html! {};
    }
    html! {
        section aria-labelledby="catalog" {
            h2 id="catalog" { "Glue" }
            ul { @for told in report.catalog.iter().filter(|told| told.wrote()) { li { (printable(&told.table)) ": " (registered(told)) } } }
        }
    }
}

fn access(report: &RunReport) -> Markup {
    if report.access.is_empty() && report.lake_formation.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="access" {
            h2 id="access" { "Who sees more or less" }
            ul {
                @for change in &report.access { li { (printable(&change.to_string())) } }
                @for step in &report.lake_formation { li { "Lake Formation: " (printable(step)) } }
            }
        }
    }
}

fn notes(report: &RunReport) -> Markup {
    if report.notes.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="notes" {
            h2 id="notes" { "Notes" }
            ul { @for note in &report.notes { li { (printable(note)) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{failed, hostile, published, up_to_date};

    /// Elements that have no end.
    const VOID: [&str; 2] = ["meta", "!DOCTYPE"];

    /// The names of the elements of `page`, which is checked to be well-formed: tags are balanced, attributes quoted, ids unique and
    /// there where they are referred to.
    fn elements(page: &str) -> Vec<String> {
        let (mut open, mut seen, mut ids, mut wanted) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut rest = page;
        while let Some(at) = rest.find('<') {
            assert!(!rest[..at].contains('>') || open.last() == Some(&"style"), "a lone > in {}", &rest[..at]);
            let end = at + rest[at..].find('>').unwrap();
            let tag = &rest[at + 1..end];
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name), "</{name}>");
                continue;
            }
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            seen.push(name.to_string());
            if !VOID.contains(&name) {
                open.push(name);
                let quotes = attributes.split('"').collect::<Vec<_>>();
                assert!(quotes.len() % 2 == 1, "{tag}");
                for pair in quotes.chunks_exact(2) {
                    let name = pair[0].trim().strip_suffix('=').unwrap_or_else(|| panic!("{tag}"));
                    assert!(!name.starts_with("on") && !["src", "style", "action"].contains(&name), "{tag}");
                    // A link stays in the lake.
                    let is_near = |place: &str| place.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./-_".contains(&byte));
                    assert!(name != "href" || (is_near(pair[1]) && !pair[1].contains("//") && !pair[1].starts_with('/')), "{tag}");
                    match name {
                        "id" => ids.push(pair[1].to_string()),
                        "aria-labelledby" => wanted.extend(pair[1].split(' ').map(str::to_string)),
                        _ => {}
                    }
                }
            }
        }
        assert!(open.is_empty(), "{open:?} are not closed");
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        wanted.iter().for_each(|id| assert!(unique.contains(id), "no {id}"));
        seen
    }

    #[test]
    fn pages_are_well_formed_and_load_nothing() {
        let around = Around { before: vec![published(), hostile(), failed()], after: Some("20200301T070000000Z-0a1b2c3d".to_string()) };
        let reports = [published(), failed(), up_to_date(), hostile()].into_iter();
        for (report, around) in reports.flat_map(|report| [(report.clone(), Around::default()), (report, around.clone())]) {
            let page = html(&report, &around);
            let seen = elements(&page);
            for loads in ["script", "link", "img", "iframe", "object", "base", "form", "image", "use"] {
                assert!(!seen.iter().any(|name| name == loads), "{loads}");
            }
            for loads in ["http://", "https://", "@import", "url(", "//"] {
                let shown = page.replace("s3://example-lake", "");
                assert!(!shown.contains(loads), "{loads}");
            }
            let count = |name: &str| seen.iter().filter(|seen| *seen == name).count();
            assert_eq!(count("h1"), 1);
            assert_eq!(count("style"), 1);
            // Every drawing says what it shows, and every table's head what its cells are.
            assert_eq!((count("title"), count("desc")), (1 + count("svg"), count("svg")));
            assert_eq!(page.matches("<th ").count() + page.matches("<th>").count(), page.matches("scope=\"").count());
        }
    }

    #[test]
    fn text_of_others_stays_text() {
        let page = html(&hostile(), &Around::default());
        assert!(page.contains("&lt;script&gt;alert('x')&lt;/script&gt;&quot; onload=&quot;y\\u{1b}[31m\\u{202e}&amp;amp;\\u{0}"));
        assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\u{1b}') && !page.contains('\0'));
        assert!(page.len() < 100_000, "{} bytes", page.len());
    }

    #[test]
    fn the_page_says_what_the_report_says() {
        let page = html(&failed(), &Around::default());
        for text in [
            "<h1>access_daily</h1>",
            "checks failed, not published",
            "148,540",
            "no closing quote",
            "8,899",
            "status matches ^[1-5][0-9][0-9]$",
            "1 check failed, and nothing was published",
            "web.access",
            "38.4 MB/s",
        ] {
            assert!(page.contains(text), "{text}");
        }
        // What failed stands before what was written.
        assert!(page.find("id=\"checks\"").unwrap() < page.find("id=\"outputs\"").unwrap());
        assert!(page.find("FAIL").unwrap() < page.find("pass<").unwrap());
        assert!(html(&up_to_date(), &Around::default()).contains("nothing changed in 14 files of 2 sources"));
    }
}
