-- What became of the rows, as counts: accounts(question, answer, rows), one row per answer.
-- In: rows, raw. Out: accounts.
CREATE TEMP TABLE accounts AS
SELECT 'outcome' AS question, outcome AS answer, count(*) AS rows FROM rows GROUP BY outcome
UNION ALL SELECT 'dropped', dropped, count(*) FROM rows WHERE dropped IS NOT NULL GROUP BY dropped
UNION ALL SELECT 'quarantined', reason, count(*) FROM rows WHERE outcome = 'quarantined' GROUP BY reason
UNION ALL SELECT 'unassigned', 'rows', count(*) FROM rows WHERE outcome = 'accepted' AND ({{unassigned}})
UNION ALL SELECT 'shifted_columns', 'rows', count(*) FROM rows WHERE dropped IS NULL AND row_fault IS NOT NULL
UNION ALL SELECT 'number_for_name', 'rows', count(*) FROM raw WHERE {{number_for_name}};
