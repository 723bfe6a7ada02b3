-- The figures are those of the views, as of the last day; the trend is of the months of the period and the year before.

-- query: countries
SELECT family, destination, tpp, percent, remaining_tpp, status FROM uveu_country_shares
ORDER BY percent DESC NULLS LAST, family, destination

-- query: families
SELECT u.family, parties.name, u.installed_tpp, u.pending_tpp, u.outside_us_tpp, u.outside_us_percent,
    coalesce(tiers.counted_as = home.value, false) AS binds, u.outside_tier_1_tpp, u.outside_tier_1_percent,
    largest.destination AS largest_country, largest.percent AS largest_percent, u.status
FROM uveu_positions AS u
LEFT JOIN parties ON parties.party = u.family
CROSS JOIN period
LEFT JOIN country_tiers AS tiers ON tiers.code = parties.headquarters
    AND period.last_day BETWEEN tiers.first_day AND tiers.last_day
LEFT JOIN (SELECT value FROM rulebook_parameters WHERE parameter = 'uveu_home_country') AS home ON true
LEFT JOIN (
    SELECT family, destination, percent FROM countries
    QUALIFY row_number() OVER (PARTITION BY family ORDER BY percent DESC NULLS LAST, destination) = 1
) AS largest ON largest.family = u.family
ORDER BY list_position(['open', 'watch', 'critical', 'exhausted', 'over'], u.status) DESC, u.family

-- query: trend
SELECT month, family, destination, tpp, percent, status
FROM uveu_country_months JOIN period ON month BETWEEN CAST(period.first_day - INTERVAL 12 MONTH AS DATE) AND period.last_day
QUALIFY row_number() OVER (PARTITION BY month, family ORDER BY percent DESC NULLS LAST, destination) = 1
ORDER BY family, month
