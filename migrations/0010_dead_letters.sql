-- What people did with dead letters: who, when, why. A letter without a row is still dead.
-- oldest release: 1

CREATE TABLE dead_letter_ends (
    letter uuid PRIMARY KEY,
    how text NOT NULL CHECK (how IN ('retried', 'dropped')),
    who text NOT NULL,
    why text NOT NULL CHECK (why <> ''),
    at timestamptz NOT NULL DEFAULT now()
);
