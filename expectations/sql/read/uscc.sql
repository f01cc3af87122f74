-- Which credit code each distinct text is. The letters that codes leave out are written for the digits they look like;
-- the digits are taken where the check then holds (domain.md 40).
-- In: raw. Out: read_{{column}}(text, value, fault, repair), one row per text.
CREATE TEMP TABLE read_{{column}} AS
WITH written AS MATERIALIZED (
    SELECT text, squeeze(text) AS plain FROM (SELECT DISTINCT {{column}} AS text FROM raw WHERE {{column}} <> '')
),
tried AS MATERIALIZED (
    SELECT text, plain, translate(plain, 'OIZS', '0125') AS without_look_alikes
    FROM written WHERE NOT means_nothing(plain)
),
checked AS MATERIALIZED (
    SELECT *, is_credit_code(plain) AS holds, is_credit_code(without_look_alikes) AS would_hold FROM tried
)
SELECT text,
       CASE WHEN holds THEN plain WHEN would_hold THEN without_look_alikes END AS value,
       CASE WHEN holds OR would_hold THEN NULL
            WHEN regexp_full_match(plain, '[0-9]{15}') THEN 'old_number'
            WHEN regexp_full_match(plain, '[0-9A-Z]{18}') THEN 'check_letter'
            ELSE 'shape' END AS fault,
       CASE WHEN holds AND plain <> text THEN 'marks' WHEN would_hold AND NOT holds THEN 'look_alike' END AS repair
FROM checked;
