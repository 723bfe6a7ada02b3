-- What has changed since 30 September 2025?
-- `as_of` leaves out what is dated later and takes tiers and uplifts of that day: `used_then_tpp` is what was on the books then, by the records that we have now.
SELECT now_there.destination, coalesce(then_there.used_tpp, 0) AS used_then_tpp, now_there.used_tpp AS used_now_tpp,
    now_there.used_tpp - coalesce(then_there.used_tpp, 0) AS added_tpp, now_there.status
FROM country_positions AS now_there
LEFT JOIN as_of(DATE '2025-09-30') AS then_there ON then_there.destination = now_there.destination
WHERE now_there.used_tpp <> coalesce(then_there.used_tpp, 0)
ORDER BY added_tpp DESC
