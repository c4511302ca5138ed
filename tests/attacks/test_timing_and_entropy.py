"""Attacks by stop-watch and by guessing.

A machine that tests share with others is no stop-watch: what is proved here is that the same work is done, and that secrets
are compared by the one function that takes equal time.
"""

import base64
import hmac
import os
from collections import Counter
from collections.abc import Callable
from inspect import signature
from math import log2
from pathlib import Path

import pytest

from alexa_oauth import app
from alexa_oauth.protocol import client_authentication
from alexa_oauth.protocol.credentials import (
    PAIRING_ALPHABET,
    PAIRING_LENGTH,
    SEED_BYTES,
    new_access_token,
    new_client_secret,
    new_grant_id,
    new_pairing_code,
    new_secret,
    secret_digest,
)
from alexa_oauth.protocol.models import PresentedRefreshToken
from alexa_oauth.protocol.ports import Entropy
from tests.attacks.disk import statements_written
from tests.attacks.links import INVALID_GRANT, refreshed
from tests.rig import CHALLENGE, SECRETS, VERIFIER, CountedChance, Rig, running

MANY = 100_000


class Work:
    """The comparisons and digests that a request costs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.compared: list[tuple[str | bytes, str | bytes]] = []
        self.digested = 0
        compare, digest = hmac.compare_digest, secret_digest

        def compared(left: str, right: str) -> bool:
            self.compared.append((left, right))
            return compare(left, right)

        def digested(secret: str) -> bytes:
            self.digested += 1
            return digest(secret)

        monkeypatch.setattr(hmac, "compare_digest", compared)
        monkeypatch.setattr(client_authentication, "secret_digest", digested)

    def since(self) -> tuple[int, list[int]]:
        """How many digests, and the lengths of what was compared, since this was last asked."""
        done = self.digested, [len(left) for left, _ in self.compared]
        self.digested = 0
        self.compared.clear()
        return done


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


OF_NOBODY = (
    *(("nobody", secret) for secret in ("wrong", " wrong ", None)),
    *(("C1", secret) for secret in ("wrong", f"{SECRETS['C1']} ", SECRETS["C2"])),
    ("RS", None),
)


@pytest.mark.parametrize("path", ["/alexa/token", "/alexa/revoke", "/alexa/introspect"])
async def test_m01_an_unknown_client_costs_the_work_of_a_wrong_secret(rig: Rig, work: Work, path: str) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
    costs = []
    for client_id, secret in OF_NOBODY:
        work.since()
        await rig.post(path, None, {**form, "client_id": client_id, "client_secret": secret})
        costs.append(work.since())
    assert costs == [(2, [32, 32])] * len(OF_NOBODY), "the secret, and the secret without blanks around it"


async def test_m03_a_guess_at_the_beginning_of_a_token_is_no_better_than_any(rig: Rig) -> None:
    """Tokens are found by a keyed digest, so that how far a search in the index gets tells nothing of the token."""
    token = new_secret(app.entropy)
    near = token[:-1] + ("A" if token[-1] != "A" else "B")
    digests = [rig.store.keys.ring.digest("access_tokens", value) for value in (token, near)]
    assert len({digest[:4] for digest in digests}) == 2
    with statements_written(rig) as statements:
        for presented in (await rig.link(), await rig.link("alexa")):
            await rig.refresh(presented["refresh_token"])
            await rig.revoke(presented["access_token"])
    written = "\n".join(statements)
    assert "INSERT INTO access_tokens" in written
    assert presented["access_token"] not in written
    assert presented["refresh_token"] not in written


async def test_m04_f22_every_secret_is_compared_in_constant_time(rig: Rig, work: Work) -> None:
    browser = rig.browser()
    page = await browser.authorize()
    work.since()
    callback = await browser.approve(page)
    assert (next(iter(browser.cookies.values())).encode(),) * 2 in work.compared
    assert (page.hidden["csrf"].encode(),) * 2 in work.compared
    work.since()
    tokens = (await rig.redeem(callback.returned["code"])).json
    assert (CHALLENGE.encode(),) * 2 in work.compared
    assert (secret_digest(SECRETS["C1"]),) * 2 in work.compared
    presented = rig.store.keys.ring.read_refresh_token(tokens["refresh_token"])
    assert presented is not None
    for ask in (rig.refresh, rig.introspect, rig.revoke):
        work.since()
        await ask(tokens["refresh_token"])
        assert (presented.seed,) * 2 in work.compared


@pytest.mark.parametrize("wrong", ["csrf", "request"])
async def test_m04_a_wrong_value_is_compared_to_its_end(rig: Rig, work: Work, wrong: str) -> None:
    """Two that differ in the first character are handed to the same function as two that differ in the last."""
    page = await (browser := rig.browser()).authorize()
    for value in ("!" + page.hidden["csrf"][1:], page.hidden["csrf"][:-1] + "!"):
        work.since()
        assert (await browser.approve(page, **{wrong: value})).status == 403
        assert ((page.hidden["csrf"].encode(), value.encode()) in work.compared) is (wrong == "csrf")


async def test_m04_a_wrong_verifier_is_compared_to_its_end(rig: Rig, work: Work) -> None:
    code = await rig.code()
    work.since()
    assert (await rig.redeem(code, code_verifier=VERIFIER[:-1] + "A")).refusal == INVALID_GRANT
    assert [right for _, right in work.compared if right == CHALLENGE.encode()] == [CHALLENGE.encode()]


def refresh_token_maker(rig: Rig) -> Callable[[Entropy], str]:
    ring = rig.store.keys.ring

    def make(entropy: Entropy) -> str:
        content = PresentedRefreshToken(new_grant_id(entropy), 1, entropy(SEED_BYTES))
        return ring.refresh_token(ring.newest_token_key_id, content).removeprefix("aoa_rt_")

    return make


@pytest.mark.parametrize(("kind", "bits"), [("code", 256), ("access token", 256), ("refresh token", 160), ("client secret", 256)])
async def test_m05_a_hundred_thousand_credentials_are_all_different_and_flat(rig: Rig, kind: str, bits: int) -> None:
    """They are made of chance alone: the clock stands still, and the same chance makes the same credential."""
    make: Callable[[Entropy], str] = {
        "code": new_secret,
        "access token": lambda entropy: new_access_token(entropy).removeprefix("aoa_at_"),
        "refresh token": refresh_token_maker(rig),
        "client secret": new_client_secret,
    }[kind]
    drawn: list[int] = []
    chance = CountedChance()

    def counted(size: int) -> bytes:
        drawn.append(size * 8)
        return chance(size)

    assert make(counted) == make(CountedChance())
    assert sum(drawn) >= bits
    rig.clocks.advance(1_000)
    made = [make(chance) for _ in range(MANY)]
    assert len(set(made)) == MANY
    for place in (0, len(made[0]) // 2, -1):
        counts = Counter(credential[place] for credential in made)
        alphabet = 16 if kind == "client secret" or (place == -1 and len(made[0]) == 43) else 64
        assert len(counts) == alphabet
        expected = MANY / alphabet
        assert sum((count - expected) ** 2 / expected for count in counts.values()) < 3 * alphabet


async def test_m05_what_is_issued_is_as_long_as_its_entropy_needs(rig: Rig) -> None:
    code = await rig.code()
    tokens = (await rig.redeem(code)).json
    assert len(base64.urlsafe_b64decode(f"{code}=")) == 32
    assert len(base64.urlsafe_b64decode(f"{tokens['access_token'].removeprefix('aoa_at_')}=")) == 32
    assert len(base64.urlsafe_b64decode(tokens["refresh_token"].removeprefix("aoa_rt_"))) == 48


def test_m06_a_pairing_code_is_one_of_25_billion_equally_likely_ones() -> None:
    """The device flow is not offered. Guessing at this code is braked as well; N03 tries it."""
    assert (PAIRING_ALPHABET, PAIRING_LENGTH) == ("BCDFGHJKLMNPQRSTVWXZ", 8), "no vowel, so no word; no digit to mistake"
    assert PAIRING_LENGTH * log2(len(PAIRING_ALPHABET)) > 34
    chance = CountedChance()
    made = [new_pairing_code(chance) for _ in range(20_000)]
    assert len(set(made)) == len(made)
    for place in range(PAIRING_LENGTH):
        counts = Counter(code[place] for code in made)
        assert sorted(counts) == sorted(PAIRING_ALPHABET)
        assert sum((count - 1_000) ** 2 / 1_000 for count in counts.values()) < 2 * len(PAIRING_ALPHABET)


async def test_m08_tokens_carry_prefixes_for_secret_scanners_and_are_nothing_without(rig: Rig) -> None:
    """The prefix is not stripped before the look-up: it is a part of the token, and the digest is of the whole of it."""
    tokens = await rig.link()
    access_token, refresh_token = tokens["access_token"], tokens["refresh_token"]
    assert (access_token[:7], refresh_token[:7]) == ("aoa_at_", "aoa_rt_")
    for bare in (access_token[7:], f"aoa_rt_{access_token[7:]}", access_token.upper()):
        assert (await rig.verify(bare)).status == 401
    assert (await rig.refresh(refresh_token[7:])).refusal == INVALID_GRANT


async def test_m09_chance_is_the_kernels_so_that_no_two_servers_draw_the_same(tmp_path: Path) -> None:
    """No generator of our own could be copied by a fork, a snapshot of a machine, or an image with a seed in it."""
    kernel = os.urandom  # noqa: TID251 - not called, only recognised
    assert app.entropy is kernel
    assert signature(app.build).parameters["chance"].default is kernel
    drawn = []
    for name in ("one", "two"):
        async with running(tmp_path / name, {}) as rig:
            tokens = await rig.link()
            key = (tmp_path / name / "encryption.key").read_text()
            drawn.append({key, tokens["access_token"], tokens["refresh_token"], await rig.code()})
    assert drawn[0].isdisjoint(drawn[1])


async def test_m10_within_one_second_the_order_is_still_known(rig: Rig) -> None:
    """Which access token is the oldest is told by a sequence, not by an instant; reuse is told by generations (G08)."""
    tokens = await rig.link("alexa")
    answers = [tokens, *[await refreshed(rig, tokens, "alexa") for _ in range(33)]]
    assert [await rig.is_live(answer["access_token"]) for answer in answers] == [False] * 2 + [True] * 32
