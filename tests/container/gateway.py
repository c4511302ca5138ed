"""What Home Assistant's ingress gateway does, from inside the network of a container: it sends on what a person asks for.

Run as a program of its own, since a process can be in one network only: `gateway.py REQUEST`, where the request is a JSON object
of `source`, `port`, `method`, `path`, `headers` and `form`. It prints status, header fields and body as JSON.
"""

import http.client
import json
import sys
from urllib.parse import urlencode


def main(written: str) -> None:
    """Send that request from the source's address."""
    request = json.loads(written)
    connection = http.client.HTTPConnection("127.0.0.1", request["port"], timeout=10, source_address=(request["source"], 0))
    headers, body = request["headers"], None
    if request["method"] == "POST":
        headers["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(request["form"])
    connection.request(request["method"], request["path"], body, headers)
    answer = connection.getresponse()
    print(json.dumps({"status": answer.status, "headers": dict(answer.getheaders()), "body": answer.read().decode()}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(*sys.argv[1:])
