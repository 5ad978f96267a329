//! What is hidden changes no byte of an answer: two lakes that are the same to those who ask, and differ in all that is hidden from them, are asked the
//! same generated queries.

use super::lake::Lake;
use arrow::util::pretty::pretty_format_batches;
use etl::query::{LakeTables, QueryEngine, QueryOptions, Runtime};

const POLICY: &str = "
version: 1
name: policy
tags: {role: [open]}
principals:
  ann: {tags: {team: one}}
assignments:
  - {table: shops.tagged, columns: {shop: {role: open}, item: {role: open}}}
grants:
  - {to: [ann, bob], on: {database: shops}, permissions: [describe]}
  - {to: [ann, bob], on: {tags: {role: open}}, permissions: [select]}
  - {to: [ann, bob], on: {table: shops.lines, filter: first}, permissions: [select]}
  - {to: [ann, bob], on: {table: shops.parts, filter: part}, permissions: [select]}
  - {to: bob, on: {table: shops.lines, filter: items}, permissions: [select]}
  - {to: ann, on: {table: shops.ruled, except: [secret]}, permissions: [select]}
filters:
  - {name: first, table: shops.lines, except: [secret], rows: shop = 1}
  - {name: items, table: shops.lines, columns: [item], rows: \"item LIKE 'b%'\"}
  - {name: part, table: shops.parts, except: [secret], rows: shop < 3}
row_policies:
  own: {rows: \"shop IN (1, 2)\", attached: [{table: shops.ruled, condition: 'context.iam.principalTags.getTag(\"team\") == \"one\"'}]}
";

/// A lake whose hidden values are those of `hidden`; with `more`, it has tables and rows that the other one hasn't.
fn lake(hidden: i64, more: bool) -> Lake {
    let lake = Lake::in_folder();
    let mut rows = String::from("shop,item,price,secret\n");
    for number in 0..40 {
        let shop = 1 + number % 4;
        let item = ["apple", "bread", "cake", "bun"][number as usize / 4 % 4];
        // What nobody sees here: all of shops 3 and 4 but bread and buns' names, and `secret` everywhere.
        let price = if shop > 2 { hidden * (number % 7) } else { number % 9 };
        let name = if shop > 2 && !item.starts_with('b') { format!("x{}", hidden * number) } else { item.to_string() };
        rows.push_str(&format!("{shop},{name},{price},{}\n", hidden * 31 + number));
    }
    if more {
        // More rows of shops that are hidden, which the filter of items doesn't show either.
        (0..25).for_each(|number| rows.push_str(&format!("{},zz{number},{},{number}\n", 3 + number % 2, number * 1000)));
    }
    lake.write("rows.csv", rows);
    // Without filters, all rows are seen: those of both lakes are as many.
    lake.write(
        "tagged.csv",
        (0..40).fold("shop,item,price,secret\n".to_string(), |text, number| {
            format!("{text}{},i{},{},{}\n", number % 4, number % 3, hidden * number, hidden)
        }),
    );
    lake.write("policy.yaml", POLICY);
    let hidden_tables = if more { "  extra: {from: rows, table: shops.extra}\n  other: {from: rows, table: vault.other}\n" } else { "" };
    lake.write(
        "p.yaml",
        format!(
            "version: 1\nlake: {{location: lake}}\ngovernance: policy.yaml\nsources:\n  rows: {{location: rows.csv}}\n  tagged: {{location: tagged.csv}}\noutputs:\n  \
             lines: {{from: rows, table: shops.lines}}\n  tagged: {{from: tagged, table: shops.tagged}}\n  ruled: {{from: rows, table: shops.ruled, format: csv}}\n  \
             parts: {{from: rows, table: shops.parts, partition_by: shop}}\n{hidden_tables}"
        ),
    );
    lake.run_pipeline("p.yaml", 0);
    lake
}

/// An engine for `principal`, and its threads.
fn engine(lake: &Lake, principal: &str) -> QueryEngine {
    let engine = QueryEngine::new(QueryOptions { threads: 2, restricted: true, ..QueryOptions::default() }).unwrap();
    engine.register_lake(LakeTables::open(lake.storage().unwrap()).unwrap().seen_by(principal).unwrap()).unwrap();
    engine
}

/// The rows that `sql` gives, or why there are none. Rows come in no order where none is asked for.
fn answer(runtime: &Runtime, engine: &QueryEngine, sql: &str) -> String {
    let asked = runtime.block_on(async || {
        let mut result = engine.query(sql).await?;
        let mut batches = Vec::new();
        while let Some(batch) = result.next().await? {
            batches.push(batch);
        }
        Ok::<_, etl::error::Error>(batches)
    });
    match asked {
        Ok(batches) => {
            let text = pretty_format_batches(&batches).unwrap().to_string();
            let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('+')).collect();
            lines.sort_unstable();
            lines.join("\n")
        }
        Err(error) => format!("error: {error}"),
    }
}

struct Dice(u64);

impl Dice {
    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        of[((self.0 >> 33) as usize) % of.len()]
    }

    fn number(&mut self) -> String {
        self.one(&["0", "1", "2", "3", "5", "8", "12", "1000"]).to_string()
    }

    fn value(&mut self) -> String {
        let number = self.number();
        match self.one(&["column", "column", "column", "sum", "divide", "cast", "case", "length"]) {
            "column" => self.one(&["shop", "item", "price", "secret", "nothing", "t.price", "shop"]).to_string(),
            "sum" => format!("price + {number}"),
            "divide" => format!("100 / (price - {number})"),
            "cast" => self
                .one(&["CAST(item AS BIGINT)", "CAST(price AS VARCHAR)", "TRY_CAST(item AS BIGINT)", "CAST(secret AS VARCHAR)"])
                .to_string(),
            "case" => format!("CASE WHEN price > {number} THEN 'more' ELSE item END"),
            _ => "length(item)".to_string(),
        }
    }

    fn condition(&mut self) -> String {
        let (value, number) = (self.value(), self.number());
        match self.one(&["more", "like", "divide", "in", "null", "and", "exists", "true"]) {
            "more" => format!("{value} > {number}"),
            "like" => "item LIKE '%a%'".to_string(),
            "divide" => format!("60 / (price - {number}) > 3"),
            "in" => format!("shop IN (SELECT shop FROM {})", self.table()),
            "null" => format!("{value} IS NOT NULL"),
            "and" => format!("price >= {number} AND 10 / (shop - {}) < 9", self.number()),
            "exists" => format!("EXISTS (SELECT 1 FROM {} u WHERE u.shop = t.shop AND u.price > {number})", self.table()),
            _ => "1 = 1".to_string(),
        }
    }

    fn table(&mut self) -> String {
        self.one(&[
            "shops.lines",
            "shops.lines",
            "shops.tagged",
            "shops.ruled",
            "shops.parts",
            "shops.extra",
            "vault.other",
            "shops.nothing",
        ])
        .to_string()
    }

    fn query(&mut self) -> String {
        let (value, table, condition) = (self.value(), self.table(), self.condition());
        match self.one(&[
            "plain", "star", "group", "whole", "join", "window", "with", "union", "distinct", "order", "having", "explain", "nested",
            "scalar", "schema",
        ]) {
            "plain" => format!("SELECT {value} AS v, shop FROM {table} t WHERE {condition}"),
            "star" => format!("SELECT * FROM {table} t WHERE {condition}"),
            "group" => {
                format!("SELECT shop, count(*) AS n, sum(price) AS s, max({value}) AS m FROM {table} t WHERE {condition} GROUP BY shop")
            }
            "whole" => format!("SELECT count(*) AS n, count({value}) AS v, min(item) AS least, approx_distinct(item) AS d FROM {table} t"),
            "join" => format!(
                "SELECT t.shop, u.item, count(*) AS n FROM {table} t {} {} u ON t.shop = u.shop WHERE {condition} GROUP BY 1, 2",
                self.one(&["JOIN", "LEFT JOIN", "FULL JOIN", "LEFT ANTI JOIN", "CROSS JOIN"]).replace("CROSS JOIN", "JOIN"),
                self.table()
            ),
            "window" => format!(
                "SELECT shop, item, row_number() OVER (PARTITION BY shop ORDER BY item, price) AS r, sum(price) OVER (PARTITION BY item) AS s FROM {table} t WHERE {condition}"
            ),
            "with" => {
                format!("WITH c AS (SELECT * FROM {table} t WHERE {condition}) SELECT {value} AS v, count(*) AS n FROM c t GROUP BY 1")
            }
            "union" => format!("SELECT item FROM {table} t WHERE {condition} UNION SELECT item FROM {}", self.table()),
            "distinct" => format!("SELECT DISTINCT {value} AS v FROM {table} t"),
            "order" => {
                format!("SELECT shop, item, price FROM {table} t WHERE {condition} ORDER BY price DESC, item, shop LIMIT {}", self.number())
            }
            "having" => format!(
                "SELECT item, count(*) AS n FROM {table} t GROUP BY item HAVING count(*) > {} AND max(price) < 100 / (count(*) - 2)",
                self.number()
            ),
            "explain" => format!("EXPLAIN SELECT {value} AS v FROM {table} t WHERE {condition}"),
            "nested" => format!("SELECT avg(n) AS a FROM (SELECT shop, count(*) AS n FROM {table} t WHERE {condition} GROUP BY shop) q"),
            "scalar" => format!("SELECT shop, (SELECT max(price) FROM {}) AS m FROM {table} t WHERE {condition}", self.table()),
            _ => self
                .one(&[
                    "SELECT table_schema, table_name FROM information_schema.tables",
                    "SELECT table_name, column_name, data_type FROM information_schema.columns",
                    "SELECT schema_name FROM information_schema.schemata",
                    "SHOW TABLES",
                    "SHOW COLUMNS FROM shops.lines",
                    "DESCRIBE shops.parts",
                    "DESCRIBE vault.other",
                    "SELECT * FROM information_schema.views",
                    "EXPLAIN ANALYZE SELECT count(*) FROM shops.lines",
                ])
                .to_string(),
        }
    }
}

#[test]
fn what_is_hidden_changes_no_byte_of_an_answer() {
    let (one, two) = (lake(7, false), lake(-13, true));
    let runtime = Runtime::new(2).unwrap();
    let (mut rows, mut errors) = (0, 0);
    for principal in ["ann", "bob", "nobody"] {
        let (first, second) = (engine(&one, principal), engine(&two, principal));
        let mut dice = Dice(principal.len() as u64 * 977);
        for _ in 0..500 {
            let sql = dice.query();
            let (is, other) = (answer(&runtime, &first, &sql), answer(&runtime, &second, &sql));
            assert_eq!(is, other, "{principal}: {sql}");
            match is.starts_with("error: ") {
                true => errors += 1,
                false => rows += usize::from(is.lines().count() > 1),
            }
        }
    }
    // Queries that are all wrong would show nothing.
    assert!(rows > 200 && errors > 200, "{rows} {errors}");
    // And what is asked does tell the lakes apart, for who sees all.
    let all = |lake: &Lake| lake.value("SELECT sum(secret) FROM shops.lines");
    assert_ne!(all(&one), all(&two));
    runtime.leave();
}
