-- What was added in a quarter, by country, family, provider, chip and authorization; wide: a column for each account.
-- quarter: such as 2026Q3
-- destination: country as which it counts
-- family: ultimate parent when the records were decided
-- provider: who submitted them
-- chip: chip id
-- basis: authorization as determined, blank if none
-- cap_tpp: added to the use of the country's cap; less than 0 if more was given back
-- lpp_tpp: added to LPP years
-- nveu_tpp: added to NVEU bases
-- committed_tpp: added to what is committed
-- installed_tpp: added to what is installed
-- pending_tpp: added to what is allocated and outstanding
SELECT year(month) || 'Q' || quarter(month) AS quarter, destination, family, provider, chip, basis,
    tpp_of(sum(cap_tpp)) AS cap_tpp, tpp_of(sum(lpp_tpp)) AS lpp_tpp, tpp_of(sum(nveu_tpp)) AS nveu_tpp,
    tpp_of(sum(committed_tpp)) AS committed_tpp, tpp_of(sum(installed_tpp)) AS installed_tpp,
    tpp_of(sum(pending_tpp)) AS pending_tpp
FROM monthly_use
GROUP BY ALL
ORDER BY quarter, destination, family, provider, chip, basis
