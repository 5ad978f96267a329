use super::*;
use crate::accesslog::Preset;
use arrow::datatypes::{Field, Schema};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn schema_of(preset: Preset) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(preset.name()).with_extension("yaml")
}

/// Names, types and directives. A type of Athena's has no unit of times.
fn columns(schema: &Schema) -> Vec<(String, String, Option<String>)> {
    let column = |field: &Arc<Field>| {
        let name_of_type = types::athena_type(field.data_type()).unwrap();
        (field.name().clone(), name_of_type, field.metadata().get("directive").cloned())
    };
    schema.fields().iter().map(column).collect()
}

#[test]
fn schemas_are_those_of_the_presets() {
    for preset in Preset::ALL {
        let schema = TableSchema::load(&schema_of(preset)).unwrap();
        assert_eq!(schema.name, preset.name());
        assert_eq!(schema.log_format.as_deref(), Some(preset.log_format()), "{}", schema.name);
        assert_eq!(columns(&schema.arrow_schema()), columns(&preset.format().schema()), "{}", schema.name);
        assert!(schema.columns.iter().all(|column| column.comment.is_some()), "{}", schema.name);
        assert!(schema.columns.iter().all(|column| column.athena_type().is_ok()), "{}", schema.name);
    }
    let files = std::fs::read_dir(schema_of(Preset::Common).parent().unwrap()).unwrap();
    let tables = files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "yaml"));
    assert_eq!(tables.count(), Preset::ALL.len(), "schemas/ holds one table a preset");
}

fn refusal(text: &str) -> String {
    TableSchema::parse("t.yaml", text).unwrap_err().to_string()
}

#[test]
fn faults_are_pointed_at() {
    assert_eq!(
        refusal("name: t\ncolumns:\n  - name: a\n    typ: int\n"),
        "t.yaml:4:5:\n      typ: int\n      ^^^ unknown key `typ`; did you mean `type`?"
    );
    assert_eq!(
        refusal("name: t\ncolumns:\n  - {name: a, type: array<bigit>}\n"),
        "t.yaml:3:27:\n    - {name: a, type: array<bigit>}\n                            ^^^^^ no such type; did you mean `bigint`?"
    );
    assert_eq!(
        refusal("name: t\ncolumns:\n  - name: a\n    type: \"sting\"\n"),
        "t.yaml:4:11:\n      type: \"sting\"\n            ^^^^^^^ no such type; did you mean `string`?"
    );
    let twice = refusal("name: t\ncolumns:\n  - {name: a, type: int}\n  - {name: a, type: int}\n");
    assert!(twice.starts_with("t.yaml:4:12:\n") && twice.ends_with("^ the table already has a column of this name"), "{twice}");
    let upper = refusal("name: Table\ncolumns: []\n");
    assert!(upper.starts_with("t.yaml:1:7:\n  name: Table\n        ^^^^^ expected a name"), "{upper}");
    let none = refusal("name: t\ncolumns: []\n");
    assert!(none.starts_with("t.yaml:1:7:\n") && none.contains("no columns"), "{none}");
    let scalar = refusal("name: t\ncolumns: 3\n");
    assert!(scalar.starts_with("t.yaml:2:10:\n") && scalar.ends_with("^ expected a list, with each item after `- `"), "{scalar}");
    let missing = refusal("name: t\n");
    assert!(missing.starts_with("t.yaml:1:") && missing.contains("`columns` is missing"), "{missing}");
}

#[test]
fn what_is_no_schema_is_refused() {
    for text in ["", "[]", "name: t\ncolumns: 3\n", "name: {", "\u{0}", "name: t\nname: u\ncolumns: []\n", "- \u{fc}: *x"] {
        let shown = refusal(text);
        assert!(shown.starts_with("t.yaml:"), "{shown}");
    }
    assert_eq!(TableSchema::load(Path::new("no/such.yaml")).unwrap_err().kind(), crate::ErrorKind::Input);
}
