"""What Home Assistant's ingress gateway does, from inside the network of a container: it asks for a page in a person's name.

Run as a program of its own, since a process can be in one network only:
`gateway.py SOURCE PORT NAME=VALUE…` prints status, header fields and body as JSON.
"""

import http.client
import json
import sys


def main(source: str, port: str, *fields: str) -> None:
    """Ask from that address."""
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10, source_address=(source, 0))
    connection.request("GET", "/", headers=dict(field.split("=", 1) for field in fields))
    answer = connection.getresponse()
    print(json.dumps({"status": answer.status, "headers": dict(answer.getheaders()), "body": answer.read().decode()}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(*sys.argv[1:])
