-- Which pairs are links, and which rows a person must look at: what was decided by hand, tier 0, old numbers, tier 1.
-- In: evidence, asked, people, decisions(row_key, person_id, is_same), stood(feed, person): who of the persons in question
-- has a row by exact number and name in which register, plausible_ages, linked_employment. Out: ruled_out(row_id, person); settled(row_id, person, tier, score, reason); placed(feed,
-- person); open_pairs(row_id, person, how, names, score, reason): what is left for a person to see.

-- 1. What somebody decided stays decided.
CREATE TABLE decided AS
SELECT a.row_id, p.person, d.is_same FROM decisions d JOIN asked a USING (row_key) JOIN people p USING (person_id);

CREATE TABLE standing AS
SELECT e.* FROM evidence e
ANTI JOIN (FROM decided WHERE is_same) s USING (row_id)
ANTI JOIN (FROM decided WHERE NOT is_same) n USING (row_id, person);

CREATE TABLE first_settled AS
-- A death without a day is nobody's death before somebody has asked.
WITH judged AS (SELECT *, {{closest}} AS apart FROM standing
                WHERE feed NOT IN ({{never_automatic}}) OR coalesce(is_about_person(id_fault), true)),
relatives AS (
    -- Who bears exactly the row's name and does not stand in the register: it may be that member's row.
    SELECT row_id, min(apart) AS apart, bool_or(names = 'same' AND o.person IS NULL) AS is_namesake_missing
    FROM judged LEFT JOIN stood o USING (feed, person) WHERE how = 'relative' GROUP BY row_id
),
by_number AS (
    SELECT s.row_id, s.person, 'exact' AS tier, s.names, CASE WHEN s.names = 'same' THEN 'number' ELSE 'number_and_' || s.names END AS reason
    FROM judged s LEFT JOIN relatives r USING (row_id)
    WHERE (s.how IN ('number', 'shared_number') AND CASE s.names
               WHEN 'same' THEN true
               WHEN 'spelling' THEN NOT coalesce(r.is_namesake_missing, false)
               WHEN 'part' THEN NOT coalesce(r.is_namesake_missing, false)
               -- Brothers and sisters share the father's name: nobody of the household may bear the row's name better.
               WHEN 'last' THEN s.apart <= coalesce(r.apart, s.apart)
               ELSE false END)
       OR (s.how = 'number' AND s.names = 'missing')
    -- Two names share a number in the population itself: the one that agrees most is meant.
    QUALIFY rank() OVER (PARTITION BY s.row_id ORDER BY s.apart) = 1
),
renewed AS (
    SELECT row_id, person, 'old_number' AS tier, names, 'old_number' AS reason
    FROM standing WHERE how = 'old_number' AND names IN ('same', 'spelling', 'part')
)
SELECT row_id, person, true AS is_clerical, 'clerical' AS tier, 1.0::DOUBLE AS score, 'decided' AS reason
FROM decided WHERE is_same
UNION ALL BY NAME
SELECT row_id, person, false AS is_clerical, tier, {{exact_score}} AS score, reason
FROM (FROM by_number UNION ALL FROM renewed)
QUALIFY count(*) OVER (PARTITION BY row_id) = 1;

-- Who stands in which register by a number and name of his or her own.
CREATE TABLE placed AS
FROM stood UNION SELECT feed, person FROM first_settled JOIN asked USING (row_id);

-- 2. Tier 1, and numbers replaced by another (a person keeps birth and sex): the name agrees and nothing contradicts, nobody
-- else would do as well, and the person has no other row in a register where each has one.
CREATE TABLE repaired AS
WITH fitting AS (
    SELECT * FROM standing ANTI JOIN first_settled USING (row_id)
    WHERE how NOT IN ('number', 'shared_number', 'old_number', 'relative', 'close_number')
      AND names IN ('same', 'spelling', 'part') AND born_alike AND lives_alike
      AND (how <> 'namesake_in_doubt' OR names <> 'part')
      AND (how NOT IN ('unseen_digits', 'unnumbered') OR names = 'same' AND feed NOT IN ({{never_automatic}}))
),
alone AS (
    SELECT * FROM fitting
    QUALIFY count(DISTINCT person) OVER (PARTITION BY row_id) = 1
        AND (count(DISTINCT row_id) OVER (PARTITION BY feed, person) = 1 OR feed IN ({{several_rows}}))
)
SELECT row_id, person, CASE min(how) WHEN 'other_area' THEN 'old_number' ELSE 'repaired' END AS tier, {{repaired_score}} AS score, min(how) AS reason
FROM alone a
ANTI JOIN (SELECT feed, person FROM placed WHERE feed NOT IN ({{several_rows}})) c
    ON c.feed = a.feed AND c.person = a.person
GROUP BY row_id, person, names;

-- Under another name than its holder's, a row cannot be the holder's who stands in the register under the own name, or is of an
-- age at which nobody stands there.
CREATE TABLE ruled_out AS
SELECT e.row_id, e.person
FROM (FROM evidence WHERE how = 'number' AND names = 'different') e JOIN people p USING (person)
LEFT JOIN placed o ON o.feed = e.feed AND o.person = e.person LEFT JOIN plausible_ages g ON g.feed = e.feed
WHERE o.person IS NOT NULL OR NOT coalesce(
    date_diff('year', p.birth_date, getvariable('period_end')) BETWEEN g.least_age AND g.most_age, true);

-- The number of another member of the household, of whom the row cannot be, or who does not work where the row says, and the
-- row's name is that of exactly one member, who does not stand in the register and does work there: the row is that
-- member's. It is listed all the same.
CREATE TABLE kin AS
WITH bearers AS (
    SELECT row_id, feed, person, names FROM standing ANTI JOIN repaired USING (row_id)
    WHERE how = 'relative' AND names IN ('same', 'spelling') AND feed NOT IN ({{never_automatic}})
    QUALIFY count(*) OVER (PARTITION BY row_id) = 1 AND count(*) OVER (PARTITION BY feed, person) = 1
),
holders AS (
    SELECT row_id, person AS holder FROM standing WHERE how = 'number' AND names = 'different'
),
workers AS (
    SELECT a.row_id, l.person FROM (SELECT row_id, employer_code FROM asked SEMI JOIN holders USING (row_id)) a
    JOIN linked_employment l USING (employer_code)
)
SELECT b.row_id, b.person, 'repaired' AS tier, {{repaired_score}} AS score, 'number_of_relative' AS reason
FROM bearers b JOIN holders h USING (row_id) JOIN people p USING (person)
LEFT JOIN ruled_out r ON r.row_id = b.row_id AND r.person = h.holder
LEFT JOIN plausible_ages g ON g.feed = b.feed
ANTI JOIN placed o ON o.feed = b.feed AND o.person = b.person
WHERE b.names = 'same'
  AND coalesce(date_diff('year', p.birth_date, getvariable('period_end')) BETWEEN g.least_age AND g.most_age, true)
  AND (r.person IS NOT NULL
       OR ((b.row_id, b.person) IN (FROM workers) AND (b.row_id, h.holder) NOT IN (FROM workers)));

CREATE TABLE settled AS
SELECT row_id, person, tier, score, reason FROM first_settled
UNION ALL FROM repaired
UNION ALL FROM kin;

-- 3. What a person must see: a number under a clearly different name, with whoever of the household bears the row's name;
-- slips that fit several, or somebody who has a row already.
CREATE TABLE open_pairs AS
SELECT row_id, person, how, names,
       CASE names WHEN 'same' THEN 0.9 WHEN 'spelling' THEN 0.8 WHEN 'part' THEN 0.7 ELSE 0.3 END AS score,
       CASE WHEN NOT is_about_person(id_fault) AND names <> 'different' THEN 'status_in_doubt'
            WHEN how = 'number' AND names = 'different' THEN 'number_under_another_name'
            WHEN how = 'relative' THEN 'number_of_relative'
            WHEN how = 'number' THEN 'number_of_relative'
            WHEN how IN ('old_number', 'shared_number') THEN how
            WHEN how IN ('other_area', 'close_number', 'unseen_digits') THEN 'two_numbers'
            ELSE 'several_fit' END AS reason
FROM standing ANTI JOIN settled USING (row_id)
WHERE how IN ('number', 'shared_number', 'old_number')
   OR names IN ('same', 'spelling', 'part');
