//! What a run of the tests may not do without.

use std::env;

/// Whether `ETL_TEST_REQUIRE` asks for `what`: then nothing of it may be skipped.
pub(crate) fn is_required(what: &str) -> bool {
    env::var("ETL_TEST_REQUIRE").is_ok_and(|list| list.split(',').any(|one| one.trim() == what))
}
