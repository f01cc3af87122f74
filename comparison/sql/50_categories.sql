-- Every person in exactly one category: the first of the plan's ordered expressions that holds takes the person.
-- In: person_facts. Out: person_profile (person_facts + category). The plan's last category is unconditional, and a
-- null condition counts as false, so nobody is left over.
CREATE TABLE person_profile AS
SELECT *, CASE {{category_cases}} END AS category
FROM person_facts;
