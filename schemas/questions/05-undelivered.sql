-- How much that is licensed has not arrived, and how much of it expires within 90 days?
-- Announcements name no last day of a licence, so nothing is known to expire; `without_last_day` says of how many licences that is so.
SELECT destination, count(*) AS licences, tpp_of(sum(allocated_tpp)) AS licensed_tpp,
    tpp_of(sum(delivered_tpp)) AS delivered_tpp, tpp_of(sum(outstanding_tpp)) AS outstanding_tpp,
    tpp_of(coalesce(sum(outstanding_tpp) FILTER (days_left BETWEEN 0 AND 90), 0)) AS expiring_tpp,
    count(*) FILTER (expires IS NULL) AS without_last_day
FROM licence_drawdown
GROUP BY destination
ORDER BY outstanding_tpp DESC
