"""Registers partitions with awswrangler, as its own `to_parquet` does it, and prints the seconds that it took: called by glue.sh.

    glue_awswrangler.py known DATABASE TABLE FILE              keeps in FILE what the table is, and which partitions it has
    glue_awswrangler.py forget DATABASE TABLE FILE             takes the table out of Glue
    glue_awswrangler.py first|again|moved DATABASE TABLE FILE  makes the table and its partitions as FILE says

Only the calls are timed, on a client that has its connection already: not the start of Python, which takes longer than `etl` runs.
"""

import json
import sys
import time

import awswrangler as wr

# The least that a call needs, so that awswrangler isn't charged for the first connection.
wr.catalog.databases(limit=1)


def known(database, table):
    """The columns, keys and partitions of a table that is there."""
    partitions = wr.catalog.get_partitions(database=database, table=table)
    keys = wr.catalog.get_table_types(database=database, table=table)
    description = next(wr.catalog.get_tables(database=database, name_contains=table))
    names = [column["Name"] for column in description["PartitionKeys"]]
    return {
        "path": description["StorageDescriptor"]["Location"],
        "columns": {name: kind for name, kind in keys.items() if name not in names},
        "keys": {name: kind for name, kind in keys.items() if name in names},
        "partitions": partitions,
    }


def make(database, table, given, mode):
    """What `to_parquet` does when the files are there."""
    wr.catalog.create_parquet_table(
        database=database,
        table=table,
        path=given["path"],
        columns_types=given["columns"],
        partitions_types=given["keys"],
        mode=mode,
    )
    wr.catalog.add_parquet_partitions(
        database=database,
        table=table,
        partitions_values=given["partitions"],
        columns_types=given["columns"],
    )


def main():
    """Does what is asked."""
    action, database, table, file = sys.argv[1:]
    if action == "known":
        with open(file, "w", encoding="utf-8") as to:
            json.dump(known(database, table), to, indent=1, sort_keys=True)
        return
    if action == "forget":
        wr.catalog.delete_table_if_exists(database=database, table=table)
        return
    with open(file, encoding="utf-8") as of:
        given = json.load(of)
    start = time.perf_counter()
    # `append` adds what is missing; `overwrite` takes all partitions away first.
    make(database, table, given, "overwrite" if action == "moved" else "append")
    print(f"{time.perf_counter() - start:.3f}")


main()
