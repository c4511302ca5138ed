-- Who opened the panel inside Home Assistant. `administrator_since` is NULL for those who administer nothing.
CREATE TABLE people (
    subject TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    administrator_since INTEGER
) STRICT;
