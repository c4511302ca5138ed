"""The settings: what the operator may choose, how each value is read, and what is wrong with one.

It must not know what the settings are for: whoever needs one is handed it.
"""
