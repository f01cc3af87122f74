-- Of the pairs that were thought of, those worth weighing, and both sides as the residual model compares them.
-- In: thought_of, wanted, claimed_all(feed, person): who of them has a row of his or her own in a register where each has one,
-- decided, open_pairs, people, linked_employment, macros of 05_names.
-- Out: questions(row_id, person), residual_rows, residual_people, residual_frequencies.
CREATE TABLE questions AS
WITH free AS (
    SELECT m.row_id, m.person, w.feed
    FROM thought_of m JOIN wanted w USING (row_id) JOIN people p USING (person) LEFT JOIN plausible_ages g USING (feed)
    WHERE coalesce(date_diff('year', p.birth_date, getvariable('period_end')) BETWEEN g.least_age AND g.most_age, true)
)
SELECT f.row_id, f.person FROM free f
ANTI JOIN claimed_all c ON c.feed = f.feed AND c.person = f.person
ANTI JOIN (FROM decided WHERE NOT is_same) d ON d.row_id = f.row_id AND d.person = f.person
ANTI JOIN open_pairs o ON o.row_id = f.row_id AND o.person = f.person
-- A name that so many bear says nothing; whoever is meant cannot be told from the others.
QUALIFY count(*) OVER (PARTITION BY f.row_id) <= {{namesakes_at_most}};

CREATE TABLE possible AS
WITH persons AS (SELECT DISTINCT person FROM questions),
employers AS (
    SELECT person, list(DISTINCT employer_code) AS employers FROM linked_employment SEMI JOIN persons USING (person)
    WHERE employer_code IS NOT NULL GROUP BY person
)
SELECT p.person, p.name, p.birth_date, p.sex, p.township, p.village, p.household_no, e.employers,
       CASE WHEN p.person > 0 THEN left(p.id_number, 6) END AS area,
       CASE WHEN p.person > 0 THEN substr(p.id_number, 15, 3) END AS serial
FROM people p SEMI JOIN persons USING (person) LEFT JOIN employers e USING (person);

CREATE TABLE names_wanted AS SELECT name FROM wanted UNION SELECT name FROM possible;
CREATE TABLE residual_keys AS SELECT name, core, near, reversed, words, letters FROM name_keys('names_wanted');
CREATE TABLE residual_rows AS
SELECT row_id::VARCHAR AS unique_id, w.* EXCLUDE (name, row_id, feed, only_shown), k.* EXCLUDE (name)
FROM wanted w JOIN residual_keys k USING (name);
CREATE TABLE residual_people AS
SELECT person::VARCHAR AS unique_id, p.* EXCLUDE (name, person), k.* EXCLUDE (name)
FROM possible p JOIN residual_keys k USING (name);
-- How many bear a name, of the whole population: 王芳 says less than a rare name.
CREATE TABLE residual_frequencies AS
SELECT k.core, sum(n.persons) / (SELECT count(*) FROM people) AS tf_core
FROM (SELECT name, count(*) AS persons FROM people SEMI JOIN names_wanted USING (name) GROUP BY name) n
JOIN residual_keys k USING (name) GROUP BY k.core;
