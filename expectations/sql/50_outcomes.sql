-- Where each row ends: exactly one of accepted, quarantined, duplicate, dropped.
-- One number under two names goes to review, all its rows (domain.md 28). Of rows with exactly the same key the first
-- stays, the others are duplicates (domain.md 32).
-- In: judged. Out: later(row_number, member, outcome, reason) for rows that only others make doubtful; rows (a view).
CREATE TEMP TABLE later AS
WITH sound AS (FROM judged WHERE dropped IS NULL AND reason IS NULL),
-- Nearly every number stands once: only rows that share theirs are looked at further.
shared AS MATERIALIZED (SELECT {{shared_key}} FROM sound GROUP BY {{shared_key}} HAVING count(*) > 1),
usable AS MATERIALIZED (
    SELECT row_number, member, {{key}}, {{person}} AS person, {{person_name}} AS person_name
    FROM sound s WHERE EXISTS (FROM shared r WHERE {{same_shared_key}})
),
two_names AS (
    SELECT person FROM usable GROUP BY person HAVING count(DISTINCT name_core(person_name)) > 1
),
doubted AS (SELECT row_number, member FROM usable WHERE person IN (FROM two_names)),
single AS (SELECT u.* FROM usable u ANTI JOIN doubted d USING (row_number, member)),
repeated AS (
    SELECT {{key}}, min((row_number, member)) AS first_row FROM single GROUP BY {{key}} HAVING count(*) > 1
)
SELECT row_number, member, 'quarantined' AS outcome, 'id_number_two_names' AS reason FROM doubted
UNION ALL
SELECT s.row_number, s.member, 'duplicate', NULL
FROM single s JOIN repeated r ON {{same_key}} AND (s.row_number, s.member) > r.first_row;

CREATE TEMP VIEW rows AS
SELECT j.* REPLACE (coalesce(j.reason, l.reason) AS reason),
       CASE WHEN j.dropped IS NOT NULL THEN 'dropped'
            WHEN j.reason IS NOT NULL THEN 'quarantined'
            ELSE coalesce(l.outcome, 'accepted') END AS outcome
FROM judged j LEFT JOIN later l USING (row_number, member);
