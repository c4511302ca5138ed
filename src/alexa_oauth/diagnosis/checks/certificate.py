"""TLS 1.2 and 1.3, and the certificate as Amazon sees it: chain, name and last day."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID

from alexa_oauth.diagnosis.causes import address as causes
from alexa_oauth.diagnosis.findings import Evidence, Finding, failed, passed, warned
from alexa_oauth.diagnosis.outside import DEADLINE_SECONDS, Destination, Outside, Site, describe, unverified

# What OpenSSL says of a chain (x509_vfy.h).
_EXPIRED: Final = 10
_SELF_SIGNED: Final = frozenset({18, 19})
_ISSUER_MISSING: Final = frozenset({20, 21})
_NOT_YET_VALID: Final = 9
_WRONG_NAME: Final = 62
_LATE_SHARE: Final = 6
"""A certificate that has less than this part of its life left should have been renewed: whoever renews does it earlier."""
_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Handshake:
    """One handshake: the version that was agreed on and the certificate that was shown, or why there was none.

    `code` is OpenSSL's verdict on the chain, 0 if it had nothing to say.
    """

    version: str = ""
    certificate: bytes = b""
    problem: str = ""
    code: int = 0


async def check_certificate(outside: Outside, site: Site, address: str) -> tuple[Finding, ...]:
    """Shake hands in each way at once, then judge what came of it."""
    older, newer = unverified(), unverified()
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    newer.minimum_version = ssl.TLSVersion.TLSv1_3
    chain = outside.trust()
    chain.check_hostname = False
    by_12, by_13, trusted = await asyncio.gather(
        *(_shake(outside, Destination(address, site.port, site.name, tls)) for tls in (older, newer, chain))
    )
    versions = _judge_versions(by_12, by_13)
    shown = by_12.certificate or by_13.certificate
    if not shown:
        return versions
    name = await _shake(outside, Destination(address, site.port, site.name, _trusting(shown)))
    certificate = x509.load_der_x509_certificate(shown)
    evidence = _evidence(certificate)
    return (
        *versions,
        *_judge_chain(certificate, trusted, evidence),
        _judge_life(certificate, trusted, outside.now, evidence),
        _judge_name(site, name, evidence),
    )


async def _shake(outside: Outside, destination: Destination) -> Handshake:
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            _, writer = await outside.connect(destination)
    except ssl.SSLCertVerificationError as error:
        return Handshake(problem=error.verify_message, code=error.verify_code)
    except TimeoutError:
        return Handshake(problem=f"no answer within {DEADLINE_SECONDS} seconds")
    except OSError as error:
        return Handshake(problem=describe(error))
    spoken = writer.get_extra_info("ssl_object")
    handshake = Handshake(spoken.version(), spoken.getpeercert(binary_form=True))
    writer.close()
    with suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 1)
    return handshake


def _trusting(certificate: bytes) -> ssl.SSLContext:
    """A context that trusts this one certificate, so that of all verdicts only the one on its name is left."""
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(certificate))
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


def _judge_versions(by_12: Handshake, by_13: Handshake) -> tuple[Finding, ...]:
    evidence = [Evidence("TLS 1.2", by_12.version or by_12.problem), Evidence("TLS 1.3", by_13.version or by_13.problem)]
    if by_12.version:
        spoken = "TLS 1.2 and 1.3 are" if by_13.version else "TLS 1.2 is"
        return (
            passed(causes.TLS_FAILS, f"{spoken} spoken.", evidence),
            passed(causes.TLS_12_REFUSED, "TLS 1.2 is accepted.", evidence),
        )
    if by_13.version:
        return passed(causes.TLS_FAILS, "TLS 1.3 is spoken.", evidence), failed(causes.TLS_12_REFUSED, evidence=evidence)
    return (failed(causes.TLS_FAILS, evidence=evidence),)


def _judge_chain(certificate: x509.Certificate, trusted: Handshake, evidence: list[Evidence]) -> tuple[Finding, ...]:
    told = [*evidence, Evidence("chain", trusted.problem or "trusted")]
    if trusted.code in _SELF_SIGNED or (trusted.code in _ISSUER_MISSING and not _names_its_issuer(certificate)):
        return (failed(causes.CERTIFICATE_UNTRUSTED, evidence=told),)
    if trusted.code in _ISSUER_MISSING:
        return (failed(causes.CERTIFICATE_INCOMPLETE, evidence=told),)
    return (
        passed(causes.CERTIFICATE_UNTRUSTED, "A known authority vouches for the certificate.", told),
        passed(causes.CERTIFICATE_INCOMPLETE, "The chain is complete as it is sent.", told),
    )


def _names_its_issuer(certificate: x509.Certificate) -> bool:
    """Whether it says where its issuer's certificate can be fetched, as every public authority lets it say."""
    try:
        access = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return any(one.access_method == AuthorityInformationAccessOID.CA_ISSUERS for one in access)  # type: ignore[attr-defined]  # of that OID


def _judge_life(certificate: x509.Certificate, trusted: Handshake, now: Callable[[], int], evidence: list[Evidence]) -> Finding:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    left = ends - datetime.fromtimestamp(now(), UTC)
    days = left.days
    if days < 0:
        return failed(causes.CERTIFICATE_EXPIRED, f"The certificate expired on {ends:%Y-%m-%d}.", evidence=evidence)
    if trusted.code == _NOT_YET_VALID or begins.timestamp() > now():
        sentence = f"The certificate is valid from {begins:%Y-%m-%d} on, which by this machine's clock is still to come."
        return failed(causes.CERTIFICATE_EXPIRED, sentence, "Compare this machine's clock; then renew the certificate.", evidence)
    if trusted.code == _EXPIRED:
        return failed(causes.CERTIFICATE_EXPIRED, "An intermediate certificate of the chain has expired.", evidence=evidence)
    if left < (ends - begins) / _LATE_SHARE:
        sentence = f"The certificate ends in {days} days, and should have been renewed by now."
        return warned(causes.CERTIFICATE_EXPIRED, sentence, evidence=evidence)
    return passed(causes.CERTIFICATE_EXPIRED, f"The certificate is valid for {days} more days.", evidence)


def _judge_name(site: Site, name: Handshake, evidence: list[Evidence]) -> Finding:
    if name.code == _WRONG_NAME:
        return failed(causes.CERTIFICATE_NAME, f"The certificate does not hold the name {site.name}.", evidence=evidence)
    return passed(causes.CERTIFICATE_NAME, f"The certificate is for {site.name}.", evidence)


def _issuer(certificate: x509.Certificate) -> str:
    for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for attribute in certificate.issuer.get_attributes_for_oid(kind):
            return str(attribute.value)
    return "An authority without a name"


def _evidence(certificate: x509.Certificate) -> list[Evidence]:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return [
        Evidence("issuer", _issuer(certificate), is_private=True),
        Evidence("valid", f"{begins:%Y-%m-%d} to {ends:%Y-%m-%d}"),
        Evidence("names", ", ".join(_names(certificate)) or "none", is_private=True),
    ]


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [str(name.value) for name in names]
