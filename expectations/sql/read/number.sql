-- How much each distinct text is, in the unit of its row (header in 万: factor {{unit}}).
-- In: raw. Out: read_{{column}}(text, value, fault, repair), one row per text.
CREATE TEMP TABLE read_{{column}} AS
WITH written AS MATERIALIZED (SELECT text, squeeze(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> '')),
weighed AS MATERIALIZED (SELECT text, plain, amount_of(plain, {{unit}}) AS value FROM written)
SELECT text, value,
       CASE WHEN value IS NULL AND NOT means_nothing(coalesce(plain, '')) THEN 'unreadable' END AS fault,
       CASE WHEN value IS NOT NULL THEN amount_repair(plain) END AS repair
FROM weighed;
