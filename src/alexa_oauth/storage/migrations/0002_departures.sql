-- A browser that comes back from the sign-in page of another service brings only this value's original with it.
ALTER TABLE pending_requests ADD COLUMN state_digest BLOB;
CREATE UNIQUE INDEX pending_requests_departed ON pending_requests (state_digest) WHERE state_digest IS NOT NULL;
