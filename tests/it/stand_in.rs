//! A stand-in for Glue: what `ETL_TEST_GLUE_ENDPOINT` names. Where nothing is named, tests of it are skipped, loudly, and `ETL_TEST_REQUIRE=aws`
//! forbids that.

use crate::etl::Etl;
use crate::required::is_required;
use std::env;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The program with that Glue, and a name for databases that nobody else has; nothing where there is none.
pub(crate) fn glue() -> Option<(Etl, String)> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let endpoint = endpoint("ETL_TEST_GLUE_ENDPOINT")?;
    let database = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    Some((Etl::new().with("AWS_ENDPOINT_URL_GLUE", &endpoint).with("AWS_REGION", "us-east-1"), database))
}

/// The address of a stand-in, if there is one.
pub(crate) fn endpoint(variable: &str) -> Option<String> {
    let endpoint = env::var(variable).ok().filter(|endpoint| !endpoint.is_empty());
    if endpoint.is_none() {
        let required = is_required("aws");
        assert!(!required, "ETL_TEST_REQUIRE asks for AWS's stand-ins, and {variable} names none");
        // Not by `eprintln!`, which the test harness keeps to itself where a test passes.
        let skipped = format!("SKIPPED: a test of AWS's services, because {variable} names no stand-in\n");
        std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    }
    endpoint
}
