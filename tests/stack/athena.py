"""Athena's JSON API in front of Trino, for tests and for trying things out on one machine.

    python3 athena.py --port 8081 --trino http://127.0.0.1:8080

It speaks `X-Amz-Target: AmazonAthena.*` (queries, their results, workgroups) and answers `GET /health`. Objects are in the S3 of AWS_ENDPOINT_URL_S3, tables
in the Glue of AWS_ENDPOINT_URL_GLUE, both with the keys of AWS_ACCESS_KEY_ID. Nothing but Python's standard library is needed. Signatures are not checked.

Where it differs from Athena: results and queries are held in memory; nothing is throttled, result reuse never happens; see also hive.py and dialect.py.
"""

import argparse
import http.server
import json
import sys
import threading

from execution import Execution
from trino import Trino
from workgroups import InvalidRequest, Workgroups, location

LONGEST_QUERY = 262_144


class Athena:
    """The operations."""

    def __init__(self, trino):
        self.trino, self.workgroups, self.executions, self.tokens, self.lock = trino, Workgroups(), {}, {}, threading.Lock()

    def start_query_execution(self, request):
        """StartQueryExecution. The same token gives the same query; parameters and workgroup are not compared, as Athena doesn't."""
        token = request.get("ClientRequestToken")
        if token is None or not 32 <= len(token) <= 128:
            raise InvalidRequest(
                "1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: Member must have length between 32 and 128"
            )
        context = request.get("QueryExecutionContext", {})
        same = (
            request["QueryString"],
            context.get("Catalog"),
            context.get("Database"),
            request.get("ResultConfiguration", {}).get("OutputLocation"),
        )
        with self.lock:
            if token in self.tokens:
                compared, found = self.tokens[token]
                if compared != same:
                    raise InvalidRequest("Idempotent parameters do not match")
                return {"QueryExecutionId": found}
            if not 1 <= len(request["QueryString"].encode()) <= LONGEST_QUERY:
                raise InvalidRequest(
                    f"1 validation error detected: Value at 'queryString' failed to satisfy constraint: Member must have length between 1 and {LONGEST_QUERY}"
                )
            group = self.workgroups.get(request.get("WorkGroup", "primary"), "WorkGroup is not found.")
            if group["State"] != "ENABLED":
                raise InvalidRequest(f"WorkGroup {group['Name']} is disabled.")
            # The settings of the moment stay those of the query.
            execution = Execution(self.trino, request, dict(group), location(group, request))
            self.executions[execution.id] = execution
            self.tokens[token] = same, execution.id
        return {"QueryExecutionId": execution.id}

    def _execution(self, request):
        found = self.executions.get(request["QueryExecutionId"])
        if not found:
            raise InvalidRequest(f"QueryExecution {request['QueryExecutionId']} was not found")
        return found

    def get_query_execution(self, request):
        """GetQueryExecution."""
        return {"QueryExecution": self._execution(request).view()}

    def batch_get_query_execution(self, request):
        """BatchGetQueryExecution."""
        ids = request["QueryExecutionIds"]
        if not 1 <= len(ids) <= 50:
            raise InvalidRequest("QueryExecutionIds has to have between 1 and 50 members")
        missing = [one for one in ids if one not in self.executions]
        return {
            "QueryExecutions": [self.executions[one].view() for one in ids if one in self.executions],
            "UnprocessedQueryExecutionIds": [
                {"QueryExecutionId": one, "ErrorCode": "INVALID_INPUT", "ErrorMessage": f"QueryExecution {one} was not found"}
                for one in missing
            ],
        }

    def list_query_executions(self, request):
        """ListQueryExecutions: the newest first."""
        group = self.workgroups.get(request.get("WorkGroup", "primary"))["Name"]
        return _page([one.id for one in reversed(self.executions.values()) if one.group["Name"] == group], "QueryExecutionIds", request)

    def get_query_results(self, request):
        """GetQueryResults."""
        return self._execution(request).results(request.get("MaxResults", 1000), request.get("NextToken"))

    def stop_query_execution(self, request):
        """StopQueryExecution."""
        self._execution(request).stop()
        return {}

    def create_work_group(self, request):
        """CreateWorkGroup."""
        with self.lock:
            return self.workgroups.create(request)

    def get_work_group(self, request):
        """GetWorkGroup."""
        return {"WorkGroup": self.workgroups.get(request["WorkGroup"])}

    def update_work_group(self, request):
        """UpdateWorkGroup."""
        with self.lock:
            return self.workgroups.update(request)

    def delete_work_group(self, request):
        """DeleteWorkGroup."""
        with self.lock:
            return self.workgroups.delete(request)

    def list_work_groups(self, request):
        """ListWorkGroups."""
        shown = ("Name", "State", "Description", "CreationTime")
        groups = [
            {**{field: group[field] for field in shown}, "EngineVersion": group["Configuration"]["EngineVersion"]}
            for group in self.workgroups.all.values()
        ]
        return _page(groups, "WorkGroups", request)


def _page(items, field, request):
    most = request.get("MaxResults", 50)
    if not 1 <= most <= 50:
        raise InvalidRequest("MaxResults has to be between 1 and 50")
    start = int(request.get("NextToken") or 0)
    return {field: items[start : start + most], **({"NextToken": str(start + most)} if start + most < len(items) else {})}


OPERATIONS = {
    "".join(word.capitalize() for word in name.split("_")): name for name in vars(Athena) if not name.startswith("_")
}  # fmt: skip


def handler(athena):
    """What answers requests for this Athena."""

    class Handler(http.server.BaseHTTPRequestHandler):
        """One request."""

        protocol_version = "HTTP/1.1"
        # An answer is a head and a body; without this the body waits for the other side's acknowledgement.
        disable_nagle_algorithm = True

        def do_GET(self):
            """The health of the endpoint; `?trino` asks for that of Trino too."""
            healthy = self.path == "/health" or (self.path == "/health?trino" and athena.trino.ready())
            self.answer(200 if healthy else 503, {"status": "ok" if healthy else "not ready"})

        def do_POST(self):
            """An operation."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
            if target != "AmazonAthena" or operation not in OPERATIONS:
                self.answer(
                    400,
                    {"__type": "UnknownOperationException", "Message": f"{target}.{operation} is not known to this stand-in for Athena"},
                )
                return
            try:
                self.answer(200, getattr(athena, OPERATIONS[operation])(json.loads(body or b"{}")))
            except InvalidRequest as error:
                refused = {
                    "__type": "InvalidRequestException",
                    "AthenaErrorCode": error.code,
                    "ErrorCode": error.code,
                    "Message": str(error),
                }
                self.answer(400, refused)
            except (KeyError, TypeError, ValueError) as error:
                refused = {
                    "__type": "InvalidRequestException",
                    "AthenaErrorCode": "INVALID_INPUT",
                    "Message": f"{type(error).__name__}: {error}",
                }
                self.answer(400, refused)
            except Exception as error:  # Whatever it is, the caller has to be told.
                self.answer(500, {"__type": "InternalServerException", "Message": f"{type(error).__name__}: {error}"})

        def answer(self, status, body):
            """Sends an answer."""
            body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *arguments):
            """Nothing: who calls sees the answers."""

    return Handler


def main():
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--trino", default="http://127.0.0.1:8080")
    arguments = parser.parse_args()
    server = http.server.ThreadingHTTPServer((arguments.host, arguments.port), handler(Athena(Trino(arguments.trino))))
    server.daemon_threads = True
    print(f"Athena at http://{arguments.host}:{server.server_port}", file=sys.stderr)
    server.serve_forever()


if __name__ == "__main__":
    main()
