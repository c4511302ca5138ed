"""The catalogue: every known cause for which linking fails, one file a subject. Doctor, Attempts and Health speak from it.

Alexa shows its user one and the same sentence for all of them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from alexa_oauth.diagnosis.causes import address, alexa, console, path, person, tokens
from alexa_oauth.diagnosis.causes.cause import Cause

CATALOGUE: Final[Mapping[str, Cause]] = MappingProxyType(
    {cause.cause_id: cause for subject in (tokens, address, path, console, person, alexa) for cause in subject.CAUSES}
)
"""By id, in the order in which one would look: what runs here first, what only Amazon knows last."""
