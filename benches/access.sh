#!/usr/bin/env bash
# What it takes to decide who may see what: the matrix of 2,000 principals and 5,000 columns, and the share that `--as` adds to queries.
#
#   bash benches/access.sh [ETL]        ETL is a release build of the program; target/release/etl where not given
#
# Needs python3 and GNU time. Prints seconds and megabytes of the matrix, and for each query the median of the ratios with / without --as, of runs that
# take turns.
set -euo pipefail
etl=$(realpath "${1:-target/release/etl}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 - <<'PYTHON'
columns = [f"c{number:03}" for number in range(100)]
open("rows.csv", "w").write(",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n")
outputs = "".join(f"  t{number}: {{from: rows, table: wide.t{number}}}\n" for number in range(50))
open("wide.yaml", "w").write("version: 1\nlake: {location: wide}\nsources: {rows: {location: rows.csv}}\noutputs:\n" + outputs)
values = [f"v{number}" for number in range(20)]
text = ["version: 1", "name: policy", f"tags: {{role: [{', '.join(values)}]}}", "principals:"]
text += [f"  p{number}: {{groups: [g{number % 20}, h{number % 7}]}}" for number in range(2000)]
text += ["assignments:"]
for table in range(50):
    text += [f"  - table: wide.t{table}", f"    tags: {{role: v{table % 20}}}", "    columns:"]
    text += [f"      'c{ten:02}*': {{role: v{(table + ten) % 20}}}" for ten in range(10)]
text += ["grants:"]
text += [f"  - {{to: g{group}, on: {{database: wide}}, permissions: [describe]}}" for group in range(20)]
text += [f"  - {{to: g{group}, on: {{tags: {{role: [v{group}, v{(group + 3) % 20}]}}}}, permissions: [select]}}" for group in range(20)]
text += [f"  - {{to: p{number}, on: {{table: wide.t{number % 50}, columns: [c{number % 100:03}]}}, permissions: [select]}}" for number in range(2000)]
open("policy.yaml", "w").write("\n".join(text) + "\n")
PYTHON
"$etl" run wide.yaml --json > /dev/null
"$etl" tags apply policy.yaml --lake wide --json > /dev/null
for format in csv json; do
    /usr/bin/time -f "matrix of 2,000 x 5,000 as $format: %e s, %M kB" "$etl" access matrix --lake wide --format "$format" > matrix.out
    echo "  $(wc -c < matrix.out) bytes"
done

"$etl" generate --lines 2000000 > access.log
cat > log.yaml <<'YAML'
version: 1
lake: {location: log}
sources: {access: {location: access.log}}
outputs: {access: {from: access, table: web.access}}
tags: {role: [open]}
governance:
  assignments: [{table: web.access, tags: {role: open}}]
grants:
  - {to: ann, on: {database: web}, permissions: [describe]}
  - {to: ann, on: {tags: {role: open}}, permissions: [select]}
  - {to: bob, on: {database: web}, permissions: [describe]}
  - {to: bob, on: {table: web.access, except: [auth_user]}, permissions: [select]}
YAML
"$etl" run log.yaml --json > /dev/null
ETL="$etl" python3 - <<'PYTHON'
import os, statistics, subprocess, time
etl = os.environ["ETL"]
queries = ["SELECT status, count(*), sum(bytes) FROM web.access GROUP BY 1", "SELECT count(*) FROM web.access WHERE path LIKE '%.php%'", "SELECT max(length(path)), min(host) FROM web.access"]
def run(sql, who):
    started = time.perf_counter()
    subprocess.run([etl, "query", "--lake", "log", *who, sql], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started
for sql in queries:
    for name, who in (("all columns", ["--as", "ann"]), ("all but one", ["--as", "bob"])):
        run(sql, who), run(sql, [])
        pairs = [(run(sql, who), run(sql, [])) for _ in range(15)]
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{name}: {ratio:.3f} of {statistics.median(b for _, b in pairs) * 1000:.0f} ms: {sql}")
PYTHON
