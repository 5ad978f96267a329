#!/usr/bin/env python3
"""The measuring part of compare.sh, which prepares what this needs."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

BASELINE = Path(__file__).with_name("duckdb_baseline.py")
JOBS = [
    # name, format, compression, splits of etl
    ("Parquet zstd", "parquet", "zstd", 1),
    ("CSV", "csv", "none", 1),
    ("JSON", "json", "none", 1),
    ("CSV gzip", "csv", "gzip", 10),
]


def run(command: list[str]) -> tuple[float, int]:
    """Runs a command to its end; gives its seconds and its peak memory in bytes."""
    start = time.monotonic()
    with open(os.devnull, "wb") as nowhere:
        child = subprocess.Popen(command, stdout=nowhere, stderr=subprocess.PIPE)
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.stderr.close()
        child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}\nfailed with {child.returncode}:\n{errors.decode(errors='replace')}")
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * unit


def clean(path: Path) -> None:
    """Removes what a run wrote; a run must not pay for what the one before it left."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


def size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


class Bench:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.work = Path(args.work)
        self.outputs = 0

    def fresh(self) -> Path:
        """A new place for an output: where many files were just removed, file systems take long to make new ones."""
        self.outputs += 1
        return self.work / f"out-{self.outputs}"

    def etl(self, log: str, to: str, compression: str, splits: int, out: Path) -> tuple[float, int]:
        clean(out)
        command = [self.args.etl, "convert", log, "-o", str(out), "--to", to, "--compression", compression]
        return run([*command, "--splits", str(splits), "--threads", "2", "--overwrite"])

    def duckdb(self, log: str, to: str, compression: str, out: Path, per_column: bool) -> tuple[float, int]:
        clean(out)
        command = [sys.executable, str(BASELINE), "convert", log, str(out), "--to", to]
        return run([*command, "--compression", compression, "--threads", "2", *(["--per-column"] if per_column else [])])

    def check(self, out: Path, to: str) -> dict:
        command = [sys.executable, str(BASELINE), "check", str(out), "--to", to]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def compare(self, name: str, to: str, compression: str, splits: int) -> dict:
        ours, theirs = self.work / "out-etl", self.work / "out-duckdb"
        times: dict[str, list[float]] = {"etl": [], "per-column": [], "duckdb": []}
        memory = dict.fromkeys(times, 0)
        for _ in range(self.args.rounds):
            for program in times:
                if program == "etl":
                    seconds, peak = self.etl(self.args.log, to, compression, splits, ours)
                else:
                    seconds, peak = self.duckdb(self.args.log, to, compression, theirs, program == "per-column")
                times[program].append(seconds)
                memory[program] = max(memory[program], peak)
        ours_check, theirs_check = self.check(ours, to), self.check(theirs, to)
        if ours_check != theirs_check:
            sys.exit(f"{name}: the outputs differ\n  etl    {ours_check}\n  duckdb {theirs_check}")
        if ours_check["rows"] != self.args.lines:
            sys.exit(f"{name}: {ours_check['rows']} rows of {self.args.lines} lines")
        medians = {program: statistics.median(values) for program, values in times.items()}
        result = {
            "job": name,
            "etl_seconds": round(medians["etl"], 3),
            "duckdb_seconds": round(medians["duckdb"], 3),
            "duckdb_per_column_seconds": round(medians["per-column"], 3),
            "ratio": round(medians["duckdb"] / medians["etl"], 2),
            "ratio_per_column": round(medians["per-column"] / medians["etl"], 2),
            "etl_bytes": size(ours),
            "duckdb_bytes": size(theirs),
            "size_ratio": round(size(ours) / size(theirs), 3),
            "etl_peak_bytes": memory["etl"],
            "duckdb_peak_bytes": memory["duckdb"],
        }
        clean(ours)
        clean(theirs)
        return result

    def splits(self) -> list[dict]:
        """What 10,000 files cost against one."""
        results = []
        outputs = []
        for to, compression in [("parquet", "zstd"), ("csv", "none"), ("json", "none")]:
            times: dict[int, list[float]] = {1: [], 10_000: []}
            for _ in range(self.args.rounds):
                for files in times:
                    outputs.append(self.fresh())
                    times[files].append(self.etl(self.args.log, to, compression, files, outputs[-1])[0])
            one, many = (statistics.median(values) for values in times.values())
            results.append({"to": to, "one": round(one, 3), "ten_thousand": round(many, 3), "ratio": round(many / one, 2)})
        for out in outputs:
            clean(out)
        return results

    def big(self) -> list[dict]:
        """Peak memory for an input much larger than it."""
        out = self.work / "out-etl"
        results = []
        for _, to, compression, splits in JOBS:
            seconds, peak = self.etl(self.args.big, to, compression, splits, out)
            results.append({"to": to, "compression": compression, "seconds": round(seconds, 2), "peak_bytes": peak})
            clean(out)
        return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--etl", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--big")
    bench = Bench(parser.parse_args())
    log_bytes = os.path.getsize(bench.args.log)
    mib = 1 << 20
    report: dict = {"lines": bench.args.lines, "log_bytes": log_bytes, "rounds": bench.args.rounds}

    print(f"{bench.args.lines:,} lines, {log_bytes / 1e6:.1f} MB, 2 threads, medians of {bench.args.rounds} rounds. ", end="")
    print("CSV gzip: etl writes 10 files, DuckDB one for each thread.")
    print("DuckDB with a regexp_extract for each column, and with one for all of them (a list of names).\n")
    print("| output | etl s | MB/s | DuckDB, each column, s | / etl | DuckDB, all at once, s | / etl | etl MB | DuckDB MB | size | etl MiB of memory | DuckDB's |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    report["jobs"] = []
    for job in JOBS:
        r = bench.compare(*job)
        report["jobs"].append(r)
        print(
            f"| {r['job']} | {r['etl_seconds']:.2f} | {log_bytes / 1e6 / r['etl_seconds']:.0f} | {r['duckdb_per_column_seconds']:.2f} "
            f"| {r['ratio_per_column']:.1f} | {r['duckdb_seconds']:.2f} | {r['ratio']:.1f} | {r['etl_bytes'] / 1e6:.1f} | {r['duckdb_bytes'] / 1e6:.1f} | {r['size_ratio']:.3f} "
            f"| {r['etl_peak_bytes'] / mib:.0f} | {r['duckdb_peak_bytes'] / mib:.0f} |",
            flush=True,
        )
    print("\n| 10,000 files against one | 1 file s | 10,000 files s | ratio |\n|---|--:|--:|--:|")
    report["splits"] = bench.splits()
    for r in report["splits"]:
        print(f"| {r['to']} | {r['one']:.2f} | {r['ten_thousand']:.2f} | {r['ratio']:.2f} |", flush=True)
    if bench.args.big:
        gigabytes = os.path.getsize(bench.args.big) / 1e9
        print(f"\n| {gigabytes:.1f} GB of log | s | MB/s | MiB of memory |\n|---|--:|--:|--:|")
        report["big"] = bench.big()
        for r in report["big"]:
            rate = gigabytes * 1000 / r["seconds"]
            print(f"| {r['to']} {r['compression']} | {r['seconds']:.1f} | {rate:.0f} | {r['peak_bytes'] / mib:.0f} |", flush=True)
    path = bench.work / "compare.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\nThe same as JSON: {path}")


if __name__ == "__main__":
    main()
