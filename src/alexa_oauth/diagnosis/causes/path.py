"""Something between Amazon and this server stops, changes, slows down or answers the requests."""

from typing import Final

from alexa_oauth.diagnosis.causes.cause import Cause, Seen

BOT_FILTER: Final = Cause(
    "bot_filter",
    "A bot filter stands in front",
    "A filter lets browsers pass and stops programs, and Amazon's servers are programs.",
    "Turn the filter off (at Cloudflare: Bot Fight Mode), or except the paths that begin with /alexa/ from it.",
    (Seen.OUTSIDE,),
)
COUNTRY_FILTER: Final = Cause(
    "country_filter",
    "A country rule stands in front",
    "A firewall or CDN lets in some countries only, and Amazon's servers call from the United States, Ireland or Japan.",
    "Except the paths that begin with /alexa/ from the country rule, or allow those countries.",
    (Seen.ASKING,),
)
BAN_LIST: Final = Cause(
    "ban_list",
    "A ban list blocks Amazon",
    "A tool that bans addresses after failures, such as fail2ban or CrowdSec, has banned one of Amazon's.",
    "Look through its list, lift the ban, and except the paths that begin with /alexa/: this server limits failures by itself.",
    (Seen.ASKING,),
)
ACCESS_WALL: Final = Cause(
    "access_wall",
    "A wall stands in front",
    "A password, single sign-on or access list in front of this server stops Amazon's servers, which cannot pass it.",
    "Let the paths that begin with /alexa/ through without password, sign-in, access list, ban or country rule. They need no"
    " second wall: this server asks who approves.",
    (Seen.OUTSIDE,),
)
POST_REDIRECTED: Final = Cause(
    "post_redirected",
    "Requests are redirected",
    "The proxy answers the token request with a redirect, and Amazon does not follow it.",
    "Write the address without a detour into the developer console and into public_url: https, the final host name, no slash"
    " at the end. Or take the redirect rule off the paths that begin with /alexa/.",
    (Seen.OUTSIDE,),
)
POST_CHANGED: Final = Cause(
    "post_changed",
    "The proxy changes the requests",
    "A request arrives here without its form, under another path, or changed otherwise.",
    "Let the proxy pass path, method, body and content type on unchanged: in nginx no slash behind the address in proxy_pass, and"
    " no rules that rewrite or buffer on these paths.",
    (Seen.OUTSIDE, Seen.EVENTS),
)
ANOTHER_SERVER: Final = Cause(
    "another_server",
    "Another server answers",
    "Behind the public address something answers that is not this server.",
    "Point the proxy at this server (host and port 8096), and check that no other site or older installation takes the name.",
    (Seen.OUTSIDE,),
)
PROXY_FAILS: Final = Cause(
    "proxy_fails",
    "The proxy does not reach this server",
    "The proxy answers by itself that what is behind it is down.",
    "Compare host and port in the proxy's configuration with where this server listens, and make both reach one another:"
    " inside a container 127.0.0.1 is the container itself.",
    (Seen.OUTSIDE,),
)
TWO_SERVERS: Final = Cause(
    "two_servers",
    "Two installations share the name",
    "The person approves at one installation, and Amazon fetches the token from another one, which knows nothing of it.",
    "Run one installation, and let both addresses in the developer console lead to it.",
    (Seen.OUTSIDE, Seen.EVENTS),
)
PROXY_UNKNOWN: Final = Cause(
    "proxy_unknown",
    "A proxy that nobody configured",
    "Requests come through a proxy that trusted_proxies does not name, so that all callers look like one and no address is"
    " limited.",
    "If it is your reverse proxy, add its address to trusted_proxies.",
    (Seen.EVENTS,),
)
ANSWER_SLOW: Final = Cause(
    "answer_slow",
    "The answer takes too long",
    "Amazon waits for 4.5 seconds, and the way to this server and back takes longer, or nearly so.",
    "Look at what is on the way: a tunnel that sleeps, a slow disk, a machine that is busy with backups or media scans.",
    (Seen.OUTSIDE,),
)
STATE_CHANGED: Final = Cause(
    "state_changed",
    "The request's state is cut or changed",
    "Amazon refuses an answer whose state is not the one that it sent; it is over 1,000 characters long.",
    "This server returns it unchanged. Let proxy and filters pass long addresses (8 kB) without rewriting them.",
    (Seen.OUTSIDE,),
)
VPN_OR_EXTENSION: Final = Cause(
    "vpn_or_extension",
    "VPN or browser extension",
    "A VPN, an ad blocker or another extension of the browser changes the way or the pages.",
    "Turn them off while you link, or link with another device.",
    (Seen.ASKING,),
)

CAUSES: Final = (
    PROXY_FAILS,
    ANOTHER_SERVER,
    POST_REDIRECTED,
    POST_CHANGED,
    BOT_FILTER,
    ACCESS_WALL,
    BAN_LIST,
    COUNTRY_FILTER,
    ANSWER_SLOW,
    STATE_CHANGED,
    PROXY_UNKNOWN,
    TWO_SERVERS,
    VPN_OR_EXTENSION,
)
