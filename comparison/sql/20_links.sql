-- Which register row belongs to which person. Tier 0: exactly the same number.
-- In: people and every register of persons. Out: links(feed, row_number, source_file, id_number, name, person_id, tier,
-- score), one row per register row, linked or not: rows that found nobody stay with person_id NULL and tier 'unlinked'.
CREATE TABLE links AS
WITH register_rows AS (
    {{register_rows}}
)
SELECT r.feed, r.row_number, r.source_file, r.id_number, r.name, p.person_id,
       CASE WHEN p.person_id IS NULL THEN 'unlinked' ELSE 'exact' END AS tier,
       CASE WHEN p.person_id IS NULL THEN NULL ELSE 1.0 END AS score
FROM register_rows r LEFT JOIN people p ON p.id_number = r.id_number;
