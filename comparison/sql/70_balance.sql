-- The accounts of the run. Out: category_counts, link_counts, list_counts, and balance: one row whose `unbalanced`
-- must be 0 (persons in the profile less the sum over categories, plus persons without a category).
CREATE TABLE category_counts AS
SELECT coalesce(township, '') AS organisation, category, count(*) AS persons
FROM person_profile GROUP BY ALL;

CREATE TABLE link_counts AS
SELECT feed, tier, count(*) AS rows FROM links GROUP BY ALL;

CREATE TABLE list_counts AS
SELECT list, owner, count(*) AS findings FROM findings GROUP BY ALL;

CREATE TABLE balance AS
SELECT (SELECT count(*) FROM people) AS persons,
       (SELECT count(*) FROM people) - (SELECT coalesce(sum(persons), 0) FROM category_counts WHERE category IS NOT NULL)
         AS unbalanced,
       (SELECT coalesce(sum(rows), 0) FROM link_counts) AS register_rows;
