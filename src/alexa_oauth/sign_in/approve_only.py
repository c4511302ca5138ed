"""No sign-in: the click is enough. For tests and closed networks."""

from collections.abc import Mapping

from alexa_oauth.protocol.models import LOCAL_SUBJECT, PendingRequest
from alexa_oauth.protocol.sign_in import SignedIn, SignInOutcome, Visitor


class ApproveOnly:
    """Lets anyone approve who sees the page."""

    way = "approve_only"

    async def prove(self, _pending: PendingRequest, _fields: Mapping[str, str], _visitor: Visitor) -> SignInOutcome:
        """Ask nothing."""
        return SignedIn(LOCAL_SUBJECT)
