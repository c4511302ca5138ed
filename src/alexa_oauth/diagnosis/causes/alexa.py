"""What lies on Amazon's side: the skill, the account, the app. None of it shows here; the person must look."""

from typing import Final

from alexa_oauth.diagnosis.causes.cause import Cause, Seen

AMAZON_FAULT: Final = Cause(
    "amazon_fault",
    "A fault on Amazon's side",
    "Everything here went well and Amazon has its tokens, yet the link does not show: an outage, or an app that is too old.",
    "Update phone and app, try from a computer at alexa.amazon.com, or wait for some hours. If the browser ends on a page of"
    " text with an address called httpRedirectLocation, open that address.",
    (Seen.EVENTS,),
)
ACCEPT_GRANT: Final = Cause(
    "accept_grant",
    "Alexa Events are switched on",
    "A smart home skill with Send Alexa Events switched on must answer one more message, and the link fails if it does not.",
    "Turn off Send Alexa Events on the page Permissions of the skill, or let the skill answer AcceptGrant.",
    (Seen.EVENTS, Seen.ASKING),
)
SKILL_NOT_ENABLED: Final = Cause(
    "skill_not_enabled",
    "The skill is not enabled for testing",
    "A skill in development exists only for the account that made it, in its languages, with testing switched to Development.",
    "On the page Test of the developer console choose Development, use the same Amazon account in the app, and give the skill"
    " the language of the device.",
    (Seen.ASKING,),
)
TWO_SKILLS: Final = Cause(
    "two_skills",
    "Two skills of the same name",
    "An older skill of the same name is still enabled, and the app opens that one.",
    "Disable and delete the older one, and search for the right one under Your Skills → Dev.",
    (Seen.ASKING,),
)
SKILL_LAPSED: Final = Cause(
    "skill_lapsed",
    "The skill in development fell asleep",
    "Amazon forgets a skill in development that nobody uses or builds for a long time.",
    "Build the model again in the developer console, and switch testing off and on.",
    (Seen.ASKING,),
)
SKILL_ENDPOINT_CERTIFICATE: Final = Cause(
    "skill_endpoint_certificate",
    "The skill's endpoint names its certificate wrongly",
    "A skill with an https endpoint must say whether its certificate is its own or a wildcard; if wrong, Alexa never calls.",
    "On the page Endpoint choose the kind of certificate that the skill's server really has. This is not this server.",
    (Seen.ASKING,),
)
ICON_NOT_MODIFIED: Final = Cause(
    "icon_not_modified",
    "The skill's icon is answered with 304",
    "Amazon does not take an answer that says the icon is unchanged. This server serves no icons.",
    "Serve the skill's icons without ETag and Last-Modified, or upload them in the developer console.",
    (Seen.ASKING,),
)
ROOT_NOT_A_PAGE: Final = Cause(
    "root_not_a_page",
    "The bare address shows an error",
    "The Alexa app may open the address without a path, and takes an error there for a fault.",
    "Let the proxy pass the path / to this server, too, or show any small page there.",
    (Seen.OUTSIDE,),
)

CAUSES: Final = (
    AMAZON_FAULT,
    ACCEPT_GRANT,
    SKILL_NOT_ENABLED,
    TWO_SKILLS,
    SKILL_LAPSED,
    SKILL_ENDPOINT_CERTIFICATE,
    ICON_NOT_MODIFIED,
    ROOT_NOT_A_PAGE,
)
