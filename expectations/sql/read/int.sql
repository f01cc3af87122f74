-- Which whole number each distinct text is. In: raw. Out: read_{{column}}(text, value, fault, repair), one row per text.
CREATE TEMP TABLE read_{{column}} AS
WITH written AS MATERIALIZED (SELECT text, squeeze(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> '')),
counted AS MATERIALIZED (SELECT text, plain, whole_of(plain) AS value FROM written)
SELECT text, value,
       CASE WHEN value IS NULL AND NOT means_nothing(coalesce(plain, '')) THEN 'unreadable' END AS fault,
       CASE WHEN value IS NULL OR regexp_full_match(plain, '[0-9]+') THEN NULL ELSE 'unit' END AS repair
FROM counted;
