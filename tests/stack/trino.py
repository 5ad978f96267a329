"""Trino's statement protocol: one statement, page by page."""

import json
import time
import urllib.error
import urllib.request


class TrinoError(Exception):
    """Trino refused a statement, or failed on it."""

    def __init__(self, error):
        super().__init__(error.get("message", "unknown"))
        self.message = error.get("message", "unknown")
        self.name = error.get("errorName", "GENERIC_INTERNAL_ERROR")
        self.kind = error.get("errorType", "INTERNAL_ERROR")
        self.place = error.get("errorLocation") or {}


class Number(str):
    """A number in the text that Java gave it."""


class Trino:
    """Where statements are sent."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def statement(self, sql, catalog, schema, session=(), prepared=None):
        """Sends a statement; nothing has come back yet."""
        return Statement(self, sql, catalog, schema, session, prepared)

    def rows(self, sql, catalog="awsdatacatalog", schema=None):
        """All rows of a statement."""
        statement = self.statement(sql, catalog, schema)
        rows = [row for page in statement.pages() for row in page]
        return rows

    def ready(self):
        """Whether statements are taken."""
        try:
            with urllib.request.urlopen(f"{self.url}/v1/info", timeout=5) as answer:
                return not json.load(answer)["starting"]
        except (OSError, ValueError, KeyError):
            return False


class Statement:
    """One statement on its way: `columns`, `stats` and `update_count` are what Trino said last."""

    def __init__(self, trino, sql, catalog, schema, session, prepared):
        self.columns, self.stats, self.update_type, self.update_count = None, {}, None, None
        self.headers = {"X-Trino-User": "etl", "X-Trino-Source": "athena", "X-Trino-Catalog": catalog, "X-Trino-Time-Zone": "UTC"}
        if schema:
            self.headers["X-Trino-Schema"] = schema
        if session:
            self.headers["X-Trino-Session"] = ",".join(session)
        if prepared:
            self.headers["X-Trino-Prepared-Statement"] = prepared
        self.next = None
        self.answer = self._ask("POST", f"{trino.url}/v1/statement", sql.encode())

    def _ask(self, method, url, body=None):
        while True:
            request = urllib.request.Request(url, data=body, method=method, headers=self.headers)
            try:
                with urllib.request.urlopen(request, timeout=120) as answer:
                    text = answer.read()
                    break
            except urllib.error.HTTPError as error:
                # Trino asks for patience by these, and means the same request.
                if error.code not in (429, 502, 503, 504):
                    raise TrinoError({"message": error.read()[:500].decode(errors="replace")}) from None
                time.sleep(0.1)
        answer = json.loads(text, parse_float=Number, parse_int=Number) if text else {}
        self.next = answer.get("nextUri")
        self.stats = answer.get("stats", self.stats)
        self.columns = answer.get("columns", self.columns)
        self.update_type = answer.get("updateType", self.update_type)
        self.update_count = answer.get("updateCount", self.update_count)
        if "error" in answer:
            raise TrinoError(answer["error"])
        return answer

    def pages(self):
        """The rows, in pages of as many as Trino gives; a page may be empty, so that whoever reads sees how far it is."""
        yield self.answer.get("data", [])
        while self.next:
            self.answer = self._ask("GET", self.next)
            yield self.answer.get("data", [])

    def cancel(self):
        """Ends the statement."""
        if self.next:
            request = urllib.request.Request(self.next, method="DELETE", headers=self.headers)
            try:
                urllib.request.urlopen(request, timeout=30).close()
            except OSError:
                # It is over already.
                pass
