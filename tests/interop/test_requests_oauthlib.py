"""requests-oauthlib, on top of oauthlib.

It has no discovery, no introspection, and compares no `iss`: the test reads the document, asks and looks itself. Revocation
is oauthlib's, which prepares the request and leaves sending it to others.
"""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from oauthlib.oauth2 import AccessDeniedError, InvalidClientError, InvalidGrantError, MismatchingStateError, WebApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from tests.interop.person import Person
from tests.interop.registered import (
    BASIC,
    EVERYONE,
    INACTIVE,
    POST,
    RESOURCE_SERVER,
    SCOPES,
    Registered,
    check_active,
    check_rotated,
    check_tokens,
)

pytestmark = pytest.mark.interop


@pytest.fixture(autouse=True)
def strictness(monkeypatch: pytest.MonkeyPatch) -> None:
    """As strict as oauthlib can be, but for http, which stays on this machine."""
    monkeypatch.setenv("OAUTHLIB_STRICT_TOKEN_TYPE", "1")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


class Linked:
    """One client's session, and how the library wants its authentication said at each endpoint."""

    def __init__(self, client: Registered, metadata: dict[str, Any], state: str | None = None) -> None:
        self.client = client
        self.metadata = metadata
        self.oauthlib = WebApplicationClient(client.client_id)
        redirect_uri = client.redirect_uri
        self.session = OAuth2Session(client=self.oauthlib, scope=SCOPES, redirect_uri=redirect_uri, state=state, pkce="S256")
        is_basic = client.method == "client_secret_basic"
        self.auth = HTTPBasicAuth(client.client_id, client.client_secret or "") if is_basic else None
        credentials = {"client_id": client.client_id, "client_secret": client.client_secret}
        self.body: dict[str, Any] = {} if is_basic else {name: value for name, value in credentials.items() if value}

    def authorization_url(self) -> str:
        url, _ = self.session.authorization_url(self.metadata["authorization_endpoint"])
        return str(url)

    def redeem(self, back: str) -> dict[str, Any]:
        return dict(
            self.session.fetch_token(
                self.metadata["token_endpoint"],
                authorization_response=back,
                auth=self.auth,
                include_client_id=self.auth is None,
                client_secret=self.client.client_secret if self.auth is None else None,
            )
        )

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        endpoint = self.metadata["token_endpoint"]
        return dict(self.session.refresh_token(endpoint, refresh_token=refresh_token, auth=self.auth, **self.body))

    def revoke(self, refresh_token: str) -> int:
        url, headers, body = self.oauthlib.prepare_token_revocation_request(
            self.metadata["revocation_endpoint"], refresh_token, token_type_hint="refresh_token", **self.body
        )
        return self.session.request("POST", url, data=body, headers=headers, auth=self.auth, withhold_token=True).status_code

    def introspect(self, token: str) -> dict[str, Any]:
        endpoint = self.metadata["introspection_endpoint"]
        form = {"token": token, **self.body}
        return dict(self.session.request("POST", endpoint, data=form, auth=self.auth, withhold_token=True).json())


@pytest.mark.parametrize("client", EVERYONE, ids=lambda client: client.method)
def test_a_link_from_its_beginning_to_its_end(client: Registered, metadata: dict[str, Any], person: Person) -> None:
    linked = Linked(client, metadata)
    back = person.approve(linked.authorization_url())
    assert parse_qs(urlsplit(back).query)["iss"] == [metadata["issuer"]]

    tokens = linked.redeem(back)
    check_tokens(tokens)
    resource = linked.session.get(f"{metadata['issuer']}/alexa/verify")
    assert (resource.status_code, resource.headers["X-OAuth-Client"]) == (200, client.client_id)

    refreshed = linked.refresh(tokens["refresh_token"])
    check_rotated(tokens, refreshed)

    asking = Linked(RESOURCE_SERVER, metadata) if client.is_public else linked
    check_active(asking.introspect(refreshed["access_token"]), client, metadata["issuer"])

    assert linked.revoke(refreshed["refresh_token"]) == 200
    assert [asking.introspect(refreshed[name]) for name in ("access_token", "refresh_token")] == [INACTIVE, INACTIVE]
    with pytest.raises(InvalidGrantError, match="Invalid or expired refresh token"):
        linked.refresh(refreshed["refresh_token"])


@pytest.mark.parametrize("client", EVERYONE, ids=lambda client: client.method)
def test_a_stolen_code_is_worth_nothing(client: Registered, metadata: dict[str, Any], person: Person) -> None:
    honest = Linked(client, metadata, state="honest+state/=")
    back = person.approve(honest.authorization_url())
    for state, refusal in (("another state", MismatchingStateError), ("honest+state/=", InvalidGrantError)):
        thief = Linked(client, metadata, state)
        thief.authorization_url()
        with pytest.raises(refusal):
            thief.redeem(back)
    check_tokens(honest.redeem(back))


def test_a_person_who_denies_is_believed(metadata: dict[str, Any], person: Person) -> None:
    linked = Linked(BASIC, metadata)
    back = person.deny(linked.authorization_url())
    with pytest.raises(AccessDeniedError, match="The request was denied"):
        linked.redeem(back)


@pytest.mark.parametrize("client", [BASIC, POST], ids=lambda client: client.method)
def test_a_wrong_secret_is_named_so(client: Registered, metadata: dict[str, Any]) -> None:
    linked = Linked(Registered(client.method, client.client_id, "not-the-right-secret", client.redirect_uri), metadata)
    with pytest.raises(InvalidClientError):
        linked.refresh("anything")
