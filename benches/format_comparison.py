#!/usr/bin/env python3
"""Makes docs/format-comparison.md: runs of `etl bench` beside the published comparison of storage formats in Athena.

    python3 benches/format_comparison.py etl > docs/format-comparison.md

The argument is the program. Of runs that were kept (`--json`), the three files in the order of RUNS, instead of it.
"""
import json
import platform
import subprocess
import sys

# The published data sets; what the publication left open; encodings.
RUNS = [
    [],
    ["--scale", "10", "--splits", "1", "--formats", "csv,json,parquet", "--compression", "none,gzip,snappy,zstd", "--partition-by", "dt", "--runs", "3"],
    ["--formats", "parquet", "--splits", "1", "--encodings"],
]

# Seconds in Athena, 2022; by query, form and number of files.
ATHENA = {
    "all": {
        "JSON": {1: 2.17, 10: 2.15, 100: 2.11, 1000: 2.03, 10000: 3.09},
        "CSV": {1: 2.19, 10: 2.10, 100: 2.34, 1000: 2.65, 10000: 3.04},
        "Parquet": {1: 1.90, 10: 1.83, 100: 1.89, 1000: 2.26, 10000: 2.49},
        "JSON gzip": {1: 3.03, 100: 2.62, 10000: 3.77},
        "CSV gzip": {1: 2.59, 100: 2.47, 10000: 3.06},
    },
    "like": {
        "JSON": {1: 1.82, 100: 1.53, 10000: 2.69},
        "CSV": {1: 1.94, 100: 1.64, 10000: 2.71},
        "Parquet": {1: 2.10, 100: 1.92, 10000: 1.49},
    },
    "columns": {
        "JSON": {1: 1.80, 100: 1.54, 10000: 2.60},
        "CSV": {1: 1.46, 100: 1.35, 10000: 2.59},
        "Parquet": {1: 1.45, 100: 1.50, 10000: 1.63},
    },
}



def reports(arguments):
    """The three reports, each with the command that makes it."""
    commands = ["etl bench " + " ".join(run) for run in RUNS]
    if len(arguments) == len(RUNS):
        return [(json.load(open(path)), command) for path, command in zip(arguments, commands)]
    if len(arguments) != 1:
        sys.exit(__doc__)
    run = lambda options: subprocess.run([arguments[0], "bench", *options, "--json"], stdout=subprocess.PIPE, check=True).stdout
    return [(json.loads(run(options)), command) for options, command in zip(RUNS, commands)]


(report, _), (larger, larger_command), (encoded, encoded_command) = reports(sys.argv[1:])
sets = {}
for one in report["data_sets"]:
    name = {"json": "JSON", "csv": "CSV", "parquet": "Parquet"}[one["format"]]
    form = name if one["compression"] in ("none", "zstd") else f"{name} {one['compression']}"
    sets.setdefault(form, {})[one["splits"]] = one
cells = {(cell["data_set"], cell["question"]): cell for cell in report["cells"]}
splits = sorted({one["splits"] for one in report["data_sets"]})


def size(count):
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def table(value):
    print("| files | " + " | ".join(f"{number:,}" for number in splits) + " |")
    print("|---|" + "--:|" * len(splits))
    for form, by_splits in sets.items():
        print(f"| {form} | " + " | ".join(value(form, by_splits[n]) if n in by_splits else "" for n in splits) + " |")
    print()


rows = report["rows"]
print("# Formats compared")
print()
print(f"A log of {rows['rows']:,} lines ({size(rows['bytes'])}, made by `etl generate`) in the 21 data sets of a comparison published in 2022, which ran three")
print("queries on a real log of the same length in Athena. Here DataFusion runs them, in one process on one machine with the files on its disk: **a different engine, place and")
print("log, so figures can be compared down a column, not across.** Both show the same trends; exceptions are mentioned below.")
print()
print(f"Measured on {platform.system()} {platform.machine()} with {report['threads']} threads, {report['caches']} caches, {report['runs']} runs per cell in random order; figures are the mean without the fastest and the")
print("slowest. Parquet is compressed with zstd here; the publication doesn't say how its Parquet was compressed. To reproduce:")
print()
print("```sh")
print("python3 benches/format_comparison.py etl > docs/format-comparison.md")
print("```")
for question in report["questions"]:
    name = question["name"]
    print(f"\n## {name}: `{question['sql']}`\n")
    print("Seconds here, with the fastest and the slowest run in parentheses; then, in bold, those in Athena.\n")

    def value(form, one):
        timing = cells[(one["name"], name)].get("seconds")
        if timing is None:
            return "failed"
        athena = ATHENA.get(name, {}).get(form, {}).get(one["splits"])
        return f"{timing['mean']:.3f} ({timing['fastest']:.3f}–{timing['slowest']:.3f})" + (f"; **{athena:.2f}**" if athena else "")

    table(value)
    print("Bytes read here:\n")
    table(lambda form, one: size(cells[(one["name"], name)].get("bytes_read", 0)))
print("\n## Sizes\n")
print("In the publication, a single file had 49.0 MB as JSON and 37.1 MB as CSV, for a different log.\n")
table(lambda form, one: size(one["bytes"]))
print("## Conversions\n")
print("Seconds, and peak memory of the process.\n")
table(lambda form, one: f"{one['conversion_seconds']:.2f}, {size(one['conversion_memory'] or 0)}")
print("## Recommendation, for this machine and these rows\n")
for sentence in report["recommendation"]:
    print(f"- {sentence}")

rows = larger["rows"]
print(f"\n## More rows, partitions and compression\n")
print(f"`{larger_command}`: the log repeated ten times, {rows['rows']:,} lines ({size(rows['bytes'])}), {larger['runs']} runs per cell; each data set in one file, and in")
print("one folder per day with one file each. `day` selects the rows of one day. Seconds, and the bytes read where that is less than the size.\n")
names = [question["name"] for question in larger["questions"]]
found = {(cell["data_set"], cell["question"]): cell for cell in larger["cells"]}
print("| | files | size | conversion | " + " | ".join(names) + " |")
print("|---|--:|--:|--:|" + "--:|" * len(names))
for one in larger["data_sets"]:
    if "bytes" not in one:
        continue
    format_ = {"json": "JSON", "csv": "CSV", "parquet": "Parquet"}[one["format"]]
    form = f"{format_} {one['compression']}".removesuffix(" none") + (" by " + ", ".join(one["partition_by"]) if one.get("partition_by") else "")

    def asked(name):
        cell = found[(one["name"], name)]
        if "seconds" not in cell:
            return "failed"
        read = cell.get("bytes_read") or one["bytes"]
        return f"{cell['seconds']['mean']:.3f}" + (f" ({size(read)})" if read < one["bytes"] * 0.95 else "")

    print(f"| {form} | {one['files']:,} | {size(one['bytes'])} | {one['conversion_seconds']:.2f} s | " + " | ".join(asked(name) for name in names) + " |")
print()
for sentence in larger["recommendation"]:
    print(f"- {sentence}")
print("\n## Encodings of Parquet\n")
print(f"`{encoded_command}`: each column of the {encoded['rows']['rows']:,} lines in a file of its own. Encoded size, size after zstd compression, milliseconds to read")
print("the compressed file. `sorted` is a dictionary with the rows sorted by the column, so that repeats form runs; rows have only one order, so this is possible for one column of a table.\n")
kinds = []
for column in encoded["encodings"]:
    kinds += [one["name"] for one in column["encodings"] if one["name"] not in kinds]
print("| column | " + " | ".join(kinds) + " |")
print("|---|" + "--:|" * len(kinds))
for column in encoded["encodings"]:
    by_kind = {one["name"]: one for one in column["encodings"]}
    smallest = min((one["zstd_bytes"] for name, one in by_kind.items() if name != "sorted"))

    def shown(kind):
        one = by_kind.get(kind)
        if not one:
            return ""
        text = f"{size(one['bytes'])}, {size(one['zstd_bytes'])}, {one['seconds']['mean'] * 1e3:.1f}"
        return f"**{text}**" if one["zstd_bytes"] == smallest and kind != "sorted" else text

    print(f"| `{column['column']}` {column['data_type']} | " + " | ".join(shown(kind) for kind in kinds) + " |")
