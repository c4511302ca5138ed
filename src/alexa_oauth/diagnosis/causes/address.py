"""Amazon's servers, or the person's phone, do not find the way here: name, port, certificate, TLS."""

from typing import Final

from alexa_oauth.diagnosis.causes.cause import Cause, Seen

PUBLIC_URL_UNSET: Final = Cause(
    "public_url_unset",
    "No public address",
    "This server was not told under which address the internet reaches it.",
    "Set public_url to that address, such as https://music.example.org.",
    (Seen.INSIDE, Seen.EVENTS),
)
PUBLIC_URL_NOT_HTTPS: Final = Cause(
    "public_url_not_https",
    "The public address is not https",
    "Amazon calls https addresses only, and public_url begins with http.",
    "Put a reverse proxy or a tunnel with a certificate in front of this server, and set public_url to its https address.",
    (Seen.INSIDE,),
)
TOKEN_URL_UNREACHABLE: Final = Cause(
    "token_url_unreachable",
    "Amazon's servers do not get through",
    "The person approved, but the request with which Amazon's servers fetch the token never came.",
    "The phone may be at home, Amazon's servers are not: the address must work from anywhere. Open it on a phone with Wi-Fi"
    " off; then look at port forwarding, firewall, bot filter and country rules.",
    (Seen.EVENTS, Seen.OUTSIDE),
)
NAME_NOT_FOUND: Final = Cause(
    "name_not_found",
    "The name is not in the public DNS",
    "No address is known for the name in public_url.",
    "Add a DNS record for the name at your domain or dynamic DNS provider, and compare the spelling with public_url.",
    (Seen.OUTSIDE,),
)
ADDRESS_PRIVATE: Final = Cause(
    "address_private",
    "The name leads to a private address",
    "The name in public_url leads to an address that exists only at home, in a VPN or inside the provider's network.",
    "Let the public DNS name your connection's public address. If your provider gives you none (CGNAT), use a tunnel such as"
    " Cloudflare Tunnel or Tailscale Funnel.",
    (Seen.OUTSIDE,),
)
IPV6_DEAD: Final = Cause(
    "ipv6_dead",
    "The IPv6 address does not answer",
    "The name has an IPv6 address (AAAA record) on which nothing answers; who tries it first waits, or gives up.",
    "Delete the AAAA record, or open the port for IPv6 in router and firewall, too.",
    (Seen.OUTSIDE,),
)
PORT_CLOSED: Final = Cause(
    "port_closed",
    "Nothing answers at the port",
    "No connection to the public address comes about.",
    "Forward port 443 of the router to the reverse proxy, start the proxy, and let the firewall pass it.",
    (Seen.OUTSIDE,),
)
PORT_NOT_443: Final = Cause(
    "port_not_443",
    "The port is not 443",
    "Amazon expects account linking on port 443; other ports work for some and fail for others, without a word.",
    "Serve the public address on port 443 and leave the port out of public_url.",
    (Seen.INSIDE,),
)
CERTIFICATE_EXPIRED: Final = Cause(
    "certificate_expired",
    "The certificate has expired",
    "The certificate of the public address is past its last day, so Amazon hangs up.",
    "Renew it, let the proxy load the new one, and find out why the renewal did not happen by itself.",
    (Seen.OUTSIDE,),
)
CERTIFICATE_UNTRUSTED: Final = Cause(
    "certificate_untrusted",
    "Nobody vouches for the certificate",
    "The certificate is self-signed, or signed by an authority that Amazon does not know.",
    "Use a certificate of a public authority, such as Let's Encrypt; your proxy or tunnel can fetch one by itself.",
    (Seen.OUTSIDE,),
)
CERTIFICATE_INCOMPLETE: Final = Cause(
    "certificate_incomplete",
    "The certificate chain is incomplete",
    "The proxy sends its certificate without the intermediate one. Browsers look for it elsewhere, Amazon does not.",
    "Let the proxy send the whole chain: the file is often called fullchain.pem.",
    (Seen.OUTSIDE,),
)
CERTIFICATE_NAME: Final = Cause(
    "certificate_name",
    "The certificate is for another name",
    "The certificate of the public address does not hold the name in public_url.",
    "Get a certificate for exactly this name, or correct public_url. A wildcard covers one level only.",
    (Seen.OUTSIDE,),
)
TLS_FAILS: Final = Cause(
    "tls_fails",
    "No TLS connection comes about",
    "Something listens at the port, but does not speak TLS as Amazon does.",
    "Look at the proxy's log: it may speak plain http on this port, have no certificate for this name, or allow old TLS only.",
    (Seen.OUTSIDE,),
)
TLS_12_REFUSED: Final = Cause(
    "tls_12_refused",
    "TLS 1.2 is refused",
    "The proxy accepts TLS 1.3 only, and Amazon's servers may come with TLS 1.2.",
    "Allow TLS 1.2 beside 1.3. At a CDN the setting is called minimum TLS version.",
    (Seen.OUTSIDE,),
)

CAUSES: Final = (
    PUBLIC_URL_UNSET,
    PUBLIC_URL_NOT_HTTPS,
    NAME_NOT_FOUND,
    ADDRESS_PRIVATE,
    PORT_NOT_443,
    PORT_CLOSED,
    IPV6_DEAD,
    TLS_FAILS,
    TLS_12_REFUSED,
    CERTIFICATE_UNTRUSTED,
    CERTIFICATE_INCOMPLETE,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_NAME,
    TOKEN_URL_UNREACHABLE,
)
