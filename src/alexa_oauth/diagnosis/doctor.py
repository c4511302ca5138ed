"""The doctor: all checks in their order, from what runs here to what Amazon meets."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from alexa_oauth.diagnosis.causes.address import ADDRESS_PRIVATE, PORT_CLOSED, TLS_FAILS
from alexa_oauth.diagnosis.checks.inside import Inside, check_inside
from alexa_oauth.diagnosis.checks.name import check_name
from alexa_oauth.diagnosis.checks.passage import check_passage
from alexa_oauth.diagnosis.findings import Finding, Verdict, complete
from alexa_oauth.diagnosis.outside import Outside, Site

_OTHERWISE_AT_HOME: Final = (ADDRESS_PRIVATE, PORT_CLOSED)


async def examine(inside: Inside, outside: Outside, instance: str | None, tell: Callable[[str], None]) -> tuple[Finding, ...]:
    """One finding for each cause. `tell` hears what is being tried, `instance` is what `/health` calls this installation."""
    # X.509 takes a tenth of a server's start to load, and only who asks the doctor needs it.
    from alexa_oauth.diagnosis.checks.certificate import check_certificate  # noqa: PLC0415

    tell("looking at settings, database and disk")
    findings = [*check_inside(inside)]
    if inside.public_url is None or not inside.public_url.startswith("https://"):
        return complete(findings, called=False)
    site = Site.of(inside.public_url)
    tell(f"looking up {site.name}, and knocking at its addresses")
    named = await check_name(outside, site)
    findings += [_from_home(finding) for finding in named.findings] if inside.alexa_gets_through else named.findings
    if named.open:
        tell(f"calling {site.url} as Amazon does")
        shaken = await check_certificate(outside, site, named.open[0])
        findings += shaken
        if all(finding.cause is not TLS_FAILS or finding.verdict is Verdict.PASS for finding in shaken):
            findings += await check_passage(outside, site, named.open, instance)
    return complete(findings, called=True)


def _from_home(finding: Finding) -> Finding:
    """At home the name and the router may say otherwise than elsewhere; what Alexa gets through is no fault."""
    if finding.verdict is not Verdict.FAIL or finding.cause not in _OTHERWISE_AT_HOME:
        return finding
    sentence = f"{finding.sentence} Yet Alexa used a link within the last day, so it gets through: from outside it is otherwise."
    return replace(finding, verdict=Verdict.WARN, sentence=sentence)
