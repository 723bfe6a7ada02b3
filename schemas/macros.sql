-- What the views share, and what analysts ask with a parameter. Macros hold no data and are made anew with the views.
-- The lines in front of a macro are its comment in the database, too.

-- 1. Of values alone: in the ledger, and in every copy.

-- TPP in H100 equivalents of one TPP each, for reading
CREATE OR REPLACE MACRO h100e(tpp, one) AS round(tpp / one, 1);

-- part of whole in percent, rounded down to four places; 99999.9999 where it would be more, NULL of nothing
CREATE OR REPLACE MACRO percent_of(part, whole) AS
    CASE WHEN whole > 0 THEN
        CAST(CAST(least(part::HUGEINT * 1000000 // whole::HUGEINT, 999999999) AS DECIMAL(9, 0))
            * 0.0001::DECIMAL(5, 4) AS DECIMAL(9, 4))
    END;

-- a sum as a whole number of 64 bits: countries have no bound of their own, and a position must never fail
CREATE OR REPLACE MACRO tpp_of(amount) AS
    CAST(CASE WHEN amount > 9223372036854775807 THEN 9223372036854775807 ELSE amount END AS BIGINT);

-- open, watch, critical, exhausted or over: used against the most, with thresholds in percent
CREATE OR REPLACE MACRO status_of(used, most, watch, critical) AS
    CASE
        WHEN used > most THEN 'over'
        WHEN used = most THEN 'exhausted'
        WHEN used::HUGEINT * 100 >= most::HUGEINT * critical THEN 'critical'
        WHEN used::HUGEINT * 100 >= most::HUGEINT * watch THEN 'watch'
        ELSE 'open'
    END;

-- the status of a share of percent: of nothing, nothing is used
CREATE OR REPLACE MACRO share_status(part, whole, percent, watch, critical) AS
    CASE WHEN part = 0 THEN 'open'
        ELSE status_of(part::HUGEINT * 100, greatest(whole, 0)::HUGEINT * percent, watch, critical) END;

-- the TPP that may still be added to part, with whole growing along
CREATE OR REPLACE MACRO share_left(part, whole, percent) AS
    CAST(greatest(0, whole::HUGEINT * percent - part::HUGEINT * 100) // (100 - percent) AS BIGINT);

-- the worse of two such statuses
CREATE OR REPLACE MACRO worse_of(a, b) AS
    CASE WHEN list_position(['open', 'watch', 'critical', 'exhausted', 'over'], a)
        >= list_position(['open', 'watch', 'critical', 'exhausted', 'over'], b) THEN a ELSE b END;

-- the sentence of a decision: its limit's template with the decision's values in place
CREATE OR REPLACE MACRO decision_message(
    template, kind, quantity, chip, tpp, destination, consignee, basis, account, remaining_tpp, limit_tpp, citation, one
) AS
    replace(replace(replace(replace(replace(replace(replace(replace(template,
        '{asked}', kind || ' of ' || format('{:,}', quantity) || ' ' || chip || ' (' || format('{:,}', tpp)
            || ' TPP) in ' || destination || ' for ' || consignee),
        '{basis}', coalesce(basis, 'no stated authorization')),
        '{account}', coalesce(account, '')),
        '{remaining_tpp}', coalesce(format('{:,}', remaining_tpp), '')),
        '{remaining_h100e}', coalesce(format('{:,}', remaining_tpp // one), '')),
        '{limit_tpp}', coalesce(format('{:,}', limit_tpp), '')),
        '{short_tpp}', coalesce(format('{:,}', greatest(tpp - remaining_tpp, 0)), '')),
        '{citation}', citation);

-- 2. Of tables of the ledger: for the views that a copy has as tables, and so not in a copy.

-- a figure of the rulebook in force, as a whole number
CREATE OR REPLACE MACRO figure(named) AS (SELECT value::BIGINT FROM parameter WHERE parameter = named);

-- the id of the rulebook in force
CREATE OR REPLACE MACRO rulebook_in_force() AS (SELECT rulebook FROM rulebook_row ORDER BY leaf DESC LIMIT 1);

-- the digest of the meaning of the rulebook in force
CREATE OR REPLACE MACRO digest_in_force() AS (SELECT digest FROM rulebook_row ORDER BY leaf DESC LIMIT 1);

-- 3. Of views that a copy has as tables: in the ledger, and in every copy. They are made after the views.

-- country_positions as of a legal day (blank: the latest date recorded), as the ledger had them right after a record was
-- recorded (blank: as it has them now). Records dated later, or recorded later, are left out; registers and rulebook are
-- those recorded before the record; tiers and uplifts are taken as of the day. No rows before the first record.
CREATE OR REPLACE MACRO positions_at(day, known) AS TABLE
WITH moment AS (
    SELECT coalesce(known::BIGINT, 9223372036854775807) AS sequence,
        CASE WHEN known IS NULL THEN 9223372036854775807
            ELSE (SELECT max(leaf) FROM decisions WHERE sequence <= known) END AS leaf
),
book AS (
    SELECT arg_max(rulebooks.leaf, rulebooks.leaf) AS leaf, arg_max(rulebooks.rulebook, rulebooks.leaf) AS rulebook,
        arg_max(rulebooks.digest, rulebooks.leaf) AS digest
    FROM rulebooks, moment WHERE rulebooks.leaf < moment.leaf
),
figures AS (
    SELECT any_value(book.rulebook) AS rulebook, any_value(book.digest) AS digest,
        max(try_cast(said.value AS BIGINT)) FILTER (said.parameter = 'country_cap_tpp') AS cap,
        max(try_cast(said.value AS BIGINT)) FILTER (said.parameter = 'uplift_percent_max') AS uplift,
        max(try_cast(said.value AS BIGINT)) FILTER (said.parameter = 'h100_equivalent_tpp') AS one,
        max(try_cast(said.value AS BIGINT)) FILTER (said.parameter = 'status_watch_percent') AS watch,
        max(try_cast(said.value AS BIGINT)) FILTER (said.parameter = 'status_critical_percent') AS critical
    FROM adopted_parameters AS said JOIN book ON book.leaf = said.adopted_leaf
),
-- The latest date recorded; without a record, and before openings, the first day that counts stands for one.
latest AS (
    SELECT coalesce(day::DATE, greatest(
        (SELECT max(decisions.date) FROM decisions, moment WHERE decisions.sequence <= moment.sequence),
        (SELECT max(try_cast(said.value AS DATE)) FROM adopted_parameters AS said, moment
            WHERE said.parameter = 'counting_start' AND said.adopted_leaf < moment.leaf
                AND said.adopted_leaf < coalesce((SELECT min(leaf) FROM decisions), moment.leaf)))) AS as_of
),
countries_then AS (
    SELECT said.code, said.name, said.tier, said.counted_as, said.first_day, said.last_day
    FROM adopted_tiers AS said JOIN book ON book.leaf = said.adopted_leaf
),
place AS (
    SELECT then_there.code AS destination, then_there.name FROM countries_then AS then_there, latest
    WHERE then_there.code = then_there.counted_as AND then_there.tier = 2
        AND latest.as_of BETWEEN then_there.first_day AND then_there.last_day
),
uplift AS (
    SELECT counted.counted_as AS destination,
        arg_max(given.uplift_percent, (given.valid_from, given.leaf)) AS percent
    FROM assurance_history AS given
    JOIN (SELECT DISTINCT code, counted_as FROM countries_then) AS counted ON counted.code = given.destination,
        moment, latest
    WHERE given.valid_from <= latest.as_of AND given.leaf < moment.leaf
    GROUP BY counted.counted_as
),
used AS (
    SELECT destination, tpp_of(sum(tpp) FILTER (account = 'cap')) AS cap_used,
        tpp_of(sum(tpp) FILTER (account = 'installed')) AS installed
    FROM contributions, moment, latest
    WHERE contributions.account IN ('cap', 'installed') AND contributions.sequence <= moment.sequence
        AND contributions.date <= latest.as_of
    GROUP BY destination
),
-- A rulebook that was adopted in a layout that SQL does not read has no figures here: better no answer than a wrong one.
known_figures AS (
    SELECT * REPLACE (CASE WHEN cap + uplift + one + watch + critical IS NULL OR NOT EXISTS (FROM countries_then)
        THEN error('the rulebook ' || digest || ' was adopted in a layout that SQL cannot read: restore the ledger as it'
            || ' was then and ask it')
        ELSE cap END AS cap)
    FROM figures WHERE digest IS NOT NULL OR (SELECT leaf FROM book) IS NOT NULL
),
held AS (
    SELECT place.destination, place.name, known_figures.*,
        CAST(cap + cap * least(coalesce(percent, 0), uplift) // 100 AS BIGINT) AS cap_tpp,
        coalesce(used.cap_used, 0) AS used_tpp, coalesce(used.installed, 0) AS delivered_tpp
    FROM known_figures LEFT JOIN place ON true
    LEFT JOIN (SELECT destination, percent FROM uplift) AS raised ON raised.destination = place.destination
    LEFT JOIN used ON used.destination = place.destination
)
SELECT destination, name, cap_tpp, used_tpp, greatest(cap_tpp - used_tpp, 0) AS remaining_tpp,
    percent_of(used_tpp, cap_tpp) AS used_percent, delivered_tpp, h100e(cap_tpp, one) AS cap_h100e,
    h100e(used_tpp, one) AS used_h100e, h100e(greatest(cap_tpp - used_tpp, 0), one) AS remaining_h100e,
    status_of(used_tpp, cap_tpp, watch, critical) AS status, rulebook, digest AS rulebook_digest
FROM held
WHERE destination IS NOT NULL
ORDER BY destination;

-- country_positions as of a legal day: what quotaledger status --as-of gives. Records dated later are left out; tiers and
-- uplifts are those of the day, figures those of the rulebook in force now.
CREATE OR REPLACE MACRO as_of(day) AS TABLE FROM positions_at(day, NULL);

-- country_positions as the ledger had them right after a record was recorded, within a batch too: what the next record
-- was decided on. Registers and rulebook are those recorded before that record, tiers and uplifts as of the latest date
-- recorded by then. A number after the last record stands for the last one; 0 gives no rows.
CREATE OR REPLACE MACRO known_at(sequence) AS TABLE FROM positions_at(NULL, sequence);
