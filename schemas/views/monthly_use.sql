-- What was added in a month, by country, family, provider, chip and authorization; wide: a column for each account.
-- month: its first day
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
SELECT date_trunc('month', date)::DATE AS month, destination, family, provider, chip, basis,
    tpp_of(coalesce(sum(tpp) FILTER (account = 'cap'), 0)) AS cap_tpp,
    tpp_of(coalesce(sum(tpp) FILTER (account = 'lpp'), 0)) AS lpp_tpp,
    tpp_of(coalesce(sum(tpp) FILTER (account = 'nveu'), 0)) AS nveu_tpp,
    tpp_of(coalesce(sum(tpp) FILTER (account = 'committed'), 0)) AS committed_tpp,
    tpp_of(coalesce(sum(tpp) FILTER (account = 'installed'), 0)) AS installed_tpp,
    tpp_of(coalesce(sum(tpp) FILTER (account = 'pending'), 0)) AS pending_tpp
FROM contributions
GROUP BY ALL
ORDER BY month, destination, family, provider, chip, basis
