"""Findings for a bug tracker: what the doctor found, without who and where the household is.

Nothing private is copied, and of what is copied every name and address is replaced by what kind of thing it is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from alexa_oauth.diagnosis.checks.name import kind_of
from alexa_oauth.diagnosis.findings import Evidence, Finding, Verdict

_DOTTED: Final = re.compile(r"(?<![\w.-])(?:[\w-]+\.)+[A-Za-z][\w-]*(?![\w-])")
_IPV4: Final = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
_IPV6: Final = re.compile(r"(?<![\w:])[0-9A-Fa-f:]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?![\w:])")
_FILES: Final = ("oauth_clients.json", "fullchain.pem", "oauth.db")


def report(findings: Iterable[Finding], about: Mapping[str, str]) -> str:
    """Markdown. `about` says what is known of the installation, none of it private."""
    lines = ["### alexa-oauth doctor", "", *(f"- {name}: {value}" for name, value in about.items()), ""]
    for verdict in (Verdict.FAIL, Verdict.WARN, Verdict.PASS):
        lines += [line for finding in findings if finding.verdict is verdict for line in _told(finding)]
    untested = ", ".join(finding.cause.cause_id for finding in findings if finding.verdict is Verdict.NOT_TESTABLE)
    return "\n".join([*lines, f"- not testable: {untested or 'nothing'}"])


def redacted(text: str) -> str:
    """The text with every host name and every address replaced by what kind of thing it is."""
    without_names = _DOTTED.sub(lambda found: found[0] if found[0] in _FILES else "(name)", text)
    return _IPV6.sub(_kind, _IPV4.sub(_kind, without_names))


def _told(finding: Finding) -> list[str]:
    lines = [f"- **{finding.verdict}** {finding.cause.cause_id}: {redacted(finding.sentence)}"]
    if finding.verdict is not Verdict.PASS:
        lines += [f"  - {redacted(evidence.label)}: {_shown(evidence)}" for evidence in finding.evidence]
    return lines


def _shown(evidence: Evidence) -> str:
    return f"({len(evidence.value)} characters, left out)" if evidence.is_private else redacted(evidence.value)


def _kind(found: re.Match[str]) -> str:
    try:
        return f"(address: {kind_of(found[0])})"
    except ValueError:
        return found[0]
