"""Authorization server metadata (RFC 8414), made from the same tables that the endpoints go by."""

from typing import Final

from alexa_oauth.protocol import authorization, client_authentication, pkce
from alexa_oauth.protocol.policy import SCOPES

AUTHORIZATION_PATH: Final = "/alexa/authorize"
TOKEN_PATH: Final = "/alexa/token"
REVOCATION_PATH: Final = "/alexa/revoke"
INTROSPECTION_PATH: Final = "/alexa/introspect"

DOCTORS_GRANT_TYPE: Final = "urn:alexa-oauth:doctor"
"""Refused as any grant type that is not offered; so the doctor knows that its call came through whole."""
GRANT_TYPES: Final = ("authorization_code", "refresh_token")

_INTROSPECTION_METHODS: Final = ("client_secret_basic", "client_secret_post")


def metadata(issuer: str) -> dict[str, object]:
    """The document of RFC 8414 §2; `issuer` without a trailing slash."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZATION_PATH,
        "token_endpoint": issuer + TOKEN_PATH,
        "revocation_endpoint": issuer + REVOCATION_PATH,
        "introspection_endpoint": issuer + INTROSPECTION_PATH,
        "scopes_supported": list(SCOPES),
        "response_types_supported": list(authorization.RESPONSE_TYPES),
        "response_modes_supported": list(authorization.RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": list(client_authentication.METHODS),
        "revocation_endpoint_auth_methods_supported": list(client_authentication.METHODS),
        "introspection_endpoint_auth_methods_supported": list(_INTROSPECTION_METHODS),
        "code_challenge_methods_supported": list(pkce.METHODS),
        "authorization_response_iss_parameter_supported": True,
    }
