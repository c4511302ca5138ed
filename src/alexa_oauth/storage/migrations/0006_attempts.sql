-- The page of link attempts finds them and their events here. Refreshes, by far the most events, are left out: they cost nothing.
CREATE INDEX events_of_attempts ON events (attempt, sequence)
    WHERE attempt IS NOT NULL AND event <> 'token.refreshed';
