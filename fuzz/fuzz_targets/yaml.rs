//! Any bytes as the file of a pipeline, and of a table's description: read, checked and told, as `etl validate` does.
//!
//! In the folder `fuzz`, with stable Rust, for an hour:
//!
//!     mkdir -p corpus/yaml
//!     cargo run --release --features yaml --bin yaml -- corpus/yaml seeds/yaml -max_len=8192 -timeout=10 -rss_limit_mb=2048 -max_total_time=3600
//!
//! It takes the whole package, with the query engine whose parser reads the SQL of transforms and checks, so the build takes its time.
//! A finding is a panic, a slow or large input, or an input that breaks what is checked here; it is written to a file `crash-…`.

#![no_main]

use etl::pipeline::Pipeline;
use etl::schema::TableSchema;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::path::Path;

/// What is kept of the errors and of the warnings, and a line for those that are not.
const TOLD: usize = 2 * (100 + 1);

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let env = |name: &str| (name != "NONE").then(|| format!("a secret of {name}"));
    let loaded = Pipeline::parse("fuzz.yaml", &text, Path::new("/lake"), &BTreeMap::new(), &env);

    // It can be run, or it is told why not.
    let errors = loaded.problems.iter().filter(|problem| problem.is_error()).count();
    assert_eq!(loaded.pipeline.is_none(), errors > 0);
    assert!(loaded.problems.len() <= TOLD);
    let lines = text.lines().count().max(1);
    for problem in &loaded.problems {
        assert!(problem.line <= lines + 1, "line {} of {lines}", problem.line);
        // A line that is shown is shown in part where it is long.
        assert!(problem.to_string().len() <= problem.path.len() + problem.message.len() + 2 * 4 * 300 + 100);
        assert!(text.contains("secret") || !problem.message.contains("a secret of"), "{}", problem.message);
    }
    // The same text gives the same.
    let again = Pipeline::parse("fuzz.yaml", &text, Path::new("/lake"), &BTreeMap::new(), &env);
    assert_eq!(format!("{:?}", again.problems), format!("{:?}", loaded.problems));

    let _ = TableSchema::parse("fuzz.yaml", &text);
});
