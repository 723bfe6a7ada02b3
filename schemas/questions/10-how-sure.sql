-- On what do these answers rest that is not in the text of the rule?
-- Every figure and switch says how sure it is; `country_evidence` says it of the records behind a position.
SELECT parameter, value, certainty, citation
FROM rulebook_parameters
WHERE certainty <> 'verified' AND parameter <> 'lpp_excluded_destinations'
ORDER BY certainty, parameter
