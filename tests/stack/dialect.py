"""Athena's SQL in Trino's words: UNLOAD, the properties of CREATE TABLE AS, and `1.5`, which is a double in Athena and a decimal in Trino.

Not translated: CREATE TABLE without AS (Iceberg's), PREPARE, EXECUTE and DEALLOCATE. A failed CTAS or UNLOAD leaves its files in Athena; Trino removes them.
"""

import bisect
import re
from dataclasses import dataclass, field

from scan import Reader, SyntaxFault, place, tokens

# Athena counts the partitions of a statement, Trino those of a writer: there is one, then.
_ONE_WRITER = ["task_min_writer_count=1", "task_max_writer_count=1", "task_scale_writers_enabled=false", "scale_writers=false"]
_CODECS = {"NONE": "NONE", "UNCOMPRESSED": "NONE", "SNAPPY": "SNAPPY", "LZ4": "LZ4", "ZSTD": "ZSTD", "GZIP": "GZIP", "ZLIB": "GZIP"}
_COMPRESSIONS = ("write_compression", "compression", "parquet_compression", "orc_compression")


@dataclass
class Translation:
    """A statement for Trino. `target` is the folder that it writes to, `own_location` whether it names one by CREATE TABLE AS itself; `before` and `after` are
    statements to run around it. A `shape` is run first: it makes an empty table of the same columns, for a `table` with `properties` that `sql` then fills.
    `pieces` says where each piece of `sql` comes from: (its start, the start in `athena`, how long it is there).
    """

    athena: str
    sql: str = ""
    kind: str = "DML"
    sub: str = "SELECT"
    session: list = field(default_factory=list)
    target: str = ""
    own_location: bool = False
    shape: "Translation" = None
    table: str = ""
    properties: str = ""
    before: list = field(default_factory=list)
    after: list = field(default_factory=list)
    pieces: list = field(default_factory=list)

    def message(self, text, lines_before=0):
        """Trino's words, with the places of its statement put back into Athena's."""

        def back(found):
            line, column = int(found.group(1)) - lines_before, int(found.group(2))
            starts = [0] + [at + 1 for at, letter in enumerate(self.sql) if letter == "\n"]
            if not 1 <= line <= len(starts):
                return found.group(0)
            at = starts[line - 1] + column - 1
            piece = max(bisect.bisect_right(self.pieces, (at, float("inf"), 0)) - 1, 0)
            here, there, length = self.pieces[piece]
            return "line %d:%d" % place(self.athena, min(there + min(at - here, length), len(self.athena)))

        return re.sub(r"line (\d+):(\d+)", back, text)


def _apply(translation, edits):
    """The statement with its edits, each (start, end, new text), and what came from where."""
    out, at, length = [], 0, 0
    for start, end, new in sorted(edits) + [(len(translation.athena), len(translation.athena), "")]:
        for there, text, size in (at, translation.athena[at:start], start - at), (start, new, 0):
            if text:
                translation.pieces.append((length, there, size))
                out.append(text)
                length += len(text)
        at = end
    translation.sql = "".join(out)


def _doubles(sql):
    """The edits that make `1.5` a double."""
    return [
        (one.start + len(one.text),) * 2 + ("E0",)
        for one in tokens(sql)
        if one.kind == "number" and "." in one.text and "e" not in one.text.lower()
    ]


def expression(sql):
    """An expression for Trino."""
    translation = Translation(sql)
    _apply(translation, _doubles(sql))
    return translation.sql


def translate(sql, query_id, ctas_location):
    """A statement that isn't Hive's. `ctas_location` is where CREATE TABLE AS writes when it doesn't say; it may be None."""
    translation = Translation(sql)
    edits = _doubles(sql)
    reader = Reader(sql)
    whole = tokens(sql)
    if whole and whole[-1].text == ";":
        edits.append((whole[-1].start, len(sql), ""))
    if any(one.text == ";" for one in reader.tokens):
        raise SyntaxFault(sql, next(one.start for one in reader.tokens if one.text == ";"), "Only one sql statement is allowed")
    if reader.peek().kind == "end":
        reader.fail("<query>")
    first = reader.peek().upper
    if first == "UNLOAD":
        edits += _unload(reader, translation, query_id)
    elif first == "CREATE":
        edits += _create(reader, translation, ctas_location)
    elif first in ("INSERT", "DELETE", "UPDATE", "MERGE", "EXPLAIN"):
        translation.sub = first
        if first == "INSERT":
            translation.session = [*_ONE_WRITER, "awsdatacatalog.compression_codec=GZIP"]
    elif first in ("SHOW",):
        translation.kind, translation.sub = "UTILITY", "SHOW"
    elif first not in ("SELECT", "WITH", "VALUES", "TABLE", ""):
        reader.fail(
            "'ALTER', 'CREATE', 'DELETE', 'DESCRIBE', 'DROP', 'EXPLAIN', 'INSERT', 'MERGE', 'MSCK', 'SHOW', 'UNLOAD', 'UPDATE', <query>"
        )
    _apply(translation, edits)
    return translation


def _properties(reader):
    """`WITH (name = value, …)`, the values as they stand."""
    reader.expect("WITH", "(")
    properties = {}
    while not properties or reader.words(","):
        name = reader.next().text.lower().strip('"')
        reader.expect("=")
        start, depth = reader.peek().start, 0
        while depth or reader.peek().text not in (",", ")"):
            if reader.peek().kind == "end":
                reader.fail("')'")
            depth += {"[": 1, "(": 1, "]": -1, ")": -1}.get(reader.next().text, 0)
        properties[name] = reader.sql[start : reader.peek().start].strip()
    reader.expect(")")
    return properties


def _text(value):
    return value[1:-1].replace("''", "'") if value.startswith("'") else value


def _written(reader, properties, translation, catalog):
    """The properties of what is written, for Trino, and the session that goes with them."""
    codec = "GZIP"
    for name in _COMPRESSIONS:
        if name in properties:
            given = _text(properties.pop(name)).upper()
            if given not in _CODECS:
                raise SyntaxFault(
                    reader.sql, 0, f"the compression {given} is not known to this stand-in for Athena; expected one of {', '.join(_CODECS)}"
                )
            codec = _CODECS[given]
    properties.pop("compression_level", None)
    properties.pop("is_external", None)
    if _text(properties.pop("table_type", "'HIVE'")).upper() != "HIVE":
        raise SyntaxFault(reader.sql, 0, "Iceberg tables are not known to this stand-in for Athena")
    properties["format"] = f"'{_text(properties.get('format', 'PARQUET')).upper()}'"
    if "field_delimiter" in properties:
        properties["textfile_field_separator"] = properties.pop("field_delimiter")
    translation.session = [*_ONE_WRITER, f"{catalog}.compression_codec={codec}"]
    return "WITH (" + ", ".join(f"{name} = {value}" for name, value in properties.items()) + ")"


def _unload(reader, translation, query_id):
    translation.sub = "UNLOAD"
    reader.next()
    opened = reader.peek().start
    reader.expect("(")
    depth = 1
    while depth:
        if reader.peek().kind == "end":
            reader.fail("')'")
        depth += {"(": 1, ")": -1}.get(reader.next().text, 0)
    closed = reader.tokens[reader.at - 1].start
    reader.expect("TO")
    if reader.peek().kind != "string":
        reader.fail("<string>")
    target = _text(reader.next().text)
    if reader.peek().upper != "WITH":
        reader.fail("'WITH'")
    properties = _properties(reader)
    if reader.peek().kind != "end":
        reader.fail("<EOF>")
    if "format" not in properties:
        raise SyntaxFault(reader.sql, 0, "Property format is required in UNLOAD")
    translation.target = target if target.endswith("/") else target + "/"
    quoted = translation.target.replace("'", "''")
    properties["external_location"] = f"'{quoted}'"
    table = f"scratch.unload.q_{query_id.replace('-', '')}"
    translation.before = ["CREATE SCHEMA IF NOT EXISTS scratch.unload"]
    translation.after = [f"DROP TABLE IF EXISTS {table}"]
    written = _written(reader, properties, translation, "scratch")
    if "partitioned_by" not in properties:
        return [(0, opened, f"CREATE TABLE {table} {written} AS "), (closed + 1, len(reader.sql), "")]
    # Partitions may be in the folder already, and get more files: Trino allows that for an INSERT, and not for CREATE TABLE AS.
    translation.table, translation.properties = table, written
    translation.after.append(f"DROP TABLE IF EXISTS {table}_shape")
    translation.shape = Translation(reader.sql)
    _apply(
        translation.shape,
        [*_doubles(reader.sql), (0, opened, f"CREATE TABLE {table}_shape AS "), (closed + 1, len(reader.sql), " WITH NO DATA")],
    )
    return [(0, opened, f"INSERT INTO {table} "), (closed + 1, len(reader.sql), "")]


def _create(reader, translation, ctas_location):
    translation.kind = "DDL"
    reader.next()
    reader.words("OR", "REPLACE")
    if reader.words("VIEW"):
        translation.sub = "CREATE_VIEW"
        at = next((one for one in reader.tokens if one.upper in ("AS", "SECURITY")), None)
        # Athena's views always ask for the rights of who reads.
        return [(at.start, at.start, "SECURITY INVOKER ")] if at and at.upper == "AS" else []
    reader.expect("TABLE")
    translation.sub = "CREATE_TABLE_AS_SELECT"
    reader.words("IF", "NOT", "EXISTS")
    reader.next()
    while reader.words("."):
        reader.next()
    start = reader.peek().start
    properties = _properties(reader) if reader.peek().upper == "WITH" else {}
    end = reader.peek().start if properties else start
    if reader.peek().upper != "AS":
        raise SyntaxFault(
            reader.sql, reader.peek().start, "CREATE TABLE but as EXTERNAL, or with AS, is not known to this stand-in for Athena"
        )
    translation.own_location = "external_location" in properties
    if translation.own_location:
        translation.target = _text(properties["external_location"])
    elif ctas_location:
        properties["external_location"] = f"'{ctas_location}'"
    return [(start, end, _written(reader, properties, translation, "awsdatacatalog") + " ")]
