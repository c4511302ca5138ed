"""The page Backup: a backup is made, looked into and restored; keys change; and none of it for anybody but administrators."""

import asyncio
import io
import re
from html import unescape

import pytest

from alexa_oauth.admin import restore
from alexa_oauth.admin.parts import PARTS
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import EventName
from alexa_oauth.storage.backups import sealed
from tests.attacks.disk import folder_of, octets_in
from tests.conftest import StartRig
from tests.panel import BERT, PATH, Guest, by_link, home_assistant_user
from tests.rig import Answer, Rig

PASSPHRASE = "correct horse battery staple"
BOUNDARY = "boundary-0123456789"


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "_SCRYPT", {**sealed._SCRYPT, "n": 2**8})


async def make(guest: Guest, passphrase: str = PASSPHRASE, again: str = PASSPHRASE) -> Answer:
    await guest.open("/backup")
    return await guest.change("/backup/make", passphrase=passphrase, again=again)


async def send(
    guest: Guest, octets: bytes, passphrase: str = PASSPHRASE, *, csrf: str | None = None, order: str = "cpf"
) -> Answer:
    """Upload a file as a browser does; `order` is that of its fields."""
    await guest.open("/backup")
    fields = {
        "c": ("csrf", guest.csrf if csrf is None else csrf, b""),
        "p": ("passphrase", passphrase, b""),
        "f": ('file"; filename="../../etc/passwd', "", octets),
    }
    body = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value.encode() + content + b"\r\n"
        for name, value, content in (fields[mark] for mark in order)
    )
    said = {name.replace("_", "-"): value for name, value in guest.said.items()}
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in guest.cookies.items())}
    headers = {**said, **cookies, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await guest.rig.send("POST", "/backup/check", body + f"--{BOUNDARY}--\r\n".encode(), headers)


def ticket_in(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    return str(answer.hidden["ticket"])


async def restored(rig: Rig, guest: Guest, ticket: str, **fields: str) -> Answer:
    """Confirm, while the server's upkeep does what it does each second."""
    asked = asyncio.create_task(guest.change("/backup/restore", ticket=ticket, **fields))
    while not asked.done():
        await rig.upkeep.put_restored_in_place()
        await asyncio.sleep(0)
    return await asked


def told(answer: Answer) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split()))


def good_secrets(rig: Rig) -> tuple[bytes, ...]:
    """What Alexa's client may sign in with now, digested."""
    client = rig.store.read(lambda tx: tx.clients.find("amazon-alexa"))
    assert client is not None
    return client.secret_digests


class TestMake:
    async def test_it_is_sent_while_it_is_made_and_lies_nowhere(self, checkout: Rig, owner: Guest) -> None:
        before = {file.name for file in folder_of(checkout).rglob("*")}
        answer = await make(owner)
        assert answer.status == 200
        assert answer.headers["Content-Disposition"] == 'attachment; filename="alexa-oauth-2027-01-15.backup"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.body.startswith(sealed.FIRST_LINE)
        assert [*sealed.unseal(io.BytesIO(answer.body), PASSPHRASE)]
        assert {file.name for file in folder_of(checkout).rglob("*")} - before <= {"backups"}
        (event,) = await checkout.audit(EventName.BACKUP_MADE)
        assert event.detail == {"kind": "sealed", "by": "local"}

    @pytest.mark.parametrize(
        ("passphrase", "again", "said"),
        [
            (PASSPHRASE, PASSPHRASE + "x", "The two passphrases differ."),
            ("short", "short", "The passphrase is too short"),
            ("", "", "too short"),
            ("a" * 20, "a" * 20, "repeats itself"),
        ],
    )
    async def test_a_passphrase_that_will_not_do_is_told_and_not_repeated(
        self, owner: Guest, passphrase: str, again: str, said: str
    ) -> None:
        answer = await make(owner, passphrase, again)
        assert answer.status == 400
        assert said in told(answer)
        assert not passphrase or f">{passphrase}<" not in answer.text

    async def test_the_passphrase_reaches_no_file_and_no_log(
        self, checkout: Rig, owner: Guest, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        octets = (await make(owner)).body
        await send(owner, octets)
        assert PASSPHRASE.encode() not in octets_in(folder_of(checkout))
        assert PASSPHRASE not in caplog.text + "".join(capsys.readouterr())


class TestRestore:
    async def test_it_is_looked_into_first_and_restored_after_a_second_word(self, checkout: Rig, owner: Guest) -> None:
        links = [await checkout.link("C1"), await checkout.link("alexa")]
        octets = (await make(owner)).body
        await owner.open("/backup")
        await owner.change("/links/end-all")
        assert [event.detail for event in await checkout.audit(EventName.GRANT_ENDED)] == [{"by": "local"}] * 2
        later = await checkout.link("C1")
        checked = await send(owner, octets)
        assert "The backup is whole, and its keys open every link" in told(checked)
        assert "Links in it 2" in told(checked)
        assert (await checkout.refresh(later["refresh_token"])).status == 200, "nothing is changed yet"
        answer = await restored(checkout, owner, ticket_in(checked))
        assert (answer.status, answer.location) == (303, "/backup")
        page = await owner.open("/backup")
        assert re.search(r"The former state is the copy before-\S+\.db: to go back, restore that\.", told(page))
        for tokens, client_id in zip(links, ("C1", "alexa"), strict=True):
            assert (await checkout.refresh(tokens["refresh_token"], client_id)).status == 200
        (event,) = await checkout.audit(EventName.BACKUP_RESTORED)
        assert event.detail["by"] == "local"
        assert not (folder_of(checkout) / "restore").exists()

    async def test_all_links_can_end_with_it(self, checkout: Rig, owner: Guest) -> None:
        tokens = await checkout.link("C1")
        ticket = ticket_in(await send(owner, (await make(owner)).body))
        await restored(checkout, owner, ticket, ends_all="yes")
        assert (await checkout.refresh(tokens["refresh_token"])).refusal == (400, "invalid_grant")

    async def test_a_copy_of_the_list_is_restored_without_a_passphrase(self, checkout: Rig, owner: Guest) -> None:
        tokens = await checkout.link("C1")
        await checkout.upkeep.copy_daily()
        await owner.open("/backup")
        await owner.change("/links/end-all")
        page = await owner.open("/backup")
        assert "2027-01-15.db" in page.text
        copy = await owner.send("GET", "/backup/copies/2027-01-15.db")
        assert copy.body.startswith(b"SQLite format 3\0")
        assert copy.headers["Content-Disposition"] == 'attachment; filename="2027-01-15.db"'
        await owner.open("/backup")
        checked = await owner.change("/backup/check-copy", name="2027-01-15.db")
        await restored(checkout, owner, ticket_in(checked))
        assert (await checkout.refresh(tokens["refresh_token"])).status == 200

    async def test_a_ticket_works_once_and_for_ten_minutes(self, checkout: Rig, owner: Guest) -> None:
        octets = (await make(owner)).body
        first = ticket_in(await send(owner, octets))
        second = ticket_in(await send(owner, octets))
        assert "waits no longer" in told(await owner.change("/backup/restore", ticket=first)), "the newer one took its place"
        third = ticket_in(await send(owner, octets))
        assert third != second
        checkout.clocks.advance(601)
        assert "waits no longer" in told(await owner.change("/backup/restore", ticket=third))
        assert "waits no longer" in told(await owner.change("/backup/restore", ticket=""))
        assert [*folder_of(checkout).glob("restore/*")] == []

    @pytest.mark.parametrize(
        ("octets", "said"),
        [
            (b"", "No file was chosen"),
            (b"PK\3\4" + b"x" * 100_000, "This is no backup of this server"),
            (b"alexa-oauth backup 9\nx", "newer version"),
            (sealed.FIRST_LINE + b"x", "the passphrase is wrong, or the file is damaged"),
            (b"SQLite format 3\0" + bytes(4_096), "The backup is damaged"),
        ],
    )
    async def test_what_is_not_ours_is_refused_in_words(self, checkout: Rig, owner: Guest, octets: bytes, said: str) -> None:
        answer = await send(owner, octets)
        assert answer.status == 400
        assert said in told(answer)
        assert "Nothing was changed." in told(answer)
        assert [*folder_of(checkout).glob("restore/*")] == []

    async def test_a_wrong_passphrase_and_a_tampered_file_read_the_same(self, owner: Guest) -> None:
        octets = (await make(owner)).body
        wrong = await send(owner, octets, "wrong horse battery staple")
        tampered = await send(owner, octets[:80] + bytes([octets[80] ^ 1]) + octets[81:])
        assert told(wrong) == told(tampered)

    async def test_what_is_too_large_is_refused_before_it_is_stored(self, owner: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(restore, "UPLOAD_LIMIT", 100_000)
        assert "larger than" in told(await send(owner, sealed.FIRST_LINE + b"x" * 200_000))

    @pytest.mark.parametrize("order", ["f", "fcp", "pf", "cp", "c"])
    async def test_the_fields_may_not_come_in_an_order_that_passes_the_proof_by(
        self, checkout: Rig, owner: Guest, order: str
    ) -> None:
        octets = (await make(owner)).body
        answer = await send(owner, octets, order=order)
        assert answer.status in {400, 403}
        assert "Nothing was changed." in told(answer)
        assert [*folder_of(checkout).glob("restore/*")] == []

    async def test_without_the_visitors_own_value_nothing_is_stored(self, checkout: Rig, owner: Guest) -> None:
        answer = await send(owner, sealed.FIRST_LINE + b"x" * 100_000, csrf="forged")
        assert answer.status == 403
        assert not (folder_of(checkout) / "restore").exists()

    @pytest.mark.parametrize(
        "name",
        ["../oauth.db", "..%2foauth.db", "oauth.db", "%2e%2e/encryption.key", "copy.db%00", "2027-01-15.db/../../oauth.db"],
    )
    async def test_no_name_leads_out_of_the_folder_of_copies(self, checkout: Rig, owner: Guest, name: str) -> None:
        await checkout.upkeep.copy_daily()
        assert (await owner.open(f"/backup/copies/{name}")).status == 404
        await owner.open("/backup")
        assert (await owner.change("/backup/check-copy", name=name)).status == 404

    async def test_a_link_in_the_folder_of_copies_is_not_followed(self, checkout: Rig, owner: Guest) -> None:
        folder = folder_of(checkout) / "backups"
        folder.mkdir(exist_ok=True)
        (folder / "2027-01-02.db").symlink_to(folder_of(checkout) / "encryption.key")
        assert (await owner.open("/backup/copies/2027-01-02.db")).status == 404


class TestKeys:
    async def test_both_layers_change_and_the_page_says_what_still_needs_the_old_ones(self, checkout: Rig, owner: Guest) -> None:
        tokens = await checkout.link("alexa")
        former = checkout.store.keys.master.key_id
        assert former in (await owner.open("/backup")).text
        for kind in ("master", "data"):
            assert (await owner.change("/backup/rotate", kind=kind)).location == "/backup"
        page = await owner.open("/backup")
        assert former not in page.text
        assert "makes every new token" in told(page)
        assert "read only, until no link needs it" in told(page)
        assert (await checkout.refresh(tokens["refresh_token"], "alexa")).status == 200
        kinds = [(event.detail["by"], event.detail["kind"]) for event in await checkout.audit(EventName.KEY_ROTATED)]
        assert kinds == [("local", "data"), ("local", "master")]

    async def test_a_key_of_the_settings_is_left_to_them(self, start: StartRig) -> None:
        rig = await start(sign_in="pairing_code", encryption_key="A" * 43 + "=")
        owner = await by_link(rig)
        page = await owner.open("/backup")
        assert "The master key is a setting, so only you can change it" in told(page)
        assert (await owner.change("/backup/rotate", kind="master")).status == 400

    async def test_a_new_secret_is_made_and_the_former_one_stays_good(self, start: StartRig) -> None:
        rig = await start(sign_in="pairing_code")
        owner = await by_link(rig)
        before = rig.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
        await owner.open("/backup")
        assert (await owner.change("/backup/new-secret")).status == 303
        assert rig.store.read(lambda tx: tx.clients.show_secret("amazon-alexa")) != before
        (event,) = await rig.audit(EventName.CLIENT_SECRET_CHANGED)
        assert event.detail == {"at_once": "no", "by": "local"}
        assert len(good_secrets(rig)) == 2

    async def test_after_a_leak_the_former_secret_is_refused_at_once(self, start: StartRig) -> None:
        rig = await start(sign_in="pairing_code")
        owner = await by_link(rig)
        former = good_secrets(rig)
        await owner.open("/backup")
        assert (await owner.change("/backup/new-secret", at_once="yes")).status == 303
        assert "The former one is refused from now on" in told(await owner.open("/backup"))
        assert len(good_secrets(rig)) == 1
        assert good_secrets(rig) != former
        (event,) = await rig.audit(EventName.CLIENT_SECRET_CHANGED)
        assert event.detail == {"at_once": "yes", "by": "local"}

    async def test_a_secret_of_the_settings_is_left_to_them(self, start: StartRig) -> None:
        rig = await start(sign_in="pairing_code", client_secret="a-secret-of-the-settings")
        owner = await by_link(rig)
        assert "New client secret" not in (await owner.open("/backup")).text
        assert (await owner.change("/backup/new-secret")).status == 400


class TestWho:
    async def test_inside_home_assistant_every_link_begins_with_its_path(self, house: Rig) -> None:
        anna = home_assistant_user(house)
        page = await anna.open("/backup")
        assert page.status == 200
        targets = re.findall(r'(?:href|action)="([^"#]+)"', page.text)
        assert targets
        assert {target for target in targets if not target.startswith(PATH)} == set()

    @pytest.mark.parametrize("path", ["/backup", "/backup/copies/copy.db"])
    async def test_others_see_nothing(self, house: Rig, path: str) -> None:
        await home_assistant_user(house).open("/")
        bert = home_assistant_user(house, BERT, "Bert")
        assert "/backup" not in (await bert.open("/")).text
        assert (await bert.open(path)).status == 403

    @pytest.mark.parametrize("path", ["make", "check", "check-copy", "restore", "rotate", "new-secret"])
    async def test_others_change_nothing(self, house: Rig, path: str) -> None:
        await home_assistant_user(house).open("/")
        bert = home_assistant_user(house, BERT, "Bert")
        await bert.open("/")
        before = len(await house.audit())
        assert (await bert.change(f"/backup/{path}", passphrase=PASSPHRASE, again=PASSPHRASE)).status == 403
        assert len(await house.audit()) == before

    async def test_who_administers_does_so_after_a_restore(self, house: Rig) -> None:
        """A backup of before the first visit knows of nobody."""
        anna = home_assistant_user(house)
        octets = b"".join([piece async for piece in house.server.admin[PARTS].keeping.seal(PASSPHRASE, "local")])
        ticket = ticket_in(await send(anna, octets))
        await restored(house, anna, ticket)
        assert (await anna.open("/backup")).status == 200


async def test_a_copy_that_failed_is_told_at_the_top(checkout: Rig, owner: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full() -> None:
        raise StorageUnavailable("disk full")

    monkeypatch.setattr(checkout.store, "daily_copy", full)
    await checkout.upkeep.copy_daily()
    assert "The last daily copy could not be made (disk full)" in told(await owner.open("/backup"))
