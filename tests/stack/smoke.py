"""Goes through the stack once: tables in Glue and S3, and every kind of statement through Athena's API.

    bash tests/stack.sh run python3 tests/stack/smoke.py

It ends with status 1 at the first thing that isn't as it should be, and leaves nothing behind.
"""

import contextlib
import os
import time
import uuid

import aws

BUCKET = f"smoke-{uuid.uuid4().hex[:8]}"
DATABASE = BUCKET.replace("-", "_")
AT = f"s3://{BUCKET}"
OPEN = f"{BUCKET}-open"
GROUP = {"WorkGroup": OPEN, "ResultConfiguration": {"OutputLocation": f"{AT}/results/"}}


def athena(operation, **request):
    return aws.call("athena", "AmazonAthena", operation, request, os.environ["AWS_ENDPOINT_URL_ATHENA"])


def start(sql, **request):
    request = {**GROUP, "QueryExecutionContext": {"Database": DATABASE}, "ClientRequestToken": str(uuid.uuid4()), **request}
    return athena("StartQueryExecution", QueryString=sql, **{key: value for key, value in request.items() if value is not None})[
        "QueryExecutionId"
    ]


def wait(query):
    while True:
        execution = athena("GetQueryExecution", QueryExecutionId=query)["QueryExecution"]
        if execution["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            return execution
        time.sleep(0.05)


def pages(query, most=1000):
    token = {}
    while True:
        answer = athena("GetQueryResults", QueryExecutionId=query, MaxResults=most, **token)
        yield [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]
        if "NextToken" not in answer:
            return
        token = {"NextToken": answer["NextToken"]}


def rows(sql, **request):
    query = start(sql, **request)
    execution = wait(query)
    same(execution["Status"]["State"], "SUCCEEDED", f"{sql}: {execution['Status'].get('StateChangeReason')}")
    return [row for page in pages(query) for row in page]


def reason(sql, **request):
    execution = wait(start(sql, **request))
    return execution["Status"]["State"], execution["Status"].get("StateChangeReason", "")


def refused(sql, **request):
    try:
        start(sql, **request)
    except aws.AwsError as error:
        return error.message
    raise AssertionError(f"{sql} isn't refused")


def same(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}\n  found    {found!r}\n  expected {expected!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"{text!r} doesn't have {part!r}")


def step(name):
    print(f"{time.monotonic() - BEGAN:6.1f} s  {name}", flush=True)


BEGAN = time.monotonic()


def tables():
    rows(f"CREATE DATABASE {DATABASE} COMMENT 'smoke' LOCATION '{AT}/'", QueryExecutionContext=None)
    aws.put_object(f"{AT}/csv/a.csv", b'id,name\n1,"a ""b"" \\\\ c, d"\n2,\n')
    rows(f"""CREATE EXTERNAL TABLE `csv` (
              `id` string COMMENT 'it\\'s', -- a comment
              `name` string)
            COMMENT "of csv"
            ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
            WITH SERDEPROPERTIES ('separatorChar'=',', 'quoteChar'='\\"', 'escapeChar'='\\\\')
            STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat' OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
            LOCATION '{AT}/csv/'
            TBLPROPERTIES ('skip.header.line.count'='1', 'classification'='csv')""")
    table = aws.glue("GetTable", DatabaseName=DATABASE, Name="csv")["Table"]
    same(table["StorageDescriptor"]["Columns"], [{"Name": "id", "Type": "string", "Comment": "it's"}, {"Name": "name", "Type": "string"}])
    serde = {"serialization.format": "1", "separatorChar": ",", "quoteChar": '"', "escapeChar": "\\"}
    same(table["StorageDescriptor"]["SerdeInfo"]["Parameters"], serde)
    same(table["Parameters"]["comment"], "of csv")
    same(rows("SELECT * FROM csv ORDER BY id"), [["id", "name"], ["1", 'a "b" \\ c, d'], ["2", ""]])
    has(refused("CREATE EXTERNAL TABLE t (date string) LOCATION 's3://b/'"), "line 1:26: mismatched input 'date'. Expecting: identifier")
    has(reason(f"CREATE EXTERNAL TABLE csv (a int) LOCATION '{AT}/csv/'")[1], "AlreadyExists")
    rows(f"CREATE EXTERNAL TABLE IF NOT EXISTS csv (a int) LOCATION '{AT}/csv/'")

    for day, lines in ("01", b'{"a":1,"t":"2020-02-29 00:00:02.000","m":{"y":2,"x":1}}\n{"b":[1,null]}\n'), ("02", b'{"a":3}\n'):
        aws.put_object(f"{AT}/json/dt=2020-01-{day}/a.json", lines)
    rows(f"""CREATE EXTERNAL TABLE json (a bigint, t timestamp, b array<int>, m map<string,int>) PARTITIONED BY (dt date)
            ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' STORED AS TEXTFILE LOCATION '{AT}/json/'""")
    same(rows("MSCK REPAIR TABLE json"), [[f"Partitions not in metastore:\tjson:dt=2020-01-0{day}"] for day in (1, 2)])
    rows("ALTER TABLE json DROP PARTITION (dt='2020-01-02')")
    rows("ALTER TABLE json ADD IF NOT EXISTS PARTITION (dt='2020-01-01') PARTITION (dt='2020-01-02')")
    same(rows("SHOW PARTITIONS json"), [["dt=2020-01-01"], ["dt=2020-01-02"]])
    json = [["a", "t", "b", "m", "dt"], ["1", "2020-02-29 00:00:02.000", None, "{x=1, y=2}", "2020-01-01"]]
    json += [["3", None, None, None, "2020-01-02"], [None, None, "[1, null]", None, "2020-01-01"]]
    same(rows("SELECT * FROM json ORDER BY a"), json)
    aws.put_object(f"{AT}/raw/log", b'1.2.3.4 - "GET /a\\"b"\nnonsense\n')
    rows(r"""CREATE EXTERNAL TABLE raw (host string, request string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
            WITH SERDEPROPERTIES ('input.regex'='^(\\S+) - "((?:[^"\\\\]|\\\\.)*)"$') LOCATION '""" + f"{AT}/raw/'")
    same(rows("SELECT * FROM raw"), [["host", "request"], ["1.2.3.4", 'GET /a\\"b'], [None, None]])
    same(rows("SHOW TABLES"), [["csv"], ["json"], ["raw"]])
    same([[cell and cell.strip() for cell in row] for row in rows("DESCRIBE json")][-1], ["dt", "date", ""])
    step("tables by Hive's DDL: CSV, JSON, partitions")


def selects():
    sql = "SELECT 1.5, DECIMAL '1.50', X'00ff', TIMESTAMP '2020-02-29 00:00:02', CAST(ROW(1, NULL) AS ROW(a INTEGER, b VARCHAR)), 1e7, CAST(NULL AS DATE), '', true, REAL '0.1', MAP(ARRAY[10, 9], ARRAY['b', NULL])"
    query = start(sql)
    same(wait(query)["Status"]["State"], "SUCCEEDED")
    answer = athena("GetQueryResults", QueryExecutionId=query)
    found = [cell.get("VarCharValue") for cell in answer["ResultSet"]["Rows"][1]["Data"]]
    same(found, ["1.5", "1.50", "00 ff", "2020-02-29 00:00:02.000", "{a=1, b=null}", "1.0E7", None, "", "true", "0.1", "{9=null, 10=b}"])
    info = [(column["Type"], column["Precision"], column["Scale"]) for column in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    same(info[:5], [("double", 17, 0), ("decimal", 3, 2), ("varbinary", 1073741824, 0), ("timestamp", 3, 0), ("row", 0, 0)])
    same(info[9:], [("float", 17, 0), ("map", 0, 0)])
    written = aws.get_object(athena("GetQueryExecution", QueryExecutionId=query)["QueryExecution"]["ResultConfiguration"]["OutputLocation"])
    has(written.decode(), '"1.5","1.50","00 ff"')
    has(written.decode(), '"1.0E7",,"","true"')
    step("a SELECT, its types, its file")

    given = rows("SELECT ?, ?, ?, ?, ?", ExecutionParameters=["abc", "'it''s'", "1+1", "DATE '2020-01-01'", "1.5"])[1]
    same(given, ["abc", "it's", "2", "2020-01-01", "1.5"])
    same(rows("SELECT ? " + " " * 200_000, ExecutionParameters=["'x'"])[1], ["x"])
    query = start("SELECT n FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n")
    wait(query)
    found = list(pages(query))
    same([len(page) for page in found], [1000, 1000, 501])
    same([row for page in found for row in page], [["n"], *([str(n)] for n in range(1, 2501))])
    same(sum(len(page) for page in pages(query, 7)), 2501)
    step("parameters, 2,500 rows in pages")

    token = str(uuid.uuid4())
    query = start("SELECT ?", ClientRequestToken=token, ExecutionParameters=["1"])
    same(start("SELECT ?", ClientRequestToken=token, ExecutionParameters=["2"]), query)
    has(refused("SELECT 2", ClientRequestToken=token), "Idempotent parameters do not match")
    has(refused("SELECT 1", WorkGroup="nope"), "WorkGroup is not found.")
    has(refused("SELECT 1", ResultConfiguration=None), "No output location provided")
    has(refused("SELECT 1.5,\n  a FRM b c"), "line 2:9: mismatched input 'b'")
    has(refused("SELEC 1"), "line 1:1: mismatched input 'SELEC'")
    state, text = reason("SELECT 1.5, x FROM nope")
    same((state, text), ("FAILED", f"TABLE_NOT_FOUND: line 1:20: Table 'awsdatacatalog.{DATABASE}.nope' does not exist"))
    state, text = reason("SELECT 1.5, x FROM csv")
    known = "COLUMN_NOT_FOUND: line 1:13: Column 'x' cannot be resolved or requester is not authorized to access requested resources"
    same((state, text), ("FAILED", known))
    try:
        list(pages(wait(start("SELECT x FROM csv"))["QueryExecutionId"]))
        raise AssertionError("a failed query has a result")
    except aws.AwsError as error:
        has(error.message, "Query did not finish successfully. Final query state: FAILED")
    rows("CREATE OR REPLACE VIEW seen AS SELECT id, 1.5 AS x FROM csv")
    same(rows("SELECT * FROM seen ORDER BY 1"), [["id", "x"], ["1", "1.5"], ["2", "1.5"]])
    rows("DROP VIEW seen")
    step("tokens, refusals, failures, a view")


def writes():
    many = "SELECT n, n % 3 AS p, 'text ' || CAST(n AS VARCHAR) AS t FROM UNNEST(sequence(1, 1000)) AS s(n)"
    rows(
        f"CREATE TABLE made WITH (format='PARQUET', external_location='{AT}/made/', partitioned_by=ARRAY['p'], write_compression='ZSTD') AS SELECT n, t, p FROM ({many})"
    )
    same(rows("SELECT count(*), sum(n), count(DISTINCT p) FROM made")[1], ["1000", "500500", "3"])
    has(reason(f"CREATE TABLE made2 WITH (external_location='{AT}/made/') AS SELECT 1 AS a")[1], "HIVE_PATH_ALREADY_EXISTS")
    rows("CREATE TABLE made3 AS SELECT 1.5 AS a")
    has(aws.glue("GetTable", DatabaseName=DATABASE, Name="made3")["Table"]["StorageDescriptor"]["Location"], f"{AT}/results/tables/")
    rows("INSERT INTO made VALUES (0, 'more', 9)")
    same(rows("SELECT count(*) FROM made")[1], ["1001"])
    for form, ending in ("PARQUET", ""), ("JSON", ".gz"), ("TEXTFILE", ".gz"):
        target = f"{AT}/unload-{form.lower()}/"
        query = start(f"UNLOAD ({many}) TO '{target}' WITH (format='{form}', compression='GZIP')")
        same(wait(query)["Status"], wait(query)["Status"] | {"State": "SUCCEEDED"}, form)
        same(athena("GetQueryResults", QueryExecutionId=query)["UpdateCount"], 1000)
        files = aws.list_objects(target)
        same([url.endswith(ending) for url, _ in files], [True], form)
        manifest = wait(query)["Statistics"]["DataManifestLocation"]
        same(aws.get_object(manifest).decode().split(), [url for url, _ in files])
        has(reason(f"UNLOAD (SELECT 1 AS a) TO '{target}' WITH (format='{form}')")[1], "HIVE_PATH_ALREADY_EXISTS")
    rows(f"UNLOAD ({many}) TO '{AT}/parts/' WITH (format='JSON', partitioned_by=ARRAY['t'])".replace("1000", "100"))
    same(len(aws.list_objects(f"{AT}/parts/")), 100)
    for day in 1, 2:
        rows(f"UNLOAD (SELECT 1.5 AS a, 'd{day}' AS day) TO '{AT}/slices/' WITH (format='PARQUET', partitioned_by=ARRAY['day'])")
    same(len(aws.list_objects(f"{AT}/slices/")), 2)
    # A partition that is there already gets more of it, as it does in Athena.
    rows(f"UNLOAD (SELECT 1.5 AS a, 'd1' AS day) TO '{AT}/slices/' WITH (format='PARQUET', partitioned_by=ARRAY['day'])")
    same(sorted(url.split("/")[-2] for url, _ in aws.list_objects(f"{AT}/slices/")), ["day=d1", "day=d1", "day=d2"])
    wrong = f"UNLOAD (SELECT 1.5 AS a,\n  b AS day FROM csv) TO '{AT}/wrong/' WITH (format='PARQUET', partitioned_by=ARRAY['day'])"
    has(reason(wrong)[1], "COLUMN_NOT_FOUND: line 2:3: ")
    state, text = reason(f"UNLOAD ({many}) TO '{AT}/too-many/' WITH (format='JSON', partitioned_by=ARRAY['t'])".replace("1000", "101"))
    same(state, "FAILED")
    has(text, "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets")
    same([row[0] for row in rows("SHOW DATABASES") if "unload" in row[0]], [])
    step("CTAS, INSERT, UNLOAD, 100 partitions and no more")


def limits():
    athena(
        "CreateWorkGroup", Name=BUCKET,
        Configuration={"ManagedQueryResultsConfiguration": {"Enabled": True}, "BytesScannedCutoffPerQuery": 10_000_000, "EnforceWorkGroupConfiguration": True},
    )  # fmt: skip
    mine = {"WorkGroup": BUCKET, "ResultConfiguration": None}
    has(refused("SELECT 1", WorkGroup=BUCKET), "result configuration")
    same(rows("SELECT count(*) FROM csv", **mine)[1], ["2"])
    has(
        reason(f"CREATE TABLE mine WITH (external_location='{AT}/mine/') AS SELECT 1 AS a", **mine)[1],
        "Please remove the 'external_location'",
    )
    for part in range(4):
        aws.put_object(f"{AT}/big/{part}", (b"x" * 999 + b"\n") * 4000)
    rows(f"CREATE EXTERNAL TABLE big (line string) STORED AS TEXTFILE LOCATION '{AT}/big/'")
    full = wait(start("SELECT count(*) FROM big"))
    same(full["Statistics"]["DataScannedInBytes"], 16_000_000)
    same(reason("SELECT count(*) FROM big", **mine), ("CANCELLED", "Bytes scanned limit was exceeded"))
    for limit, part in ((9_999_999, "bytesScannedCutoffPerQuery"),):
        try:
            athena("UpdateWorkGroup", WorkGroup=BUCKET, ConfigurationUpdates={"BytesScannedCutoffPerQuery": limit})
            raise AssertionError(f"a limit of {limit} is taken")
        except aws.AwsError as error:
            has(error.message, part)
    athena("UpdateWorkGroup", WorkGroup=BUCKET, ConfigurationUpdates={"RemoveBytesScannedCutoffPerQuery": True})
    same(rows("SELECT count(*) FROM big", **mine)[1], ["16000"])
    long = start(
        "SELECT count(*) FROM UNNEST(sequence(1, 9000)) a(x), UNNEST(sequence(1, 9000)) b(y), UNNEST(sequence(1, 9000)) c(z) WHERE (x * y + z) % 7 = 3",
        **mine,
    )
    time.sleep(0.5)
    athena("StopQueryExecution", QueryExecutionId=long)
    stopped = wait(long)
    same((stopped["Status"]["State"], stopped["Status"]["StateChangeReason"]), ("CANCELLED", "Query cancelled by user"))
    has(str(athena("ListQueryExecutions", WorkGroup=BUCKET)["QueryExecutionIds"]), long)
    batch = athena("BatchGetQueryExecution", QueryExecutionIds=[long, "nope"])
    same(([one["QueryExecutionId"] for one in batch["QueryExecutions"]], len(batch["UnprocessedQueryExecutionIds"])), ([long], 1))
    step("a workgroup with managed results, its limit, a query that is stopped")


def catalog():
    descriptor = {**aws.glue("GetTable", DatabaseName=DATABASE, Name="json")["Table"]["StorageDescriptor"], "Location": f"{AT}/many/"}
    table = {
        "Name": "Many",
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": descriptor,
        "PartitionKeys": [{"Name": "n", "Type": "int"}],
    }
    aws.glue("CreateTable", DatabaseName=DATABASE, TableInput=table)
    here = {"DatabaseName": DATABASE, "TableName": "many"}
    inputs = [{"Values": [str(n)], "StorageDescriptor": descriptor} for n in range(1200)]
    fails("ValidationException", "BatchCreatePartition", **here, PartitionInputList=inputs[:101])
    for at in range(0, 1200, 100):
        same(aws.glue("BatchCreatePartition", **here, PartitionInputList=inputs[at : at + 100]), {})
    same(
        aws.glue("BatchCreatePartition", **here, PartitionInputList=inputs[:1])["Errors"][0]["ErrorDetail"]["ErrorCode"],
        "AlreadyExistsException",
    )
    first = aws.glue("GetPartitions", **here, ExcludeColumnSchema=True)
    rest = aws.glue("GetPartitions", **here, NextToken=first["NextToken"])
    same((len(first["Partitions"]), len(rest["Partitions"]), rest.get("NextToken")), (1000, 200, None))
    same(("Columns" in first["Partitions"][0]["StorageDescriptor"], "Columns" in rest["Partitions"][0]["StorageDescriptor"]), (False, True))
    parts = [aws.glue("GetPartitions", **here, Segment={"SegmentNumber": part, "TotalSegments": 4})["Partitions"] for part in range(4)]
    same(sorted(int(one["Values"][0]) for part in parts for one in part), list(range(1200)))
    same(len(aws.glue("GetPartitions", **here, Expression="n >= 1198")["Partitions"]), 2)
    version = aws.glue("GetTable", DatabaseName=DATABASE, Name="MANY")["Table"]["VersionId"]
    aws.glue("UpdateTable", DatabaseName=DATABASE, TableInput={**table, "Name": "many"}, VersionId=version, SkipArchive=True)
    fails("ConcurrentModificationException", "UpdateTable", DatabaseName=DATABASE, TableInput={**table, "Name": "many"}, VersionId=version)
    same(len(aws.glue("GetTableVersions", **here)["TableVersions"]), 1)
    long = {**descriptor, "Columns": [{"Name": "a", "Type": "int", "Comment": "x" * 256}]}
    fails("ValidationException", "CreateTable", DatabaseName=DATABASE, TableInput={**table, "Name": "long", "StorageDescriptor": long})
    step("Glue: pages, segments, batches, versions, sizes")


def fails(code, operation, **request):
    try:
        aws.glue(operation, **request)
    except aws.AwsError as error:
        same(error.code, code, error.message)
        return
    raise AssertionError(f"{operation} isn't refused")


def clean():
    for group in BUCKET, OPEN:
        with contextlib.suppress(aws.AwsError):
            athena("DeleteWorkGroup", WorkGroup=group, RecursiveDeleteOption=True)
    with contextlib.suppress(aws.AwsError):
        aws.glue("DeleteDatabase", Name=DATABASE)
    for url, _ in aws.list_objects(f"{AT}/"):
        aws.delete_object(url)
    aws.delete_bucket(BUCKET)


def main():
    aws.make_bucket(BUCKET)
    try:
        athena("CreateWorkGroup", Name=OPEN, Configuration={"EnforceWorkGroupConfiguration": False})
        tables()
        catalog()
        selects()
        writes()
        limits()
    finally:
        clean()
    step("done")


if __name__ == "__main__":
    main()
