#!/usr/bin/env bash
# How much memory conversions take of inputs that are made to take much. Larger than what tests/it/memory.rs does with each build:
#   cargo build --release && bash benches/memory.sh [path of etl]
# Fails where a run takes more than 512 MiB (Parquet in thousands of partitions: 1 GiB), or loses a line.
set -euo pipefail
etl=$(realpath "${1:-target/release/etl}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
good='1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] "GET /a HTTP/1.1" 200 2 "-" "-"'
failed=0

# The most memory of a conversion, in MiB, and what became of it; $1 is the code that it must end with.
attack() {
  local code=$1 status=0
  shift
  rm -rf out
  # Looked at while it runs: what the system says of a child that has ended counts its parent's memory too.
  python3 -c '
import json, os, subprocess, sys, time
start = time.time()
child = subprocess.Popen(sys.argv[2:], stdin=sys.stdin, stdout=open("report", "wb"), stderr=open("said", "wb"))
peak = 0
while child.poll() is None:
    try:
        peak = max([peak] + [int(line.split()[1]) for line in open(f"/proc/{child.pid}/status") if line.startswith("VmHWM")])
    except OSError:
        pass
    time.sleep(0.002)
wrong = [] if peak <= int(os.environ.get("MOST", 512)) << 10 else ["too much memory"]
if child.returncode != int(sys.argv[1]):
    wrong.append(f"exit code {child.returncode}: " + open("said").read(300))
elif child.returncode == 0:
    report = json.load(open("report"))
    if report["lines"] != report["rows"] + report["rejects"] + report["blank"]:
        wrong.append("lines are lost")
print(f"{peak >> 10:5} MiB {time.time() - start:6.1f} s  " + " ".join(sys.argv[3:])[:90], *wrong, sep="\n  " if wrong else "")
sys.exit(bool(wrong))
' "$code" "$etl" convert "$@" -o out --threads 2 --report json || status=1
  failed=$((failed | status))
}

object() { python3 -c 'import json, sys; print(json.dumps({f"k{i}": i for i in range(int(sys.argv[1]))}))' "$1"; }
# `yes` is ended by the pipe that `head` closes: that is no failure.
repeat() { { yes "$1" || true; } 2> /dev/null | head -n "$2"; }

{ object 1000; repeat '{"k1":1}' 500000; echo bad; } > sparse.json
{ object 50000; repeat '{"k1":1}' 100; } > wide.json
object 100000 > too-wide.json
{ python3 -c 'print(",".join(f"c{i}" for i in range(10000)))'; repeat x 20000000; } > short.csv
{ repeat "$good" 10; repeat x 100000000; } > rejects.log
head -c 200M /dev/zero | tr '\0' '\n' > blank.log
head -c 2G /dev/zero | gzip > zeros.log.gz
head -c 2G /dev/zero | bzip2 > zeros.csv.bz2
{ echo '{"a":[1]}'; for _ in 1 2 3 4; do python3 -c 'print("{\"a\":[" + "1," * 2000000 + "1]}")'; done; } > numbers.json
seq 1000000 | awk '{ printf "1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET /%d HTTP/1.1\" 200 2 \"-\" \"-\"\n", $1 * 7919 % 9500 }' > partitions.log
python3 -c 'for c in range(60): print(",".join("x" * 2000000 if c == i else "1" for i in range(60)))' > texts.csv
mkdir many && seq 10000 | while read -r n; do echo "$good" > "many/$n.log"; done

for how in '' '--to json --rejects bad' '--splits 100' '--to csv --compression gzip'; do
  for input in sparse.json wide.json short.csv rejects.log blank.log numbers.json many; do
    code=0
    # CSV has no place for lists.
    if [[ $input = numbers.json && $how = *csv* ]]; then code=2; fi
    # shellcheck disable=SC2086
    attack $code $input $how
  done
  # shellcheck disable=SC2086
  attack 0 texts.csv --no-header $how
done
attack 0 many --splits 100000
# What a Parquet file's footer will say is remembered until it ends.
MOST=1024 attack 0 partitions.log --partition-by path --target-size 1MiB
attack 0 partitions.log --partition-by path --to csv
attack 2 too-wide.json
attack 2 zeros.log.gz
attack 2 zeros.csv.bz2
{ head -c 2G /dev/zero || true; } | attack 2 -
exit "$failed"
