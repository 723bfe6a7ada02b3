-- A family holding UVEU: where its computing power is, against the shares of its whole.
-- family: ultimate parent
-- installed_tpp: installed everywhere
-- pending_tpp: allocations outstanding everywhere
-- outside_us_tpp: committed outside the home country of the rulebook
-- outside_us_percent: of everything installed and what is pending there, rounded down; blank of nothing
-- outside_tier_1_tpp: committed outside tier 1
-- outside_tier_1_percent: of everything installed and what is pending there, rounded down; blank of nothing
-- status: the worst of the shares that bind the family, the single countries' included
-- rulebook: id of the rulebook in force, whose figures these are
-- rulebook_digest: its digest
WITH moment AS (SELECT latest_date AS as_of FROM head),
tiers AS (
    SELECT country.country, country.counted_as, country.tier FROM country, moment
    WHERE moment.as_of BETWEEN country.first_day AND country.last_day
),
home AS (SELECT value AS country FROM parameter WHERE parameter = 'uveu_home_country'),
held AS (
    SELECT DISTINCT authorizations.family, tiers.counted_as = home.country AS of_home
    FROM authorizations
    JOIN parties ON parties.party = authorizations.family
    JOIN tiers ON tiers.country = parties.headquarters, moment, home
    WHERE authorizations.basis = 'UVEU' AND tiers.tier = 1
        AND moment.as_of BETWEEN authorizations.valid_from AND coalesce(authorizations.valid_to, DATE '9999-12-31')
),
chips AS (
    SELECT held.family, held.of_home, balance.destination, balance.account, balance.tpp,
        balance.destination <> home.country AS outside_us, tiers.tier <> 1 AS outside_tier_1
    FROM held CROSS JOIN home
    LEFT JOIN parties ON parties.family = held.family
    LEFT JOIN balance ON balance.consignee = parties.party
    LEFT JOIN tiers ON tiers.country = balance.destination
),
sums AS (
    SELECT family, any_value(of_home) AS of_home,
        coalesce(sum(tpp) FILTER (account = 'installed'), 0) AS installed,
        coalesce(sum(tpp) FILTER (account = 'pending'), 0) AS pending,
        coalesce(sum(tpp) FILTER (account = 'pending' AND outside_us), 0) AS pending_outside_us,
        coalesce(sum(tpp) FILTER (account = 'pending' AND outside_tier_1), 0) AS pending_outside_tier_1,
        coalesce(sum(tpp) FILTER (account = 'committed' AND outside_us), 0) AS outside_us,
        coalesce(sum(tpp) FILTER (account = 'committed' AND outside_tier_1), 0) AS outside_tier_1
    FROM chips GROUP BY family
),
places AS (
    SELECT chips.family, chips.destination, sum(tpp) FILTER (account = 'committed') AS committed,
        any_value(sums.installed) + coalesce(sum(tpp) FILTER (account = 'pending'), 0) AS whole
    FROM chips JOIN sums ON sums.family = chips.family
    WHERE chips.outside_tier_1
    GROUP BY chips.family, chips.destination
),
worst AS (
    SELECT family, arg_max(status, list_position(['open', 'watch', 'critical', 'exhausted', 'over'], status)) AS status
    FROM (
        SELECT family, share_status(committed, whole, figure('uveu_single_country_percent'),
            figure('status_watch_percent'), figure('status_critical_percent')) AS status
        FROM places WHERE committed > 0
    )
    GROUP BY family
)
SELECT sums.family, tpp_of(installed) AS installed_tpp, tpp_of(pending) AS pending_tpp,
    tpp_of(outside_us) AS outside_us_tpp, percent_of(outside_us, installed + pending_outside_us) AS outside_us_percent,
    tpp_of(outside_tier_1) AS outside_tier_1_tpp,
    percent_of(outside_tier_1, installed + pending_outside_tier_1) AS outside_tier_1_percent,
    worse_of(worse_of(
        share_status(outside_tier_1, installed + pending_outside_tier_1, figure('uveu_outside_tier_1_percent'),
            figure('status_watch_percent'), figure('status_critical_percent')),
        CASE WHEN of_home THEN share_status(outside_us, installed + pending_outside_us, figure('uveu_outside_us_percent'),
            figure('status_watch_percent'), figure('status_critical_percent')) ELSE 'open' END),
        coalesce(worst.status, 'open')) AS status,
    rulebook_in_force() AS rulebook, digest_in_force() AS rulebook_digest
FROM sums LEFT JOIN worst ON worst.family = sums.family
ORDER BY sums.family
