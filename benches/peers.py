#!/usr/bin/env python3
"""The jobs of `etl convert` and `etl query`, done by the programs that people use for them today.

    peers.py PEER convert IN OUT --from log|csv|json|parquet --to parquet|csv|json [--compression zstd|gzip|none]
    peers.py PEER query IN --from log|parquet SQL
    peers.py duckdb check OUT --to parquet|csv|json

PEER is one of
    duckdb   a combined log is CSV with blanks between the fields and a backslash before quotes: the fastest SQL there is for it, though
             it loses the backslashes of `\\x16` in what clients sent
    regex    DuckDB with a regular expression for each line, as most published queries have it
    polars   the same expression in Polars

`convert` writes one file OUT, but for gzip: there it is a folder with a file for each thread, the only way DuckDB has to compress with
more than one. `query` asks the table `t`, and prints its rows as JSON and, on standard error, the seconds without the start of Python.
`check` prints what two programs must agree on: rows, the sum of bytes, rows by status.
"""

import argparse
import json
import os
import sys
import time

QUOTED = r'(?:[^"\\]|\\.)*'
FIELDS = [
    ("host", r"\S+", " "),
    ("ident", r"\S+", " "),
    ("auth_user", r"\S+", r" \["),
    ("time", r"[^\]]+", r'\] "'),
    ("request", QUOTED, '" '),
    ("status", r"\d+", " "),
    ("bytes", r"\d+|-", ' "'),
    ("referer", QUOTED, '" "'),
    ("user_agent", QUOTED, '"$'),
]
REQUEST = r"^(\S+) ([^?]*?)(\?.*)? ([A-Z]+/[0-9.]+)$"
REQUEST_NAMES = ["method", "path", "query", "protocol"]


def line(named: bool) -> str:
    """The expression for a combined line."""
    return "^" + "".join(f"({f'?P<{name}>' if named else ''}{pattern}){after}" for name, pattern, after in FIELDS)


def sql_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def names(values: list[str]) -> str:
    return "[" + ", ".join(sql_text(v) for v in values) + "]"


def by_blanks(source: str) -> str:
    """The table that `etl` makes of a combined log: the same columns, types and NULLs. The request line is split at its blanks."""
    columns = ["host", "ident", "auth_user", "day", "zone", "request", "status", "bytes", "referer", "user_agent"]
    types = ", ".join(f"'{name}': '{'INTEGER' if name == 'status' else 'VARCHAR'}'" for name in columns)
    return f"""
        WITH fields AS (
            SELECT *, split_part(request, ' ', 1) AS method, split_part(request, ' ', 2) AS target, split_part(request, ' ', 3) AS protocol
            FROM read_csv({sql_text(source)}, columns = {{{types}}}, header = false, auto_detect = false, delim = ' ', quote = '"',
                escape = '\\', new_line = '\\n', strict_mode = false)
        )
        SELECT
            host,
            nullif(ident, '-') AS ident,
            nullif(auth_user, '-') AS auth_user,
            CAST(strptime(day || zone, '[%d/%b/%Y:%H:%M:%S%z]') AS TIMESTAMP_MS) AS time,
            CASE WHEN protocol <> '' THEN method END AS method,
            CASE WHEN protocol <> '' THEN split_part(target, '?', 1) END AS path,
            CASE WHEN protocol <> '' AND contains(target, '?') THEN substr(target, strpos(target, '?') + 1) END AS query,
            nullif(protocol, '') AS protocol,
            status,
            CAST(nullif(bytes, '-') AS BIGINT) AS bytes,
            nullif(referer, '-') AS referer,
            nullif(user_agent, '-') AS user_agent,
            CASE WHEN protocol = '' AND request <> '-' THEN request END AS request
        FROM fields
    """


def by_expression(source: str) -> str:
    """The same table by a regular expression that gives all groups at once."""
    # One column, and a delimiter, quote and escape that no log has: each line comes whole.
    lines = (
        f"read_csv({sql_text(source)}, columns = {{'line': 'VARCHAR'}}, header = false, auto_detect = false, "
        "delim = '\x01', quote = '', escape = '', new_line = '\\n', max_line_size = 16000000)"
    )
    return f"""
        WITH fields AS (
            SELECT regexp_extract(line, {sql_text(line(False))}, {names([name for name, *_ in FIELDS])}) AS f FROM {lines}
        ), split AS (
            SELECT f, regexp_extract(f.request, {sql_text(REQUEST)}, {names(REQUEST_NAMES)}) AS r FROM fields
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


def source_sql(peer: str, source: str, kind: str) -> str:
    if kind == "log":
        return (by_expression if peer == "regex" else by_blanks)(source)
    reader = {"csv": "read_csv", "json": "read_json", "parquet": "read_parquet"}[kind]
    return f"SELECT * FROM {reader}({sql_text(source)})"


def connect(threads: int):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}; SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    return connection


def polars_table(source: str, kind: str):
    import polars as pl

    if kind != "log":
        # Columns whose first values are NULL are guessed wrong.
        texts = {"schema_overrides": dict.fromkeys(["ident", "auth_user", "query", "referer", "user_agent", "request"], pl.String)}
        readers = {"csv": pl.scan_csv, "json": pl.scan_ndjson, "parquet": pl.scan_parquet}
        return readers[kind](source, **(texts if kind != "parquet" else {}))
    lines = pl.scan_csv(source, has_header=False, separator="\x01", quote_char=None, schema={"line": pl.String})
    fields = lines.select(pl.col("line").str.extract_groups(line(True)).alias("f")).unnest("f")
    request = pl.col("request")
    is_split = request.str.contains(REQUEST)
    target = request.str.extract(r"^\S+ (.*) [A-Z]+/[0-9.]+$")
    dash = lambda name: pl.when(pl.col(name) != "-").then(pl.col(name)).alias(name)
    return fields.select(
        pl.col("host"),
        dash("ident"),
        dash("auth_user"),
        pl.col("time").str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="ms"),
        pl.when(is_split).then(request.str.extract(r"^(\S+) ")).alias("method"),
        target.str.split("?").list.first().alias("path"),
        target.str.extract(r"\?(.*)$").alias("query"),
        request.str.extract(r" ([A-Z]+/[0-9.]+)$").alias("protocol"),
        pl.col("status").cast(pl.Int32),
        dash("bytes").cast(pl.Int64),
        dash("referer"),
        dash("user_agent"),
        pl.when(~is_split & (request != "-")).then(request).alias("request"),
    )


def convert(args: argparse.Namespace) -> None:
    if args.peer == "polars":
        os.environ["POLARS_MAX_THREADS"] = str(args.threads)
        table = polars_table(args.input, args.source)
        if args.to == "parquet":
            table.sink_parquet(args.output, compression="zstd")
        elif args.to == "csv":
            table.sink_csv(args.output, **({"compression": "gzip"} if args.compression == "gzip" else {}))
        else:
            table.sink_ndjson(args.output)
        return
    options = {"parquet": "FORMAT parquet", "csv": "FORMAT csv, HEADER", "json": "FORMAT json"}[args.to]
    if args.compression != "none":
        options += f", COMPRESSION {args.compression}"
    if args.compression == "gzip" and args.to != "parquet":
        options += ", PER_THREAD_OUTPUT"
    sql = source_sql(args.peer, args.input, args.source)
    connect(args.threads).execute(f"COPY ({sql}) TO {sql_text(args.output)} ({options})")


def query(args: argparse.Namespace) -> None:
    connection = connect(args.threads)
    connection.execute("SELECT 1").fetchall()
    start = time.monotonic()
    rows = connection.execute(f"WITH t AS ({source_sql(args.peer, args.input, args.source)}) {args.sql}").fetchall()
    print(time.monotonic() - start, file=sys.stderr)
    json.dump([[None if value is None else str(value) for value in row] for row in rows], sys.stdout)
    print()


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
    rows = connect(args.threads).execute(
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
    parser.add_argument("peer", choices=["duckdb", "regex", "polars"])
    parser.add_argument("--threads", type=int, default=2)
    commands = parser.add_subparsers(required=True)
    kinds = ["log", "csv", "json", "parquet"]
    one = commands.add_parser("convert")
    one.add_argument("input")
    one.add_argument("output")
    one.add_argument("--from", dest="source", choices=kinds, default="log")
    one.add_argument("--compression", choices=["zstd", "gzip", "none"], default="none")
    one.set_defaults(run=convert)
    two = commands.add_parser("query")
    two.add_argument("input")
    two.add_argument("sql")
    two.add_argument("--from", dest="source", choices=kinds, default="log")
    two.set_defaults(run=query)
    three = commands.add_parser("check")
    three.add_argument("output")
    three.set_defaults(run=check)
    for command in (one, three):
        command.add_argument("--to", choices=["parquet", "csv", "json"], required=True)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
