"""Attacks on client authentication (RFC 6749 §2.3.1), tried at the token endpoint with a living refresh token."""

import base64
import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.events import EventName, Reason
from tests.attacks.disk import folder_of, octets_in
from tests.conftest import StartRig
from tests.rig import CLIENTS, SECRETS, Answer, Rig, basic, running

INVALID_CLIENT = (401, "invalid_client")
INVALID_REQUEST = (400, "invalid_request")
SECRET = SECRETS["C1"]


async def refresh_as(rig: Rig, authorization: str | None, **fields: str) -> Answer:
    """A refresh with these credentials and no others."""
    tokens = await rig.link()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **fields}
    headers = {"Authorization": authorization} if authorization is not None else {}
    answer = await rig.post("/alexa/token", None, form, **headers)
    if answer.status != 200:
        assert (await rig.refresh(tokens["refresh_token"])).status == 200, "a refused caller must change nothing"
    return answer


def encoded(credentials: bytes) -> str:
    return f"Basic {base64.b64encode(credentials).decode()}"


async def test_f01_the_right_secret_by_basic(rig: Rig) -> None:
    assert (await refresh_as(rig, basic("C1", SECRET))).status == 200
    assert (await refresh_as(rig, basic("C1", SECRET), client_id="C1")).status == 200


async def test_f02_the_right_secret_in_the_body(rig: Rig) -> None:
    assert (await refresh_as(rig, None, client_id="C1", client_secret=SECRET)).status == 200


@pytest.mark.parametrize("client_id", ["C2", "P1", "nobody", "c1"])
async def test_f04_another_client_id_beside_basic_is_refused(rig: Rig, client_id: str) -> None:
    assert (await refresh_as(rig, basic("C1", SECRET), client_id=client_id)).refusal == INVALID_CLIENT


@pytest.mark.parametrize("secret", [SECRET, "wrong"])
async def test_f05_two_ways_at_once_are_refused(rig: Rig, secret: str) -> None:
    assert (await refresh_as(rig, basic("C1", SECRET), client_id="C1", client_secret=secret)).refusal == INVALID_REQUEST


async def test_f06_a_wrong_secret_by_basic_is_challenged(rig: Rig) -> None:
    answer = await refresh_as(rig, basic("C1", "wrong"))
    assert (answer.refusal, answer.json["error_description"]) == (INVALID_CLIENT, "Client authentication failed")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="alexa-oauth", charset="UTF-8"'


@pytest.mark.parametrize("by_basic", ["by Basic", ""])
async def test_f08_an_unknown_client_is_told_what_a_wrong_secret_is_told(rig: Rig, by_basic: str) -> None:
    def said(answer: Answer) -> tuple[int, dict[str, str], bytes]:
        return answer.status, {name: value for name, value in answer.headers.items() if name != "Date"}, answer.body

    def tried(client_id: str, secret: str) -> dict[str, str]:
        return {"Authorization": basic(client_id, secret)} if by_basic else {}

    answers = [
        await rig.post("/alexa/token", None, {"grant_type": "refresh_token", "refresh_token": "x", **body}, **tried(*who))
        for who in (("nobody", SECRET), ("C1", "wrong"), ("C1", SECRETS["C2"]))
        for body in [{} if by_basic else dict(zip(("client_id", "client_secret"), who, strict=True))]
    ]
    assert len({repr(said(answer)) for answer in answers}) == 1
    assert answers[0].refusal == INVALID_CLIENT


async def test_f09_a_confidential_client_without_its_secret_is_refused(rig: Rig) -> None:
    answer = await refresh_as(rig, None, client_id="C1")
    assert answer.refusal == INVALID_CLIENT
    assert "WWW-Authenticate" not in answer.headers
    assert (await refresh_as(rig, None, client_id="C1", client_secret="")).refusal == INVALID_CLIENT
    assert (await refresh_as(rig, None)).refusal == INVALID_REQUEST


@pytest.mark.parametrize("by", ["Basic", "body", "empty Basic"])
async def test_f10_a_public_clients_secret_is_not_looked_at(rig: Rig, by: str) -> None:
    """Alexa's console insists on one; PKCE is what protects the client."""
    code = await rig.code("P1")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://127.0.0.1/cb"}
    secret = {"Basic": {"Authorization": basic("P1", "any")}, "empty Basic": {"Authorization": basic("P1", "")}}.get(by, {})
    body = {"client_id": "P1", "client_secret": "any"} if by == "body" else {}
    assert (await rig.post("/alexa/token", "P1", form | body, **secret)).refusal == (400, "invalid_grant")
    proven = {**form, "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
    assert (await rig.post("/alexa/token", "P1", proven | body, **secret)).status == 200


async def test_f13_both_readings_of_basic_are_good(start: StartRig, tmp_path: Path) -> None:
    """Many clients forget that id and secret are form-encoded first. Our own secrets are the same either way."""
    secret = "a+b%41c:d/e=f&g~0123456789"
    file = tmp_path / "clients.json"
    file.write_text(json.dumps({**CLIENTS, "C1": {**CLIENTS["C1"], "client_secret": secret}}))
    rig = await start(clients_file=str(file))
    for password in (secret, quote_plus(secret)):
        form = {"grant_type": "refresh_token", "refresh_token": "x"}
        assert (await rig.post("/alexa/token", None, form, Authorization=basic("C1", password))).refusal == (400, "invalid_grant")
    made = rig.server.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
    assert made is not None
    assert quote_plus(made) == made


@pytest.mark.parametrize(
    "authorization",
    [
        encoded(b"C1"),
        encoded(b":" + SECRET.encode()),
        encoded(b"C1:"),
        encoded(b":"),
        encoded(b""),
        encoded(f"C\xe9:{SECRET}".encode("latin-1")),
        encoded(b"\xff\xfe:\xff"),
        basic("C1", SECRET)[:-3],
        f"Basic {SECRET}",
        "Basic é",
        "Basic \u2028",
        "Basic ****",
        "Basic",
        "Basic ",
        "",
        f"Basic{encoded(b'C1:x')}",
        f"Bearer {SECRET}",
        f"Digest username=C1, response={SECRET}",
    ],
    ids=ascii,
)
async def test_f14_what_is_no_basic_is_refused_as_a_wrong_secret_is(rig: Rig, authorization: str) -> None:
    assert (await refresh_as(rig, authorization)).refusal == INVALID_CLIENT


async def test_f14_credentials_of_64_kib_are_refused_before_they_are_read(rig: Rig) -> None:
    """Not 401: a header field of more than 8 KiB is no request that this server reads."""
    answer = await rig.post("/alexa/token", None, {"grant_type": "refresh_token"}, Authorization=basic("C1", "x" * 65_536))
    assert (answer.status, answer.json) == (400, {"error": "invalid_request"})


@pytest.mark.parametrize("scheme", ["BASIC ", "basic ", "bAsIc ", "Basic  "])
async def test_f15_the_schemes_name_is_read_in_any_case(rig: Rig, scheme: str) -> None:
    assert (await refresh_as(rig, basic("C1", SECRET).replace("Basic ", scheme))).status == 200


@pytest.mark.parametrize(
    "secret",
    [
        *(f"{SECRET}\0", f"{SECRET}\0x", f" {SECRET}", f"{SECRET} ", f"{SECRET}\n"),
        *(SECRET.upper(), SECRET[:-1], f"{SECRET}0"),
        *(SECRET.replace("C1", "\uff231"), SECRET.replace("s", "\u017f"), SECRET.replace("-", "\u2010"), f"{SECRET}\u200b"),
    ],
    ids=ascii,
)
async def test_f18_what_only_looks_like_the_secret_is_refused(rig: Rig, secret: str) -> None:
    assert (await refresh_as(rig, basic("C1", secret))).refusal == INVALID_CLIENT
    in_body = await refresh_as(rig, None, client_id="C1", client_secret=secret)
    # A NUL is no character of a form: the body is refused before anybody looks at the secret.
    assert in_body.refusal == (INVALID_REQUEST if "\0" in secret else INVALID_CLIENT)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        *((pad.format(SECRET), Reason.SECRET_PADDED) for pad in (" {}", "{} ", "{}\t", "{}\r\n", "{}/", "\u00a0{}")),
        *((secret, Reason.SECRET_WRONG) for secret in ("wrong", "wrong ", f"{SECRET}0", SECRET.replace("-", " "))),
        *((secret, Reason.SECRET_MISSING) for secret in ("", None)),
    ],
    ids=ascii,
)
async def test_f18_the_operator_is_told_that_the_secret_was_copied_with_a_blank(
    rig: Rig, secret: str | None, reason: Reason
) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "C1"}
    answer = await rig.post("/alexa/token", None, form if secret is None else form | {"client_secret": secret})
    assert (answer.refusal, answer.json["error_description"]) == (INVALID_CLIENT, "Client authentication failed")
    assert [event.reason for event in await rig.audit(EventName.TOKEN_REFUSED)] == [reason]


@pytest.mark.parametrize("also", [{}, {"client_id": "C1", "client_secret": SECRET}], ids=["alone", "beside a good secret"])
async def test_f21_a_client_assertion_is_not_offered(rig: Rig, also: dict[str, str]) -> None:
    assertion = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "e30.e30.",
    }
    assert (await refresh_as(rig, None, **assertion, **also)).refusal == INVALID_CLIENT
    assert (await refresh_as(rig, None, client_assertion="e30.e30.", **also)).refusal == INVALID_CLIENT


async def test_f23_the_secret_that_is_made_at_the_first_start_has_256_bits_of_its_own(tmp_path: Path) -> None:
    secrets = []
    for name in ("one", "two"):
        async with running(tmp_path / name, {"vendor_ids": "M2AAAAAAAAAAAA"}) as rig:
            secrets.append(rig.server.store.read(lambda tx: tx.clients.show_secret("amazon-alexa")) or "")
    assert [len(bytes.fromhex(secret)) for secret in secrets] == [32, 32]
    assert secrets[0] != secrets[1]


async def test_f24_secrets_are_kept_as_digests_or_sealed(rig: Rig) -> None:
    """The one that was made here can be shown again, on purpose: the developer console needs it. It is sealed on disk."""
    made = rig.server.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
    assert made is not None
    (folder_of(rig) / "oauth_clients.json").unlink()  # the operator's own file, which has theirs in clear
    on_disk = octets_in(folder_of(rig))
    assert [secret for secret in (made, *SECRETS.values()) if secret.encode() in on_disk] == []
    assert rig.server.definitions.definitions()["C1"].secret_digests == (secret_digest(SECRET),)
    assert SECRET not in repr(rig.server.definitions.definitions())
