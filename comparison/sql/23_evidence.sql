-- What speaks for and against each pair: the names, and whatever else the row says of the person.
-- In: pairs, asked, people, macros of 05_names. Out: evidence(row_id, person, how, names, agrees, …), one row per pair.

-- Somebody else of the household may bear the row's name better: a spouse's or a child's number stands on the row.
CREATE TABLE doubted AS
SELECT p.row_id, p.person, a.name, h.name AS person_name, h.household_no
FROM (FROM pairs WHERE how = 'number') p JOIN asked a USING (row_id) JOIN people h USING (person)
WHERE a.name <> h.name AND name_core(a.name) <> name_core(h.name);

CREATE TABLE relatives AS
SELECT d.row_id, m.person
FROM doubted d JOIN (SELECT person, household_no, name FROM people WHERE household_no IS NOT NULL) m USING (household_no)
WHERE m.person <> d.person;

CREATE TABLE met AS
SELECT m.row_id, m.person, m.how, a.feed, a.id_fault, a.name, p.name AS person_name, a.birth_date, a.sex, a.township,
       p.birth_date AS person_birth, p.sex AS person_sex, p.township AS person_township
FROM (FROM pairs UNION ALL SELECT row_id, person, 'relative' FROM relatives) m
JOIN asked a USING (row_id) JOIN people p USING (person);

CREATE TABLE differing_names AS
SELECT DISTINCT name FROM (SELECT name FROM met WHERE name <> person_name
                           UNION ALL SELECT person_name FROM met WHERE name <> person_name);
CREATE TABLE keys AS FROM name_keys('differing_names');

CREATE TABLE evidence AS
WITH verdicts AS (
    SELECT n.name, n.person_name, name_verdict(a, b) AS names
    FROM (SELECT DISTINCT name, person_name FROM met WHERE name <> person_name) n
    JOIN keys a ON a.name = n.name JOIN keys b ON b.name = n.person_name
)
SELECT m.row_id, m.person, m.how, m.feed, m.id_fault,
       CASE WHEN m.name IS NULL THEN 'missing' WHEN m.name = m.person_name THEN 'same' ELSE coalesce(v.names, 'different')
       END AS names,
       coalesce(m.birth_date = m.person_birth, true) AND coalesce(m.sex = m.person_sex, true) AS born_alike,
       coalesce(m.township = m.person_township, true) AS lives_alike
FROM met m LEFT JOIN verdicts v ON v.name = m.name AND v.person_name = m.person_name;
