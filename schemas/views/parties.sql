-- The register of parties as it stands, with the family that each belongs to.
-- party: party id
-- name: name
-- headquarters: country of its headquarters, ISO 3166-1 alpha-2
-- parent: party that owns it, blank at the top
-- family: its ultimate parent, by which its family is named
-- recorded_at: instant of recording, UTC
WITH RECURSIVE standing AS (
    SELECT party, name, headquarters, parent, batch FROM party_row
    QUALIFY row_number() OVER (PARTITION BY party ORDER BY leaf DESC) = 1
),
climb(party, ancestor) AS (
    SELECT party, party FROM standing
    UNION
    SELECT climb.party, standing.parent FROM climb JOIN standing ON standing.party = climb.ancestor
    WHERE standing.parent IS NOT NULL
)
SELECT standing.party, standing.name, standing.headquarters, standing.parent, climb.ancestor AS family,
    batch.recorded_at
FROM standing
JOIN climb ON climb.party = standing.party
JOIN standing AS top ON top.party = climb.ancestor AND top.parent IS NULL
JOIN batch ON batch.batch = standing.batch
ORDER BY standing.party
