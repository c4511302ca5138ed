"""Backups: copies of the database and sealed files, how they are made, and how one takes the place of the database.

`copying`, `daily` and `copied_keys` are about the copies in the data folder, `sealed` and `export` about the file that may lie
anywhere. What comes back goes through `candidate`, `restoring` and `swapping`, in that order.
"""
