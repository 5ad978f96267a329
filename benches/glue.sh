#!/usr/bin/env bash
# Compares how fast partitions are registered in Glue with awswrangler doing the same at the same stand-in, and prints a Markdown table.
#
#     benches/glue.sh [--partitions N] [--rounds N] [--wait MS] [--work DIR]
#
# A pipeline makes a lake of 10,000 partitions, twice. Then in each round, one after the other: a table that Glue does not know is registered; once more,
# when it has all of it; and when all partitions lie in another run's folder. `etl catalog sync` is timed as a whole process, from its start to its end, and
# reads what is in the lake. awswrangler is told what it has to know, and timed without the start of Python: `create_parquet_table` and
# `add_parquet_partitions`, with mode `append`, and where partitions move with `overwrite`, as its `to_parquet` does. At the end of a round both tables
# must have the same partitions at the same places. Medians are shown, and how many calls it took: at AWS these are what lasts. Time is printed, never judged.
#
# The stand-in is Python and computes one answer at a time; --wait lets each call last so many milliseconds longer, as one over a network does.
# The store has its data in memory where /dev/shm is there. The program is $ETL, or a release build that is made first. Needs what the tests of Glue need,
# without Trino: python3 with pip or venv, and minio or go; awswrangler is installed once, into ~/.cache/etl.
set -euo pipefail
cd "$(dirname "$0")/.."

partitions=10000 rounds=3 wait=0
work="${TMPDIR:-/tmp}/etl-glue"
while [ $# -gt 0 ]; do
    case "$1" in
        --partitions) partitions="$2"; shift 2 ;;
        --rounds) rounds="$2"; shift 2 ;;
        --wait) wait="$2"; shift 2 ;;
        --work) work="$2"; shift 2 ;;
        *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

if [ -z "${ETL:-}" ]; then
    cargo build --release
    ETL="${CARGO_TARGET_DIR:-target}/release/etl"
fi
. tests/minio.sh
. tests/stack/parts.sh
wrangler="$stack_cache/awswrangler"
if [ ! -x "$wrangler/bin/python" ] || ! "$wrangler/bin/python" -c 'import awswrangler' 2> /dev/null; then
    python3 -m venv "$wrangler"
    "$wrangler/bin/pip" --quiet install 'awswrangler>=3.17,<4'
fi

# The store, and Glue beside it.
mkdir -p "$work"
if [ -d /dev/shm ]; then export TMPDIR=/dev/shm; fi
export ETL_TEST_REQUIRE=s3,aws
minio_start
unset TMPDIR
[ -z "${minio_data:-}" ] || mkdir -p "$minio_data/store/bench"
moto=$(moto_find)
calls="$work/calls"
: > "$calls"
trap 'stack_end ${moto_pid:+"$moto_pid"}; minio_stop' EXIT
port=$((20000 + RANDOM % 20000))
if port_taken "$port"; then exit 1; fi
PYTHONPATH="$moto" PYTHONDONTWRITEBYTECODE=1 GLUE_CALLS="$calls" GLUE_WAIT="$wait" \
    python3 benches/glue_calls.py -H 127.0.0.1 -p "$port" > "$work/moto.log" 2>&1 < /dev/null &
moto_pid=$!
if ! stack_ready "$moto_pid" "$port" /moto-api/data.json ' 200 ' 60; then
    tail -n 20 "$work/moto.log" >&2
    exit 1
fi
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL_S3="$ETL_TEST_S3_ENDPOINT" AWS_ENDPOINT_URL_GLUE="http://127.0.0.1:$port" AWS_ENDPOINT_URL_STS="http://127.0.0.1:$port"

# The same lake with and without readers that are told: what publishes without telling leaves all of that to what is timed.
lake="s3://bench/wide-$(date +%s)-$$"
seq 0 $((partitions - 1)) | awk '{ printf "{\"part\":%d,\"name\":\"row %d\",\"size\":%d,\"ratio\":%.2f}\n", $1, $1, $1 * 7, $1 / 3 }' > "$work/rows.jsonl"
pipeline() {
    cat << YAML
version: 1
name: wide
lake: {location: $lake$1}
sources:
  rows: {location: rows.jsonl}
outputs:
  rows: {from: rows, table: bench.rows, format: parquet, partition_by: [part]}
YAML
}
pipeline '' > "$work/alone.yaml"
pipeline ', catalog: glue' > "$work/told.yaml"
wrangle() { "$wrangler/bin/python" benches/glue_awswrangler.py "$1" bench "$2" "$work/$3.json"; }
publish() { "$ETL" run "$work/$1.yaml" --full --json > "$work/report.json"; sed -n 's/^  "run": "\(.*\)",$/\1/p' "$work/report.json"; }
echo "benches/glue.sh: making $partitions partitions, twice" >&2
one=$(publish told)
wrangle known rows one
other=$(publish alone)
"$ETL" catalog sync --lake "$lake" 2> /dev/null > /dev/null
wrangle known rows other

times=$(mktemp -d)
# Runs $2…, which prints its seconds, and keeps them and the calls under the name $1.
timed() {
    local name="$1"
    shift
    : > "$calls"
    "$@" >> "$times/$name"
    sort "$calls" | grep -v GetDatabases | uniq -c | awk '{ printf "%s%d %s", NR == 1 ? "" : ", ", $1, $2 } END { print "" }' > "$times/$name.calls"
}
sync() {
    local start
    start=$(date +%s.%N)
    "$ETL" catalog sync --lake "$lake" > "$work/sync.log" 2>&1
    echo "$(date +%s.%N) $start" | awk '{ printf "%.3f\n", $1 - $2 }'
}
moves() { "$ETL" rollback "$work/alone.yaml" --to "$1" > "$work/rollback.log" 2>&1; }

for _ in $(seq "$rounds"); do
    moves "$one"
    wrangle forget rows one
    timed etl-first sync
    wrangle known rows now
    cmp "$work/now.json" "$work/one.json"
    timed etl-again sync
    moves "$other"
    timed etl-moved sync
    wrangle known rows now
    cmp "$work/now.json" "$work/other.json"

    wrangle forget wrangled one
    timed aws-first wrangle first wrangled one
    timed aws-again wrangle again wrangled one
    timed aws-moved wrangle moved wrangled other
    wrangle known wrangled now
    cmp "$work/now.json" "$work/other.json"
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ratio() { echo "$(median "$times/aws-$1") $(median "$times/etl-$1")" | awk '{ printf "%.1f", $1 / $2 }'; }
row() {
    printf '| %s | %.2f s | %.2f s | %s | %s | %s |\n' "$2" "$(median "$times/etl-$1")" "$(median "$times/aws-$1")" "$(ratio "$1")" \
        "$(cat "$times/etl-$1.calls")" "$(cat "$times/aws-$1.calls")"
}
echo "$partitions partitions; $(nproc) cores; each call $wait ms longer than the stand-in takes; medians of $rounds"
echo
echo '| registration | `etl` | awswrangler | `etl` is so many times as fast | calls of `etl` | calls of awswrangler |'
echo '|---|--:|--:|--:|---|---|'
row first 'of a new table'
row again 'again, with nothing new'
row moved 'all partitions moved'
rm -rf "$times"
