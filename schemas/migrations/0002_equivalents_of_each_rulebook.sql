-- Several rulebooks may have been in force: a decision's H100 equivalents are those of its own. The table is derived, so
-- it is made anew, and without a view_digest the next opening for writing fills it.

DROP TABLE limit_text;

CREATE TABLE limit_text (
    rulebook_digest VARCHAR NOT NULL,
    limit_id VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    template VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    citation VARCHAR NOT NULL,
    h100_equivalent_tpp BIGINT NOT NULL
);
COMMENT ON TABLE limit_text IS 'Derived: what every adopted rulebook calls a limit, with the sentence of a decision by it.';
COMMENT ON COLUMN limit_text.rulebook_digest IS 'digest of the rulebook';
COMMENT ON COLUMN limit_text.limit_id IS 'limit, or blank where none was tested';
COMMENT ON COLUMN limit_text.outcome IS 'admitted, refused or breached';
COMMENT ON COLUMN limit_text.template IS 'sentence with places for a decision''s values';
COMMENT ON COLUMN limit_text.title IS 'the limit''s name';
COMMENT ON COLUMN limit_text.citation IS 'paragraph';
COMMENT ON COLUMN limit_text.h100_equivalent_tpp IS 'TPP of one H100 equivalent in that rulebook, for reading';

DELETE FROM view_digest;
