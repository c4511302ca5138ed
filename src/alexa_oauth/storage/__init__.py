"""The rows: the store's port on SQLite. All SQL of the server is in this room, and nothing but SQL and its keys.

It must not know HTTP, pages or settings, and decides nothing: which credential is good is said in `protocol`.
"""
