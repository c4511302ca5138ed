-- How often something happened within the hour that began at `hour`.
CREATE TABLE activity (
    hour INTEGER NOT NULL,
    counted TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, counted)
) STRICT, WITHOUT ROWID;
