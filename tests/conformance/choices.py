"""What this server does in a way of its own, and what it does not offer: each with the reason, and the test that shows it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Deviation:
    """`asked` is what the specification says, `done` what this server does instead, and why. `test` is `file::name`."""

    specification: str
    section: str
    asked: str
    done: str
    test: str


@dataclass(frozen=True, slots=True)
class NotOffered:
    """`defined` names the specification; `reason` says why this server does without. `test` shows how it refuses."""

    what: str
    defined: str
    reason: str
    test: str


DEVIATIONS: Final = (
    Deviation(
        "RFC 6749",
        "2.3.1",
        "In HTTP Basic, id and secret are form-encoded first",
        "The unencoded reading is accepted too, since many clients forget that step; the secret must fit either way",
        "test_deviations.py::test_basic_credentials_that_were_not_form_encoded",
    ),
    Deviation(
        "RFC 6749",
        "3.1, 3.2",
        "TLS MUST be required at the endpoints",
        "The listener speaks plain HTTP unless ssl is on, since a reverse proxy ends TLS in most homes. Every address that is "
        "told is https, and every cookie Secure: public_url must be https, or this very machine",
        "test_deviations.py::test_behind_a_proxy_only_https_is_told",
    ),
    Deviation(
        "RFC 6749",
        "3.3",
        "A scope MAY be ignored in part, or the request fails",
        "Unknown scopes beside known ones are dropped, since a developer console may list more than this server knows; "
        "if none is known the request fails",
        "test_deviations.py::test_unknown_scopes_are_dropped_beside_known_ones",
    ),
    Deviation(
        "RFC 6749",
        "4.1.1",
        "redirect_uri is OPTIONAL for a client that registered a single one",
        "It is required always: no default can then be mistaken for what was sent, and Alexa sends it",
        "test_deviations.py::test_the_only_redirect_uri_must_be_named_too",
    ),
    Deviation(
        "RFC 6749",
        "4.1.2, 10.5",
        "A code that is used a second time MUST be refused",
        "A client of Alexa that repeats its exchange within 60 s, with secret and verifier, gets the identical answer while no "
        "token of it was used: Alexa gives up after 4.5 s and asks again, and a refusal would cost the link. There is never a "
        "second set of tokens",
        "test_deviations.py::test_alexa_may_repeat_an_exchange_whose_answer_was_lost",
    ),
    Deviation(
        "RFC 6749",
        "4.1.2, 10.5",
        "When a code is used a second time, its tokens SHOULD be revoked",
        "Only a replay by the code's own client with the right redirect URI and verifier ends the grant, and only later than "
        "10 s (60 s for Alexa): who merely saw a code cannot cut the link, and a quick retry does not either",
        "test_deviations.py::test_who_merely_saw_a_code_cannot_end_the_link",
    ),
    Deviation(
        "RFC 6749",
        "5.2",
        "A refusal is a 400, or a 401 for invalid_client",
        "What is not the fault of the request has the HTTP status that says so: 503 temporarily_unavailable while nothing can be "
        "stored, 429 slow_down after ten failures of an address, 413 and 415 for what is no form",
        "test_deviations.py::test_other_statuses_say_what_happened",
    ),
    Deviation(
        "RFC 7009",
        "2.1",
        "If the token was issued to another client, the request is refused with an error",
        "The token is left alone, and the answer is the same 200 as for an unknown one: it tells nobody whether a token exists",
        "test_deviations.py::test_revoking_anothers_token_changes_and_tells_nothing",
    ),
    Deviation(
        "RFC 7636",
        "4.3",
        "A missing code_challenge_method means plain",
        "It is refused: plain is not offered, and to take the challenge for S256 would only fail later",
        "test_deviations.py::test_a_challenge_without_a_method_is_refused",
    ),
    Deviation(
        "RFC 8252",
        "7.1",
        "Private-use URI schemes MUST be offered to native applications",
        "Redirect URIs are https, or http to the same machine: no client of a household's music needs another, and any "
        "application can claim a private scheme",
        "test_deviations.py::test_a_private_scheme_is_not_registered",
    ),
    Deviation(
        "RFC 8252",
        "8.6",
        "No request SHOULD pass without a person's consent",
        "With self_test on, a client marked auto_approve passes, to try a new installation with curl: only from this machine, "
        "only to redirect URIs of this machine, and its tokens open nothing",
        "test_deviations.py::test_a_self_test_passes_without_a_person_and_opens_nothing",
    ),
    Deviation(
        "RFC 8414",
        "2",
        "The issuer is an https URL",
        "On the same machine it may be http://127.0.0.1, http://[::1] or http://localhost, so that a checkout works without a "
        "proxy",
        "test_deviations.py::test_the_issuer_of_a_checkout_is_plain_http",
    ),
    Deviation(
        "RFC 8414",
        "3.1, 3.3",
        "For an issuer without a path the document is at the well-known path of the host, and nowhere else",
        "The same document is also found with /alexa appended, for clients that build the address from the endpoints' folder; "
        "those that check the issuer, as they should, use the first",
        "test_deviations.py::test_the_metadata_are_also_found_with_the_folder_appended",
    ),
    Deviation(
        "RFC 9700",
        "2.1, 4.1.3",
        "Native applications MUST be allowed any port of localhost",
        "Any port goes with 127.0.0.1 and [::1]; http://localhost is matched whole, since the name can be pointed elsewhere "
        "(RFC 8252 §8.3)",
        "test_deviations.py::test_the_port_of_localhost_is_not_free",
    ),
    Deviation(
        "RFC 9700",
        "2.2.2, 4.14.2",
        "Rotation: each refresh brings a new refresh token, and the one before is invalidated",
        "The one before gets the identical answer again for 30 s, or until a token of that answer is used: a lost answer loses "
        "no link. Where that is too much, a client is marked refresh: strict",
        "test_deviations.py::test_a_refresh_whose_answer_was_lost_can_be_repeated",
    ),
    Deviation(
        "RFC 9700",
        "2.2.2, 4.14.2",
        "Rotation, for a public client of Alexa too",
        "The refresh token of a client all of whose redirect URIs are Alexa's rotates once a week, and its predecessor works "
        "until the new one is used, and an hour longer: Amazon's servers do not change over at once. Two generations behind, "
        "it ends the link",
        "test_deviations.py::test_alexas_servers_need_not_change_over_at_once",
    ),
    Deviation(
        "RFC 9700",
        "4.11.2",
        "The person MUST be authenticated before any redirect, errors included",
        "Errors go back at once: clients are registered by the operator alone, so no redirect URI is a stranger's",
        "test_deviations.py::test_errors_go_back_without_a_sign_in",
    ),
    Deviation(
        "RFC 9700",
        "4.16",
        "Administrators SHOULD be able to name origins that may frame the pages",
        "Nobody may: Alexa opens the page as a page of its own",
        "test_deviations.py::test_no_setting_lets_a_page_be_framed",
    ),
)

NOT_OFFERED: Final = (
    NotOffered(
        "Implicit grant",
        "RFC 6749 §4.2",
        "Tokens in URLs leak (RFC 9700 §2.1.2)",
        "test_not_offered.py::test_response_types_other_than_code",
    ),
    NotOffered(
        "OpenID Connect: id_token, nonce, prompt=none, /.well-known/openid-configuration",
        "OpenID Connect Core",
        "Nobody signs in elsewhere with this server; a client learns a subject's opaque name and no more",
        "test_not_offered.py::test_openid_connect",
    ),
    NotOffered(
        "Resource owner password credentials grant",
        "RFC 6749 §4.3",
        "Passwords are for the sign-in page alone (RFC 9700 §2.4 forbids it)",
        "test_not_offered.py::test_other_grant_types",
    ),
    NotOffered(
        "Client credentials grant",
        "RFC 6749 §4.4",
        "Every grant belongs to a person who approved it",
        "test_not_offered.py::test_other_grant_types",
    ),
    NotOffered(
        "Device authorization grant",
        "RFC 8628",
        "Alexa's app has a browser",
        "test_not_offered.py::test_other_grant_types",
    ),
    NotOffered(
        "Token exchange, assertion grants",
        "RFC 8693, RFC 7521, RFC 7523",
        "There is one resource and no second server to trade with",
        "test_not_offered.py::test_other_grant_types",
    ),
    NotOffered(
        "Client authentication by assertion or certificate",
        "RFC 7523, RFC 8705",
        "RECOMMENDED by RFC 9700 §2.5, but Alexa sends a secret or nothing",
        "test_not_offered.py::test_client_assertions",
    ),
    NotOffered(
        "Request objects",
        "RFC 9101",
        "Alexa sends plain parameters, and an ignored request object would be a silent downgrade: it is refused by name",
        "test_not_offered.py::test_request_objects",
    ),
    NotOffered(
        "Pushed authorization requests",
        "RFC 9126",
        "Alexa does not push, and what it sends is checked against registered values",
        "test_not_offered.py::test_request_objects",
    ),
    NotOffered(
        "Response modes fragment and form_post",
        "OAuth 2.0 Multiple Response Types, Form Post Response Mode",
        "The code flow answers in the query, which Alexa reads",
        "test_not_offered.py::test_response_modes_other_than_query",
    ),
    NotOffered(
        "Proof key by the method plain",
        "RFC 7636 §4.2",
        "It proves nothing to whoever saw the request (RFC 7636 §7.2, RFC 9700 §2.1.1)",
        "test_rfc7636.py::test_an_unknown_method_is_refused",
    ),
    NotOffered(
        "Sender-constrained tokens: DPoP and mutual TLS",
        "RFC 9449, RFC 8705",
        "RFC 9700 §2.2.1 asks for them; Alexa can do neither, so tokens live half an hour and are revoked at once",
        "test_not_offered.py::test_sender_constrained_tokens",
    ),
    NotOffered(
        "Audience of access tokens",
        "RFC 9700 §2.3",
        "One household, one resource: a token is good where this server is asked about it, and nowhere else",
        "test_not_offered.py::test_audiences_and_signatures",
    ),
    NotOffered(
        "JWT: access tokens, introspection responses, signed metadata",
        "RFC 9068, RFC 9701, RFC 8414 §2.1",
        "Opaque tokens are revoked at once; what is signed lives on until it expires",
        "test_not_offered.py::test_audiences_and_signatures",
    ),
    NotOffered(
        "Dynamic client registration",
        "RFC 7591",
        "Clients are the operator's choice; whoever could register one could ask the household for anything",
        "test_not_offered.py::test_endpoints_that_do_not_exist",
    ),
    NotOffered(
        "Access tokens in a form body",
        "RFC 6750 §2.2",
        "The proxy that asks about a request shows its header alone",
        "test_not_offered.py::test_a_token_in_a_form",
    ),
    NotOffered(
        "Cross-origin requests and JSONP",
        "RFC 7009 §2.3, RFC 9700 §2.6",
        "No client of this server runs in a browser",
        "test_not_offered.py::test_scripts_of_other_origins",
    ),
)
