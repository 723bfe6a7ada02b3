-- A family's use of License Exception LPP in a calendar year.
-- family: ultimate parent
-- year: calendar year
-- cap_tpp: the annual figure
-- used_tpp: what counts in that year
-- remaining_tpp: what is left, at least 0
-- status: open, watch, critical, exhausted or over
-- rulebook: id of the rulebook in force, whose figures these are
-- rulebook_digest: its digest
WITH used AS (
    SELECT parties.family, balance.period AS year, tpp_of(sum(balance.tpp)) AS used_tpp
    FROM balance JOIN parties ON parties.party = balance.consignee
    WHERE balance.account = 'lpp'
    GROUP BY parties.family, balance.period
    HAVING sum(balance.tpp) <> 0
)
SELECT family, year, figure('lpp_annual_tpp') AS cap_tpp, used_tpp,
    greatest(figure('lpp_annual_tpp') - used_tpp, 0) AS remaining_tpp,
    status_of(used_tpp, figure('lpp_annual_tpp'), figure('status_watch_percent'), figure('status_critical_percent'))
        AS status,
    rulebook_in_force() AS rulebook, digest_in_force() AS rulebook_digest
FROM used
ORDER BY family, year
