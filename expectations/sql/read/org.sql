-- Which organisation each distinct text names: written exactly as the plan knows it, else the first and longest full
-- name in it, provided nothing but the region's own name goes before (海口镇 elsewhere is another 海口镇). Where the
-- column says nothing usable, the address may (domain.md 35, 36). Everything else stays unassigned.
-- In: raw, place(column_name, plain, organisation, is_full), region_name(text).
-- Out: read_{{column}}(text, value, fault, repair) and read_{{column}}_address(text, value), one row per text.
CREATE TEMP TABLE read_{{column}}_exact AS
WITH written AS MATERIALIZED (SELECT text, squeeze(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> ''))
SELECT w.text, w.plain, p.organisation
FROM written w LEFT JOIN place p ON p.column_name = '{{column}}' AND p.plain = w.plain;

CREATE TEMP TABLE read_{{column}}_loose AS
WITH loose AS MATERIALIZED (
    SELECT text, plain, false AS is_address FROM read_{{column}}_exact WHERE organisation IS NULL AND plain IS NOT NULL
    UNION ALL
    SELECT text, squeeze(text), true
    FROM (
        SELECT DISTINCT raw.{{address}} AS text
        FROM raw LEFT JOIN read_{{column}}_exact e ON e.text = raw.{{column}}
        WHERE e.organisation IS NULL AND raw.{{address}} <> ''
    )
),
named AS MATERIALIZED (
    SELECT l.text, l.is_address, p.organisation, strpos(l.plain, p.plain) AS starts, length(p.plain) AS letters
    FROM loose l JOIN place p ON p.column_name = '{{column}}' AND p.is_full AND contains(l.plain, p.plain)
    WHERE starts_with(l.plain, p.plain)
       OR EXISTS (FROM region_name r WHERE strpos(l.plain, r.text) BETWEEN 1 AND strpos(l.plain, p.plain) - 1)
),
first_and_longest AS (
    SELECT * FROM named QUALIFY rank() OVER (PARTITION BY text, is_address ORDER BY starts, letters DESC) = 1
)
SELECT text, is_address, min(organisation) AS organisation
FROM first_and_longest GROUP BY text, is_address HAVING count(DISTINCT organisation) = 1;

CREATE TEMP TABLE read_{{column}} AS
SELECT e.text, coalesce(e.organisation, l.organisation) AS value,
       CASE WHEN coalesce(e.organisation, l.organisation) IS NULL AND NOT means_nothing(coalesce(e.plain, ''))
            THEN 'unknown' END AS fault,
       CASE WHEN e.organisation IS NULL AND l.organisation IS NOT NULL THEN 'longest_match' END AS repair
FROM read_{{column}}_exact e LEFT JOIN read_{{column}}_loose l ON l.text = e.text AND NOT l.is_address;

CREATE TEMP TABLE read_{{column}}_address AS
SELECT text, organisation AS value FROM read_{{column}}_loose WHERE is_address;
