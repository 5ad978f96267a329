//! What is told of a query before it is run, and what Trino reads when it runs it.

use crate::etl::generated;
use crate::stand_ins::StandIns;
use etl::query::Estimate;
use etl::units::ByteSize;

/// Of which the larger file is read by chunks, and the smaller one whole.
const PIPELINE: &str = "version: 1
lake:
  location: s3://BUCKET/lake
  catalog: {glue: {}}
sources:
  access: {location: access.log, format: log}
outputs:
  large: {from: access, table: DATABASE.large, compression: none}
  days: {from: access, table: DATABASE.days, partition_by: [dt]}
  computed: {from: access, table: DATABASE.computed, partition_by: [dt], partition_projection: true}
  json: {from: access, table: DATABASE.json, format: json, compression: gzip}
  csv: {from: access, table: DATABASE.csv, format: csv}
";

#[test]
fn an_estimate_is_what_trino_reads() {
    let Some(there) = StandIns::get() else { return };
    let bucket = &there.minio.bucket;
    there.etl.write("access.log", generated(150_000));
    there.etl.write("p.yaml", PIPELINE.replace("BUCKET", bucket).replace("DATABASE", &there.database));
    there.etl.run(["run", "p.yaml"]).ok();
    let estimate = |sql: &str| -> Estimate {
        let told = there.etl.run(["athena", "cost", "--json", &sql.replace('$', &there.database)]).ok();
        serde_json::from_slice(&told.stdout).unwrap()
    };
    // How far off the estimate may be, in percent of what is read.
    for (sql, most) in [
        ("SELECT count(*) FROM $.json", 0),
        ("SELECT * FROM $.csv", 0),
        ("SELECT max(host) FROM $.csv WHERE host LIKE 'a%'", 0),
        ("SELECT count(*) FROM $.large", 10),
        ("SELECT * FROM $.large", 10),
        ("SELECT sum(bytes) FROM $.large", 10),
        ("SELECT count(DISTINCT path) FROM $.large", 10),
        ("SELECT status, count(*) FROM $.large GROUP BY 1", 10),
        ("SELECT host FROM $.large WHERE host = 'zzz'", 0),
        ("SELECT sum(bytes) FROM $.days", 10),
        ("SELECT count(*) FROM $.days WHERE dt = DATE '2020-03-01'", 10),
        ("SELECT sum(bytes) FROM $.computed WHERE dt BETWEEN DATE '2020-03-01' AND DATE '2020-03-02'", 10),
        ("SELECT a.host FROM $.days a, $.days b WHERE a.dt = DATE '2020-02-29' AND b.dt = DATE '2020-03-01' AND a.host = b.host", 10),
    ] {
        let (told, read) = (estimate(sql), there.trino(sql).1);
        let off = told.bytes.abs_diff(read);
        assert!(off * 100 <= read * most, "{sql}: {} bytes told, {read} read\n{told}", told.bytes);
    }
    let days = estimate("SELECT count(*) FROM $.days WHERE dt = DATE '2020-03-01'");
    let table = &days.tables[0];
    assert!(table.partitions == Some(1) && table.of_partitions > Some(1) && Some(table.bytes) < table.of_bytes, "{days}");
    assert!(days.exact, "{days}");
    let limited = estimate("SELECT host FROM $.large LIMIT 5");
    assert!(!limited.exact && limited.to_string().contains("LIMIT"), "{limited}");
    // Athena's own functions are not known here: all of the table is told, and that it is so.
    let unplanned = estimate("SELECT approx_set(host) FROM $.large");
    assert!(!unplanned.exact && unplanned.bytes >= estimate("SELECT * FROM $.large").bytes, "{unplanned}");
    let refusal = days.refuse_above(ByteSize(1)).unwrap_err();
    assert!(refusal.to_string().contains("--max-scan"), "{refusal}");
}
