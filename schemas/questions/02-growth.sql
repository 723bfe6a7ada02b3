-- How fast do the caps fill, quarter by quarter?
-- Percent of the cap at the end of each quarter; blank while there is nothing.
SELECT destination, name, max(used_percent) FILTER (quarter = '2025Q2') AS "2025Q2",
    max(used_percent) FILTER (quarter = '2025Q3') AS "2025Q3", max(used_percent) FILTER (quarter = '2025Q4') AS "2025Q4",
    max(used_percent) FILTER (quarter = '2026Q2') AS "2026Q2"
FROM country_quarters
WHERE used_tpp > 0
GROUP BY destination, name
ORDER BY destination
