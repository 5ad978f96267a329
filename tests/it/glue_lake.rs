//! A lake whose tables Glue is told of, and Trino, which reads them there. `tests/run.sh` starts all of it, or takes what
//! `ETL_TEST_GLUE_ENDPOINT` and `ETL_TEST_TRINO_ENDPOINT` name; where they name nothing, such tests are skipped, loudly, and
//! `ETL_TEST_REQUIRE=aws` forbids that.

use crate::etl::{Etl, Outcome};
use crate::glue::Glue;
use crate::glue_proxy::GlueProxy;
use crate::minio::Minio;
use crate::stand_in::endpoint;
use crate::trino::Trino;
use serde_json::{Value, json};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A bucket with a lake, databases of its own in Glue, and a folder to run the program in.
pub(crate) struct GlueLake {
    etl: Etl,
    pub(crate) minio: Minio,
    pub(crate) glue: Glue,
    pub(crate) trino: Trino,
    /// What the names of its databases begin with in Glue.
    pub(crate) prefix: String,
    /// Between the program and Glue.
    pub(crate) proxy: GlueProxy,
}

impl Deref for GlueLake {
    type Target = Etl;

    fn deref(&self) -> &Etl {
        &self.etl
    }
}

impl GlueLake {
    /// Nothing where there is no Glue, no Trino or no store.
    pub(crate) fn get() -> Option<GlueLake> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (glue, trino) = (endpoint("ETL_TEST_GLUE_ENDPOINT")?, endpoint("ETL_TEST_TRINO_ENDPOINT")?);
        let minio = Minio::get()?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
        let prefix = format!("t{now:x}_{}_{}_", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let proxy = GlueProxy::before(&glue);
        let etl = Etl::new()
            .with("AWS_ENDPOINT_URL_S3", &minio.endpoint)
            .with("AWS_ENDPOINT_URL_GLUE", &proxy.endpoint)
            .with("AWS_REGION", "us-east-1")
            .with("AWS_EC2_METADATA_DISABLED", "true");
        Some(GlueLake { etl, minio, glue: Glue { endpoint: glue }, trino: Trino::at(&trino), prefix, proxy })
    }

    /// The same, with `value` for the variable `name` of the program.
    pub(crate) fn with(mut self, name: &str, value: &str) -> GlueLake {
        let etl = std::mem::replace(&mut self.etl, Etl::new());
        self.etl = etl.with(name, value);
        self
    }

    /// One with an Athena, and a workgroup for its queries; nothing where there is none.
    pub(crate) fn with_athena() -> Option<GlueLake> {
        let athena = endpoint("ETL_TEST_ATHENA_ENDPOINT")?;
        let lake = GlueLake::get()?.with("AWS_ENDPOINT_URL_ATHENA", &athena);
        let workgroup = format!("{}wg", lake.prefix);
        lake.etl(&format!("athena workgroup ensure {workgroup} --max-scan 1GB")).ok();
        Some(lake.with("ETL_ATHENA_WORKGROUP", &workgroup))
    }

    /// The lake's address.
    pub(crate) fn location(&self) -> String {
        self.minio.location("lake").to_string()
    }

    /// The name of the lake's `database` in Glue.
    pub(crate) fn database(&self, database: &str) -> String {
        format!("{}{database}", self.prefix)
    }

    /// Writes a pipeline, with its lake where this one is, and told to Glue.
    pub(crate) fn pipeline(&self, name: &str, text: &str) -> &GlueLake {
        self.pipeline_with(name, text, "")
    }

    /// As [`GlueLake::pipeline`], with more settings of Glue: `, adopt: true`.
    pub(crate) fn pipeline_with(&self, name: &str, text: &str, settings: &str) -> &GlueLake {
        assert!(text.contains("lake: {location: lake}"), "{text}");
        let lake = format!("lake: {{location: '{}', catalog: {{glue: {{database_prefix: {}{settings}}}}}}}", self.location(), self.prefix);
        self.write(name, text.replace("lake: {location: lake}", &lake));
        self
    }

    /// The first value that a query of the lake gives.
    #[track_caller]
    pub(crate) fn value(&self, sql: &str) -> String {
        let outcome = self.run(["query", "--lake", &self.location(), "--format", "csv", sql]).ok();
        String::from_utf8(outcome.stdout).unwrap().lines().nth(1).unwrap_or_default().to_string()
    }

    /// The table as Glue has it.
    #[track_caller]
    pub(crate) fn told(&self, database: &str, table: &str) -> Value {
        self.glue.table(&self.database(database), table).unwrap_or_else(|| panic!("Glue has no table {database}.{table}"))
    }

    /// What a plan says of Glue for the output `name`.
    #[track_caller]
    pub(crate) fn planned(&self, pipeline: &str, name: &str) -> Value {
        let outcome: Outcome = self.etl(&format!("plan {pipeline} --json"));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let plan: Value = serde_json::from_slice(&outcome.stdout).unwrap_or_else(|e| panic!("{e}: {}", outcome.stderr));
        let outputs = plan["outputs"].as_array().unwrap();
        outputs.iter().find(|output| output["name"] == name).unwrap_or_else(|| panic!("{plan}")).clone()
    }
}

impl Drop for GlueLake {
    fn drop(&mut self) {
        // What fails here fails nothing.
        let databases = self.glue.ask("GetDatabases", &json!({})).unwrap_or_default();
        for database in databases["DatabaseList"].as_array().into_iter().flatten() {
            if let Some(name) = database["Name"].as_str().filter(|name| name.starts_with(&self.prefix)) {
                let _ = self.glue.ask("DeleteDatabase", &json!({"Name": name}));
            }
        }
    }
}
