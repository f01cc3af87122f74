-- One row per person in scope of the comparison: local hukou from the population register, and holders of a
-- residence certificate without local hukou (B14, L2).
-- In: population, residence_permits and their _doubtful rows. Out: people(person, id_number, …); `number` and `person_id`
-- are added where it is read. `person` is what tables are joined on, the same from month to month: the number itself, so that a
-- register's row says whom it means before it is joined to anybody.
-- A number that stands twice is one person here; the earlier line is kept (intake has counted the other).
-- Whose own number in the population register is in doubt is a person all the same: known by name, household and the
-- number as it came, with person < 0, 'D' for 'P', and no `number` by which a register could be joined. Whose number and
-- name are sound and whose status alone cannot be read is in scope, with no status (is_in_doubt).
-- Codes are carried as enumerations: they are written in half the time.
CREATE TYPE township_code AS ENUM (
    SELECT DISTINCT township FROM (SELECT township FROM population UNION ALL SELECT township FROM population_doubtful
        UNION ALL SELECT township FROM residence_permits UNION ALL SELECT township FROM residence_permits_doubtful)
    WHERE township IS NOT NULL);
CREATE TYPE person_code AS ENUM (
    SELECT DISTINCT code
    FROM (SELECT unnest(list_distinct(list(sex) || list(hukou_type) || list(status))) AS code
          FROM (SELECT DISTINCT sex, hukou_type, status FROM population
                UNION SELECT sex, hukou_type, status FROM population_doubtful)
          UNION SELECT sex FROM residence_permits UNION SELECT sex FROM residence_permits_doubtful
          UNION SELECT unnest(['M', 'F', 'resident']))
    WHERE code IS NOT NULL);

CREATE VIEW people AS
-- Only the few numbers that stand twice are sorted, and the register is asked again rather than kept: rows are wide.
WITH several AS (SELECT id_number FROM population WHERE id_number IS NOT NULL GROUP BY id_number HAVING count(*) > 1),
standing AS (
    FROM population ANTI JOIN several USING (id_number) WHERE id_number IS NOT NULL
    UNION ALL
    FROM (FROM population SEMI JOIN several USING (id_number)
          QUALIFY row_number() OVER (PARTITION BY id_number ORDER BY file, row_number, member) = 1)
    UNION ALL BY NAME
    FROM (SELECT * REPLACE (id_given AS id_number) FROM population_doubtful WHERE NOT is_about_person(id_fault))
    ANTI JOIN population USING (id_number)
    QUALIFY row_number() OVER (PARTITION BY id_number ORDER BY file, row_number, member) = 1
),
local AS (
    SELECT id_number, id_fault IS NOT NULL AS is_in_doubt, name, sex, birth_date, hukou_type, status AS population_status,
           false AS is_permit_holder,
           township, village, address, phone, household_no
    FROM standing
),
permit_holders AS (
    SELECT id_number, false AS is_in_doubt, name, sex, NULL::DATE AS birth_date, NULL::VARCHAR AS hukou_type,
           'resident' AS population_status, true AS is_permit_holder,
           township, village, NULL::VARCHAR AS address, phone, NULL::VARCHAR AS household_no
    FROM residence_permits
    WHERE id_number IS NOT NULL
      AND (valid_to IS NULL OR valid_to >= getvariable('period_end'))
      AND NOT EXISTS (FROM population p WHERE p.id_number = residence_permits.id_number)
    QUALIFY row_number() OVER (PARTITION BY id_number ORDER BY file, row_number, member) = 1
),
sound AS (FROM local UNION ALL BY NAME FROM permit_holders),
doubtful AS (
    SELECT id_given, name, sex, birth_date, hukou_type, status AS population_status, false AS is_permit_holder,
           township, village, address, phone, household_no
    FROM population_doubtful WHERE name IS NOT NULL AND is_about_person(id_fault)
    UNION ALL BY NAME
    SELECT id_given, name, sex, 'resident' AS population_status, true AS is_permit_holder, township, village, phone
    FROM residence_permits_doubtful
    WHERE name IS NOT NULL AND (valid_to IS NULL OR valid_to >= getvariable('period_end'))
),
-- The same member of the same household stands there with a sound number too: no second person.
unlisted AS (
    SELECT *, md5(concat_ws('|', name, id_given, household_no, township, village)) AS known_by
    FROM doubtful d
    WHERE NOT EXISTS (FROM population l WHERE l.household_no = d.household_no AND l.name = d.name
                      AND l.id_number IS NOT NULL AND (d.birth_date IS NULL OR l.birth_date = d.birth_date))
    QUALIFY row_number() OVER (PARTITION BY known_by ORDER BY population_status, sex, birth_date) = 1
)
SELECT * REPLACE (sex::person_code AS sex, hukou_type::person_code AS hukou_type,
                  population_status::person_code AS population_status, township::township_code AS township)
FROM (
    SELECT person_of(id_number) AS person,
           * REPLACE (
               -- The number wins over a birth date column that differs (domain.md, 24-25).
               coalesce(try_strptime(substr(id_number, 7, 8), '%Y%m%d')::DATE, birth_date) AS birth_date,
               CASE WHEN try_cast(substr(id_number, 17, 1) AS INTEGER) IS NULL THEN sex
                    WHEN substr(id_number, 17, 1)::INTEGER % 2 = 1 THEN 'M' ELSE 'F' END AS sex
           )
    FROM sound
    UNION ALL BY NAME
    SELECT -('0x' || substr(known_by, 1, 15))::BIGINT AS person, false AS is_in_doubt,
           coalesce(id_given, '') AS id_number, * EXCLUDE (id_given, known_by)
    FROM unlisted
);
