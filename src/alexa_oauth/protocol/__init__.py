"""The rules of the protocol: plain synchronous functions over records.

This room owns what RFC 6749, 7009, 7636, 7662, 8414 and 9207 say and how this server fills their gaps. It must not know
aiohttp, SQLite, a clock, a random source or a logger: instants, entropy and rows are handed in, outcomes are returned.
"""
