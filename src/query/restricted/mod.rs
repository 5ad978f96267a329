//! Tables as one principal sees them, and no more of them.
//!
//! What is hidden is left out below everything else: names of tables and columns are not there, and where rows are hidden the table is read
//! through a [`guard`] that nothing of a query passes: no predicate, no limit, no statistic, and no error with a value in it.

mod guard;
mod restriction;
mod rows;
mod table;

pub(super) use restriction::Restriction;
pub(super) use table::restricted;
