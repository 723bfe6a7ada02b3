-- Which countries are near their cap or over it, and who uses it?
-- `status` turns critical at the percentage that the rulebook has for it (90). Malaysia is over: what was delivered is a fact, and facts are recorded.
SELECT who.destination, held.status, held.used_percent, who.rank, who.family_name, who.used_tpp, who.cap_percent
FROM country_positions AS held JOIN cap_concentration AS who ON who.destination = held.destination
WHERE held.status IN ('critical', 'exhausted', 'over')
ORDER BY held.used_percent DESC, who.rank
