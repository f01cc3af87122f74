-- Which day each distinct text is. In: raw. Out: read_{{column}}(text, value, fault, repair), one row per text.
CREATE TEMP TABLE read_{{column}} AS
WITH written AS MATERIALIZED (SELECT text, date_text(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> '')),
dated AS MATERIALIZED (SELECT text, plain, date_of(plain) AS value FROM written)
SELECT text, value,
       CASE WHEN value IS NULL AND NOT means_nothing(coalesce(plain, '')) THEN 'unreadable' END AS fault,
       CASE WHEN value IS NOT NULL THEN date_repair(plain) END AS repair
FROM dated;
