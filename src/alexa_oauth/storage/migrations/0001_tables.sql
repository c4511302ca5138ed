CREATE TABLE data_keys (
    sequence INTEGER PRIMARY KEY,
    key_id TEXT NOT NULL UNIQUE,
    purpose TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    wrapped_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE client_secrets (
    client_id TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE pending_requests (
    sequence INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    address TEXT NOT NULL,
    attempt TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX pending_requests_of_address ON pending_requests (address);

-- How many requests wait from each address, so that a flood finds its own oldest request in one step, not in a count of all.
CREATE TABLE pending_addresses (
    address TEXT PRIMARY KEY,
    waiting INTEGER NOT NULL,
    oldest INTEGER NOT NULL
) STRICT;
CREATE INDEX pending_addresses_busiest ON pending_addresses (waiting DESC, oldest);

CREATE TRIGGER pending_request_came AFTER INSERT ON pending_requests BEGIN
    INSERT INTO pending_addresses VALUES (NEW.address, 1, NEW.sequence)
        ON CONFLICT (address) DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER pending_request_went AFTER DELETE ON pending_requests BEGIN
    DELETE FROM pending_addresses WHERE address = OLD.address AND waiting = 1;
    UPDATE pending_addresses
        SET waiting = waiting - 1,
            oldest = (SELECT min(sequence) FROM pending_requests WHERE address = OLD.address)
        WHERE address = OLD.address;
END;

CREATE TABLE codes (
    sequence INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    holder BLOB NOT NULL,
    client_id TEXT NOT NULL,
    attempt TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    grant_id TEXT,
    wrong_verifiers INTEGER NOT NULL DEFAULT 0,
    payload BLOB NOT NULL,
    sealed_answer BLOB
) STRICT;
CREATE INDEX codes_unredeemed ON codes (holder) WHERE used_at IS NULL;
CREATE INDEX codes_of_grant ON codes (grant_id) WHERE grant_id IS NOT NULL;

CREATE TABLE grants (
    grant_id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    attempt TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    token_key_id TEXT NOT NULL REFERENCES data_keys (key_id),
    rotated_at INTEGER NOT NULL,
    rotated_profile TEXT,
    head_used_at INTEGER,
    first_used_at INTEGER,
    last_used_at INTEGER NOT NULL,
    used_in_doubt INTEGER NOT NULL,
    ends_at INTEGER,
    ended_at INTEGER,
    payload BLOB NOT NULL,
    sealed_window BLOB
) STRICT;

CREATE TABLE access_tokens (
    sequence INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    grant_id TEXT NOT NULL REFERENCES grants ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX access_tokens_of_grant ON access_tokens (grant_id);

CREATE TABLE pairing_codes (
    subject TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX pairing_codes_by_digest ON pairing_codes (digest);

CREATE TABLE admin_links (
    digest BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    reason TEXT,
    client_id TEXT,
    subject TEXT,
    grant_id TEXT,
    address TEXT,
    attempt TEXT,
    count INTEGER NOT NULL,
    detail TEXT,
    doubtful INTEGER NOT NULL,
    of_grant INTEGER NOT NULL
) STRICT;
CREATE INDEX events_by_instant ON events (at);
CREATE INDEX events_of_strangers ON events (sequence) WHERE of_grant = 0;

-- One row, written anew to find out whether the disk takes writes again.
CREATE TABLE probe (probed_at INTEGER NOT NULL) STRICT;
INSERT INTO probe VALUES (0);
