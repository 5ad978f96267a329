//! Who sees what, as a page.

use super::parts::POLICY;
use crate::governance::{Matrix, Sight};
use crate::printable::printable;
use maud::{DOCTYPE, PreEscaped, html};

/// One page that needs nothing else.
pub fn matrix(matrix: &Matrix) -> String {
    let word = |sight: Sight| match sight {
        Sight::Nothing => "–",
        Sight::Name => "name",
        Sight::Some => "some",
        Sight::All => "all",
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Who sees what" }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                main {
                    h1 { "Who sees what" }
                    p { "all: all rows; some: those that a filter or row policy lets through; name: name and type; –: nothing" }
                    div class="scroll" {
                        table {
                            thead { tr {
                                th scope="col" { "table" }
                                th scope="col" { "column" }
                                @for principal in &matrix.principals { th scope="col" { (printable(principal)) } }
                            } }
                            tbody {
                                @for (at, (table, column)) in matrix.columns.iter().enumerate() {
                                    tr {
                                        th scope="row" { (printable(&table.to_string())) }
                                        td { (printable(column)) }
                                        @for sights in &matrix.sights { td { (word(sights[at])) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}
