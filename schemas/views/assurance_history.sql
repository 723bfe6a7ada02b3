-- Every row of the register of assurances, also those that a later one supersedes.
-- destination: country
-- uplift_percent: whole percent by which its cap is raised
-- valid_from: first day; in force until the next row of the country
-- citation: where it was given
-- recorded_at: instant of recording, UTC
-- batch: the batch that recorded it
-- leaf: place of its leaf in the log: what is recorded later has a greater one
SELECT given.destination, given.uplift_percent, given.valid_from, given.citation, batch.recorded_at, given.batch,
    given.leaf
FROM assurance_row AS given JOIN batch ON batch.batch = given.batch
ORDER BY given.leaf
