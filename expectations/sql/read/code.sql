-- What each distinct text of a code column means. An unknown spelling is a fault (domain.md 37), never guessed.
-- In: raw, spelling(column_name, plain, code). Out: read_{{column}}(text, value, fault, repair), one row per text.
CREATE TEMP TABLE read_{{column}} AS
WITH written AS MATERIALIZED (SELECT text, squeeze(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> ''))
SELECT w.text, s.code AS value,
       CASE WHEN s.code IS NULL AND NOT means_nothing(coalesce(w.plain, '')) THEN 'unknown' END AS fault,
       NULL::VARCHAR AS repair
FROM written w LEFT JOIN spelling s ON s.column_name = '{{column}}' AND s.plain = w.plain;
