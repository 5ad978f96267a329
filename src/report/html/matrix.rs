//! Who sees what, as a page.

use super::parts::page;
use crate::governance::{Matrix, Sight};
use crate::printable::printable;
use maud::html;

/// One page that needs nothing else.
pub fn matrix(matrix: &Matrix) -> String {
    let word = |sight: Sight| match sight {
        Sight::Nothing => "–",
        Sight::Name => "name",
        Sight::Some => "some",
        Sight::All => "all",
    };
    let body = html! {
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
    };
    page(html! { "Who sees what" }, body)
}
