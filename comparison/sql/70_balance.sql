-- The accounts of the run. In: people, person_profile, linked_<feed>, resolved, unit_keys, findings. Out: category_counts,
-- link_counts, list_counts, and balance: one row whose `unbalanced` must be 0 (persons in the profile less the sum over
-- categories, plus persons without a category, plus register rows that the links do not account for).
CREATE TABLE category_counts AS
SELECT coalesce(township, '') AS organisation, category, count(*) AS persons
FROM person_profile GROUP BY ALL;

CREATE TABLE link_counts AS
SELECT feed, tier, sum(rows)::BIGINT AS rows
FROM ({{linked_counts}} UNION ALL SELECT feed, tier, count(*) AS rows FROM resolved GROUP BY ALL)
WHERE rows > 0 GROUP BY ALL
UNION ALL
-- What became of the rows that name an employer: a register of persons names both.
SELECT feed || ':employer', tier, sum(rows)::BIGINT FROM unit_keys GROUP BY ALL;

CREATE TABLE list_counts AS
SELECT list, owner, count(*) AS findings FROM findings GROUP BY ALL;

CREATE TABLE content AS
SELECT sha256(coalesce(string_agg(list || '|' || subject || '|' || owner, chr(10) ORDER BY list, subject), '')) AS sha256
FROM findings;

CREATE TABLE balance AS
SELECT (SELECT count(*) FROM people) AS persons,
       (SELECT count(*) FROM people) - (SELECT coalesce(sum(persons), 0) FROM category_counts WHERE category IS NOT NULL)
         AS unbalanced,
       (SELECT coalesce(sum(rows), 0) FROM link_counts WHERE feed NOT LIKE '%:employer') AS register_rows,
       ({{residual_count}}) - (SELECT count(*) FROM resolved) AS unaccounted;
