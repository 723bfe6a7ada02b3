-- What the views share. Macros hold no data and are made anew with the views.

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

CREATE OR REPLACE MACRO worse_of(a, b) AS
    CASE WHEN list_position(['open', 'watch', 'critical', 'exhausted', 'over'], a)
        >= list_position(['open', 'watch', 'critical', 'exhausted', 'over'], b) THEN a ELSE b END;

-- a figure of the rulebook in force, as a whole number
CREATE OR REPLACE MACRO figure(named) AS (SELECT value::BIGINT FROM parameter WHERE parameter = named);

-- the rulebook in force: its id, and the digest of its meaning
CREATE OR REPLACE MACRO rulebook_in_force() AS (SELECT rulebook FROM rulebook_row ORDER BY leaf DESC LIMIT 1);
CREATE OR REPLACE MACRO digest_in_force() AS (SELECT digest FROM rulebook_row ORDER BY leaf DESC LIMIT 1);

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
