"""A query from its submission to its result."""

import base64
import re
import threading
import time
import urllib.parse
import uuid

import aws
import dialect
import hive
import values
from scan import SyntaxFault, tokens
from trino import TrinoError
from workgroups import InvalidRequest

OVER = ("SUCCEEDED", "FAILED", "CANCELLED")
# The numbers of Athena's errors that are known.
_ERROR_TYPES = {"COLUMN_NOT_FOUND": 1006, "TABLE_NOT_FOUND": 1301}
_CLEAN_UP = ". You may need to manually clean the data at location '{}' before retrying. Athena will not delete data in your account."
_EMPTY_TARGET = "HIVE_PATH_ALREADY_EXISTS: Target directory for table already exists: {}" + _CLEAN_UP
_NOT_YOUR_LOCATION = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property to an Athena Workgroup that enforces a centralized "
    "output location for all queries. Please remove the 'external_location' property and resubmit the query."
)
# Words that stand by themselves in an expression.
_BARE = set(
    "TRUE FALSE NULL CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DATE TIME TIMESTAMP INTERVAL DECIMAL DOUBLE REAL ARRAY ROW MAP CAST AS AND OR NOT".split()
)


class Failed(Exception):
    """Why a query failed, in Athena's words."""


class Execution:
    """One query. It is made by `StartQueryExecution` and then runs in a thread of its own."""

    def __init__(self, trino, request, group, output):
        self.id = str(uuid.uuid4())
        self.trino, self.request, self.group, self.output = trino, request, group, output
        context = request.get("QueryExecutionContext", {})
        self.catalog, self.database = context.get("Catalog", "AwsDataCatalog").lower(), context.get("Database", "default").lower()
        self.limit = group["Configuration"].get("BytesScannedCutoffPerQuery")
        self.state, self.reason, self.error = "QUEUED", None, None
        self.submitted, self.completed = time.time(), None
        self.columns, self.rows, self.update_count, self.header = [], [], 0, False
        self.statement, self.stats, self.stopping = None, {}, None
        self.lock = threading.Lock()
        sql = request["QueryString"]
        try:
            self.hive = hive.parse(sql, self.database)
            if self.hive:
                first = tokens(sql)[0].upper
                self.kind, self.sub = ("UTILITY", first) if first in ("SHOW", "DESCRIBE", "DESC") else ("DDL", first)
                self.translation = None
            else:
                self.translation = dialect.translate(sql, self.id, f"{output}tables/{self.id}/" if output else None)
                self.kind, self.sub = self.translation.kind, self.translation.sub
                self.sent = self.translation
                self._parse(self.translation.sql)
        except SyntaxFault as fault:
            raise InvalidRequest(str(fault), "MALFORMED_QUERY") from None
        self.result_url = None
        if output:
            self.result_url = (
                f"{output}{self.id}.{'csv' if self.sub in ('SELECT', 'EXPLAIN') else 'txt'}"
                if self.sub != "UNLOAD"
                else f"{output}{self.id}"
            )
        threading.Thread(target=self._run, daemon=True).start()

    def _parse(self, sql):
        """Has Trino read the statement, which finds errors of syntax and nothing else."""
        try:
            self.trino.rows(f"PREPARE etl FROM\n{sql}")
        except TrinoError as error:
            if error.name in ("SYNTAX_ERROR", "NOT_SUPPORTED"):
                raise InvalidRequest(self.translation.message(error.message, 1), "MALFORMED_QUERY") from None
            raise InvalidRequest(error.message, "INTERNAL_ERROR") from None

    def stop(self):
        """StopQueryExecution."""
        self._stop("Query cancelled by user")

    def _stop(self, reason):
        with self.lock:
            if self.state in OVER or self.stopping:
                return
            self.stopping = reason
        if self.statement:
            self.statement.cancel()

    def _run(self):
        state, result = "SUCCEEDED", []
        try:
            self.state = "RUNNING"
            if self.hive:
                done = self.hive()
                self.columns, result = [_string_column(name) for name in done.columns], done.rows
            else:
                result = self._query()
            if self.output:
                self._write(result)
        except TrinoError as error:
            state, self.reason, self.error = "FAILED", *self._failure(error)
        except (Failed, hive.HiveError) as error:
            state, self.reason, self.error = "FAILED", str(error), {"ErrorCategory": 2, "Retryable": False, "ErrorMessage": str(error)}
        except Exception as error:  # Whatever it is, whoever polls has to be told.
            state, self.reason, self.error = (
                "FAILED",
                f"{type(error).__name__}: {error}",
                {"ErrorCategory": 1, "Retryable": True, "ErrorMessage": str(error)},
            )
        with self.lock:
            self.completed = time.time()
            if self.stopping:
                self.state, self.reason, self.error = "CANCELLED", self.stopping, None
            else:
                self.rows, self.state = result if state == "SUCCEEDED" else [], state

    def _query(self):
        translation = self.translation
        enforced = self.group["Configuration"]["EnforceWorkGroupConfiguration"]
        if translation.own_location and enforced:
            raise Failed(_NOT_YOUR_LOCATION)
        if translation.target and not translation.shape and aws.list_objects(translation.target, 1):
            raise Failed(_EMPTY_TARGET.format(translation.target, translation.target))
        for sql in translation.before:
            self.trino.rows(sql)
        try:
            if translation.shape:
                self._make_table(translation)
            return self._ask(translation)
        finally:
            for sql in translation.after:
                self.trino.rows(sql)

    def _make_table(self, translation):
        """The table of a shape, empty, where the partitions will be written."""
        for _ in self._send(translation.shape).pages():
            pass
        columns = self.trino.rows(f"DESCRIBE {translation.table}_shape")
        listed = ", ".join('"{}" {}'.format(column[0].replace('"', '""'), column[1]) for column in columns)
        self.trino.rows(f"CREATE TABLE {translation.table} ({listed}) {translation.properties}")

    def _send(self, translation):
        self.sent, sql, prepared = translation, translation.sql, None
        if self.request.get("ExecutionParameters"):
            prepared = "etl=" + urllib.parse.quote_plus(sql)
            sql = "EXECUTE etl USING " + ", ".join(self._parameter(one) for one in self.request["ExecutionParameters"])
        return self.trino.statement(sql, self.catalog, self.database, translation.session, prepared)

    def _ask(self, translation):
        if self.stopping:
            return []
        self.statement = statement = self._send(translation)
        rows = []
        for page in statement.pages():
            self.stats = statement.stats
            rows += [[values.text(value, column["typeSignature"]) for value, column in zip(row, statement.columns)] for row in page]
            if self.limit and self.scanned() > self.limit:
                self._stop("Bytes scanned limit was exceeded")
            if self.stopping:
                statement.cancel()
                return []
        if self.sub in ("SELECT", "EXPLAIN", "SHOW"):
            self.columns, self.header = [values.column_info(column) for column in statement.columns or []], self.sub != "SHOW"
            return rows
        self.update_count = int(statement.update_count or 0)
        # What writes answers with how many rows, and no rows of its own.
        if self.sub in ("INSERT", "UNLOAD", "CREATE_TABLE_AS_SELECT"):
            self.columns = [values.column_info({"name": "rows", "typeSignature": {"rawType": "bigint"}})]
        return []

    def _parameter(self, given):
        """An execution parameter: an expression, or, where it is none, a text. A bare word or a UUID is a text."""
        found = tokens(given)
        bare = [
            at
            for at, one in enumerate(found)
            if one.kind == "word" and one.upper not in _BARE and "".join(next_.text for next_ in found[at + 1 : at + 2]) != "("
        ]
        types = "CAST" in (one.upper for one in found)
        if not found or (bare and not types) or re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", given.strip()):
            return self._quoted(given)
        expression = dialect.expression(given)
        try:
            self.trino.rows(f"PREPARE etl FROM SELECT ({expression})")
        except TrinoError:
            return self._quoted(given)
        return expression

    @staticmethod
    def _quoted(given):
        return "'" + given.replace("'", "''") + "'"

    def _failure(self, error):
        """Reason and AthenaError of what Trino says."""
        message = self.sent.message(error.message)
        if error.name == "COLUMN_NOT_FOUND":
            message += " or requester is not authorized to access requested resources"
        if error.name == "HIVE_TOO_MANY_OPEN_PARTITIONS":
            message += _CLEAN_UP.format(self.translation.target or self.output)
        reason = f"{error.name}: {message}"
        category = 1 if error.kind in ("INTERNAL_ERROR", "INSUFFICIENT_RESOURCES") else 2
        known = {"ErrorType": _ERROR_TYPES[error.name]} if error.name in _ERROR_TYPES else {}
        return reason, {"ErrorCategory": category, **known, "Retryable": category == 1, "ErrorMessage": reason}

    def _write(self, rows):
        """Writes the result to where the workgroup or the request has it. The `.metadata` beside it, which Athena writes too, isn't."""
        if self.translation and self.translation.target:
            written = "".join(f"{url}\n" for url, _ in aws.list_objects(self.translation.target))
            aws.put_object(f"{self.output}{self.id}-manifest.csv", written.encode())
        if self.sub in ("SELECT", "EXPLAIN"):
            lines = [[column["Name"] for column in self.columns], *rows]
            quoted = (",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in line) for line in lines)
            aws.put_object(self.result_url, "".join(line + "\n" for line in quoted).encode())
        elif self.sub != "UNLOAD":
            aws.put_object(self.result_url, "".join("\t".join(value or "" for value in row) + "\n" for row in rows).encode())

    def scanned(self):
        """How many bytes were read."""
        return int(self.stats.get("physicalInputBytes", 0))

    def view(self):
        """Athena's QueryExecution."""
        until = self.completed or time.time()
        total = max(int((until - self.submitted) * 1000), 1)
        queued = min(int(self.stats.get("queuedTimeMillis", 0)), total)
        status = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.completed:
            status["CompletionDateTime"] = self.completed
        if self.reason:
            status["StateChangeReason"] = self.reason
        if self.error:
            status["AthenaError"] = self.error
        view = {
            "QueryExecutionId": self.id,
            "Query": self.request["QueryString"],
            "StatementType": self.kind,
            "SubstatementType": self.sub,
            "ManagedQueryResultsConfiguration": {"Enabled": self.output is None},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {key: value for key, value in self.request.get("QueryExecutionContext", {}).items()},
            "Status": status,
            "Statistics": {
                "EngineExecutionTimeInMillis": min(int(self.stats.get("elapsedTimeMillis", total)), total),
                "DataScannedInBytes": self.scanned(),
                "TotalExecutionTimeInMillis": total,
                "QueryQueueTimeInMillis": queued,
                "QueryPlanningTimeInMillis": int(self.stats.get("planningTimeMillis", 0)),
                "ServiceProcessingTimeInMillis": 0,
                "ResultReuseInformation": {"ReusedPreviousResult": False},
            },
            "WorkGroup": self.group["Name"],
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        }
        if self.result_url:
            view["ResultConfiguration"] = {"OutputLocation": self.result_url}
            if self.translation and self.translation.target and self.state == "SUCCEEDED":
                view["Statistics"]["DataManifestLocation"] = f"{self.output}{self.id}-manifest.csv"
        if self.request.get("ExecutionParameters"):
            view["ExecutionParameters"] = self.request["ExecutionParameters"]
        return view

    def results(self, most, token):
        """A page of the result."""
        if self.state != "SUCCEEDED":
            over = (
                f"Query did not finish successfully. Final query state: {self.state}"
                if self.state in OVER
                else f"Query has not yet finished. Current state: {self.state}"
            )
            raise InvalidRequest(over, "INVALID_QUERY_EXECUTION_STATE")
        if not 1 <= most <= 1000:
            raise InvalidRequest(
                "MaxResults is more than maximum allowed length 1000." if most > 1000 else "MaxResults has to be at least 1"
            )
        try:
            start = int(base64.b64decode(token).decode().removeprefix(f"{self.id}:")) if token else 0
        except ValueError:
            raise InvalidRequest("Invalid NextToken") from None
        lines = [[column["Name"] for column in self.columns], *self.rows] if self.header and start == 0 else self.rows
        # The offset is one among the lines with the header.
        shift = 0 if start == 0 or not self.header else 1
        page = lines[start - shift : start - shift + most]
        data = [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in page]
        answer = {"UpdateCount": self.update_count, "ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": self.columns}}}
        if start + most < len(self.rows) + self.header:
            answer["NextToken"] = base64.b64encode(f"{self.id}:{start + most}".encode()).decode()
        return answer


def _string_column(name):
    return {
        "CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": name, "Label": name,
        "Type": "string", "Precision": 0, "Scale": 0, "Nullable": "UNKNOWN", "CaseSensitive": False,
    }  # fmt: skip
