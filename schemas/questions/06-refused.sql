-- What was refused, by which limit, and by how much was it too large?
SELECT date, reference, consignee, destination, limit_id, tpp, remaining_tpp, tpp - remaining_tpp AS short_tpp
FROM refusals
ORDER BY tpp DESC, sequence
LIMIT 100
