-- Who uses a country's cap: a family's part of it, and its rank there; families by the register as it stands.
-- destination: ISO 3166-1 alpha-2
-- name: name of the country
-- family: ultimate parent
-- family_name: its name
-- rank: 1 uses most; those who use as much have the same
-- used_tpp: what is licensed to the family there
-- used_percent: of all that is licensed to the country, rounded down; blank of nothing
-- cap_percent: of the country's cap, rounded down
-- delivered_tpp: what the family has installed there, whatever the basis
-- country_used_tpp: what is licensed to the country
-- cap_tpp: its cap with the uplift in force
WITH used AS (
    SELECT counted.destination, parties.family, coalesce(sum(tpp) FILTER (account = 'cap'), 0) AS used,
        coalesce(sum(tpp) FILTER (account = 'installed'), 0) AS installed
    FROM contributions AS counted JOIN parties ON parties.party = counted.consignee
    WHERE counted.account IN ('cap', 'installed')
    GROUP BY ALL
    HAVING used <> 0
)
SELECT used.destination, held.name, used.family, parties.name AS family_name,
    rank() OVER (PARTITION BY used.destination ORDER BY used.used DESC) AS rank, tpp_of(used.used) AS used_tpp,
    percent_of(used.used, held.used_tpp) AS used_percent, percent_of(used.used, held.cap_tpp) AS cap_percent,
    tpp_of(used.installed) AS delivered_tpp, held.used_tpp AS country_used_tpp, held.cap_tpp
FROM used
JOIN country_positions AS held ON held.destination = used.destination
JOIN parties ON parties.party = used.family
ORDER BY used.destination, rank, used.family
