-- What became of the rows, as counts: accounts(question, answer, rows), one row per answer.
-- In: rows, raw. Out: accounts.
CREATE TEMP TABLE accounts AS
WITH tally AS MATERIALIZED (
    SELECT outcome, dropped, reason, count(*) AS rows, count_if({{unassigned}}) AS unassigned,
           count_if(row_fault = 'shifted_columns') AS shifted
    FROM rows GROUP BY outcome, dropped, reason
)
SELECT 'outcome' AS question, outcome AS answer, sum(rows)::BIGINT AS rows FROM tally GROUP BY outcome
UNION ALL SELECT 'dropped', dropped, sum(rows)::BIGINT FROM tally WHERE dropped IS NOT NULL GROUP BY dropped
UNION ALL SELECT 'quarantined', reason, sum(rows)::BIGINT FROM tally WHERE outcome = 'quarantined' GROUP BY reason
UNION ALL SELECT 'unassigned', 'rows', coalesce(sum(unassigned), 0)::BIGINT FROM tally WHERE outcome = 'accepted'
UNION ALL SELECT 'shifted_columns', 'rows', coalesce(sum(shifted), 0)::BIGINT FROM tally WHERE dropped IS NULL
UNION ALL SELECT 'wrong_phone', 'rows', count(*) FROM rows WHERE outcome = 'accepted' AND is_no_phone({{phone}})
UNION ALL SELECT 'shared_phone', 'rows', coalesce(sum(holders), 0)::BIGINT FROM (
    SELECT count(*) AS holders FROM (SELECT {{phone}} AS phone FROM rows WHERE outcome = 'accepted')
    WHERE phone IS NOT NULL GROUP BY phone HAVING count(*) > getvariable('rows_per_phone'))
UNION ALL SELECT 'number_for_name', 'rows', count(*) FROM raw WHERE {{number_for_name}};
