"""alexa-oauth inside an aiohttp application of yours: python examples/embedding.py, in an environment that has alexa-oauth.

Your application listens, and signs its users in as it always did; `/pairing-code` stands for a page of yours that shows a person
who is signed in the code for the consent page. Replace the settings, and `person_of` with what your application knows.
"""

from pathlib import Path

from aiohttp import web

from alexa_oauth import register_oauth_routes

SETTINGS = {
    "data_dir": "data",
    "public_url": "https://music.example.org",
    "vendor_ids": ["M1A2B3C4D5E6F7"],
}


def person_of(request: web.Request) -> str:
    """Who is signed in to your application, by a name that stays."""
    return f"user:{request.headers['X-Signed-In']}"


def application(data_dir: Path | None = None) -> web.Application:
    """Your application, with linking for Alexa in it."""
    app = web.Application()
    oauth = register_oauth_routes(app, SETTINGS if data_dir is None else {**SETTINGS, "data_dir": str(data_dir)})

    async def pairing_code(request: web.Request) -> web.Response:
        shown = await oauth.pairing_code(person_of(request))
        return web.json_response({"code": shown.code, "expires_at": shown.expires_at}, headers={"Cache-Control": "no-store"})

    app.add_routes([web.get("/pairing-code", pairing_code)])
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=8096, access_log=None)
