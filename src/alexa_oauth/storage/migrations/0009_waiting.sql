-- Who waits is listed, counted and looked up while strangers may keep thousands of requests waiting: without reading their contents.
CREATE INDEX pending_requests_by_end ON pending_requests (expires_at, address);
CREATE INDEX pending_requests_of_attempt ON pending_requests (attempt);
