-- The spellings that contracts and plan state, tidied as cells are. In: stated_spelling, stated_place.
-- Out: spelling(column_name, plain, code), place(column_name, plain, organisation, is_full), one row per spelling.
CREATE TEMP TABLE spelling AS
SELECT column_name, squeeze(text) AS plain, min(code) AS code
FROM stated_spelling GROUP BY column_name, squeeze(text) HAVING count(DISTINCT code) = 1;

CREATE TEMP TABLE place AS
SELECT column_name, squeeze(text) AS plain, min(organisation) AS organisation, bool_or(is_full) AS is_full
FROM stated_place GROUP BY column_name, squeeze(text) HAVING count(DISTINCT organisation) = 1;
