//! What a run did, shown as a table or as a page.
