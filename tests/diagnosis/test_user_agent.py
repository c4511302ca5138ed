"""Which browser it was, in a few words that strangers cannot choose."""

import pytest

from alexa_oauth.diagnosis.user_agent import UNKNOWN, describe, is_embedded

ANDROID = "Mozilla/5.0 (Linux; Android 12; SM-G991B"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name", "embedded"),
    [
        (f"{ANDROID}) {WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36", "Chrome on Android", False),
        (f"{ANDROID}) {WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36", "Samsung Internet on Android", False),
        (
            f"{ANDROID} Build/SP1A; wv) {WEBKIT} Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36",
            "a browser inside an app on Android",
            True,
        ),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone", False),
        (f"{IPHONE} Mobile/15E148", "a browser inside an app on iPhone", True),
        (f"{IPHONE} Mobile/15E148 PitanguiBridge/2.2 Alexa/2.2.6 [x]", "Alexa app on iPhone", True),
        (f"{IPHONE} CriOS/126.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone", False),
        (
            f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {WEBKIT} Silk/120.1 like Chrome/120.0 Safari/537.36",
            "Silk on Fire OS",
            False,
        ),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows", False),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux", False),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 Version/17.5 Safari/605.1", "Safari on Mac", False),
        ("curl/8.5.0", "a program", False),
        ("Python/3.12 aiohttp/3.11", "a program", False),
        ("Something/1.0 (Android)", "an unknown browser on Android", False),
        ("", UNKNOWN, False),
        ("<script>alert(1)</script>", UNKNOWN, False),
    ],
)
def test_a_browser_is_named(user_agent: str, name: str, *, embedded: bool) -> None:
    assert (describe(user_agent), is_embedded(user_agent)) == (name, embedded)


def test_a_field_of_any_length_takes_no_time() -> None:
    """Backtracking would: the field is a stranger's."""
    for text in ("AppleWebKit/ " * 100_000, "Version/1 " * 100_000, "a" * 1_000_000):
        assert len(describe(text)) < 60
