"""What happens between the person, the phone and the consent page."""

from typing import Final

from alexa_oauth.diagnosis.causes.cause import Cause, Seen

NOT_APPROVED: Final = Cause(
    "not_approved",
    "Nobody approved",
    "The page was shown, and nobody pressed a button on it.",
    "Begin again in the Alexa app. If the page did not appear or its buttons do nothing, link from a computer's browser.",
    (Seen.EVENTS,),
)
IN_APP_BROWSER: Final = Cause(
    "in_app_browser",
    "The Alexa app's browser",
    "The browser inside the Alexa app shows the page but loses its way on the road back, for instance for lack of cookies or"
    " because the app is old.",
    "Link from a computer at alexa.amazon.com, or update the app, clear its cache, and try again.",
    (Seen.EVENTS,),
)
PERSON_DENIED: Final = Cause(
    "person_denied",
    "The person denied",
    "Somebody pressed Deny on the page.",
    "Begin again in the Alexa app, and press Approve & Link Account.",
    (Seen.EVENTS,),
)
REQUEST_EXPIRED: Final = Cause(
    "request_expired",
    "The page was open for too long",
    "A request waits for ten minutes, works once, and this one was over.",
    "Begin again in the Alexa app.",
    (Seen.EVENTS,),
)
BROWSER_CHANGED: Final = Cause(
    "browser_changed",
    "The page came back from another browser",
    "The answer came from a browser other than the one that began, or without its cookie.",
    "Begin again in the Alexa app, stay in one browser, and allow cookies there.",
    (Seen.EVENTS,),
)
ORIGIN_FOREIGN: Final = Cause(
    "origin_foreign",
    "The page was sent from another address",
    "The browser says that the form comes from another site, as in an attack, or because public_url is not the address in use.",
    "Open the page under the address that public_url names, and begin again in the Alexa app.",
    (Seen.EVENTS,),
)
SIGN_IN_FAILED: Final = Cause(
    "sign_in_failed",
    "The sign-in did not succeed",
    "The pairing code or the password was wrong, or entered wrongly too often.",
    "Take a fresh pairing code from the panel, or the right account, and begin again in the Alexa app.",
    (Seen.EVENTS,),
)
SIGN_IN_SERVICE_AWAY: Final = Cause(
    "sign_in_service_away",
    "The sign-in service does not answer",
    "The service at which people prove who they are, such as Home Assistant or Amazon, does not answer this server.",
    "Start it, or compare home_assistant_url and home_assistant_internal_url with its address. Allow linking now, in the panel,"
    " works without it.",
    (Seen.EVENTS,),
)
SIGN_IN_NOT_RETURNED: Final = Cause(
    "sign_in_not_returned",
    "Nobody came back from the sign-in page",
    "The browser went to the sign-in page of Home Assistant or Amazon and did not return: that page was closed, did not open, or"
    " showed an error.",
    "Amazon: compare the client id and Allowed Return URLs in its console with the documentation. Home Assistant: open"
    " home_assistant_url on the phone with Wi-Fi off.",
    (Seen.EVENTS,),
)
NOT_AN_APPROVER: Final = Cause(
    "not_an_approver",
    "This person may not approve",
    "Somebody signed in who is not among those who may link this home, or whose account is closed.",
    "If they should, add them to approvers or amazon_allowed. If you do not know them, nothing was linked: ignore it.",
    (Seen.EVENTS,),
)
ADMINISTRATOR_AWAITED: Final = Cause(
    "administrator_awaited",
    "An administrator must confirm the account",
    "Somebody signed in with an account that nobody has confirmed yet.",
    "If you know them, confirm the account on the page Allow linking in the panel; then they sign in once more.",
    (Seen.EVENTS,),
)
ANYONE_MAY_APPROVE: Final = Cause(
    "anyone_may_approve",
    "Anyone may approve",
    "With sign_in set to approve_only, whoever finds the page can link this home.",
    "Set sign_in to pairing_code, unless this is a test on a closed network.",
    (Seen.INSIDE,),
)
PAGE_POLICY: Final = Cause(
    "page_policy",
    "A header stops the way back to Alexa",
    "A Content-Security-Policy that the proxy adds keeps the browser from leaving for Amazon after the click.",
    "Let the proxy add no Content-Security-Policy to the paths that begin with /alexa/; this server sends a fitting one.",
    (Seen.OUTSIDE,),
)
TRUSTED_NETWORKS: Final = Cause(
    "trusted_networks",
    "Home Assistant's trusted networks",
    "Who signs in to Home Assistant by a trusted network is refused elsewhere, and the way back may come from elsewhere.",
    "Sign in to Home Assistant with user name and password for linking, or use a pairing code.",
    (Seen.ASKING,),
)

CAUSES: Final = (
    NOT_APPROVED,
    PERSON_DENIED,
    REQUEST_EXPIRED,
    BROWSER_CHANGED,
    ORIGIN_FOREIGN,
    SIGN_IN_FAILED,
    SIGN_IN_SERVICE_AWAY,
    SIGN_IN_NOT_RETURNED,
    NOT_AN_APPROVER,
    ADMINISTRATOR_AWAITED,
    ANYONE_MAY_APPROVE,
    PAGE_POLICY,
    IN_APP_BROWSER,
    TRUSTED_NETWORKS,
)
