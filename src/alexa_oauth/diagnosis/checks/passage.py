"""Requests to the public address as Amazon sends them: do they arrive here whole, and does the answer come back in time?

Every call is one that this server refuses before it looks at anything: it holds no secret, and counts as no failure.
"""

import asyncio
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from alexa_oauth.diagnosis.causes import address as causes
from alexa_oauth.diagnosis.causes import alexa as amazons
from alexa_oauth.diagnosis.causes import path, person, tokens
from alexa_oauth.diagnosis.checks.obstacle import obstacle
from alexa_oauth.diagnosis.findings import Evidence, Finding, failed, not_testable, passed, warned
from alexa_oauth.diagnosis.outside import Call, NoReply, NoReplyInTime, Outside, Reply, Site, send
from alexa_oauth.protocol.metadata import DOCTORS_GRANT_TYPE, TOKEN_PATH

JAVA: Final = "Apache-HttpClient/4.5.14 (Java/1.8.0_412)"
"""What Amazon's servers have called themselves."""
BROWSER: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
PATIENCE_SECONDS: Final = 4.5
"""Alexa waits no longer for an answer of the token endpoint."""
SLOW_SECONDS: Final = 1.5
CLOCK_SECONDS: Final = 300

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_LONG_STATE: Final = "A2SAABEK/0+x=.--" * 125
_REFUSAL: Final = {
    "error": "unsupported_grant_type",
    "error_description": "grant_type must be authorization_code or refresh_token",
}
"""What this server, and hardly another one, says to the form that the doctor sends."""

Answer = Reply | NoReply


async def check_passage(outside: Outside, site: Site, addresses: Sequence[str], instance: str | None) -> tuple[Finding, ...]:
    """Call first as Amazon does, alone, so that its time counts; then in all other ways.

    `addresses` are those that take connections, the one to call first. `instance` is what we call ourselves.
    """
    address, *others = addresses
    amazons_call = await _try(outside, site, address, _post(JAVA))
    browsers, origin, health, root = await asyncio.gather(
        *(
            _try(outside, site, address, call)
            for call in (
                _post(BROWSER),
                _post(JAVA, Origin="https://www.amazon.com"),
                Call("GET", f"/health?state={_LONG_STATE}", {"User-Agent": BROWSER}),
                Call("GET", "/", {"User-Agent": BROWSER, "Accept": "text/html"}),
            )
        )
    )
    findings = _judge_exchange(site, amazons_call, browsers)
    if isinstance(amazons_call, Reply):
        findings += [_judge_time(amazons_call), *_judge_clock(outside, amazons_call)]
    if _is_refusal(amazons_call):
        findings += [_judge_origin(origin), *_judge_health(health, instance), _judge_page(root)]
        findings.append(_judge_policies(amazons_call, browsers, health, root))
        findings += [await _call_by_ipv6(outside, site, other) for other in others if ":" in other]
    return tuple(findings)


def _post(user_agent: str, **headers: str) -> Call:
    return Call("POST", TOKEN_PATH, {"User-Agent": user_agent, **_FORM, **headers}, f"grant_type={DOCTORS_GRANT_TYPE}".encode())


async def _try(outside: Outside, site: Site, address: str, call: Call) -> Answer:
    try:
        return await send(outside, site, address, call)
    except NoReply as nothing:
        return nothing


async def _call_by_ipv6(outside: Outside, site: Site, address: str) -> Finding:
    """Behind each family there may be another machine: an AAAA record often names the router, or a proxy without IPv6."""
    answer = await _try(outside, site, address, _post(JAVA))
    if _is_refusal(answer):
        return passed(causes.IPV6_DEAD, "Over IPv6 this server answers, too.", _evidence(answer))
    sentence = f"Over IPv6 ({address}) something else answers than over IPv4: {_in_short(answer)}."
    fix = "Let the AAAA record name the machine on which the proxy runs, and the proxy listen on IPv6, too; or delete the record."
    return failed(causes.IPV6_DEAD, sentence, fix, _evidence(answer))


def _judge_exchange(site: Site, amazons_call: Answer, browsers: Answer) -> list[Finding]:
    """Whose answer it is: one cause if something is in the way, else all of these are cleared."""
    told = [*_evidence(amazons_call), *_evidence(browsers)]
    if _is_refusal(amazons_call):
        return [
            passed(path.PROXY_FAILS, "The proxy reaches this server.", told),
            passed(path.ANOTHER_SERVER, "It is this server that answers.", told),
            passed(path.POST_REDIRECTED, "A request with a form is not redirected.", told),
            passed(path.POST_CHANGED, "A form arrives here as it was sent.", told),
            passed(path.BOT_FILTER, "A program is let through as a browser is.", told),
            passed(path.ACCESS_WALL, "No sign-in stands in front.", told),
        ]
    if _is_refusal(browsers):
        sentence = f"A browser gets through, a Java program as Amazon's gets {_in_short(amazons_call)}."
        return [failed(path.BOT_FILTER, sentence, evidence=told)]
    if isinstance(amazons_call, NoReply):
        cause = path.ANSWER_SLOW if isinstance(amazons_call, NoReplyInTime) else path.PROXY_FAILS
        return [failed(cause, f"The connection opens, but then: {amazons_call}.", evidence=told)]
    cause, sentence = obstacle(site, amazons_call)
    return [failed(cause, sentence, evidence=told)]


def _judge_time(reply: Reply) -> Finding:
    told = f"{reply.seconds:.1f} seconds"
    if reply.seconds >= PATIENCE_SECONDS:
        return failed(path.ANSWER_SLOW, f"The answer took {told}; Amazon waits for {PATIENCE_SECONDS}.", evidence=reply.evidence)
    if reply.seconds >= SLOW_SECONDS:
        sentence = f"The answer took {told}, which leaves little of the {PATIENCE_SECONDS} that Amazon waits."
        return warned(path.ANSWER_SLOW, sentence, evidence=reply.evidence)
    return passed(
        path.ANSWER_SLOW, f"The answer took {told} of the {PATIENCE_SECONDS} seconds that Amazon waits.", reply.evidence
    )


def _judge_clock(outside: Outside, reply: Reply) -> list[Finding]:
    """By what the answer says the time is; a proxy on another machine has a clock of its own."""
    try:
        date = parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return []
    off = outside.now() - int(date.timestamp())
    told = [Evidence("Date", reply.headers["Date"]), Evidence("difference", f"{off} seconds")]
    if abs(off) > CLOCK_SECONDS:
        sentence = f"This machine's clock is {abs(off)} seconds {'ahead of' if off > 0 else 'behind'} the Date of the answer."
        return [failed(tokens.CLOCK_WRONG, sentence, evidence=told)]
    return [passed(tokens.CLOCK_WRONG, "This machine's clock agrees with the Date of the answer.", told)]


def _judge_origin(answer: Answer) -> Finding:
    if _is_refusal(answer):
        return passed(tokens.FOREIGN_ORIGIN_FAULT, "A header Origin changes nothing.", _evidence(answer))
    return failed(
        tokens.FOREIGN_ORIGIN_FAULT, f"With a header Origin the answer is {_in_short(answer)}.", evidence=_evidence(answer)
    )


def _judge_health(answer: Answer, instance: str | None) -> list[Finding]:
    told = _evidence(answer)
    body = _content(answer)
    if "checks" not in body:
        return [
            failed(path.STATE_CHANGED, f"To an address of 2,000 characters the answer is {_in_short(answer)}.", evidence=told)
        ]
    whole = passed(path.STATE_CHANGED, "An address of 2,000 characters passes.", told)
    answering = body.get("instance")
    if instance is None or answering is None:
        return [whole, not_testable(path.TWO_SERVERS, "Which installation answered cannot be told now.")]
    if answering != instance:
        sentence = "An installation of this server answers that is not this one: it has another database."
        return [whole, failed(path.TWO_SERVERS, sentence, evidence=told)]
    return [whole, passed(path.TWO_SERVERS, "The installation that answers is this one.", told)]


def _judge_page(root: Answer) -> Finding:
    if not isinstance(root, Reply) or root.status != HTTPStatus.OK or "html" not in root.headers.get("Content-Type", ""):
        return warned(amazons.ROOT_NOT_A_PAGE, f"For the bare address the answer is {_in_short(root)}.", evidence=_evidence(root))
    return passed(amazons.ROOT_NOT_A_PAGE, "The bare address shows a page.", root.evidence)


def _judge_policies(*answers: Answer) -> Finding:
    """By every answer that came through: a proxy may add its header to pages alone, or below some paths alone."""
    replies = [answer for answer in answers if isinstance(answer, Reply)]
    policies = [policy for reply in replies for policy in reply.headers.get_all("Content-Security-Policy", [])]
    told = [Evidence("Content-Security-Policy", policy) for policy in dict.fromkeys(policies)]
    if any("form-action" in policy for policy in policies):
        return failed(person.PAGE_POLICY, evidence=told)
    return passed(person.PAGE_POLICY, "No header keeps the browser from going back to Alexa.", told)


def _is_refusal(answer: Answer) -> bool:
    return isinstance(answer, Reply) and answer.status == HTTPStatus.BAD_REQUEST and _content(answer) == _REFUSAL


def _content(answer: Answer) -> Mapping[str, object]:
    return answer.content if isinstance(answer, Reply) else {}


def _in_short(answer: Answer) -> str:
    return (
        f"{answer.status} from {answer.headers.get('Server', 'a nameless server')}" if isinstance(answer, Reply) else str(answer)
    )


def _evidence(answer: Answer) -> tuple[Evidence, ...]:
    return answer.evidence if isinstance(answer, Reply) else (Evidence("no answer", str(answer)),)
