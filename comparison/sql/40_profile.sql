-- Everything the registers say about one person as of the period's end: one row per person, documented in
-- models/profile.py. In: people and the tables of 30_registers. Out: person_profile.
-- Every person is in exactly one category: the first of the plan's ordered expressions that holds takes the person. The
-- plan's last category is unconditional, and a null condition counts as false, so nobody is left over.
CREATE MACRO months_between(earlier, later) AS
    (left(later, 4)::INTEGER - left(earlier, 4)::INTEGER) * 12 + right(later, 2)::INTEGER - right(earlier, 2)::INTEGER;

CREATE TABLE person_profile AS
WITH joined AS (
    SELECT p.person_id, p.id_number, p.name, p.sex, p.birth_date,
           date_diff('year', p.birth_date, getvariable('period_end'))
             - CASE WHEN strftime(getvariable('period_end'), '%m%d') < strftime(p.birth_date, '%m%d') THEN 1 ELSE 0 END
             AS age_years,
           p.hukou_type, p.population_status, p.is_permit_holder, p.township, p.village, p.address, p.phone,
           p.household_no,
           died.person_id IS NOT NULL AS is_deceased, died.death_date,
           coalesce(p.population_status IN ('cancelled', 'moved_out'), false) AS is_gone,
           studies.person_id IS NOT NULL AS is_student, studies.school,
           hardship_of.person_id IS NOT NULL AS is_hardship, hardship_of.hardship_kind,
           poverty_of.person_id IS NOT NULL AS is_poor, poverty_of.poverty_kind,
           disability_of.person_id IS NOT NULL AS is_disabled, disability_of.disability_grade,
           works.person_id IS NOT NULL AS is_employed, works.employer_code, works.employer_name,
           employers_in.township AS employer_township,
           {{scheme_columns}},
           rp.tier_yuan AS resident_pension_tier_yuan, rp.paid_yuan AS resident_pension_paid_yuan,
           rp.ended_on AS resident_pension_ended_on, rp.end_reason AS resident_pension_end_reason,
           draws.person_id IS NOT NULL AS is_drawing_benefit, draws.benefit_scheme, draws.benefit_monthly_yuan,
           coalesce(card_of.has_card, false) AS has_card
    FROM people p
    LEFT JOIN died USING (person_id)
    LEFT JOIN studies USING (person_id)
    LEFT JOIN hardship_of USING (person_id)
    LEFT JOIN poverty_of USING (person_id)
    LEFT JOIN disability_of USING (person_id)
    LEFT JOIN works USING (person_id)
    LEFT JOIN draws USING (person_id)
    LEFT JOIN card_of USING (person_id)
    LEFT JOIN (SELECT credit_code, any_value(township) AS township FROM employers GROUP BY ALL) employers_in
           ON employers_in.credit_code = works.employer_code
    {{scheme_joins}}
),
facts AS (
    SELECT *,
           coalesce(age_years < 1, false) AS is_newborn,
           employee_pension_active OR institution_pension_active OR resident_pension_active AS any_pension_active,
           coalesce(employee_pension_status IN ('active', 'suspended'), false)
             OR coalesce(institution_pension_status IN ('active', 'suspended'), false)
             OR coalesce(resident_pension_status IN ('active', 'suspended'), false) AS any_pension_enrolled,
           employee_medical_active OR resident_medical_active AS any_medical_active,
           employee_pension_active::INTEGER + institution_pension_active::INTEGER + resident_pension_active::INTEGER
             AS pension_schemes_active,
           employee_medical_active::INTEGER + resident_medical_active::INTEGER AS medical_schemes_active,
           least(
               CASE WHEN employee_pension_status = 'suspended' THEN employee_pension_months_unpaid END,
               CASE WHEN institution_pension_status = 'suspended' THEN institution_pension_months_unpaid END,
               CASE WHEN resident_pension_status = 'suspended' THEN resident_pension_months_unpaid END
           ) AS pension_months_unpaid,
           -- C7, C9: the register must show both sides of a conversion, the end of one scheme and the other one alive.
           employee_pension_active
             AND coalesce(resident_pension_ended_on >= getvariable('campaign_starts'), false)
             AND coalesce(resident_pension_end_reason = 'converted', false) AS was_converted,
           false AS needs_identity_review
    FROM joined
)
SELECT *, CASE {{category_cases}} END AS category
FROM facts;
