-- A country's position at the end of a quarter. Tier-2 countries where something is or was.
-- quarter: such as 2026Q3
-- as_of: its last day, or the latest date recorded if that is before
-- destination: ISO 3166-1 alpha-2
-- name: name
-- added_tpp: what the quarter added to the use of the cap; the first quarter has what is dated before it, too
-- used_tpp: what is licensed to it by then
-- cap_tpp: the country cap with the uplift in force that day, by the rulebook in force now
-- remaining_tpp: what is left, at least 0
-- used_percent: used of cap, rounded down
-- delivered_tpp: what is installed there by then, whatever the basis
-- status: open, watch, critical, exhausted or over
SELECT quarter, as_of, destination, name,
    tpp_of(sum(added_tpp) OVER (PARTITION BY destination, quarter)) AS added_tpp,
    used_tpp, cap_tpp, remaining_tpp, used_percent, delivered_tpp, status
FROM country_months
QUALIFY row_number() OVER (PARTITION BY destination, quarter ORDER BY month DESC) = 1
ORDER BY quarter, destination
