#!/usr/bin/env python3
"""The measuring part of compare.sh, which prepares what this needs."""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

PEERS = Path(__file__).with_name("peers.py")
LOG_PEERS = ["duckdb", "regex", "polars"]
JOBS = [
    # from, to, compression, files of etl, peers
    ("log", "parquet", "zstd", 1, LOG_PEERS),
    ("log", "csv", "none", 1, LOG_PEERS),
    ("log", "json", "none", 1, LOG_PEERS),
    ("log", "csv", "gzip", 10, LOG_PEERS),
    ("log.gz", "parquet", "zstd", 1, ["duckdb"]),
    ("csv", "parquet", "zstd", 1, ["duckdb", "polars"]),
    ("json", "parquet", "zstd", 1, ["duckdb", "polars"]),
    ("parquet", "csv", "none", 1, ["duckdb", "polars"]),
    ("parquet", "json", "none", 1, ["duckdb", "polars"]),
    ("parquet", "parquet", "zstd", 1, ["duckdb", "polars"]),
]
QUERIES = [
    ("rows by status", "SELECT status, count(*) FROM t GROUP BY 1 ORDER BY 1"),
    ("ten paths", "SELECT path, count(*) FROM t GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10"),
    ("bytes by hour", "SELECT count(*), max(n) FROM (SELECT date_trunc('hour', time) AS hour, sum(bytes) AS n FROM t GROUP BY 1) AS hours"),
    ("errors", "SELECT count(*), sum(bytes) FROM t WHERE status >= 500"),
    ("hosts", "SELECT count(DISTINCT host) FROM t"),
]


def run(command: list[str]) -> tuple[float, int, str, str]:
    """Runs a command to its end; gives its seconds, its peak memory in bytes, and what it printed."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = child.stdout.read()
    errors = child.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}\nfailed with {child.returncode}:\n{errors}")
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * unit, output.decode(), errors


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
        self.inputs = {"log": Path(args.log)}

    def fresh(self) -> Path:
        """A new place for an output: where many files were just removed, file systems take long to make new ones."""
        self.outputs += 1
        return self.work / f"out-{self.outputs}"

    def input(self, kind: str) -> Path:
        """The log in another format, made once."""
        if kind in self.inputs:
            return self.inputs[kind]
        path = self.work / f"input-{self.args.lines}.{kind}"
        if not path.exists():
            part = path.with_name(path.name + ".part")
            if kind == "log.gz":
                with open(self.args.log, "rb") as plain, gzip.open(part, "wb", compresslevel=6) as packed:
                    shutil.copyfileobj(plain, packed, 1 << 20)
            else:
                clean(part)
                self.etl(self.inputs["log"], kind, "zstd" if kind == "parquet" else "none", 1, part)
                (made,) = [file for file in part.iterdir() if file.name.startswith("part-")]
                made.rename(path)
                clean(part)
                part = path
            part.rename(path)
        self.inputs[kind] = path
        return path

    def etl(self, source: Path, to: str, compression: str, splits: int, out: Path) -> tuple[float, int]:
        clean(out)
        command = [self.args.etl, "convert", str(source), "-o", str(out), "--to", to, "--compression", compression]
        return run([*command, "--splits", str(splits), "--threads", "2", "--overwrite"])[:2]

    def peer(self, peer: str, source: Path, kind: str, to: str, compression: str, out: Path) -> tuple[float, int]:
        clean(out)
        command = [sys.executable, str(PEERS), peer, "--threads", "2", "convert", str(source), str(out), "--from", kind, "--to", to]
        return run([*command, "--compression", compression])[:2]

    def check(self, out: Path, to: str) -> dict:
        return json.loads(run([sys.executable, str(PEERS), "duckdb", "check", str(out), "--to", to])[2])

    def convert(self, kind: str, to: str, compression: str, splits: int, peers: list[str]) -> dict:
        ending = f"{to}.gz" if compression == "gzip" else to
        source, outs = self.input(kind), {program: self.work / f"out-{program}.{ending}" for program in ["etl", *peers]}
        times: dict[str, list[float]] = {program: [] for program in outs}
        memory = dict.fromkeys(outs, 0)
        for _ in range(self.args.rounds):
            for program, out in outs.items():
                if program == "etl":
                    seconds, peak = self.etl(source, to, compression, splits, out)
                else:
                    seconds, peak = self.peer(program, source, kind.removesuffix(".gz"), to, compression, out)
                times[program].append(seconds)
                memory[program] = max(memory[program], peak)
        checks = {program: self.check(out, to) for program, out in outs.items()}
        for program, found in checks.items():
            if found != checks["etl"]:
                sys.exit(f"{kind} to {to}: the outputs differ\n  etl {checks['etl']}\n  {program} {found}")
        if checks["etl"]["rows"] != self.args.lines:
            sys.exit(f"{kind} to {to}: {checks['etl']['rows']} rows of {self.args.lines} lines")
        name = f"{kind} > {to} {compression}".removesuffix(" none") + (f", {splits} files" if splits > 1 else "")
        sizes = {program: size(out) for program, out in outs.items()}
        for out in outs.values():
            clean(out)
        return {**self.ratios(name, times), "bytes": sizes, "peak_bytes": memory}

    def query(self, name: str, sql: str, kind: str, peers: list[str]) -> dict:
        source = self.input(kind)
        times: dict[str, list[float]] = {program: [] for program in ["etl", *peers]}
        answers = {}
        for _ in range(self.args.rounds):
            for program in times:
                if program == "etl":
                    text = sql.replace(" t ", f" '{source}' ") if " t " in sql else sql.removesuffix(" t") + f" '{source}'"
                    seconds, _, output, _ = run([self.args.etl, "query", text, "--format", "json", "--threads", "2"])
                    rows = [json.loads(line) for line in output.splitlines()]
                    answers[program] = [[None if value is None else str(value) for value in row.values()] for row in rows]
                else:
                    command = [sys.executable, str(PEERS), program, "--threads", "2", "query", str(source), sql, "--from", kind]
                    _, _, output, told = run(command)
                    seconds, answers[program] = float(told.split()[-1]), json.loads(output)
                times[program].append(seconds)
        for program, answer in answers.items():
            if answer != answers["etl"]:
                sys.exit(f"{name}: the answers differ\n  etl {answers['etl']}\n  {program} {answer}")
        return self.ratios(f"{kind}: {name}", times)

    def ratios(self, name: str, times: dict[str, list[float]]) -> dict:
        medians = {program: round(statistics.median(values), 3) for program, values in times.items()}
        best = min((seconds, program) for program, seconds in medians.items() if program != "etl")
        return {"job": name, "seconds": medians, "best_peer": best[1], "ratio": round(best[0] / medians["etl"], 2)}

    def splits(self) -> list[dict]:
        """What 10,000 files cost against one."""
        results = []
        outputs = []
        for to, compression in [("parquet", "zstd"), ("csv", "none"), ("json", "none")]:
            times: dict[int, list[float]] = {1: [], 10_000: []}
            for _ in range(self.args.rounds):
                for files in times:
                    outputs.append(self.fresh())
                    times[files].append(self.etl(self.inputs["log"], to, compression, files, outputs[-1])[0])
            one, many = (statistics.median(values) for values in times.values())
            results.append({"to": to, "one": round(one, 3), "ten_thousand": round(many, 3), "ratio": round(many / one, 2)})
        for out in outputs:
            clean(out)
        return results

    def big(self) -> list[dict]:
        """Peak memory for an input much larger than it."""
        out = self.work / "out-etl"
        results = []
        for _, to, compression, splits, _ in JOBS[:4]:
            seconds, peak = self.etl(Path(self.args.big), to, compression, splits, out)
            results.append({"to": to, "compression": compression, "seconds": round(seconds, 2), "peak_bytes": peak})
            clean(out)
        return results


def row(result: dict) -> str:
    """A row of the table: seconds of each program, and how often `etl` is done until the best of the others is."""
    seconds = [f"{result['seconds'][name]:.2f}" if name in result["seconds"] else "" for name in ["etl", *LOG_PEERS]]
    return f"| {result['job']} | {' | '.join(seconds)} | {result['ratio']:.1f}x |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--etl", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--big")
    parser.add_argument("--only", default="", help="jobs whose name has this text")
    bench = Bench(parser.parse_args())
    log_bytes = os.path.getsize(bench.args.log)
    mib = 1 << 20
    report: dict = {"lines": bench.args.lines, "log_bytes": log_bytes, "rounds": bench.args.rounds, "jobs": [], "queries": []}

    print(f"{bench.args.lines:,} lines, {log_bytes / 1e6:.1f} MB, 2 threads, medians of {bench.args.rounds} rounds of whole processes; of queries")
    print("without the start of the peer's process. CSV gzip: etl writes 10 files, DuckDB one for each thread.\n")
    print("| job | etl s | DuckDB, blanks | DuckDB, regex | Polars | to the best peer |\n|---|--:|--:|--:|--:|--:|")
    for kind, to, compression, splits, peers in JOBS:
        if bench.args.only in f"{kind} > {to} {compression}":
            report["jobs"].append(bench.convert(kind, to, compression, splits, peers))
            print(row(report["jobs"][-1]), flush=True)
    for kind, peers in [("log", ["duckdb", "regex"]), ("parquet", ["duckdb"])]:
        for name, sql in QUERIES:
            if bench.args.only in f"{kind}: {name}":
                report["queries"].append(bench.query(name, sql, kind, peers))
                print(row(report["queries"][-1]), flush=True)
    print("\n| output | etl MB | DuckDB MB | size | etl MiB of memory | DuckDB's |\n|---|--:|--:|--:|--:|--:|")
    for result in report["jobs"]:
        sizes, memory = result["bytes"], result["peak_bytes"]
        print(
            f"| {result['job']} | {sizes['etl'] / 1e6:.1f} | {sizes['duckdb'] / 1e6:.1f} | {sizes['etl'] / sizes['duckdb']:.3f} "
            f"| {memory['etl'] / mib:.0f} | {memory['duckdb'] / mib:.0f} |"
        )
    if not bench.args.only:
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
