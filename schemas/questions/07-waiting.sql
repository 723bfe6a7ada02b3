-- How long have allocations been waiting for their chips?
-- Ages are told as of the latest date recorded, never by the clock.
SELECT age, basis, count(*) AS allocations, tpp_of(sum(outstanding_tpp)) AS outstanding_tpp, min(date) AS oldest
FROM outstanding_allocations
GROUP BY age, basis
ORDER BY oldest
