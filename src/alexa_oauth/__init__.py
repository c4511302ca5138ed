"""The OAuth 2.0 authorization server that links an Alexa skill to a household's Music Assistant."""

__version__ = "1.0.0"
