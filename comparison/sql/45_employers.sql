-- One row per employer (market supervision's register, or known only to the tax office or the dust-hazard list), and
-- one per construction project. In: employers, tax_units, dust_hazard_employers, registers. Out: employer_profile,
-- project_profile, documented in models/profile.py.
CREATE TABLE employer_profile AS
WITH registered AS (
    SELECT * FROM employers WHERE credit_code IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY credit_code ORDER BY source_file, row_number) = 1
),
taxed AS (
    SELECT credit_code, max(last_taxed_month) AS last_taxed_month, max(withholding_employees) AS withholding_employees,
           any_value(name) AS name, any_value(township) AS township
    FROM tax_units WHERE credit_code IS NOT NULL GROUP BY credit_code
),
dusty AS (
    SELECT credit_code, max(exposed_workers) AS exposed_workers, any_value(name) AS name,
           any_value(township) AS township
    FROM dust_hazard_employers WHERE credit_code IS NOT NULL GROUP BY credit_code
),
codes AS (
    SELECT credit_code FROM registered UNION SELECT credit_code FROM taxed UNION SELECT credit_code FROM dusty
),
employed AS (
    SELECT employer_code, count(DISTINCT id_number) AS persons
    FROM employment
    WHERE employer_code IS NOT NULL AND (month IS NULL OR month = (SELECT max(month) FROM employment))
    GROUP BY employer_code
),
-- Counted from the registers as they stand, not from linked persons: who commutes in from elsewhere counts too.
pension AS (
    SELECT employer_code, count(DISTINCT id_number) AS persons
    FROM (FROM employee_pension UNION ALL BY NAME FROM institution_pension)
    WHERE status = 'active' AND employer_code IS NOT NULL GROUP BY employer_code
),
injury AS (
    SELECT employer_code, count(DISTINCT id_number) AS persons
    FROM work_injury WHERE status = 'active' AND employer_code IS NOT NULL GROUP BY employer_code
),
any_scheme AS (
    SELECT DISTINCT employer_code
    FROM (FROM employee_pension UNION ALL BY NAME FROM institution_pension UNION ALL BY NAME FROM employee_medical
          UNION ALL BY NAME FROM unemployment UNION ALL BY NAME FROM work_injury UNION ALL BY NAME FROM maternity)
    WHERE status = 'active' AND employer_code IS NOT NULL
)
SELECT 'E' || substr(md5(c.credit_code), 1, 15) AS employer_id, c.credit_code,
       coalesce(r.name, t.name, d.name) AS name, r.kind, r.status,
       coalesce(r.status = 'operating', false) AS is_operating,
       coalesce(r.township, t.township, d.township) AS township, r.address, r.phone, r.registered_on,
       t.credit_code IS NOT NULL AS is_taxed, t.last_taxed_month,
       CASE WHEN t.last_taxed_month IS NULL THEN NULL ELSE months_between(t.last_taxed_month, getvariable('period')) END
         AS months_since_taxed,
       t.withholding_employees::INTEGER AS withholding_employees,
       coalesce(employed.persons, 0)::INTEGER AS employed_persons,
       coalesce(pension.persons, 0)::INTEGER AS pension_insured_persons,
       coalesce(injury.persons, 0)::INTEGER AS work_injury_insured_persons,
       any_scheme.employer_code IS NOT NULL AS is_insured,
       d.credit_code IS NOT NULL AS is_dust_hazard,
       d.exposed_workers::INTEGER AS exposed_workers,
       CASE WHEN d.credit_code IS NULL THEN NULL
            ELSE least(coalesce(injury.persons, 0), d.exposed_workers) END::INTEGER AS dust_insured_workers
FROM codes c
LEFT JOIN registered r USING (credit_code)
LEFT JOIN taxed t USING (credit_code)
LEFT JOIN dusty d USING (credit_code)
LEFT JOIN employed ON employed.employer_code = c.credit_code
LEFT JOIN pension ON pension.employer_code = c.credit_code
LEFT JOIN injury ON injury.employer_code = c.credit_code
LEFT JOIN any_scheme ON any_scheme.employer_code = c.credit_code;

CREATE TABLE project_profile AS
SELECT 'J' || substr(md5(permit_no), 1, 15) AS project_id, permit_no, name, employer_code, employer_name, department,
       township, started_on, coalesce(started_on >= getvariable('campaign_starts'), false) AS is_new,
       coalesce(work_injury_insured = 'yes', false) AS is_insured
FROM construction_projects
WHERE permit_no IS NOT NULL AND (started_on IS NULL OR started_on <= getvariable('period_end'))
QUALIFY row_number() OVER (PARTITION BY permit_no ORDER BY source_file, row_number) = 1;
