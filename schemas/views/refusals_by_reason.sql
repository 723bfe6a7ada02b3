-- Requests that were refused, by month, limit, country and authorization.
-- month: first day of the month of their legal dates
-- limit_id: the limit that spoke
-- destination: country, ISO 3166-1 alpha-2, as given
-- basis: authorization as determined, blank if none
-- requests: how many
-- families: of how many families
-- chips: how many chips they asked for
-- tpp: what they asked for
-- largest_tpp: the largest of them
SELECT date_trunc('month', date)::DATE AS month, limit_id, destination, basis, count(*) AS requests,
    count(DISTINCT family) AS families, tpp_of(sum(quantity)) AS chips, tpp_of(sum(tpp)) AS tpp, max(tpp) AS largest_tpp
FROM decisions
WHERE outcome = 'refused'
GROUP BY ALL
ORDER BY month, limit_id, destination, basis
