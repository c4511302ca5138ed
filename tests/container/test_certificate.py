"""The add-on speaks https itself, with what another app left in the folder that all of them share."""

import http.client
import ssl
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest
import trustme

from tests.container.addon import AddOn
from tests.container.conftest import MakeAddOn
from tests.container.engine import as_root

pytestmark = pytest.mark.container

SECONDS: Final = 10
OPTIONS: Final = {"ssl": True, "certfile": "fullchain.pem", "keyfile": "acme/privkey.pem"}


def lay_certificate(folder: Path, authority: trustme.CA) -> None:
    """A certificate and its key, both root's alone."""
    issued = authority.issue_cert("127.0.0.1")
    for name, pem in (("fullchain.pem", issued.cert_chain_pems[0]), ("acme/privkey.pem", issued.private_key_pem)):
        with pem.tempfile() as written:
            as_root("install", "-D", "--mode", "0600", written, folder / name)


def is_served_by(add_on: AddOn, authority: trustme.CA) -> bool:
    """Whether `/health` is 200 over TLS, with a certificate of that authority's."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with suppress(OSError), closing(http.client.HTTPSConnection("127.0.0.1", add_on.port, timeout=5, context=context)) as here:
        here.request("GET", "/health")
        return here.getresponse().status == http.client.OK
    return False


def test_a_key_that_is_roots_alone_serves_and_a_renewed_one_from_the_next_start_on(make_add_on: MakeAddOn) -> None:
    add_on = make_add_on(OPTIONS)
    folder = add_on.engine.folder / f"ssl-{add_on.port}"
    add_on.run_options = ("--mount", f"type=bind,source={folder},destination=/ssl,ro")
    first, renewed = trustme.CA(), trustme.CA()
    lay_certificate(folder, first)
    add_on.create()
    add_on.wait_until(lambda: is_served_by(add_on, first), SECONDS)
    assert add_on.execute("alexa-oauth", "health") == "ok\n"
    lay_certificate(folder, renewed)
    add_on.stop()
    add_on.engine.podman("start", add_on.container)
    add_on.wait_until(lambda: is_served_by(add_on, renewed), SECONDS)


def test_a_file_that_is_not_there_is_named(make_add_on: MakeAddOn) -> None:
    add_on = make_add_on(OPTIONS)
    add_on.create()
    assert add_on.wait_until_it_ends(SECONDS) == 78
    assert 'keyfile: "/ssl/acme/privkey.pem" cannot be read; allowed: a readable file, since ssl is on' in add_on.log()
