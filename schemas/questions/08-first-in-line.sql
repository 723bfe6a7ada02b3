-- Which families use the caps of several countries, and how much of each?
-- A family is a company with all below it, by the register as it stands.
SELECT family, count(*) AS countries, string_agg(destination, ', ' ORDER BY destination) AS destinations,
    tpp_of(sum(used_tpp)) AS used_tpp, max(cap_percent) AS most_of_a_cap_percent
FROM cap_concentration
GROUP BY family
ORDER BY used_tpp DESC
LIMIT 5
