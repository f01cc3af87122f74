-- Which month each distinct text is, as YYYY-MM; a full date stands for its month.
-- In: raw. Out: read_{{column}}(text, value, fault, repair), one row per text.
CREATE TEMP TABLE read_{{column}} AS
WITH written AS MATERIALIZED (SELECT text, date_text(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> '')),
dated AS MATERIALIZED (SELECT text, plain, month_in_bounds(month_of(plain)) AS value FROM written)
SELECT text, value,
       CASE WHEN value IS NULL AND NOT means_nothing(coalesce(plain, '')) THEN 'unreadable' END AS fault,
       CASE WHEN value IS NULL OR regexp_full_match(plain, '[0-9]{4}-?[0-9]{2}') THEN NULL ELSE 'shape' END AS repair
FROM dated;
