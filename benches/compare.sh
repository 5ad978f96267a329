#!/usr/bin/env bash
# Compares `etl convert` and `etl query` with DuckDB and Polars doing the same jobs, and prints the ratios as a Markdown table and as JSON.
#
#     benches/compare.sh [--lines N] [--rounds N] [--work DIR] [--only TEXT] [--big]
#
# Programs are timed as whole processes, one after the other in each round, and the medians are compared. All outputs are read again: rows,
# the sum of bytes and the rows by status must agree, and so must the answers of queries. Time is printed, never judged. `--only` takes the
# jobs whose names have this text. `--big` also generates 5 GB of log and shows how much memory `etl` takes for it. The program is $ETL, or
# a release build that is made first. Needs python3; DuckDB and Polars are installed into the work directory.
set -euo pipefail
cd "$(dirname "$0")/.."

lines=2000000 rounds=3 big=no only=
work="${TMPDIR:-/tmp}/etl-compare"
while [ $# -gt 0 ]; do
    case "$1" in
        --lines) lines="$2"; shift 2 ;;
        --rounds) rounds="$2"; shift 2 ;;
        --work) work="$2"; shift 2 ;;
        --only) only="$2"; shift 2 ;;
        --big) big=yes; shift ;;
        *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

if [ -z "${ETL:-}" ]; then
    cargo build --release
    ETL="${CARGO_TARGET_DIR:-target}/release/etl"
fi
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" --quiet install duckdb polars
fi
log="$work/access-$lines.log"
[ -f "$log" ] || { "$ETL" generate --lines "$lines" --seed 1 > "$log.part" && mv "$log.part" "$log"; }
if [ "$big" = yes ] && [ ! -f "$work/big.log" ]; then
    "$ETL" generate --lines 23000000 --seed 2 > "$work/big.log.part" && mv "$work/big.log.part" "$work/big.log"
fi

"$work/venv/bin/python" benches/compare.py --etl "$ETL" --log "$log" --lines "$lines" --rounds "$rounds" --work "$work" --only "$only" \
    $([ "$big" = no ] || echo --big "$work/big.log")
