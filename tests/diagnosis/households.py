"""A household as Amazon sees it: a public-looking name that leads to a real nginx on this machine, set up as one likes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from alexa_oauth.app import outside as real_outside
from alexa_oauth.diagnosis.checks.inside import Inside
from alexa_oauth.diagnosis.doctor import examine
from alexa_oauth.diagnosis.findings import Finding
from alexa_oauth.diagnosis.outside import Destination, NameNotFound, Outside, Streams, connect
from tests.proxy.proxies import HOME, Proxy, Site
from tests.rig import Rig
from tests.running_server import free_ports

IPV4: Final = "93.184.216.34"
IPV6: Final = "2606:2800:220:1:248:1893:25c8:1946"
"""Public addresses, which no test calls: they are led to this machine."""


WELL: Final = Inside(
    public_url=f"https://{HOME}",
    sign_in="pairing_code",
    refresh_token_days=180,
    has_redirect_uris=True,
    has_secret=True,
    checks={"database": "ok", "encryption_key": "ok", "clock": "ok"},
    free_bytes=10**10,
    links_of={},
)


@dataclass(frozen=True)
class Papers:
    """A certificate as a proxy shows it, in PEM: the file with what is sent, and its key."""

    chain: bytes
    key: bytes


class Nginx(Proxy):
    """Debian's nginx with one server, its directives chosen by the test; the port is the first of `site`."""

    program = "nginx"
    directives = ""
    location = ""
    listen = "ssl"

    def command(self) -> tuple[str, ...]:
        temporary = "".join(f"{kind}_temp_path {kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        proxied = self.location or f"proxy_pass http://127.0.0.1:{self.site.oauth};"
        papers = f"ssl_certificate {self.site.certificate};\nssl_certificate_key {self.site.key};"
        server = (
            f"server {{ listen 127.0.0.1:{self.site.port} {self.listen};\n{papers}\n{self.directives}\n"
            f"location / {{ proxy_set_header X-Forwarded-For $remote_addr;\n{proxied} }} }}"
        )
        main = f"daemon off;\nmaster_process off;\npid pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}\n}}\n"
        (self.folder / "main.conf").write_text(main, "utf-8")
        (self.folder / "html").mkdir()
        (self.folder / "html" / "index.html").write_text("<h1>Welcome to nginx!</h1>", "utf-8")
        return "-p", f"{self.folder}/", "-c", "main.conf", "-e", "stderr"


@dataclass(frozen=True)
class World:
    """What the public DNS says, and where each address really leads."""

    names: Mapping[str, Sequence[str]]
    ports: Mapping[str, int]
    trusted: bytes
    hurry: float = 1
    """How much faster than the real one the doctor's clock runs, so that no test must wait for what is slow."""
    called: list[Destination] = field(default_factory=list)

    def outside(self) -> Outside:
        """For the doctor."""
        real = real_outside()
        return replace(
            real, resolve=self._resolve, connect=self._connect, trust=self._trust, running=lambda: real.running() * self.hurry
        )

    async def _resolve(self, name: str) -> Sequence[str]:
        try:
            return self.names[name]
        except KeyError as error:
            raise NameNotFound("Name or service not known") from error

    async def _connect(self, destination: Destination) -> Streams:
        self.called.append(destination)
        return await connect(replace(destination, address="127.0.0.1", port=self.ports[destination.address]))

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.trusted.decode())


class Authority:
    """A public authority as they are today: a root that is trusted, and an intermediate that signs."""

    def __init__(self) -> None:
        self._root_key, self._key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
        self._root = _certificate(_named("Root"), self._root_key, _named("Root"), self._root_key, is_authority=True)
        self._intermediate = _certificate(_named("Middle"), self._key, _named("Root"), self._root_key, is_authority=True)

    @property
    def trusted(self) -> bytes:
        """The root, in PEM."""
        return self._root.public_bytes(Encoding.PEM)

    def papers(self, name: str = HOME, *, ends_in_days: float = 60, whole: bool = True) -> Papers:
        """A certificate for the name, of 90 days; `whole` sends the intermediate one with it."""
        key = generate_private_key(SECP256R1())
        ends = datetime.now(UTC) + timedelta(days=ends_in_days)  # noqa: TID251 - OpenSSL judges by the real clock
        leaf = _certificate(_named(name), key, _named("Middle"), self._key, name=name, ends=ends)
        chain = leaf.public_bytes(Encoding.PEM) + (self._intermediate.public_bytes(Encoding.PEM) if whole else b"")
        return Papers(chain, _pem(key))


def self_signed() -> Papers:
    """What a person makes by a recipe from the internet."""
    key = generate_private_key(SECP256R1())
    return Papers(_certificate(_named(HOME), key, _named(HOME), key, name=HOME).public_bytes(Encoding.PEM), _pem(key))


def of_a_private_authority() -> Papers:
    """What a household's own authority signs."""
    issued = trustme.CA().issue_cert(HOME)
    return Papers(b"".join(part.bytes() for part in issued.cert_chain_pems), issued.private_key_pem.bytes())


@asynccontextmanager
async def relay(port: int, wait: float) -> AsyncIterator[int]:
    """A way to that port of this machine on which each request first waits; the port at which it begins."""
    under_way: list[asyncio.Task[None]] = []

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65_536):
            target.write(chunk)
        target.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.CancelledError, ConnectionError):
            await asyncio.sleep(wait)
            theirs, ours = await asyncio.open_connection("127.0.0.1", port)
            with closing(ours):
                await asyncio.gather(copy(reader, ours), copy(theirs, writer))

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.append(asyncio.create_task(pass_on(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        yield int(server.sockets[0].getsockname()[1])
        for connection in under_way:
            connection.cancel()
        await asyncio.gather(*under_way)


def _certificate(
    subject: x509.Name,
    key: EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: EllipticCurvePrivateKey,
    *,
    name: str | None = None,
    ends: datetime | None = None,
    is_authority: bool = False,
) -> x509.Certificate:
    ends = ends or datetime.now(UTC) + timedelta(days=60)  # noqa: TID251 - the same
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if name is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    if subject != issuer and not is_authority:
        where = x509.UniformResourceIdentifier("http://middle.ex.test/middle.der")
        fetched = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
        builder = builder.add_extension(x509.AuthorityInformationAccess([fetched]), critical=False)
    return builder.sign(issuer_key, SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write(papers: Papers, folder: Path) -> tuple[Path, Path]:
    """Both files in that folder."""
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    certificate.write_bytes(papers.chain)
    key.write_bytes(papers.key)
    return certificate, key


@dataclass
class Household:
    """What can be set up wrongly."""

    rig: Rig
    authority: Authority
    folder: Path
    stack: AsyncExitStack

    async def behind(
        self,
        directives: str = "",
        location: str = "",
        papers: Papers | None = None,
        oauth: int | None = None,
        listen: str = "ssl",
    ) -> World:
        """Put nginx in front of the server."""
        certificate, key = write(papers or self.authority.papers(), self.folder)
        port, closed = free_ports()
        proxy = Nginx(Site(port, oauth or self.port, 0, certificate, key), self.folder)
        proxy.directives, proxy.location, proxy.listen = directives, location, listen
        await self.stack.enter_async_context(proxy.running())
        return World({HOME: [IPV4]}, {IPV4: port, IPV6: closed}, self.authority.trusted)

    @property
    def port(self) -> int:
        return int(self.rig.origin.rpartition(":")[2])

    async def examined(self, world: World, inside: Inside = WELL) -> tuple[Finding, ...]:
        told: list[str] = []
        found = await examine(inside, world.outside(), self.rig.store.instance, told.append)
        assert told
        return found
