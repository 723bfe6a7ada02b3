-- A UVEU family's share in a destination outside tier 1 where it has chips.
-- family: ultimate parent
-- destination: country as which it counts
-- tpp: what it has committed there
-- percent: of everything installed and what is pending there, rounded down; blank of nothing
-- remaining_tpp: what may still be added there, the whole growing along
-- status: open, watch, critical, exhausted or over
-- rulebook: id of the rulebook in force, whose figures these are
-- rulebook_digest: its digest
WITH moment AS (SELECT latest_date AS as_of FROM head),
tiers AS (
    SELECT country.country, country.counted_as, country.tier FROM country, moment
    WHERE moment.as_of BETWEEN country.first_day AND country.last_day
),
held AS (
    SELECT DISTINCT authorizations.family
    FROM authorizations
    JOIN parties ON parties.party = authorizations.family
    JOIN tiers ON tiers.country = parties.headquarters, moment
    WHERE authorizations.basis = 'UVEU' AND tiers.tier = 1
        AND moment.as_of BETWEEN authorizations.valid_from AND coalesce(authorizations.valid_to, DATE '9999-12-31')
),
sums AS (
    SELECT parties.family, balance.destination,
        coalesce(sum(balance.tpp) FILTER (balance.account = 'committed'), 0) AS committed,
        coalesce(sum(balance.tpp) FILTER (balance.account = 'installed'), 0) AS installed,
        coalesce(sum(balance.tpp) FILTER (balance.account = 'pending'), 0) AS pending
    FROM balance JOIN parties ON parties.party = balance.consignee JOIN held ON held.family = parties.family
    GROUP BY ALL
),
shares AS (
    SELECT sums.family, sums.destination, sums.committed, sums.pending + whole.installed AS whole
    FROM sums
    JOIN (SELECT family, sum(installed) AS installed FROM sums GROUP BY family) AS whole ON whole.family = sums.family
    JOIN tiers ON tiers.country = sums.destination AND tiers.tier <> 1
    WHERE sums.committed > 0
)
SELECT family, destination, tpp_of(committed) AS tpp, percent_of(committed, whole) AS percent,
    share_left(committed, whole, figure('uveu_single_country_percent')) AS remaining_tpp,
    share_status(committed, whole, figure('uveu_single_country_percent'), figure('status_watch_percent'),
        figure('status_critical_percent')) AS status,
    rulebook_in_force() AS rulebook, digest_in_force() AS rulebook_digest
FROM shares
ORDER BY family, destination
