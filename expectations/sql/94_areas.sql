-- The area (GB 11643: first six digits, where the person was first registered) that most accepted numbers begin with.
-- In: rows. Out: at most one row: area, rows.
SELECT left(id_number, 6) AS area, count(*) AS holders
FROM rows WHERE outcome = 'accepted' GROUP BY area ORDER BY holders DESC, area LIMIT 1;
