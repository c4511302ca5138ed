"""Who may approve: the way to sign in that the settings choose, put together."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from alexa_oauth.outbound import Outbound
from alexa_oauth.protocol.ports import Entropy
from alexa_oauth.protocol.reading import ReadableStore
from alexa_oauth.protocol.sign_in import SignIn, SignInElsewhere, return_path
from alexa_oauth.rate_limit import Brake
from alexa_oauth.settings.table import Settings
from alexa_oauth.sign_in.amazon import WAY as AMAZON
from alexa_oauth.sign_in.amazon import AllowedAccounts, Amazon
from alexa_oauth.sign_in.approve_only import ApproveOnly
from alexa_oauth.sign_in.button import Button
from alexa_oauth.sign_in.codes import Codes
from alexa_oauth.sign_in.home_assistant import ADD_ON_ADDRESSES, HomeAssistant, Household, client_id_of
from alexa_oauth.sign_in.home_assistant_core import HomeAssistantCore
from alexa_oauth.sign_in.login_with_amazon import REGIONS, LoginWithAmazon, SecurityProfile
from alexa_oauth.sign_in.pairing_code import PairingCode
from alexa_oauth.sign_in.password import Password
from alexa_oauth.sign_in.passwords import SupervisorPasswords
from alexa_oauth.sign_in.throttle import Throttle, Tries


@dataclass(frozen=True, slots=True)
class Means:
    """What the ways are made of; `running` counts seconds.

    `supervisor_token` is what Home Assistant hands to its add-ons, to whom it is a neighbour with a name of its own.
    """

    store: ReadableStore
    running: Callable[[], float]
    entropy: Entropy
    outbound: Outbound
    supervisor_token: str | None = field(repr=False)

    def throttle(self) -> Throttle:
        """One of the way's own."""
        return Throttle(self.running, asyncio.sleep)

    def tries(self) -> Tries:
        """Those of the way's own requests."""
        return Tries(self.running)

    def codes_of(self, service: str) -> Codes:
        """How that service's codes are judged."""
        return Codes(service, self.throttle(), self.tries())


@dataclass(frozen=True, slots=True)
class Approval:
    """The way that `sign_in` names, once more as `elsewhere` if it needs the page of another service; beside it, the button."""

    sign_in: SignIn
    elsewhere: SignInElsewhere | None
    button: Button


def chosen_approval(settings: Settings, means: Means) -> Approval:
    """What the settings choose."""
    button = Button(means.running)
    match settings.sign_in:
        case "home_assistant":
            home_assistant = _home_assistant(settings, means)
            return Approval(home_assistant, home_assistant, button)
        case "password":
            return Approval(_password(means), None, button)
        case "amazon":
            amazon = _amazon(settings, means)
            return Approval(amazon, amazon, button)
        case "approve_only":
            return Approval(ApproveOnly(), None, button)
        case _:
            return Approval(PairingCode(means.store, Brake(means.running), means.running, asyncio.sleep), None, button)


def home_assistant_addresses(settings: Settings, *, is_add_on: bool) -> tuple[str, ...]:
    """Where this server looks for Home Assistant, the likeliest first: at the address inside alone, if that is set."""
    own, outside = settings.home_assistant_internal_url, settings.home_assistant_url
    nearby = ADD_ON_ADDRESSES if is_add_on else ()
    return (own,) if own else (*nearby, outside) if outside else nearby


def _home_assistant(settings: Settings, means: Means) -> HomeAssistant:
    if settings.public_url is None or settings.home_assistant_url is None:
        raise ValueError(settings)  # settings/loading.py refuses such settings
    addresses = home_assistant_addresses(settings, is_add_on=means.supervisor_token is not None)
    core = HomeAssistantCore(addresses, client_id_of(settings.public_url), means.outbound.session)
    household = Household(settings.public_url, settings.home_assistant_url, settings.approvers)
    return HomeAssistant(household, core, means.codes_of(HomeAssistant.service), means.entropy)


def _password(means: Means) -> Password:
    if means.supervisor_token is None:
        raise ValueError(means)  # settings/loading.py refuses such settings
    passwords = SupervisorPasswords(means.supervisor_token, means.outbound.session)
    return Password(passwords, means.throttle(), means.tries())


def _amazon(settings: Settings, means: Means) -> Amazon:
    client_id, client_secret = settings.amazon_client_id, settings.amazon_client_secret
    if settings.public_url is None or client_id is None or client_secret is None:
        raise ValueError(settings)  # settings/loading.py refuses such settings
    profile = SecurityProfile(client_id, client_secret, settings.public_url + return_path(AMAZON))
    amazon = LoginWithAmazon(REGIONS[settings.amazon_region], profile, means.outbound.session)
    allowed = AllowedAccounts(settings.amazon_allowed, means.store)
    return Amazon(amazon, allowed, means.codes_of(Amazon.service), means.entropy)
