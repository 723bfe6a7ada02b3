-- What did we know when the request of G42 was refused?
-- `known_at` gives the positions right after a record: those before the request are what it was decided on. Of the 790,000,000 TPP, 488,483,200 were left, and 2,100,000,000 were asked for.
SELECT asked.reference, asked.date, asked.tpp AS asked_tpp, then_there.used_tpp, then_there.remaining_tpp, then_there.status
FROM decisions AS asked
JOIN known_at((SELECT sequence - 1 FROM decisions WHERE reference = 'ann-005')) AS then_there
    ON then_there.destination = asked.destination
WHERE asked.reference = 'ann-005'
