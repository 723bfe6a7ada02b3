-- The register of authorizations as it stands.
-- party: party that holds it
-- family: the ultimate parent of that party
-- basis: UVEU or NVEU
-- destination: country, for NVEU
-- valid_from: first day
-- valid_to: last day, blank if it has none
-- citation: where it was granted
SELECT held.party, parties.family, held.basis, held.destination, held.valid_from, held.valid_to, held.citation
FROM (
    SELECT * FROM authorization_row
    QUALIFY row_number() OVER (PARTITION BY party, basis, destination, valid_from ORDER BY leaf DESC) = 1
) AS held
JOIN parties ON parties.party = held.party
ORDER BY held.party, held.basis, held.destination, held.valid_from
