#!/usr/bin/env bash
# A year of daily logs in a pipeline that adds what is new: the first run reads 365 files, each later one should take the time
# of its new files. Prints the seconds of whole processes and their ratio; the lines of a day are $1 (default 20000).
#
#   benches/incremental.sh [LINES]            needs: cargo build --release
set -euo pipefail
cd "$(dirname "$0")/.."
etl="${ETL:-$PWD/${CARGO_TARGET_DIR:-target}/release/etl}"
lines="${1:-20000}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/logs"

"$etl" generate --lines "$lines" --seed 1 > "$folder/day.log"
for day in $(seq 0 364); do
    date=$(date -u -d "2020-01-01 + $day days" +%d/%b/%Y)
    sed "s|\[[^:]*:|[$date:|" "$folder/day.log" > "$folder/logs/$(printf %03d "$day").log"
done
cat > "$folder/year.yaml" << 'YAML'
version: 1
name: year
lake: {location: lake}
sources:
  access: {location: logs/*.log}
outputs:
  access: {from: access, table: year.access, format: parquet, mode: append, partition_by: [dt]}
YAML

timed() {
    local start end
    start=$(date +%s.%N)
    "$etl" run "$folder/year.yaml" --json > "$folder/report.json"
    end=$(date +%s.%N)
    echo "$end - $start" | bc
}
first=$(timed)
nothing=$(timed)
sed "s|\[[^:]*:|[31/Dec/2020:|" "$folder/day.log" > "$folder/logs/365.log"
one=$(timed)
echo "365 days of $lines lines: $first s; nothing new: $nothing s; one more day: $one s"
echo "a day of the first run: $(echo "scale=4; $first / 365" | bc) s"
