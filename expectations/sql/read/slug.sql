-- An open list of names: a known spelling becomes its slug, a slug stays what it is, anything else is a fault.
-- In: raw, spelling(column_name, plain, code). Out: read_{{column}}(text, value, fault, repair), one row per text.
CREATE TEMP TABLE read_{{column}} AS
WITH written AS MATERIALIZED (SELECT text, squeeze(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> '')),
named AS MATERIALIZED (
    SELECT w.text, w.plain,
           coalesce(s.code, CASE WHEN regexp_full_match(lower(w.plain), '[a-z][a-z0-9_]*') THEN lower(w.plain) END) AS value
    FROM written w LEFT JOIN spelling s ON s.column_name = '{{column}}' AND s.plain = w.plain
)
SELECT text, value,
       CASE WHEN value IS NULL AND NOT means_nothing(coalesce(plain, '')) THEN 'unknown' END AS fault,
       NULL::VARCHAR AS repair
FROM named;
