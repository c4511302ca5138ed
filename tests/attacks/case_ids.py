"""The list of attacks that this folder answers: each has an id, so that none is forgotten when tests change."""

from typing import Final

_NUMBERS: Final = {
    # authorization request
    "A": "01 02 04 05 06 07 09 10 11 12 13 14 15 17 18 19 20 22 23 24 25 26 27 28 29 31 33 34 35 36 37 38",
    # redirect URI
    "B": "01 02 03 04 05 06 07 08 09 10 11 15 16 17 18 19 21 22 23 24 25 26 27 28 29 30 31 32 33 36 37 38 39 40 41 42 43",
    # PKCE
    "C": "01 02 03 05 06 07 08 09 10 11 12 13 14 15 16 17 18 20 21 22 23 24",
    # consent, sign-in, CSRF, clickjacking
    "D": "01 02 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 22 24 25 26 27 28 29",
    # code exchange
    "E": "01 02 03 04 05 06 07 09 10 12 13 14 17 18 19 20 22 23 24 26 28 29",
    # client authentication
    "F": "01 02 04 05 06 08 09 10 13 14 15 18 21 22 23 24",
    # refresh
    "G": "01 02 04 05 06 07 08 09 11 12 13 14 15 16 17 18 20 21 22 23 24 26 27 29 31 32 33",
    # revocation
    "H": "01 02 03 04 05 06 07 09 10 11 12 13 14 15",
    # introspection
    "I": "01 02 03 04 05 07 08 09 10 11 12 13 15",
    # metadata and issuer
    "J": "01 02 03 05 06 07 08 09 10 12",
    # headers, caching, CORS
    "K": "01 03 04 06 08 09 10 13",
    # HTTP
    "L": "01 02 03 04 05 07 08 09 10 11 12 13 15 16 17 18 19 20 21 22 23 24 25 26",
    # timing and entropy
    "M": "01 02 03 04 05 06 08 09 10",
    # limits and use of resources
    "N": "01 02 03 04 05 06 07 08 10 11 12",
    # leaks into logs
    "O": "01 02 03 05 06 07 08 09 10 11 12",
    # storage, keys, backup
    "P": "01 02 03 04 05 06 08 10 14 15 16 17 18 20 21 22",
    # bearer use and forward-auth
    "Q": "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16",
}
CASE_IDS: Final = tuple(f"{family}{number}" for family, numbers in _NUMBERS.items() for number in numbers.split())
"""Numbers that are missing were never given to an attack, or two attacks turned out to be one."""
