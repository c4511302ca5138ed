"""Backups and keys, as the commands and the panel make, restore and change them.

It must not know HTTP or SQL: it turns wishes into the calls of `storage`, and what came of them into words.
"""
