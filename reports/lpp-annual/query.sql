-- Years up to that of the last day; amounts are the rulebook's.

-- query: years
SELECT l.family, parties.name, l.year, l.cap_tpp, l.used_tpp, l.remaining_tpp,
    percent_of(l.used_tpp, l.cap_tpp) AS used_percent, l.status, l.used_tpp >= l.cap_tpp AS must_notify
FROM lpp_positions AS l LEFT JOIN parties ON parties.party = l.family
ORDER BY l.year DESC, l.used_tpp DESC, l.family

-- query: shipments
SELECT d.sequence, d.date, d.destination, d.consignee, d.exporter, d.provider, d.reference, d.tpp,
    notice.tpp AS notice_tpp, count(*) OVER () AS of_so_many
FROM decisions AS d
JOIN period ON d.date BETWEEN period.first_day AND period.last_day
JOIN (SELECT value::BIGINT AS tpp FROM rulebook_parameters WHERE parameter = 'lpp_notice_tpp') AS notice
    ON d.tpp >= notice.tpp
WHERE d.kind = 'delivery' AND d.basis = 'LPP'
    AND d.sequence NOT IN (SELECT under_sequence FROM decisions WHERE kind = 'reversal')
ORDER BY d.tpp DESC, d.sequence LIMIT 500

-- query: refused
SELECT d.sequence, d.date, d.destination, d.consignee, d.tpp, d.remaining_tpp, d.message, count(*) OVER () AS of_so_many
FROM refusals AS d JOIN period ON d.date BETWEEN period.first_day AND period.last_day
WHERE d.limit_id = 'lpp-annual'
    AND d.sequence NOT IN (SELECT under_sequence FROM decisions WHERE kind = 'reversal')
ORDER BY d.tpp DESC, d.sequence LIMIT 500
