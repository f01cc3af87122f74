-- One row per employer (market supervision's register, or known only to the tax office or the dust-hazard list), and
-- one per construction project. In: employers, tax_units, dust_hazard_employers, construction_projects, registers, units,
-- unit_keys. Out: employer_profile, project_profile, documented in models/profile.py.
{{rows_with_their_employer}}
{{employer_said}}
{{project_said}}

CREATE TABLE employer_profile AS
WITH registered AS (
    SELECT * FROM of_employers WHERE unit IS NOT NULL
    -- A row with the code itself before one that was found by its name.
    QUALIFY row_number() OVER (PARTITION BY unit ORDER BY credit_code IS NULL, file, row_number) = 1
),
taxed AS (
    SELECT unit, max(last_taxed_month) AS last_taxed_month, max(withholding_employees) AS withholding_employees,
           min(name) AS name, min(township) AS township
    FROM of_tax_units WHERE unit IS NOT NULL GROUP BY unit
),
dusty AS (
    SELECT unit, max(exposed_workers) AS exposed_workers, min(name) AS name, min(township) AS township
    FROM of_dust_hazard_employers WHERE unit IS NOT NULL GROUP BY unit
),
employed AS (
    SELECT unit, count(DISTINCT id_number) AS persons
    FROM of_employment WHERE month IS NULL OR month = (SELECT max(month) FROM employment) GROUP BY unit
),
-- Counted from the registers as they stand, not from linked persons: who commutes in from elsewhere counts too.
pension AS (
    SELECT unit, count(DISTINCT id_number) AS persons
    FROM (SELECT unit, id_number, status FROM of_employee_pension
          UNION ALL SELECT unit, id_number, status FROM of_institution_pension)
    WHERE status = 'active' GROUP BY unit
),
injury AS (
    SELECT unit, count(DISTINCT id_number) AS persons FROM of_work_injury WHERE status = 'active' GROUP BY unit
),
any_scheme AS (
    SELECT DISTINCT unit
    FROM ({{insured_through}})
)
SELECT 'E' || substr(md5(u.credit_code), 1, 15) AS employer_id, u.credit_code,
       coalesce(r.name, t.name, d.name) AS name,
       -- Who is not in the register is told by the first two letters of the code (GB 32100).
       coalesce(r.kind, CASE left(u.credit_code, 2) WHEN '91' THEN 'enterprise' WHEN '92' THEN 'individual'
                             WHEN '11' THEN 'government' WHEN '12' THEN 'institution' END) AS kind,
       r.status, coalesce(r.status = 'operating', false) AS is_operating,
       coalesce(r.township, t.township, d.township) AS township, r.address, r.phone, r.registered_on,
       t.unit IS NOT NULL AS is_taxed, t.last_taxed_month,
       CASE WHEN t.last_taxed_month IS NULL THEN NULL ELSE months_between(t.last_taxed_month, getvariable('period')) END
         AS months_since_taxed,
       t.withholding_employees::INTEGER AS withholding_employees,
       coalesce(employed.persons, 0)::INTEGER AS employed_persons,
       coalesce(pension.persons, 0)::INTEGER AS pension_insured_persons,
       coalesce(injury.persons, 0)::INTEGER AS work_injury_insured_persons,
       any_scheme.unit IS NOT NULL AS is_insured,
       d.unit IS NOT NULL AS is_dust_hazard,
       d.exposed_workers::INTEGER AS exposed_workers,
       CASE WHEN d.unit IS NULL THEN NULL ELSE least(coalesce(injury.persons, 0), d.exposed_workers) END::INTEGER
         AS dust_insured_workers{{employer_told}}
FROM (SELECT credit_code, credit_code AS unit FROM units) u
LEFT JOIN registered r USING (unit)
LEFT JOIN taxed t USING (unit)
LEFT JOIN dusty d USING (unit)
LEFT JOIN employed USING (unit)
LEFT JOIN pension USING (unit)
LEFT JOIN injury USING (unit)
LEFT JOIN any_scheme USING (unit)
{{employer_joins}};

-- A project is known by its building permit, however it is spaced and bracketed. Told by two departments, it is insured if
-- either knows so.
CREATE TABLE project_profile AS
WITH by_permit AS (
    SELECT *, upper(regexp_replace(permit_no, '[\s()（）\[\]［］【】〔〕]', '', 'g')) AS permit FROM construction_projects
    WHERE permit_no IS NOT NULL AND (started_on IS NULL OR started_on <= getvariable('period_end'))
)
SELECT 'J' || substr(md5(p.permit), 1, 15) AS project_id, p.permit_no, p.name, coalesce(c.unit, p.employer_code) AS employer_code,
       p.employer_name, p.department, p.township, p.started_on,
       coalesce(p.started_on >= getvariable('campaign_starts'), false) AS is_new,
       bool_or(coalesce(p.work_injury_insured = 'yes', false)) OVER (PARTITION BY p.permit) AS is_insured{{project_told}}
FROM by_permit p LEFT JOIN (SELECT DISTINCT file, row_number, unit FROM of_construction_projects) c USING (file, row_number)
{{project_joins}}
QUALIFY row_number() OVER (PARTITION BY p.permit ORDER BY p.file, p.row_number) = 1;
