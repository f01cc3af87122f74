-- One row per person in scope of the comparison: local hukou from the population register, and holders of a
-- residence certificate without local hukou (B14, L2).
-- In: population, residence_permits. Out: people(person_id, id_number, …).
-- A number that stands twice is one person here; the earlier line is kept (intake has counted the other).
CREATE TABLE people AS
WITH local AS (
    SELECT id_number, name, sex, birth_date, hukou_type, status AS population_status, false AS is_permit_holder,
           township, village, address, phone, household_no, status_date
    FROM population
    WHERE id_number IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY id_number ORDER BY source_file, row_number) = 1
),
permit_holders AS (
    SELECT id_number, name, sex, NULL::DATE AS birth_date, NULL::VARCHAR AS hukou_type,
           'resident' AS population_status, true AS is_permit_holder,
           township, village, NULL::VARCHAR AS address, phone, NULL::VARCHAR AS household_no, NULL::DATE AS status_date
    FROM residence_permits
    WHERE id_number IS NOT NULL
      AND (valid_to IS NULL OR valid_to >= getvariable('period_end'))
      AND NOT EXISTS (FROM local WHERE local.id_number = residence_permits.id_number)
    QUALIFY row_number() OVER (PARTITION BY id_number ORDER BY source_file, row_number) = 1
),
everyone AS (FROM local UNION ALL BY NAME FROM permit_holders)
SELECT 'P' || substr(md5(id_number), 1, 15) AS person_id,
       * REPLACE (
           -- The number wins over a birth date column that differs (domain.md, 24-25).
           coalesce(try_strptime(substr(id_number, 7, 8), '%Y%m%d')::DATE, birth_date) AS birth_date,
           CASE WHEN try_cast(substr(id_number, 17, 1) AS INTEGER) IS NULL THEN sex
                WHEN substr(id_number, 17, 1)::INTEGER % 2 = 1 THEN 'M' ELSE 'F' END AS sex
       )
FROM everyone;
