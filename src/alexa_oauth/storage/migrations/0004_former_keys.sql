-- Data keys are rotated: which key made the predecessor of a head, and since when no living head needs a key.
ALTER TABLE data_keys ADD COLUMN retired_at INTEGER;
ALTER TABLE grants ADD COLUMN predecessor_key_id TEXT REFERENCES data_keys (key_id);
