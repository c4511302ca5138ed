"""`doctor`: why linking fails, cause by cause, with the fix."""

import asyncio
import http.client
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alexa_oauth import __version__
from alexa_oauth.app import outside
from alexa_oauth.checkup import Asked, about, ask_database, look_inside
from alexa_oauth.cli.context import FAILED, CommandFailed, Context
from alexa_oauth.cli.database import ask, keeper
from alexa_oauth.cli.health import ask_health
from alexa_oauth.cli.owner import is_owner
from alexa_oauth.cli.printing import print_json, printable
from alexa_oauth.diagnosis.doctor import examine
from alexa_oauth.diagnosis.findings import Finding, Verdict
from alexa_oauth.diagnosis.outside import Outside
from alexa_oauth.diagnosis.report import report
from alexa_oauth.storage.folder import DATABASE
from alexa_oauth.storage.store import SqliteStore

_ORDER: Final = (Verdict.PASS, Verdict.WARN, Verdict.FAIL)
"""The worst stands last, where a terminal's reader looks first."""
_INDENT: Final = " " * 6


def doctor(context: Context) -> int:
    """0 if nothing fails."""
    world = outside()
    asked, instance = _ask(context, world)
    copy = keeper(context.settings).daily_copy() if is_owner(context.settings.data_dir) else None
    inside = look_inside(context.settings, asked, _checks(context), copy)
    findings = asyncio.run(examine(inside, world, instance, _tell))
    if context.arguments.json:
        print_json({"version": __version__, "findings": [_fields(finding) for finding in findings]})
    elif context.arguments.report:
        print(report(findings, about(context.settings)))
    else:
        _print(findings, verbose=context.arguments.verbose)
    return FAILED if any(finding.verdict is Verdict.FAIL for finding in findings) else 0


def _ask(context: Context, world: Outside) -> tuple[Asked, str | None]:
    """What the database says, and what `/health` calls it."""
    now = world.now()

    async def look(store: SqliteStore) -> tuple[Asked, str]:
        return await ask_database(store, context.settings, now), store.instance

    if not _is_there(context.settings.data_dir / DATABASE):
        return Asked(now, problem=None), None
    try:
        return ask(context, look)
    except CommandFailed as failed:
        return Asked(now, problem=" ".join(failed.lines)), None


def _is_there(database: Path) -> bool:
    """Whether there is one, or might be: whoever may not look is told so when it is opened."""
    try:
        return database.exists()
    except PermissionError:
        return True


def _checks(context: Context) -> dict[str, str] | None:
    try:
        _, body = ask_health(context.settings)
        checks = json.loads(body)["checks"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    return {str(name): str(outcome) for name, outcome in checks.items()} if isinstance(checks, dict) else None


def _tell(step: str) -> None:
    print(f"alexa-oauth: {printable(step)} …", file=sys.stderr, flush=True)


def _fields(finding: Finding) -> dict[str, object]:
    return {
        "cause": finding.cause.cause_id,
        "title": finding.cause.title,
        "verdict": finding.verdict.name.lower(),
        "sentence": finding.sentence,
        "fix": finding.fix,
        "evidence": [{"label": evidence.label, "value": evidence.value} for evidence in finding.evidence],
    }


def _print(findings: Sequence[Finding], *, verbose: bool) -> None:
    _print_untested([finding for finding in findings if finding.verdict is Verdict.NOT_TESTABLE], verbose=verbose)
    for verdict in _ORDER:
        for finding in findings:
            if finding.verdict is verdict:
                _print_finding(finding, verbose=verbose)
    counted = Counter(finding.verdict for finding in findings)
    print("\n" + ", ".join(f"{counted[verdict]} {verdict}" for verdict in (*reversed(_ORDER), Verdict.NOT_TESTABLE)))
    if not verbose:
        print("`alexa-oauth doctor --verbose` shows what each verdict rests on.")


def _print_untested(findings: Sequence[Finding], *, verbose: bool) -> None:
    """Many causes, few reasons: each reason once, with what it keeps from being tested."""
    for sentence in dict.fromkeys(finding.sentence for finding in findings):
        print(f"{Verdict.NOT_TESTABLE}: {sentence}")
        for finding in findings:
            if finding.sentence == sentence:
                print(f"{_INDENT}{finding.cause.title}{f'  → {finding.fix}' if verbose else ''}")


def _print_finding(finding: Finding, *, verbose: bool) -> None:
    title = "" if finding.verdict is Verdict.PASS else f"{finding.cause.title}: "
    print(f"{finding.verdict:<5} {title}{printable(finding.sentence)}")
    if finding.fix:
        print(f"{_INDENT}→ {printable(finding.fix)}")
    for evidence in finding.evidence:
        if verbose or evidence.is_the_point:
            print(f"{_INDENT}{evidence.label}: {printable(evidence.value)}")
