//! The plan of the source: no module reaches up, none goes in circles, no file is long.

use crate::file_imports;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules, lowest floor first, and what each may use. What isn't listed must not be used.
const FLOORS: [(u8, &str, &[&str]); 35] = [
    (0, "printable", &[]),
    (0, "secrets", &["printable"]),
    (0, "error", &["printable"]),
    (0, "units", &[]),
    (0, "diagnostic", &["printable"]),
    (0, "progress", &[]),
    (0, "peak_memory", &[]),
    (0, "trace", &[]),
    (0, "zone", &["diagnostic"]),
    (0, "sql_text", &[]),
    (1, "escape", &[]),
    (1, "decode", &["error"]),
    (1, "nested", &[]),
    (1, "text_column", &["escape"]),
    (1, "accesslog", &["error", "diagnostic", "decode", "escape", "text_column"]),
    (1, "tabular", &["printable", "error", "units", "diagnostic", "decode", "escape", "text_column", "accesslog"]),
    (1, "yaml", &["printable", "secrets", "error", "units", "diagnostic"]),
    (1, "schema", &["error", "diagnostic", "accesslog", "yaml"]),
    (2, "storage", &["secrets", "error", "trace"]),
    (2, "input", &["printable", "error", "units", "diagnostic", "decode", "nested", "accesslog", "tabular", "schema", "storage"]),
    (2, "output", &["error", "units", "decode", "nested", "accesslog", "tabular", "schema"]),
    (2, "generate", &["error", "units", "accesslog"]),
    (3, "aws", &["secrets", "error", "storage", "trace"]),
    (3, "publish", &["error", "storage", "input"]),
    (
        3,
        "convert",
        &[
            "printable",
            "secrets",
            "error",
            "units",
            "diagnostic",
            "progress",
            "zone",
            "decode",
            "accesslog",
            "schema",
            "storage",
            "input",
            "output",
            "publish",
        ],
    ),
    (4, "catalog", &["sql_text", "error", "units", "diagnostic", "accesslog", "schema", "storage", "input", "output", "aws", "publish"]),
    (4, "governance", &["printable", "error", "units", "diagnostic", "yaml", "storage", "aws", "publish", "catalog"]),
    (
        4,
        "query",
        &[
            "sql_text",
            "printable",
            "error",
            "units",
            "diagnostic",
            "progress",
            "decode",
            "accesslog",
            "tabular",
            "schema",
            "storage",
            "input",
            "output",
            "aws",
            "publish",
            "catalog",
            "governance",
        ],
    ),
    (
        4,
        "inspect",
        &["printable", "error", "units", "diagnostic", "progress", "decode", "accesslog", "schema", "storage", "input", "output"],
    ),
    (
        5,
        "pipeline",
        &[
            "printable",
            "secrets",
            "error",
            "units",
            "diagnostic",
            "progress",
            "trace",
            "zone",
            "accesslog",
            "schema",
            "storage",
            "input",
            "output",
            "aws",
            "publish",
            "convert",
            "catalog",
            "governance",
            "query",
            "yaml",
            "sql_text",
        ],
    ),
    (5, "doctor", &["error", "storage", "aws", "catalog", "governance", "query"]),
    (
        5,
        "bench",
        &[
            "error",
            "schema",
            "units",
            "diagnostic",
            "progress",
            "sql_text",
            "accesslog",
            "tabular",
            "yaml",
            "input",
            "output",
            "generate",
            "aws",
            "catalog",
            "query",
            "pipeline",
        ],
    ),
    (6, "report", &["printable", "error", "units", "diagnostic", "publish", "catalog", "governance", "pipeline", "bench"]),
    (6, "schedule", &["error", "storage", "publish", "pipeline"]),
    (
        7,
        "cli",
        &[
            "printable",
            "secrets",
            "error",
            "units",
            "diagnostic",
            "progress",
            "trace",
            "peak_memory",
            "bench",
            "zone",
            "accesslog",
            "schema",
            "input",
            "output",
            "aws",
            "publish",
            "convert",
            "query",
            "inspect",
            "generate",
            "doctor",
            "storage",
            "catalog",
            "governance",
            "pipeline",
            "report",
            "schedule",
            "yaml",
        ],
    ),
];

/// A source file without its unit tests and comments.
struct Source {
    path: PathBuf,
    module: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &mut found);
    let module = |path: &Path| {
        let first = path.strip_prefix(&root).unwrap().components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        first.trim_end_matches(".rs").to_string()
    };
    let is_test = |path: &Path| path.ends_with("tests.rs");
    found.sort();
    found
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            Source { module: module(&path), code: code.join("\n"), path }
        })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, found),
            false => found.push(path),
        }
    }
}

/// The modules that `code` names after `crate::`.
fn used(code: &str) -> BTreeSet<String> {
    let names = code.match_indices("crate::").flat_map(|(at, found)| {
        let rest = &code[at + found.len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').map(str::trim).collect(),
            None => vec![rest],
        };
        names
            .into_iter()
            .map(|name| name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap().to_string())
            .collect::<Vec<_>>()
    });
    // The library's root has the error's names again.
    names.map(|name| if ["Error", "ErrorKind", "Result"].contains(&name.as_str()) { "error".to_string() } else { name }).collect()
}

#[test]
fn no_module_reaches_up() {
    let floors: BTreeMap<&str, (u8, &[&str])> = FLOORS.iter().map(|(floor, module, below)| (*module, (*floor, *below))).collect();
    let mut wrong = Vec::new();
    for source in sources() {
        if ["lib", "main"].contains(&source.module.as_str()) {
            continue;
        }
        let Some((floor, below)) = floors.get(source.module.as_str()) else {
            wrong.push(format!("{} is a module without a floor", source.path.display()));
            continue;
        };
        for used in used(&source.code).into_iter().filter(|used| *used != source.module) {
            if !below.contains(&used.as_str()) {
                let theirs = floors.get(used.as_str()).map_or("none".to_string(), |(floor, _)| floor.to_string());
                wrong.push(format!("{} (floor {floor}) uses crate::{used} (floor {theirs})", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_floors_have_no_cycle() {
    // A module may use those that stand before it, and so none can come back to itself.
    for (index, (floor, module, below)) in FLOORS.iter().enumerate() {
        for used in *below {
            let place = FLOORS.iter().position(|(_, name, _)| name == used).unwrap_or_else(|| panic!("{used} has no floor"));
            assert!(place < index && FLOORS[place].0 <= *floor, "{module} may not use {used}");
        }
    }
}

#[test]
fn no_two_files_import_each_other() {
    let imports = file_imports::of(&sources().into_iter().map(|source| (source.path, source.code)).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (file, used) in &imports {
        for other in used.iter().filter(|other| *other > file && imports.get(*other).is_some_and(|back| back.contains(file))) {
            wrong.push(format!("{file} and {other} import each other"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What the house is built of is seen by the check.
    assert!(imports["pipeline/run.rs"].contains("pipeline/state/before.rs") && imports["cli/single_run.rs"].contains("report/mod.rs"));
}

#[test]
fn rooms_are_in_the_order_of_a_run() {
    const ROOMS: [&str; 5] = ["state", "make", "verify", "registering", "upkeep"];
    for source in sources().iter().filter(|source| source.module == "pipeline") {
        let Some(room) = ROOMS.iter().position(|room| source.path.components().any(|part| part.as_os_str() == *room)) else { continue };
        for later in &ROOMS[room + 1..] {
            assert!(!source.code.contains(&format!("pipeline::{later}::")), "{} uses {later}", source.path.display());
        }
        assert!(!source.code.contains("pipeline::run::") && !source.code.contains("pipeline::plan::"), "{}", source.path.display());
    }
}

#[test]
fn files_are_short_and_named_by_a_noun() {
    for source in sources() {
        let name = source.path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!["utils", "util", "helpers", "misc", "common"].contains(&name.as_str()), "{}", source.path.display());
        let lines = source.code.lines().count();
        assert!(lines <= 400, "{} has {lines} lines of code; 400 is the most", source.path.display());
    }
}
