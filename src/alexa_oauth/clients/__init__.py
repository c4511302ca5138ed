"""The registered clients: the built-in one, and those of the operator's file, whose mistakes are told by line.

It must not know HTTP, SQL or pages.
"""
