"""moto, with what AWS's Glue does and moto 5.2's doesn't: stale VersionIds are refused, SkipArchive keeps no old version, batches have their limits, GetPartitions
and GetTables answer in pages, GetPartitions by segment and without columns if asked, names come in lower case, and column statistics can be written.

    PYTHONPATH=… python3 glue.py -H 127.0.0.1 -p 5000

Names, comments, types, parameters and locations have their sizes, too. Its Lake Formation tells that something has no tags, and the tags of columns with
those of their table. Takes the arguments of `moto_server`. Still missing: CatalogId is ignored.
"""

import datetime
import json
import threading
import zlib

from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse
from moto.lakeformation.models import LakeFormationBackend
from moto.server import main

CREATED_AT_ONCE = UPDATED_AT_ONCE = 100
DELETED_AT_ONCE = 25
FETCHED_AT_ONCE = 1000
PARTITIONS_OF_A_PAGE = 1000
TABLES_OF_A_PAGE = 100

_GIVEN = {name: getattr(GlueResponse, name) for name in dir(GlueResponse) if not name.startswith("_")}
# moto serves requests side by side; what is checked has to hold until it is done.
_LOCK = threading.Lock()


def _fault(code, message):
    error = JsonRESTError(code, message)
    error.code = 400
    return error


def _seconds(value):
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=value.tzinfo or datetime.timezone.utc).timestamp()
    raise TypeError(f"{value!r} has no JSON")


def _page(self, field, items, most):
    """One page. The answer is written here, since moto's own way takes 20 s for 10,000 partitions."""
    asked = self.parameters.get("MaxResults") or most
    if not 1 <= asked <= most:
        raise _fault(
            "ValidationException",
            f"1 validation error detected: Value '{asked}' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and {most}",
        )
    token = self.parameters.get("NextToken") or "0"
    if not token.isdigit():
        raise _fault("InvalidInputException", "Invalid NextToken")
    start = int(token)
    answer = {field: [item() for item in items[start : start + asked]]}
    if start + asked < len(items):
        answer["NextToken"] = str(start + asked)
    return json.dumps(answer, default=_seconds)


def _partition(partition, bare):
    def view():
        answer = partition.as_dict()
        if bare and "StorageDescriptor" in answer:
            answer["StorageDescriptor"] = {key: value for key, value in answer["StorageDescriptor"].items() if key != "Columns"}
        return answer

    return view


def get_partitions(self):
    """GetPartitions in pages."""
    given = self.parameters
    found = self.glue_backend.get_partitions(given["DatabaseName"], given["TableName"], given.get("Expression"))
    if given.get("Segment"):
        number, total = given["Segment"]["SegmentNumber"], given["Segment"]["TotalSegments"]
        if not 1 <= total <= 10 or not 0 <= number < total:
            raise _fault("ValidationException", f"segment {number} of {total}: there are 1 to 10, counted from 0")
        found = [one for one in found if zlib.crc32(json.dumps(one.values).encode()) % total == number]
    return _page(self, "Partitions", [_partition(one, given.get("ExcludeColumnSchema")) for one in found], PARTITIONS_OF_A_PAGE)


def get_tables(self):
    """GetTables in pages, by name."""
    found = self.glue_backend.get_tables(self.parameters["DatabaseName"], self.parameters.get("Expression"))
    return _page(self, "TableList", [one.as_dict for one in sorted(found, key=lambda table: table.name)], TABLES_OF_A_PAGE)


# The longest that Glue takes, in characters.
_SIZES = {
    "Name": 255,
    "Comment": 255,
    "Description": 2048,
    "Type": 131_072,
    "Location": 2056,
    "ViewOriginalText": 409_600,
    "ViewExpandedText": 409_600,
}
_PARAMETER_SIZE = 512_000


def _check_sizes(value, place):
    """Refuses what is too long anywhere in a table or a partition."""
    if isinstance(value, list):
        for at, one in enumerate(value, 1):
            _check_sizes(one, f"{place}.{at}.member")
    elif isinstance(value, dict):
        for name, one in value.items():
            below = f"{place}.{name[:1].lower()}{name[1:]}"
            most = _PARAMETER_SIZE if place.endswith(".parameters") else _SIZES.get(name)
            if most and isinstance(one, str) and len(one) > most:
                raise _fault(
                    "ValidationException",
                    f"1 validation error detected: Value at '{below}' failed to satisfy constraint: Member must have length less than or equal to {most}",
                )
            _check_sizes(one, below)


def create_table(self):
    """CreateTable."""
    _check_sizes(self.parameters["TableInput"], "tableInput")
    with _LOCK:
        return _GIVEN["create_table"](self)


def update_table(self):
    """UpdateTable: only of the version that was read, where one is given."""
    given = self.parameters
    _check_sizes(given["TableInput"], "tableInput")
    with _LOCK:
        table = self.glue_backend.get_table(given["DatabaseName"], given["TableInput"]["Name"])
        current = table.as_dict()["VersionId"]
        if given.get("VersionId") not in (None, current):
            raise _fault(
                "ConcurrentModificationException",
                f"Update table failed due to concurrent modifications: version {given['VersionId']} was given, {current} is there",
            )
        answer = _GIVEN["update_table"](self)
        if given.get("SkipArchive"):
            table.delete_version(current)
        return answer


def _at_most(operation, field, most):
    def limited(self):
        count = len(self.parameters.get(field) or [])
        if count > most:
            raise _fault(
                "ValidationException",
                f"1 validation error detected: Value at '{field[0].lower()}{field[1:]}' failed to satisfy constraint: Member must have length less than or equal to {most}",
            )
        _check_sizes(self.parameters.get(field), f"{field[0].lower()}{field[1:]}")
        with _LOCK:
            return _GIVEN[operation](self)

    return limited


_NAMED = ("GetDatabase", "DeleteDatabase", "UpdateDatabase", "GetTable", "DeleteTable")
_NAMES = ("Name", "DatabaseName", "TableName", "DatabaseInput.Name", "TableInput.Name")


def parameters(self):
    """What was sent, read once, and names of databases and tables in lower case."""
    if getattr(self, "_read", (None,))[0] is not self.body:
        given = json.loads(self.body)
        for name in _NAMES if self._get_action() in _NAMED else _NAMES[1:]:
            *above, last = name.split(".")
            at = given
            for field in above:
                at = at.get(field) or {}
            if isinstance(at.get(last), str):
                at[last] = at[last].lower()
        self._read = self.body, given
    return self._read[1]


# Statistics by backend (an account in a region), table, partition and column.
_STATISTICS = {}


def _statistics(self):
    given = self.parameters
    place = (given["DatabaseName"], given["TableName"], tuple(given.get("PartitionValues") or []))
    self.glue_backend.get_table(given["DatabaseName"], given["TableName"])
    return given, _STATISTICS.setdefault((id(self.glue_backend), *place), {})


def get_column_statistics(self):
    """GetColumnStatisticsForTable, -ForPartition."""
    given, known = _statistics(self)
    missing = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Column statistics not found"}
    answer = {
        "ColumnStatisticsList": [known[name] for name in given["ColumnNames"] if name in known],
        "Errors": [{"ColumnName": name, "Error": missing} for name in given["ColumnNames"] if name not in known],
    }
    return json.dumps(answer)


def update_column_statistics(self):
    """UpdateColumnStatisticsForTable, -ForPartition."""
    given, known = _statistics(self)
    if len(given["ColumnStatisticsList"]) > 25:
        raise _fault("ValidationException", "statistics of no more than 25 columns can be written at once")
    known.update((one["ColumnName"], one) for one in given["ColumnStatisticsList"])
    return json.dumps({"Errors": []})


def delete_column_statistics(self):
    """DeleteColumnStatisticsForTable, -ForPartition. Statistics that aren't there are no error: Trino counts on that."""
    given, known = _statistics(self)
    known.pop(given["ColumnName"], None)
    return "{}"


def get_resource_lf_tags(self, catalog_id, resource):
    """GetResourceLFTags: what has no tags has none, and with a table come its columns."""
    if "Database" in resource:
        database = resource["Database"]
        return self.lf_database_tags.get((database.get("CatalogId", self.account_id), database["Name"]), []), [], []
    table = resource.get("Table") or resource["TableWithColumns"]
    key = (table.get("CatalogId", self.account_id), table["DatabaseName"], table["Name"])
    columns = [{"Name": own[3], "LFTags": tags} for own, tags in self.lf_columns_tags.items() if own[:3] == key and tags]
    return [], self.lf_table_tags.get(key, []), columns


def extend():
    """Gives moto's Glue all of this."""
    changes = {
        "get_partitions": get_partitions,
        "get_tables": get_tables,
        "create_table": create_table,
        "update_table": update_table,
        "batch_create_partition": _at_most("batch_create_partition", "PartitionInputList", CREATED_AT_ONCE),
        "batch_update_partition": _at_most("batch_update_partition", "Entries", UPDATED_AT_ONCE),
        "batch_delete_partition": _at_most("batch_delete_partition", "PartitionsToDelete", DELETED_AT_ONCE),
        "batch_get_partition": _at_most("batch_get_partition", "PartitionsToGet", FETCHED_AT_ONCE),
        "batch_delete_table": _at_most("batch_delete_table", "TablesToDelete", 100),
    }
    for of in "table", "partition":
        changes[f"get_column_statistics_for_{of}"] = get_column_statistics
        changes[f"update_column_statistics_for_{of}"] = update_column_statistics
        changes[f"delete_column_statistics_for_{of}"] = delete_column_statistics
    for name, operation in changes.items():
        setattr(GlueResponse, name, operation)
    LakeFormationBackend.get_resource_lf_tags = get_resource_lf_tags
    GlueResponse.parameters = property(parameters)


if __name__ == "__main__":
    extend()
    main()
