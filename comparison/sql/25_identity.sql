-- The account of the rows that tier 0 left over, each with its tier, and the persons about whom somebody must decide.
-- In: asked, settled, open_pairs, people. Out: resolved, one row per residual row; identity_candidates, one row per row
-- and person to look at, the likeliest first; identity_cases, one row per person and reason.

-- Links that a person is to see all the same, with what is said of them.
CREATE TABLE noticed AS
SELECT row_id, person, score, CASE WHEN reason IN ('other_area', 'unseen_digits') THEN 'two_numbers' ELSE reason END AS reason
FROM settled WHERE reason IN ('other_area', 'unseen_digits', 'number_of_relative', 'number_of_stranger');

CREATE TABLE identity_candidates AS
SELECT a.feed, a.file, a.source_file, a.row_number, a.member, a.row_key, a.id_number, a.id_given, a.id_fault, a.name,
       a.birth_date, a.township, o.person, p.person_id, o.score, o.reason,
       row_number() OVER (PARTITION BY o.row_id ORDER BY o.score DESC, p.person_id) AS rank
FROM (SELECT row_id, person, max(score) AS score, min_by(reason, (-score, reason)) AS reason FROM open_pairs GROUP BY ALL
      UNION ALL FROM noticed) o
JOIN asked a USING (row_id) JOIN people p USING (person)
QUALIFY rank <= {{candidates_at_most}};

CREATE TABLE resolved AS
SELECT a.feed, a.file, a.row_number, a.member, s.person,
       coalesce(s.tier, CASE WHEN o.row_id IS NULL THEN 'unlinked' ELSE 'review' END) AS tier,
       coalesce(s.score, o.score) AS score, coalesce(s.reason, o.reason) AS reason
FROM asked a
LEFT JOIN settled s USING (row_id)
LEFT JOIN (SELECT row_id, max(score) AS score, min_by(reason, (-score, reason)) AS reason FROM open_pairs GROUP BY ALL) o
       USING (row_id);

-- Whoever the row most likely means, and everybody it means as likely as not. Not everybody a clerk is shown: who is only
-- possible shall not drop out of the lists for it.
CREATE TABLE identity_cases AS
SELECT DISTINCT person, person_id, reason FROM identity_candidates WHERE rank = 1 OR score >= 0.5
UNION ALL
-- Stands in a register that decides whether anybody is missing, in a row that does not say readably how: to be asked first.
SELECT DISTINCT person, person_id, 'status_in_doubt' FROM settled JOIN asked USING (row_id) JOIN people p USING (person)
WHERE feed IN ({{status_decides}}) AND asked.id_fault IN ({{status_faults}})
UNION ALL
SELECT person, person_id, 'status_in_doubt' FROM people WHERE is_in_doubt
UNION ALL
-- A doubtful number of the population's own is settled where a register has the whole one under the same name.
SELECT person, person_id, 'number_in_doubt' FROM people
ANTI JOIN (FROM settled WHERE reason = 'corroborated' OR tier = 'clerical') s USING (person)
WHERE person < 0;
