//! What is wrong with pipelines is told as the golden files beside them say. `ETL_UPDATE_GOLDEN=1` writes those anew.

use etl::pipeline::Pipeline;
use etl::pipeline::spec::Loaded;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A value that no message may show.
const SECRET: &str = "Hunter-2";

fn environment(name: &str) -> Option<String> {
    (name == "SECRET").then(|| SECRET.to_string())
}

fn load(name: &str, text: &str, vars: &[(&str, &str)]) -> Loaded {
    let vars: BTreeMap<String, String> = vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Pipeline::parse(name, text, Path::new("/pipelines"), &vars, &environment)
}

fn shown(loaded: &Loaded) -> String {
    let shown = |problem: &etl::yaml::Problem| format!("{}: {problem}\n", if problem.is_error() { "error" } else { "warning" });
    loaded.problems.iter().map(shown).collect()
}

#[test]
fn every_error_is_told_as_its_golden_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pipelines/errors");
    let update = std::env::var_os("ETL_UPDATE_GOLDEN").is_some();
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut tried, mut wrong) = (0, Vec::new());
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
        tried += 1;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let loaded = load(&name, &fs::read_to_string(path).unwrap(), &[]);
        let found = shown(&loaded);
        assert!(!loaded.problems.is_empty(), "{name} has nothing wrong");
        assert_eq!(loaded.pipeline.is_none(), loaded.problems.iter().any(|problem| problem.is_error()), "{name}");
        assert!(!found.to_lowercase().contains(&SECRET.to_lowercase()), "{name} tells a secret:\n{found}");
        let golden = path.with_extension("txt");
        if update {
            fs::write(&golden, &found).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{name}:\n{found}--- expected:\n{expected}"));
        }
    }
    assert!(tried > 40, "only {tried} files");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A pipeline that has nearly everything.
const VALID: &str = include_str!("../../src/pipeline/spec/tests/full.yaml");

proptest::proptest! {
    /// Pieces of a right pipeline are removed, doubled, moved and replaced: reading tells what is wrong, and never panics.
    #[test]
    fn no_text_makes_reading_panic(
        cuts in proptest::collection::vec((0usize..5000, 0usize..40, 0usize..5000, 0usize..12), 1..6),
    ) {
        const PIECES: [&str; 12] = ["", ":", "\n", "  ", "[", "}", "${", "é", "'", "- ", "*x", "\u{0}\t|\n"];
        let mut characters: Vec<char> = VALID.chars().collect();
        for (at, length, from, piece) in cuts {
            let at = at % characters.len();
            let end = (at + length).min(characters.len());
            let copied: Vec<char> = characters[from % characters.len()..].iter().copied().take(length / 2).collect();
            characters.splice(at..end, PIECES[piece].chars().chain(copied));
            if characters.is_empty() {
                characters.push('x');
            }
        }
        let text: String = characters.into_iter().collect();
        let loaded = load("t.yaml", &text, &[("given", "x")]);
        proptest::prop_assert!(loaded.pipeline.is_some() || loaded.problems.iter().any(|problem| problem.is_error()));
        for problem in &loaded.problems {
            proptest::prop_assert!(problem.to_string().starts_with("t.yaml:"));
            proptest::prop_assert!(problem.line <= text.lines().count().max(1));
        }
    }
}

#[test]
fn the_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/pipeline.schema.json");
    let current = format!("{:#}\n", etl::pipeline::spec::json_schema());
    if std::env::var_os("ETL_UPDATE_GOLDEN").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == current, "schemas/pipeline.schema.json is old; write it anew: etl schema > schemas/pipeline.schema.json");
}

#[test]
fn deep_and_long_files_are_read_in_little_time() {
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        assert!(load("deep.yaml", &deep, &[]).pipeline.is_none());
    }
    // An alias of aliases of aliases is not written out without end.
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(load("bomb.yaml", &bomb, &[]).pipeline.is_none());
    let names = || (0..2_000).map(|number| format!("n{number}"));
    let sources: String = names().map(|name| format!("  {name}: {{location: {name}.log}}\n")).collect();
    let outputs: String = names().map(|name| format!("  {name}: {{from: {name}, table: web.{name}}}\n")).collect();
    let long = format!("version: 1\nlake: {{location: lake}}\nsources:\n{sources}outputs:\n{outputs}");
    let started = std::time::Instant::now();
    let loaded = load("long.yaml", &long, &[]);
    assert_eq!(loaded.pipeline.map(|pipeline| pipeline.outputs.len()), Some(2_000), "{:?}", loaded.problems.first());
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
