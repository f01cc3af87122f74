-- What each register says about a person: the strongest row where it has several (active before suspended before
-- terminated, then the latest month paid), so that an old terminated row never hides a current one.
-- In: links, registers. Out: said_<scheme>(person_id, …), died, studies, hardship_of, poverty_of, disability_of, works,
-- draws, card_of.
CREATE MACRO strength(status) AS CASE status WHEN 'active' THEN 0 WHEN 'suspended' THEN 1 ELSE 2 END;

{{said_schemes}}

CREATE TABLE died AS
SELECT l.person_id, min(d.death_date) AS death_date
FROM deaths d JOIN links l ON l.feed = 'deaths' AND l.row_number = d.row_number AND l.source_file = d.source_file
WHERE l.person_id IS NOT NULL AND (d.death_date IS NULL OR d.death_date <= getvariable('period_end'))
GROUP BY l.person_id;

CREATE TABLE studies AS
SELECT l.person_id, min(s.school) AS school
FROM students s JOIN links l ON l.feed = 'students' AND l.row_number = s.row_number AND l.source_file = s.source_file
WHERE l.person_id IS NOT NULL AND s.status = 'enrolled'
GROUP BY l.person_id;

CREATE TABLE hardship_of AS
-- 特困 outranks 低保: 'tekun' sorts after 'dibao'.
SELECT l.person_id, max(h.kind) AS hardship_kind
FROM hardship h JOIN links l ON l.feed = 'hardship' AND l.row_number = h.row_number AND l.source_file = h.source_file
WHERE l.person_id IS NOT NULL
GROUP BY l.person_id;

CREATE TABLE poverty_of AS
SELECT l.person_id, min(p.kind) AS poverty_kind
FROM poverty p JOIN links l ON l.feed = 'poverty' AND l.row_number = p.row_number AND l.source_file = p.source_file
WHERE l.person_id IS NOT NULL
GROUP BY l.person_id;

CREATE TABLE disability_of AS
SELECT l.person_id, min(d.grade)::INTEGER AS disability_grade
FROM disability d JOIN links l ON l.feed = 'disability' AND l.row_number = d.row_number AND l.source_file = d.source_file
WHERE l.person_id IS NOT NULL
GROUP BY l.person_id;

CREATE TABLE works AS
SELECT l.person_id, e.employer_code, e.employer_name
FROM employment e JOIN links l ON l.feed = 'employment' AND l.row_number = e.row_number AND l.source_file = e.source_file
WHERE l.person_id IS NOT NULL AND (e.month IS NULL OR e.month = (SELECT max(month) FROM employment))
QUALIFY row_number() OVER (PARTITION BY l.person_id ORDER BY e.since DESC NULLS LAST, e.employer_code) = 1;

CREATE TABLE draws AS
SELECT l.person_id, b.scheme AS benefit_scheme, b.monthly_yuan AS benefit_monthly_yuan
FROM benefits b JOIN links l ON l.feed = 'benefits' AND l.row_number = b.row_number AND l.source_file = b.source_file
WHERE l.person_id IS NOT NULL AND b.status = 'paying'
QUALIFY row_number() OVER (PARTITION BY l.person_id ORDER BY b.monthly_yuan DESC NULLS LAST, b.scheme) = 1;

CREATE TABLE card_of AS
SELECT l.person_id, bool_or(c.status = 'issued') AS has_card
FROM cards c JOIN links l ON l.feed = 'cards' AND l.row_number = c.row_number AND l.source_file = c.source_file
WHERE l.person_id IS NOT NULL
GROUP BY l.person_id;
