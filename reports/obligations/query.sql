-- Days and amounts are of the rulebook in force, but for those in report.toml.

-- table: figures
SELECT max(value::BIGINT) FILTER (parameter = 'lpp_notice_tpp') AS notice,
    max(citation) FILTER (parameter = 'lpp_notice_tpp') AS notice_citation,
    max(value::BIGINT) FILTER (parameter = 'aia_certification_tpp') AS aia,
    max(citation) FILTER (parameter = 'aia_certification_tpp') AS aia_citation,
    max(value::BIGINT) FILTER (parameter = 'lpp_annual_tpp') AS lpp
FROM rulebook_parameters WHERE parameter IN ('lpp_notice_tpp', 'aia_certification_tpp', 'lpp_annual_tpp')

-- table: holders
SELECT DISTINCT authorizations.family, parties.name, authorizations.basis
FROM authorizations JOIN period
    ON period.last_day BETWEEN authorizations.valid_from AND coalesce(authorizations.valid_to, DATE '9999-12-31')
LEFT JOIN parties ON parties.party = authorizations.family

-- table: days
SELECT 'UVEU' AS basis, unnest(regexp_extract_all(value, '[0-9]{2}-[0-9]{2}')) AS day,
    'accounting of chips by facility, with attrition' AS what, citation
FROM rulebook_parameters WHERE parameter = 'uveu_reporting_dates'
UNION ALL
SELECT basis, day, 'semi-annual report: inventory, dates received, customers', '15 CFR 748.15(f)(1)'
FROM (SELECT unnest(['UVEU', 'NVEU']) AS basis) CROSS JOIN (
    SELECT unnest([semi_annual_first, semi_annual_second]) AS day FROM report_parameters)

-- query: dates
WITH next_due AS (
    SELECT holders.family, holders.name, days.what, days.citation, period.last_day,
        make_date(year(period.last_day) + CASE WHEN strftime(period.last_day, '%m-%d') >= days.day THEN 1 ELSE 0 END,
            left(days.day, 2)::INTEGER, right(days.day, 2)::INTEGER) AS due
    FROM holders JOIN days ON days.basis = holders.basis, period
)
SELECT DISTINCT due, CAST(due - last_day AS BIGINT) AS days_left, family, name, what, citation
FROM next_due
QUALIFY row_number() OVER (PARTITION BY family, what ORDER BY due) = 1
ORDER BY due, family, what, citation

-- query: certificates
SELECT CAST(d.date + report_parameters.certificate_days::INTEGER AS DATE) AS due,
    CAST(d.date + report_parameters.certificate_days::INTEGER - period.last_day AS BIGINT) AS days_left,
    d.sequence, d.provider, d.reference, d.date, d.destination, d.consignee, d.tpp, d.tpp >= figures.notice AS needs_notice,
    count(*) OVER () AS of_so_many, '15 CFR 740.29(g)(1)' AS citation
FROM decisions AS d
JOIN period ON d.date BETWEEN period.first_day AND period.last_day
CROSS JOIN report_parameters CROSS JOIN figures
WHERE d.kind = 'delivery' AND d.basis = 'LPP'
    AND d.sequence NOT IN (SELECT under_sequence FROM decisions WHERE kind = 'reversal')
ORDER BY due, d.tpp DESC, d.sequence
LIMIT 1000

-- query: thresholds
WITH aia AS (
    SELECT parties.family, sum(d.tpp) AS tpp FROM decisions AS d JOIN parties ON parties.party = d.consignee
    WHERE d.kind = 'delivery' AND d.basis = 'AIA'
        AND d.sequence NOT IN (SELECT under_sequence FROM decisions WHERE kind = 'reversal')
    GROUP BY parties.family
),
reached AS (
    SELECT aia.family, 'the certification is filed with BIS' AS what, tpp_of(aia.tpp) AS used_tpp, figures.aia AS at_tpp,
        figures.aia_citation AS citation
    FROM aia CROSS JOIN figures
    UNION ALL
    SELECT lpp_positions.family, 'the consignee notifies that the limit of ' || year || ' is reached', used_tpp, cap_tpp,
        '15 CFR 740.29(g)(2)'
    FROM lpp_positions JOIN period ON lpp_positions.year = year(period.last_day)
)
SELECT reached.family, parties.name, what, used_tpp, at_tpp, percent_of(used_tpp, at_tpp) AS used_percent,
    used_tpp >= at_tpp AS is_reached, citation
FROM reached LEFT JOIN parties ON parties.party = reached.family
WHERE used_tpp * 2 >= at_tpp
ORDER BY used_percent DESC, reached.family, what
