-- Accounts of other services, such as Amazon's, that an administrator let in.
CREATE TABLE confirmed_accounts (
    subject TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    confirmed_at INTEGER NOT NULL
) STRICT;
