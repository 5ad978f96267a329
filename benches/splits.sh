#!/usr/bin/env bash
# Makes the data sets of the published storage format comparison: one log of 148,534 lines as JSON, CSV and Parquet in
# 1, 10, 100, 1,000 and 10,000 files, and JSON and CSV gzipped in 1, 100 and 10,000. Checks that no file has more rows
# than its share, that together they have every row, and prints sizes and seconds.
#
#     benches/splits.sh [--work DIR]
#
# The program is $ETL, or a release build that is made first. Needs python3.
set -euo pipefail
cd "$(dirname "$0")/.."

work="${TMPDIR:-/tmp}/etl-splits"
case "${1:-}" in
    "") ;;
    --work) work="${2:?--work needs a directory}" ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
if [ -z "${ETL:-}" ]; then
    cargo build --release
    ETL="${CARGO_TARGET_DIR:-target}/release/etl"
fi

lines=148534
mkdir -p "$work"
log="$work/access.log"
"$ETL" generate --lines "$lines" --seed 1 > "$log"

# Prints one row of the table for the report on stdin, or says what is wrong with it.
row() {
    python3 -c '
import json, math, os, sys
name, lines, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
report = json.load(sys.stdin)
rows = [f["rows"] for f in report["files"]]
share = math.ceil(lines / files)
faults = []
if len(rows) != files: faults.append(f"{len(rows)} files of {files}")
if sum(rows) != lines: faults.append(f"{sum(rows)} rows of {lines}")
if max(rows) != share: faults.append(f"{max(rows)} rows in the largest file; expected {share}")
if max(rows) - min(rows) > 1: faults.append(f"files of {min(rows)} and of {max(rows)} rows")
for f in report["files"]:
    if os.path.getsize(f["path"]) != f["bytes"]: faults.append("%s is not of %d bytes" % (f["path"], f["bytes"]))
if faults: sys.exit(f"{name} in {files} files: " + "; ".join(faults[:5]))
size, seconds = report["bytes_out"], report["seconds"]
print(f"| {name} | {files:,} | {share:,} | {size / 1000:,.1f} | {seconds:.2f} |", flush=True)
' "$1" "$lines" "$2"
}

echo "| format | files | rows a file | kB | s |"
echo "|---|--:|--:|--:|--:|"
for set in json:none csv:none parquet:zstd json:gzip csv:gzip; do
    format="${set%:*}" compression="${set#*:}"
    counts="1 10 100 1000 10000"
    [ "$compression" != gzip ] || counts="1 100 10000"
    for files in $counts; do
        out="$work/$format-$compression-$files"
        rm -rf "$out"
        "$ETL" convert "$log" -o "$out" --to "$format" --compression "$compression" --splits "$files" --threads 2 --report json |
            row "$format $compression" "$files"
    done
done
