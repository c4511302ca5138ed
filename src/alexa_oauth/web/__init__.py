"""The public face: bytes become records, rules decide, outcomes become answers.

This room owns HTTP as strangers see it. It knows the rules and the ports behind which rows and sign-in stand; it must not
know SQL, files, settings or the clock.
"""
