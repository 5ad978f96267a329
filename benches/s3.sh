#!/usr/bin/env bash
# Compares how fast `etl convert` writes to S3 with `aws s3 cp` of the same files to the same MinIO, and prints a Markdown table.
#
#     benches/s3.sh [--lines N] [--files N] [--rounds N] [--work DIR]
#
# One big file: `etl` decodes a log and writes CSV to the bucket, 1 GiB with the 5,200,000 lines of the default; `aws s3 cp` only
# copies the finished CSV, and so does examples/upload.rs by the way that all outputs take. Many small ones: a log is written as
# 10,000 files; `aws s3 cp --recursive` copies the same files. Whole processes are timed, one after the other in each round, and medians are shown with the most memory that each took; what arrived is
# read again and compared. Time is printed, never judged.
#
# MinIO is started by this script, with its data in memory where /dev/shm has room for it, so that no disk is measured; or name a store
# with ETL_TEST_S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The program is $ETL, or a release build that is made first.
# Needs python3 and GNU time (/usr/bin/time); awscli is installed into the work directory.
set -euo pipefail
cd "$(dirname "$0")/.."

lines=5200000 files=10000 rounds=3
work="${TMPDIR:-/tmp}/etl-s3"
while [ $# -gt 0 ]; do
    case "$1" in
        --lines) lines="$2"; shift 2 ;;
        --files) files="$2"; shift 2 ;;
        --rounds) rounds="$2"; shift 2 ;;
        --work) work="$2"; shift 2 ;;
        *) sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done

if [ -z "${ETL:-}" ]; then
    cargo build --release
    ETL="${CARGO_TARGET_DIR:-target}/release/etl"
fi
# The same way to the store without a conversion before it.
cargo build --quiet --release --example upload
upload="${CARGO_TARGET_DIR:-target}/release/examples/upload"
mkdir -p "$work"
if [ ! -x "$work/venv/bin/aws" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" --quiet install awscli
fi
aws() { "$work/venv/bin/aws" "$@"; }

# The log and its output here, which is what `aws` copies.
log="$work/access-$lines.log" small="$work/small-$files.log"
[ -f "$log" ] || { "$ETL" generate --lines "$lines" --seed 1 > "$log.part" && mv "$log.part" "$log"; }
[ -f "$small" ] || { "$ETL" generate --lines $((files * 2)) --seed 1 > "$small.part" && mv "$small.part" "$small"; }
rm -rf "$work/big" "$work/many"
"$ETL" convert "$log" --to csv -o "$work/big" --report none
"$ETL" convert "$small" --to csv --splits "$files" -o "$work/many" --report none
big_bytes=$(stat -c %s "$work/big/part-00000.csv")

# Two copies of the big file lie in the store at a time.
memory=disk
if [ -z "${ETL_TEST_S3_ENDPOINT:-}" ] && [ -d /dev/shm ] \
    && [ "$(df --output=avail -B1 /dev/shm | tail -1)" -gt $((big_bytes * 3 + (1 << 30))) ]; then
    export TMPDIR=/dev/shm
    memory=memory
fi
. tests/minio.sh
minio_start
[ -n "${ETL_TEST_S3_ENDPOINT:-}" ] || { echo "benches/s3.sh: there is no S3 store to measure with" >&2; exit 1; }
unset TMPDIR
export AWS_ENDPOINT_URL="$ETL_TEST_S3_ENDPOINT" AWS_REGION="${AWS_REGION:-us-east-1}" AWS_DEFAULT_REGION="${AWS_REGION:-us-east-1}"
bucket="etl-bench-$(date +%s)-$$"
aws s3 mb "s3://$bucket" > /dev/null

# Runs a command and appends its seconds and the KiB that it took to the file named first.
timed() {
    local to="$1"
    shift
    /usr/bin/time -f '%e %M' -a -o "$to" "$@"
}
# The median of a column of numbers.
median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
seconds() { cut -d' ' -f1 "$1" | median; }
mib() { cut -d' ' -f2 "$1" | sort -n | tail -1 | awk '{ printf "%.0f", $1 / 1024 }'; }

times=$(mktemp -d)
for _ in $(seq "$rounds"); do
    timed "$times/etl-big" "$ETL" convert "$log" --to csv -o "s3://$bucket/etl-big" --report none
    aws s3 cp --quiet "s3://$bucket/etl-big/part-00000.csv" - | cmp - "$work/big/part-00000.csv"
    aws s3 rm --quiet --recursive "s3://$bucket/etl-big"
    timed "$times/aws-big" "$work/venv/bin/aws" s3 cp --quiet "$work/big/part-00000.csv" "s3://$bucket/aws-big/part-00000.csv"
    aws s3 rm --quiet --recursive "s3://$bucket/aws-big"
    timed "$times/etl-only" "$upload" "$work/big/part-00000.csv" "s3://$bucket/only-big" part-00000.csv
    aws s3 cp --quiet "s3://$bucket/only-big/part-00000.csv" - | cmp - "$work/big/part-00000.csv"
    aws s3 rm --quiet --recursive "s3://$bucket/only-big"

    timed "$times/etl-many" "$ETL" convert "$small" --to csv --splits "$files" -o "s3://$bucket/etl-many" --report none
    timed "$times/aws-many" "$work/venv/bin/aws" s3 cp --quiet --recursive "$work/many" "s3://$bucket/aws-many"
    timed "$times/etl-read" "$ETL" convert "s3://$bucket/etl-many" --to csv -o "$work/read" --overwrite --report none
    "$ETL" convert "$work/many" --to csv -o "$work/read-here" --overwrite --report none
    cmp "$work/read/part-00000.csv" "$work/read-here/part-00000.csv"
    for program in etl aws; do
        # Both lists have sizes and names.
        diff <(aws s3 ls "s3://$bucket/$program-many/" | awk '{ print $3, $4 }') <(stat -c '%s %n' "$work"/many/* | sed "s|$work/many/||")
        aws s3 rm --quiet --recursive "s3://$bucket/$program-many"
    done
done
aws s3 rb "s3://$bucket" > /dev/null

ratio() { awk -v etl="$(seconds "$times/etl-$1")" -v aws="$(seconds "$times/aws-$1")" 'BEGIN { printf "%.2f", aws / etl }'; }
row() {
    printf '| %s | %s s | %s s | %s | %s MiB | %s MiB |\n' "$2" "$(seconds "$times/etl-$1")" "$(seconds "$times/aws-$1")" "$(ratio "$1")" \
        "$(mib "$times/etl-$1")" "$(mib "$times/aws-$1")"
}
echo "MinIO with its data on $memory; $(nproc) cores; medians of $rounds"
echo
echo '| upload | `etl convert` | `aws s3 cp` | `etl` is so many times as fast | memory | memory of `aws` |'
echo '|---|--:|--:|--:|--:|--:|'
row big "$((big_bytes >> 20)) MiB as one file, decoded and encoded on the way"
cp "$times/aws-big" "$times/aws-only"
row only "the same file, only uploaded (\`examples/upload.rs\`)"
row many "$files small files"
echo
echo "Read again, $files files as one table: $(seconds "$times/etl-read") s, $(mib "$times/etl-read") MiB"
rm -rf "$times"
