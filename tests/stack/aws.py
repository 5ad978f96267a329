"""Signed calls to S3 and Glue: as much as the endpoint needs, by the standard library alone."""

import datetime
import hashlib
import hmac
import json
import os
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree


class AwsError(Exception):
    """A service answered with an error; `code` is its name."""

    def __init__(self, status, code, message):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


def _signed(service, method, url, headers, body):
    """Sends a request signed by Signature Version 4, and gives status and body."""
    key, secret, region = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_REGION", "us-east-1")
    parts = urllib.parse.urlsplit(url)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {**headers, "host": parts.netloc, "x-amz-date": now, "x-amz-content-sha256": digest}
    if os.environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = os.environ["AWS_SESSION_TOKEN"]
    names = sorted(headers)
    signed = ";".join(names)
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    canonical = "\n".join([method, parts.path or "/", query, *(f"{name}:{headers[name]}" for name in names), "", signed, digest])
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    derived = ("AWS4" + secret).encode()
    for step in scope.split("/"):
        derived = hmac.new(derived, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={signature}"
    request = urllib.request.Request(url, data=body if method in ("PUT", "POST") else None, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def split_url(url):
    """The bucket and the key of `s3://bucket/key`."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise AwsError(400, "InvalidRequest", f"{url} is no S3 URL; expected s3://bucket/prefix/")
    return parts.netloc, url[len("s3://") + len(parts.netloc) + 1 :]


def _s3(method, bucket, key="", query="", body=b""):
    url = f"{os.environ['AWS_ENDPOINT_URL_S3'].rstrip('/')}/{bucket}/{urllib.parse.quote(key, safe='/-_.~')}"
    status, answer = _signed("s3", method, url + (f"?{query}" if query else ""), {}, body)
    if status >= 300 and not (method == "DELETE" and status == 404):
        try:
            tree = xml.etree.ElementTree.fromstring(answer)
            raise AwsError(status, tree.findtext("Code"), tree.findtext("Message"))
        except xml.etree.ElementTree.ParseError:
            raise AwsError(status, "S3Error", answer[:500].decode(errors="replace")) from None
    return answer


def make_bucket(bucket):
    """Makes a bucket, if it isn't there."""
    try:
        _s3("PUT", bucket)
    except AwsError as error:
        if error.code != "BucketAlreadyOwnedByYou":
            raise


def delete_bucket(bucket):
    """Removes a bucket, which has to be empty."""
    _s3("DELETE", bucket)


def put_object(url, body):
    """Writes an object."""
    _s3("PUT", *split_url(url), body=body)


def get_object(url):
    """The bytes of an object."""
    return _s3("GET", *split_url(url))


def delete_object(url):
    """Removes an object."""
    _s3("DELETE", *split_url(url))


def list_objects(url, most=None):
    """(url, size) of the objects below a prefix; no more than about `most`."""
    bucket, prefix = split_url(url)
    found, token = [], ""
    while True:
        query = {
            "list-type": "2",
            "prefix": prefix,
            **({"continuation-token": token} if token else {}),
            **({"max-keys": str(most)} if most else {}),
        }
        tree = xml.etree.ElementTree.fromstring(
            _s3("GET", bucket, query=urllib.parse.urlencode(sorted(query.items()), quote_via=urllib.parse.quote, safe=""))
        )
        space = tree.tag[: tree.tag.index("}") + 1] if tree.tag.startswith("{") else ""
        found += [
            (f"s3://{bucket}/{one.findtext(space + 'Key')}", int(one.findtext(space + "Size"))) for one in tree.iter(space + "Contents")
        ]
        token = tree.findtext(space + "NextContinuationToken")
        if not token or (most and len(found) >= most):
            return found


def call(service, target, operation, request, endpoint):
    """Calls an operation of a JSON service."""
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": f"{target}.{operation}"}
    status, answer = _signed(service, "POST", endpoint.rstrip("/") + "/", headers, json.dumps(request).encode())
    try:
        answer = json.loads(answer or b"{}")
    except ValueError:
        raise AwsError(status, "NotJson", answer[:500].decode(errors="replace")) from None
    if status >= 300:
        code = answer.get("__type", "UnknownError").rsplit("#")[-1]
        raise AwsError(status, code, answer.get("Message") or answer.get("message") or "")
    return answer


def glue(operation, **request):
    """Calls Glue."""
    return call("glue", "AWSGlue", operation, request, os.environ["AWS_ENDPOINT_URL_GLUE"])
