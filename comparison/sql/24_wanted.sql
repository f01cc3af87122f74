-- What the residual model is asked: rows that still have no person, persons they could be about, and which row with which
-- person. In: asked, given, settled, open_pairs, ruled_out, holders, people, linked_employment, plausible_ages, linked_counts.
-- Out: wanted; room(feed, persons, elsewhere); thought_of(row_id, person), the pairs that any likeness brought together.

-- Rows without a sound number are linked by likeness: who has one, is known by it or is somebody else. Where the number is
-- that of somebody with another name, what the number says is not asked: likeness shows whoever decides whom the row may
-- mean, and links only if the row cannot be the number's holder's (ruled_out).
CREATE TABLE wanted AS
WITH left_over AS (
    SELECT a.*, g.digits, false AS only_shown FROM asked a JOIN given g ON g.key = a.row_id
    ANTI JOIN settled USING (row_id) ANTI JOIN open_pairs USING (row_id)
    WHERE a.id_number IS NULL AND g.number IS NULL AND a.name IS NOT NULL
    UNION ALL BY NAME
    SELECT a.* REPLACE (NULL AS sex, NULL AS birth_date), NULL AS digits,
           bool_or(o.person IS NULL) OVER (PARTITION BY a.row_id) AS only_shown
    FROM asked a JOIN (FROM open_pairs WHERE how = 'number' AND names = 'different') h USING (row_id)
    LEFT JOIN ruled_out o ON o.row_id = a.row_id AND o.person = h.person
    ANTI JOIN (FROM open_pairs WHERE how = 'relative') r ON r.row_id = a.row_id
)
SELECT row_id, feed, name, only_shown,
       coalesce(birth_date, CASE WHEN length(digits) BETWEEN 16 AND 20 THEN try_strptime(substr(digits, 7, 8), '%Y%m%d')::DATE END)
         AS birth_date,
       coalesce(sex, CASE WHEN length(digits) = 18 AND NOT ends_with(digits, '000') AND substr(digits, 17, 1) <> 'X'
                          THEN CASE WHEN substr(digits, 17, 1)::INTEGER % 2 = 1 THEN 'M' ELSE 'F' END END) AS sex,
       township, village, household_no,
       CASE WHEN employer_code IS NOT NULL THEN [employer_code] END AS employers,
       CASE WHEN length(digits) >= 6 THEN left(digits, 6) END AS area,
       CASE WHEN length(digits) = 18 AND NOT ends_with(digits, '000') THEN substr(digits, 15, 3) END AS serial
FROM left_over;

CREATE MACRO unseparated(name) AS replace(replace(name, '·', ''), ' ', '');
-- A name of several words from the last to the first.
CREATE MACRO turned(name) AS array_to_string(list_reverse(name_words(name)), '');

-- How many persons a register's row could be about, and how many of its rows are about nobody here.
CREATE TABLE room AS
WITH ages AS (
    SELECT date_diff('year', birth_date, getvariable('period_end')) AS age, count(*) AS persons FROM people GROUP BY age
),
free AS (
    SELECT r.feed, sum(persons) AS persons
    FROM (SELECT DISTINCT feed FROM wanted) r LEFT JOIN plausible_ages USING (feed)
    JOIN ages ON coalesce(age BETWEEN least_age AND most_age, true)
    GROUP BY r.feed
),
strangers AS (
    SELECT a.feed, count(*) AS rows FROM asked a ANTI JOIN settled USING (row_id) ANTI JOIN holders USING (row_id)
    WHERE a.id_number IS NOT NULL GROUP BY a.feed
)
SELECT f.feed, greatest(f.persons - CASE WHEN n.is_single THEN n.rows ELSE 0 END, 1) AS persons,
       (coalesce(s.rows, 0) + 1) / (coalesce(s.rows, 0) + n.rows + 2) AS elsewhere
FROM free f JOIN linked_counts n USING (feed) LEFT JOIN strangers s USING (feed);

CREATE TABLE thought_of AS
WITH workplaces AS (
    SELECT person, employer_code FROM linked_employment
    SEMI JOIN (SELECT unnest(employers) AS employer_code FROM wanted) USING (employer_code)
)
SELECT w.row_id, p.person FROM wanted w JOIN people p ON unseparated(p.name) = unseparated(w.name)
WHERE coalesce(w.township = p.township, true)
UNION
SELECT w.row_id, p.person
FROM (FROM wanted WHERE turned(name) <> unseparated(name)) w JOIN people p ON unseparated(p.name) = turned(w.name)
WHERE coalesce(w.township = p.township, true)
UNION
SELECT w.row_id, p.person FROM wanted w JOIN people p ON p.township = w.township AND p.village = w.village
WHERE left(p.name, 1) = left(w.name, 1)
UNION
SELECT w.row_id, p.person FROM wanted w JOIN people p ON p.birth_date = w.birth_date
WHERE left(p.name, 1) = left(w.name, 1) OR p.township = w.township
UNION
SELECT w.row_id, p.person FROM wanted w JOIN people p ON p.household_no = w.household_no
UNION
SELECT w.row_id, p.person
FROM (SELECT row_id, name, unnest(employers) AS employer_code FROM wanted) w
JOIN workplaces k USING (employer_code) JOIN people p USING (person)
WHERE left(p.name, 1) = left(w.name, 1);
