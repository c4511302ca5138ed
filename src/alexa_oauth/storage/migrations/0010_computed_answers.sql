-- The answer to an exchange is computed again for who repeats it: nothing of it is kept, and no code is looked for by its grant.
ALTER TABLE codes DROP COLUMN sealed_answer;
DROP INDEX codes_of_grant;
