"""Hive's DDL as Athena takes it, done by calls to Glue.

What Athena knows and this doesn't: CREATE TABLE without EXTERNAL (Iceberg), CLUSTERED BY, ALTER TABLE but for partitions, location and properties, SHOW
CREATE TABLE, SHOW TBLPROPERTIES. It says so.
"""

import re
import time
import urllib.parse

import aws
from scan import Reader, SyntaxFault

_RESERVED = set(
    """ALL ALTER AND ARRAY AS AUTHORIZATION BETWEEN BIGINT BINARY BOOLEAN BOTH BY CASE CASHE CAST CHAR COLUMN CONF CONSTRAINT COMMIT CREATE CROSS CUBE CURRENT
    CURRENT_DATE CURRENT_TIMESTAMP CURSOR DATABASE DATE DAYOFWEEK DECIMAL DELETE DESCRIBE DISTINCT DIV DOUBLE DROP ELSE END EXCHANGE EXISTS EXTENDED EXTERNAL
    EXTRACT FALSE FETCH FLOAT FLOOR FOLLOWING FOR FOREIGN FROM FULL FUNCTION GRANT GROUP GROUPING HAVING IF IMPORT IN INNER INSERT INT INTEGER INTERSECT INTERVAL
    INTO IS JOIN LATERAL LEFT LESS LIKE LOCAL MACRO MAP MORE NONE NOT NULL NUMERIC OF ON ONLY OR ORDER OUT OUTER OVER PARTIALSCAN PARTITION PERCENT PRECEDING
    PRECISION PRESERVE PRIMARY PROCEDURE RANGE READS REDUCE REGEXP REFERENCES REVOKE RIGHT RLIKE ROLLBACK ROLLUP ROW ROWS SELECT SET SMALLINT START TABLE
    TABLESAMPLE THEN TIME TIMESTAMP TO TRANSFORM TRIGGER TRUE TRUNCATE UNBOUNDED UNION UNIQUEJOIN UPDATE USER USING UTC_TIMESTAMP VALUES VARCHAR VIEWS WHEN WHERE
    WINDOW WITH""".split()
)
_PRIMITIVE = "TINYINT SMALLINT INT INTEGER BIGINT FLOAT DOUBLE BOOLEAN STRING BINARY DATE TIMESTAMP DECIMAL VARCHAR CHAR".split()
_IO = "org.apache.hadoop.hive.ql.io."
_TEXT = (
    "org.apache.hadoop.mapred.TextInputFormat",
    _IO + "HiveIgnoreKeyTextOutputFormat",
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
)
_FORMATS = {
    "TEXTFILE": _TEXT,
    "PARQUET": (
        _IO + "parquet.MapredParquetInputFormat",
        _IO + "parquet.MapredParquetOutputFormat",
        _IO + "parquet.serde.ParquetHiveSerDe",
    ),
    "ORC": (_IO + "orc.OrcInputFormat", _IO + "orc.OrcOutputFormat", _IO + "orc.OrcSerde"),
    "AVRO": (_IO + "avro.AvroContainerInputFormat", _IO + "avro.AvroContainerOutputFormat", "org.apache.hadoop.hive.serde2.avro.AvroSerDe"),
    "SEQUENCEFILE": ("org.apache.hadoop.mapred.SequenceFileInputFormat", _IO + "HiveSequenceFileOutputFormat", _TEXT[2]),
}
_FAILED = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."


class HiveError(Exception):
    """A statement that is well formed and can't be done."""


class Done:
    """What a statement answers: names of columns and rows."""

    def __init__(self, columns=(), rows=()):
        self.columns, self.rows = list(columns), [list(row) for row in rows]


def parse(sql, database):
    """The work of a statement, to be called; None where the statement isn't Hive's."""
    reader = Reader(sql, hive=True)
    for words, statement in _STATEMENTS:
        if reader.words(*words):
            work = statement(reader, database)
            if reader.peek().kind != "end":
                reader.fail("<EOF>")
            return work
    return None


def _name(reader):
    token = reader.next()
    if token.kind == "back":
        return token.text[1:-1].replace("``", "`").lower()
    if token.kind == "word" and token.upper not in _RESERVED and not token.text.startswith("_"):
        return token.text.lower()
    reader.at -= 1
    return reader.fail("identifier")


def _table(reader, database):
    name = _name(reader)
    if reader.words("."):
        database, name = name, _name(reader)
        if reader.words("."):
            # The catalog, which there is one of.
            database, name = name, _name(reader)
    return database, name


def _type(reader):
    token = reader.next()
    if token.upper in _PRIMITIVE:
        name = "int" if token.upper == "INTEGER" else token.text.lower()
        if reader.words("("):
            sizes = [reader.next().text]
            while reader.words(","):
                sizes.append(reader.next().text)
            reader.expect(")")
            name += f"({','.join(sizes)})"
        return name
    if token.upper in ("ARRAY", "MAP"):
        reader.expect("<")
        inner = [_type(reader)]
        if token.upper == "MAP":
            reader.expect(",")
            inner.append(_type(reader))
        reader.expect(">")
        return f"{token.text.lower()}<{','.join(inner)}>"
    if token.upper == "STRUCT":
        reader.expect("<")
        fields = []
        while not fields or reader.words(","):
            name = _name(reader)
            reader.expect(":")
            fields.append(f"{name}:{_type(reader)}")
            if reader.words("COMMENT"):
                reader.string()
        reader.expect(">")
        return f"struct<{','.join(fields)}>"
    reader.at -= 1
    return reader.fail("a type")


def _columns(reader):
    reader.expect("(")
    columns = []
    while not columns or reader.words(","):
        column = {"Name": _name(reader), "Type": _type(reader)}
        if reader.words("COMMENT"):
            column["Comment"] = reader.string()
        columns.append(column)
    reader.expect(")")
    return columns


def _properties(reader):
    reader.expect("(")
    properties = {}
    while not properties or reader.words(","):
        key = reader.string()
        reader.expect("=")
        properties[key] = reader.string()
    reader.expect(")")
    return properties


def _delimited(reader):
    serde = {}
    if reader.words("FIELDS", "TERMINATED", "BY"):
        serde["field.delim"] = serde["serialization.format"] = reader.string()
        if reader.words("ESCAPED", "BY"):
            serde["escape.delim"] = reader.string()
    for words, key in (("COLLECTION", "ITEMS"), "collection.delim"), (("MAP", "KEYS"), "mapkey.delim"), (("LINES",), "line.delim"):
        if reader.words(*words, "TERMINATED", "BY"):
            serde[key] = reader.string()
    if reader.words("NULL", "DEFINED", "AS"):
        serde["serialization.null.format"] = reader.string()
    return serde


def _create_table(reader, database):
    quiet = reader.words("IF", "NOT", "EXISTS")
    database, name = _table(reader, database)
    columns = _columns(reader) if reader.peek().text == "(" else []
    parameters = {"EXTERNAL": "TRUE", "transient_lastDdlTime": str(int(time.time()))}
    if reader.words("COMMENT"):
        parameters["comment"] = reader.string()
    # Hive looks for a table's comment in its parameters, Trino in its description.
    described = {"Description": parameters["comment"]} if "comment" in parameters else {}
    keys_at = reader.peek().start
    keys = _columns(reader) if reader.words("PARTITIONED", "BY") else []
    if {key["Name"] for key in keys} & {column["Name"] for column in columns}:
        raise SyntaxFault(reader.sql, keys_at, "Column repeated in partitioning columns")
    serde, serde_parameters = None, {"serialization.format": "1"}
    if reader.words("ROW", "FORMAT"):
        if reader.words("SERDE"):
            serde = reader.string()
            if reader.words("WITH", "SERDEPROPERTIES"):
                serde_parameters.update(_properties(reader))
        else:
            reader.expect("DELIMITED")
            serde_parameters.update(_delimited(reader))
    form = _TEXT
    if reader.words("STORED", "AS"):
        if reader.words("INPUTFORMAT"):
            given = reader.string()
            reader.expect("OUTPUTFORMAT")
            form = (given, reader.string(), _TEXT[2])
        else:
            word = reader.next().upper
            if word not in _FORMATS:
                reader.at -= 1
                reader.fail(", ".join(_FORMATS))
            form = _FORMATS[word]
    reader.expect("LOCATION")
    location = reader.string()
    if reader.words("TBLPROPERTIES"):
        parameters.update(_properties(reader))
    if not location.startswith("s3://"):
        raise SyntaxFault(reader.sql, 0, f"the location {location} is no folder of S3")
    descriptor = {
        "Columns": columns,
        "Location": location,
        "InputFormat": form[0],
        "OutputFormat": form[1],
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": {"SerializationLibrary": serde or form[2], "Parameters": serde_parameters},
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": {},
        "StoredAsSubDirectories": False,
    }
    table = {
        "Name": name,
        **described,
        "Owner": "hadoop",
        "Retention": 0,
        "StorageDescriptor": descriptor,
        "PartitionKeys": keys,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
    }

    def work():
        try:
            aws.glue("CreateTable", DatabaseName=database, TableInput=table)
        except aws.AwsError as error:
            if not (quiet and error.code == "AlreadyExistsException"):
                raise _execution_error(error) from None
        return Done()

    return work


def _execution_error(error):
    kind = "NoSuchObjectException" if error.code == "EntityNotFoundException" else error.code
    return HiveError(f"{_FAILED} {kind}(message:{error.message})")


def _tried(operation, quietly, code, **request):
    """Calls Glue; an error of that code is nothing where it is quiet."""

    def work():
        try:
            aws.glue(operation, **request)
        except aws.AwsError as error:
            if not (quietly and error.code == code):
                raise _execution_error(error) from None
        return Done()

    return work


def _create_database(reader, _):
    quiet = reader.words("IF", "NOT", "EXISTS")
    database = {"Name": _name(reader)}
    if reader.words("COMMENT"):
        database["Description"] = reader.string()
    if reader.words("LOCATION"):
        database["LocationUri"] = reader.string()
    if reader.words("WITH", "DBPROPERTIES"):
        database["Parameters"] = _properties(reader)
    return _tried("CreateDatabase", quiet, "AlreadyExistsException", DatabaseInput=database)


def _drop_database(reader, _):
    quiet = reader.words("IF", "EXISTS")
    name = _name(reader)
    cascade = reader.words("CASCADE") or (reader.words("RESTRICT") and False)

    def work():
        if not cascade and _pages("GetTables", "TableList", DatabaseName=name):
            raise HiveError(f"{_FAILED} InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)")
        return _tried("DeleteDatabase", quiet, "EntityNotFoundException", Name=name)()

    return work


def _drop_table(reader, database):
    quiet = reader.words("IF", "EXISTS")
    database, name = _table(reader, database)
    return _tried("DeleteTable", quiet, "EntityNotFoundException", DatabaseName=database, Name=name)


def _pages(operation, field, **request):
    found, token = [], None
    while True:
        try:
            answer = aws.glue(operation, **request, **({"NextToken": token} if token else {}))
        except aws.AwsError as error:
            raise _execution_error(error) from None
        found += answer.get(field, [])
        token = answer.get("NextToken")
        if not token:
            return found


def _get_table(database, name):
    try:
        return aws.glue("GetTable", DatabaseName=database, Name=name)["Table"]
    except aws.AwsError as error:
        if error.code == "EntityNotFoundException":
            raise HiveError(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}") from None
        raise _execution_error(error) from None


def _partition_name(table, values):
    return "/".join(f"{key['Name']}={urllib.parse.quote(value, safe=' ')}" for key, value in zip(table["PartitionKeys"], values))


def _add_partitions(table, partitions, quiet):
    """Adds (values, location) to a table."""
    below = table["StorageDescriptor"]["Location"].rstrip("/")
    inputs = [
        {
            "Values": values,
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": location or f"{below}/{_partition_name(table, values)}/"},
        }
        for values, location in partitions
    ]
    for at in range(0, len(inputs), 100):
        answer = aws.glue(
            "BatchCreatePartition", DatabaseName=table["DatabaseName"], TableName=table["Name"], PartitionInputList=inputs[at : at + 100]
        )
        for error in answer.get("Errors", []):
            if not (quiet and error["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"):
                raise HiveError(f"FAILED: {error['ErrorDetail']['ErrorCode']}: partition {error['PartitionValues']}")
    return Done()


def _partition_spec(reader):
    reader.expect("(")
    spec = {}
    while not spec or reader.words(","):
        key = _name(reader)
        reader.expect("=")
        spec[key] = reader.string() if reader.peek().kind == "string" else reader.next().text
    reader.expect(")")
    return spec


def _alter_table(reader, database):
    database, name = _table(reader, database)
    if reader.words("ADD"):
        quiet = reader.words("IF", "NOT", "EXISTS")
        added = []
        while reader.words("PARTITION"):
            spec = _partition_spec(reader)
            added.append((spec, reader.string() if reader.words("LOCATION") else None))
        if not added:
            reader.fail("'PARTITION'")

        def add():
            table = _get_table(database, name)
            return _add_partitions(
                table, [([spec[key["Name"]] for key in table["PartitionKeys"]], location) for spec, location in added], quiet
            )

        return add
    if reader.words("DROP"):
        quiet = reader.words("IF", "EXISTS")
        dropped = []
        while not dropped or reader.words(","):
            reader.expect("PARTITION")
            dropped.append(_partition_spec(reader))

        def drop():
            table = _get_table(database, name)
            for spec in dropped:
                values = [spec[key["Name"]] for key in table["PartitionKeys"]]
                _tried("DeletePartition", quiet, "EntityNotFoundException", DatabaseName=database, TableName=name, PartitionValues=values)()
            return Done()

        return drop
    reader.expect("SET")
    if reader.words("LOCATION"):
        location = reader.string()
        return lambda: _update(database, name, lambda table: table["StorageDescriptor"].update(Location=location))
    reader.expect("TBLPROPERTIES")
    properties = _properties(reader)
    return lambda: _update(database, name, lambda table: table["Parameters"].update(properties))


def _update(database, name, change):
    known = (
        "Name Description Owner Retention StorageDescriptor PartitionKeys ViewOriginalText ViewExpandedText TableType Parameters".split()
    )
    table = _get_table(database, name)
    table = {field: table[field] for field in known if field in table}
    table.setdefault("Parameters", {})
    change(table)
    return _tried("UpdateTable", False, "", DatabaseName=database, TableInput=table)()


def _repair(reader, database):
    database, name = _table(reader, database)

    def work():
        table = _get_table(database, name)
        below = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
        keys = [key["Name"] for key in table["PartitionKeys"]]
        known = {
            tuple(one["Values"])
            for one in _pages("GetPartitions", "Partitions", DatabaseName=database, TableName=name, ExcludeColumnSchema=True)
        }
        found = {}
        for url, _ in aws.list_objects(below):
            folders = [part.partition("=") for part in url[len(below) :].split("/")[:-1]][: len(keys)]
            if [folder[0].lower() for folder in folders] == keys:
                values = tuple(urllib.parse.unquote(folder[2]) for folder in folders)
                found[values] = below + "/".join("".join(folder) for folder in folders) + "/"
        missing = sorted(values for values in found if values not in known)
        _add_partitions(table, [(list(values), found[values]) for values in missing], True)
        return Done(["result"], [[f"Partitions not in metastore:\t{name}:{_partition_name(table, values)}"] for values in missing])

    return work


def _show_partitions(reader, database):
    database, name = _table(reader, database)

    def work():
        table = _get_table(database, name)
        partitions = _pages("GetPartitions", "Partitions", DatabaseName=database, TableName=name, ExcludeColumnSchema=True)
        return Done(["partition"], sorted([_partition_name(table, one["Values"])] for one in partitions))

    return work


def _show_tables(reader, database):
    if reader.words("IN") or reader.words("FROM"):
        database = _name(reader)
    like = reader.string() if reader.peek().kind == "string" else None

    def work():
        names = [
            table["Name"] for table in _pages("GetTables", "TableList", DatabaseName=database, **({"Expression": like} if like else {}))
        ]
        return Done(["tab_name"], [[name] for name in sorted(names)])

    return work


def _show_databases(reader, _):
    like = reader.string() if reader.words("LIKE") else None

    def work():
        names = [database["Name"] for database in _pages("GetDatabases", "DatabaseList")]
        return Done(["database_name"], [[name] for name in sorted(names) if like is None or re.fullmatch(like.replace("*", ".*"), name)])

    return work


def _show_columns(reader, database):
    if not reader.words("IN"):
        reader.expect("FROM")
    database, name = _table(reader, database)
    if reader.words("IN") or reader.words("FROM"):
        database = _name(reader)

    def work():
        table = _get_table(database, name)
        return Done(
            ["field"], [[column["Name"].ljust(20)] for column in table["StorageDescriptor"]["Columns"] + table.get("PartitionKeys", [])]
        )

    return work


def _describe(reader, database):
    database, name = _table(reader, database)

    def line(column):
        return [column["Name"].ljust(20), column["Type"].ljust(20), column.get("Comment", "").ljust(20)]

    def work():
        table = _get_table(database, name)
        keys = table.get("PartitionKeys", [])
        rows = [line(column) for column in table["StorageDescriptor"]["Columns"] + keys]
        if keys:
            heads = [
                ["", None, None],
                ["# Partition Information", None, None],
                line({"Name": "# col_name", "Type": "data_type", "Comment": "comment"}),
                ["", None, None],
            ]
            rows += heads + [line(key) for key in keys]
        return Done(["col_name", "data_type", "comment"], rows)

    return work


def _not_known(what):
    def refuse(reader, _):
        raise SyntaxFault(reader.sql, 0, f"{what} is not known to this stand-in for Athena")

    return refuse


_STATEMENTS = [
    (("CREATE", "EXTERNAL", "TABLE"), _create_table),
    (("CREATE", "DATABASE"), _create_database),
    (("CREATE", "SCHEMA"), _create_database),
    (("DROP", "DATABASE"), _drop_database),
    (("DROP", "SCHEMA"), _drop_database),
    (("DROP", "TABLE"), _drop_table),
    (("DROP", "VIEW"), _drop_table),
    (("ALTER", "TABLE"), _alter_table),
    (("ALTER",), _not_known("ALTER but of tables")),
    (("MSCK", "REPAIR", "TABLE"), _repair),
    (("SHOW", "PARTITIONS"), _show_partitions),
    (("SHOW", "TABLES"), _show_tables),
    (("SHOW", "DATABASES"), _show_databases),
    (("SHOW", "SCHEMAS"), _show_databases),
    (("SHOW", "COLUMNS"), _show_columns),
    (("SHOW", "CREATE", "TABLE"), _not_known("SHOW CREATE TABLE")),
    (("SHOW", "TBLPROPERTIES"), _not_known("SHOW TBLPROPERTIES")),
    (("DESCRIBE",), _describe),
    (("DESC",), _describe),
]
