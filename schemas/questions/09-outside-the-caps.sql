-- How much goes where no cap counts it?
-- Committed in each quarter, by the authorization relied on: only LICENSE draws on a cap. Openings have none.
SELECT quarter, basis, tpp_of(sum(committed_tpp)) AS committed_tpp, tpp_of(sum(cap_tpp)) AS cap_tpp
FROM quarterly_use
GROUP BY quarter, basis
ORDER BY quarter, basis
