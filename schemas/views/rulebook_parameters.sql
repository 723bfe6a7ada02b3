-- The figures of the rulebook in force.
-- rulebook: its id
-- parameter: name; a schedule has a row for each period
-- value: value, as text
-- unit: unit
-- valid_from: day from which the instrument has it
-- citation: paragraph
-- certainty: how sure the figure is
-- sentence: what it is
-- rulebook_digest: the rulebook's digest
SELECT rulebook, parameter, value, unit, valid_from, citation, certainty, sentence,
    digest_in_force() AS rulebook_digest
FROM parameter ORDER BY parameter
