//! The JSON Schema of pipelines, for editors.

use super::document::PipelineText;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The JSON Schema of a pipeline's file.
pub fn json_schema() -> Value {
    let settings = SchemaSettings::draft07();
    let mut schema = settings.into_generator().into_root_schema_for::<PipelineText>().to_value();
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_string(), json!("A pipeline of etl"));
    }
    schema
}
