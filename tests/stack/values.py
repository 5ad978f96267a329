"""Trino's values and types in the text that Athena gives them."""

import base64

# Athena's name of a type, where it isn't Trino's, and its precision and scale.
_SIZES = {
    "boolean": (0, 0),
    "tinyint": (3, 0),
    "smallint": (5, 0),
    "integer": (10, 0),
    "bigint": (19, 0),
    "real": (17, 0),
    "double": (17, 0),
    "varchar": (2147483647, 0),
    "date": (0, 0),
    "timestamp": (3, 0),
    "timestamp with time zone": (3, 0),
    "time": (3, 0),
    "varbinary": (1073741824, 0),
    "json": (0, 0),
}
_NAMES = {"real": "float"}


def column_info(column):
    """Athena's ColumnInfo of one of Trino's columns."""
    signature = column["typeSignature"]
    kind = signature["rawType"]
    precision, scale = _SIZES.get(kind, (0, 0))
    numbers = [int(argument["value"]) for argument in signature.get("arguments", []) if argument["kind"] == "LONG"]
    if kind == "decimal":
        precision, scale = numbers
    elif kind in ("varchar", "char"):
        precision = numbers[0] if numbers else precision
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column["name"],
        "Label": column["name"],
        "Type": _NAMES.get(kind, kind),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind in ("varchar", "char", "json"),
    }


def text(value, signature):
    """A value as Athena's text; None where it is NULL."""
    if value is None:
        return None
    kind, arguments = signature["rawType"], signature.get("arguments", [])
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "varbinary":
        return base64.b64decode(value).hex(" ")
    if kind == "array":
        return "[" + ", ".join(_inner(one, arguments[0]["value"]) for one in value) + "]"
    if kind == "map":
        key, of = arguments[0]["value"], arguments[1]["value"]
        # Keys come from Trino as texts, whatever their type.
        return "{" + ", ".join(f"{name}={_inner(value[name], of)}" for name in sorted(value, key=_order(key))) + "}"
    if kind == "row":
        fields = [argument["value"] for argument in arguments]
        named = [(field.get("fieldName") or {}).get("name") or f"field{at}" for at, field in enumerate(fields)]
        return "{" + ", ".join(f"{name}={_inner(one, field['typeSignature'])}" for name, one, field in zip(named, value, fields)) + "}"
    return str(value)


def _inner(value, signature):
    return "null" if value is None else text(value, signature)


def _order(signature):
    if signature["rawType"] in ("tinyint", "smallint", "integer", "bigint"):
        return int
    if signature["rawType"] in ("real", "double", "decimal"):
        return float
    return str
