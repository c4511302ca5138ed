"""Which browser a User-Agent field names, as a person would say it. Nothing of the field itself is passed on."""

import re
from typing import Final

UNKNOWN: Final = "an unknown browser"
LONGEST: Final = 300
"""Characters that are looked at."""

_EMBEDDED: Final = re.compile(r"; wv\)|\bAmazonWebAppPlatform\b|\bAlexa\b|AppleWebKit/(?!.*\bSafari/).*\bMobile/", re.ASCII)
"""Android's WebView says so by `wv`; a view inside an iOS app leaves out Safari's name; Amazon's apps give their own."""
_BROWSERS: Final = (
    ("Alexa app", r"\bAlexa\b|\bAmazonWebAppPlatform\b"),
    ("Silk", r"\bSilk/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Edge", r"\bEdg(?:e|A|iOS)?/"),
    ("Opera", r"\b(?:OPR|Opera|OPiOS)/"),
    ("Vivaldi", r"\bVivaldi/"),
    ("DuckDuckGo", r"\b(?:DuckDuckGo|Ddg)/"),
    ("Firefox", r"\b(?:Firefox|FxiOS|Focus)/"),
    ("Chrome", r"\b(?:Chrome|CriOS|Chromium)/"),
    ("Safari", r"\bVersion/[0-9.]+ .*\bSafari/"),
    ("a program", r"^(?:curl|Wget|python|Python|Go-http|Java|Apache-HttpClient|okhttp|node|axios|Ruby|libwww)\b"),
)
_SYSTEMS: Final = (
    ("Fire OS", r"\bKF[A-Z]{2,6}\b|\bSilk/"),
    ("Android", r"\bAndroid\b"),
    ("iPad", r"\biPad\b"),
    ("iPhone", r"\biPhone\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Mac", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b"),
)
"""The first that fits counts: most fields name others' products, too, to be served like them."""


def is_embedded(user_agent: str) -> bool:
    """Whether it is a browser inside an app, which may lack cookies, windows or the way back."""
    return _EMBEDDED.search(user_agent[:LONGEST]) is not None


def describe(user_agent: str) -> str:
    """A few words such as `Chrome on Android`, always out of a closed list."""
    text = user_agent[:LONGEST]
    browser = _first(_BROWSERS, text)
    system = _first(_SYSTEMS, text)
    if browser in {None, "Chrome", "Safari"} and is_embedded(text):
        browser = "a browser inside an app"
    if browser is None:
        return f"an unknown browser on {system}" if system else UNKNOWN
    return f"{browser} on {system}" if system else browser


def _first(names: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in names if re.search(pattern, text, re.ASCII)), None)
