#!/usr/bin/env python3
"""The same job as `etl convert` of a combined log, in DuckDB: lines, a regular expression, COPY.

    duckdb_baseline.py convert IN OUT --to parquet|csv|json [--compression zstd|gzip|none] [--threads 2] [--per-column]
    duckdb_baseline.py check OUT --to parquet|csv|json

`convert` writes one file OUT, but for gzip: there it is a folder with a file for each thread, the only way DuckDB has
to compress with more than one. `check` prints what two programs must agree on, as JSON: rows, the sum of bytes, rows by
status. OUT may be a folder or a file of either program.
"""

import argparse
import json
import os
import sys

import duckdb

QUOTED = r'((?:[^"\\]|\\.)*)'
LINE = rf'^(\S+) (\S+) (\S+) \[([^\]]+)\] "{QUOTED}" (\d+) (\d+|-) "{QUOTED}" "{QUOTED}"$'
LINE_NAMES = ["host", "ident", "auth_user", "time", "request", "status", "bytes", "referer", "user_agent"]
REQUEST = r"^(\S+) ([^?]*?)(\?.*)? ([A-Z]+/[0-9.]+)$"
REQUEST_NAMES = ["method", "path", "query", "protocol"]


def sql_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def names(values: list[str]) -> str:
    return "[" + ", ".join(sql_text(v) for v in values) + "]"


def groups(text: str, pattern: str, group_names: list[str], per_column: bool) -> str:
    if not per_column:
        return f"regexp_extract({text}, {sql_text(pattern)}, {names(group_names)})"
    each = (f"{sql_text(name)}: regexp_extract({text}, {sql_text(pattern)}, {i + 1})" for i, name in enumerate(group_names))
    return "{" + ", ".join(each) + "}"


def select(source: str, per_column: bool) -> str:
    """The table that `etl` makes of a combined log: the same columns, types and NULLs.

    `per_column` asks the regular expression once for each column, by the number of its group, as most published queries do;
    without it a list of names gets all groups at once, which is as fast as DuckDB can be made.
    """
    # One column, and a delimiter, quote and escape that no log has: each line comes whole.
    lines = (
        f"read_csv({sql_text(source)}, columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, "
        "delim = '\x01', quote = '', escape = '', new_line = '\\n', max_line_size = 16000000)"
    )
    return f"""
        WITH fields AS (
            SELECT {groups("line", LINE, LINE_NAMES, per_column)} AS f FROM {lines}
        ), split AS (
            SELECT f, {groups("f.request", REQUEST, REQUEST_NAMES, per_column)} AS r FROM fields
        )
        SELECT
            f.host AS host,
            nullif(f.ident, '-') AS ident,
            nullif(f.auth_user, '-') AS auth_user,
            CAST(strptime(f.time, '%d/%b/%Y:%H:%M:%S %z') AS TIMESTAMP_MS) AS time,
            nullif(r.method, '') AS method,
            nullif(r.path, '') AS path,
            CASE WHEN r.query <> '' THEN substr(r.query, 2) END AS query,
            nullif(r.protocol, '') AS protocol,
            CAST(f.status AS INTEGER) AS status,
            CAST(nullif(f.bytes, '-') AS BIGINT) AS bytes,
            nullif(f.referer, '-') AS referer,
            nullif(f.user_agent, '-') AS user_agent,
            CASE WHEN r.method = '' AND f.request <> '-' THEN f.request END AS request
        FROM split
    """


def convert(args: argparse.Namespace) -> None:
    connection = duckdb.connect()
    connection.execute(f"SET threads = {args.threads}; SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    options = {"parquet": "FORMAT parquet", "csv": "FORMAT csv, HEADER", "json": "FORMAT json"}[args.to]
    if args.compression != "none":
        options += f", COMPRESSION {args.compression}"
    if args.compression == "gzip" and args.to != "parquet":
        options += ", PER_THREAD_OUTPUT"
    connection.execute(f"COPY ({select(args.input, args.per_column)}) TO {sql_text(args.output)} ({options})")


def check(args: argparse.Namespace) -> None:
    files = [args.output]
    if os.path.isdir(args.output):
        # Not what readers of a lake leave out: hidden files, and those with a leading `_`.
        names_there = sorted(name for name in os.listdir(args.output) if not name.startswith((".", "_")))
        files = [os.path.join(args.output, name) for name in names_there]
    reader = {
        "parquet": f"read_parquet({names(files)})",
        "csv": f"read_csv({names(files)}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"')",
        "json": f"read_json({names(files)}, format = 'newline_delimited', columns = {{'status': 'INTEGER', 'bytes': 'BIGINT'}})",
    }[args.to]
    rows = duckdb.execute(
        f"SELECT CAST(status AS INTEGER), count(*), sum(CAST(bytes AS BIGINT)) FROM {reader} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    result = {
        "rows": sum(r[1] for r in rows),
        "bytes": int(sum(r[2] or 0 for r in rows)),
        "by_status": {str(r[0]): r[1] for r in rows},
    }
    json.dump(result, sys.stdout)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("convert")
    one.add_argument("input")
    one.add_argument("output")
    one.add_argument("--compression", choices=["zstd", "gzip", "none"], default="none")
    one.add_argument("--per-column", action="store_true", help="a regexp_extract for each column")
    one.add_argument("--threads", type=int, default=2)
    one.set_defaults(run=convert)
    two = commands.add_parser("check")
    two.add_argument("output")
    two.set_defaults(run=check)
    for command in (one, two):
        command.add_argument("--to", choices=["parquet", "csv", "json"], required=True)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
