-- Who set a project's limits is kept like who made its keys.
-- oldest release: 1

ALTER TABLE audit DROP CONSTRAINT audit_what_check,
    ADD CONSTRAINT audit_what_check CHECK (what IN ('created', 'revoked', 'exported', 'limited'));
