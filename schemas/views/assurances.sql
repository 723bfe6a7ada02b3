-- The register of government-to-government assurances as it stands.
-- destination: country
-- uplift_percent: whole percent by which its cap is raised
-- valid_from: first day; in force until the next row of the country
-- citation: where it was given
SELECT destination, uplift_percent, valid_from, citation FROM assurance_row
QUALIFY row_number() OVER (PARTITION BY destination, valid_from ORDER BY leaf DESC) = 1
ORDER BY destination, valid_from
