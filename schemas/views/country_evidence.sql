-- A country's position with what shows it: how much of the use rests on records that give evidence, and how sure the cap is.
-- destination: ISO 3166-1 alpha-2
-- name: name
-- used_tpp: what is licensed to it
-- evidenced_tpp: of that, what records that name evidence count; a lapse or reversal goes with the record that it is under
-- unevidenced_tpp: the rest
-- evidenced_percent: rounded down; blank of nothing
-- cap_tpp: the country cap with the uplift in force
-- cap_citation: the paragraph of the cap
-- cap_certainty: how sure the figure of the cap is, without the uplift
WITH origin AS (
    SELECT record.sequence,
        CASE WHEN record.kind = 'reversal' AND named.kind IN ('lapse', 'attrition') THEN named.under_sequence
            WHEN record.kind IN ('reversal', 'lapse', 'attrition') THEN record.under_sequence
            ELSE record.sequence END AS origin
    FROM decisions AS record LEFT JOIN decisions AS named
        ON record.kind = 'reversal' AND named.sequence = record.under_sequence
),
evidenced AS (SELECT sequence FROM decisions WHERE evidence IS NOT NULL),
used AS (
    SELECT counted.destination, sum(counted.tpp) FILTER (evidenced.sequence IS NOT NULL) AS evidenced
    FROM contributions AS counted
    JOIN origin ON origin.sequence = counted.sequence
    LEFT JOIN evidenced ON evidenced.sequence = origin.origin
    WHERE counted.account = 'cap'
    GROUP BY counted.destination
)
SELECT held.destination, held.name, held.used_tpp, tpp_of(coalesce(used.evidenced, 0)) AS evidenced_tpp,
    tpp_of(held.used_tpp - coalesce(used.evidenced, 0)) AS unevidenced_tpp,
    percent_of(coalesce(used.evidenced, 0), held.used_tpp) AS evidenced_percent, held.cap_tpp, cap.citation AS cap_citation,
    cap.certainty AS cap_certainty
FROM country_positions AS held
LEFT JOIN used ON used.destination = held.destination
LEFT JOIN rulebook_parameters AS cap ON cap.parameter = 'country_cap_tpp'
ORDER BY held.destination
