-- Everything the registers say about one person as of the period's end: one row per person, documented in
-- models/profile.py and the contracts of feeds. In: people, said_<register>, employers, identity_cases. Out: person_profile, in the order of
-- people: it is joined and written in one stream, never held as a whole.
-- Every person is in exactly one category: the first of the plan's ordered expressions that holds takes the person. The
-- plan's last category is unconditional, and a null condition counts as false, so nobody is left over.
-- Codes are carried and written as enumerations: a prefecture's profile as plain texts takes twice as long to write.
CREATE TYPE payment AS ENUM ('active', 'suspended', 'terminated');
CREATE TYPE month_label AS ENUM (SELECT DISTINCT last_paid_month FROM ({{months}}) WHERE last_paid_month IS NOT NULL);
CREATE TYPE township_code AS ENUM (SELECT DISTINCT township FROM people WHERE township IS NOT NULL);
CREATE TYPE person_code AS ENUM (
    SELECT code FROM (SELECT sex AS code FROM people UNION SELECT hukou_type FROM people
                      UNION SELECT population_status FROM people) WHERE code IS NOT NULL);
CREATE TYPE category_code AS ENUM ({{categories}});

{{said}}
CREATE VIEW person_profile AS
WITH joined AS (
    SELECT p.person, p.person_id, p.id_number, p.name, p.sex::person_code AS sex_code, p.sex, p.birth_date,
           date_sub('year', p.birth_date, getvariable('period_end')) AS age_years,
           p.hukou_type::person_code AS hukou_type_code, p.hukou_type,
           p.population_status::person_code AS population_status_code, p.population_status, p.is_permit_holder,
           p.township::township_code AS township_code, p.township, p.village, p.address, p.phone,
           p.household_no,
           coalesce(p.population_status IN ('cancelled', 'moved_out'), false) AS is_gone,
           {{told_columns}},
           employers_in.township AS employer_township,
           identity_cases.person IS NOT NULL AS needs_identity_review
    FROM people p
    {{told_joins}}
    LEFT JOIN (SELECT DISTINCT person FROM identity_cases) identity_cases USING (person)
    LEFT JOIN (SELECT credit_code, min(township) AS township FROM employers GROUP BY ALL) employers_in
           ON employers_in.credit_code = said_employment.employer_code
),
facts AS (
    SELECT *,
           coalesce(age_years < 1, false) AS is_newborn,
           {{any_pension_active}} AS any_pension_active,
           {{any_pension_enrolled}} AS any_pension_enrolled,
           {{any_medical_active}} AS any_medical_active,
           {{pensions_at_once}} AS pension_schemes_active,
           {{medical_at_once}} AS medical_schemes_active,
           least({{pension_months}}) AS pension_months_unpaid,
           -- C7, C9: the register must show both sides of a conversion, the end of one scheme and the other one alive.
           employee_pension_active
             AND coalesce(resident_pension_ended_on >= getvariable('campaign_starts'), false)
             AND coalesce(resident_pension_end_reason = 'converted', false) AS was_converted
    FROM joined
)
-- Only what some rule of the plan asks is kept, and `person`, by which other tables of the run are joined.
SELECT person, {{columns}}
FROM (SELECT *, CASE {{category_cases}} END AS category FROM facts);
