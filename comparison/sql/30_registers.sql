-- What a register says about a person where that needs settling: the person has several rows in it, or rows that were
-- linked by more than their number and name. The strongest row speaks, so that an old terminated one never hides a current
-- one. Who has one plain row is not repeated here: 35_said takes it from linked_{{feed}}. Run once per register.
-- In: linked_{{feed}}, residual_{{feed}}, resolved. Out: several_{{feed}}(person, {{facts}}), one row per person.
CREATE OR REPLACE TEMP TABLE extra AS
SELECT s.person, {{facts}}
FROM residual_{{feed}} r
JOIN (SELECT person, file, row_number, member FROM resolved WHERE feed = '{{feed}}' AND person IS NOT NULL) s
     USING (file, row_number, member)
WHERE {{speaks_if}};

CREATE OR REPLACE TEMP TABLE many AS
SELECT person FROM linked_{{feed}} WHERE {{speaks_if}} GROUP BY person HAVING count(*) > 1
UNION SELECT person FROM extra;

CREATE VIEW several_{{feed}} AS
WITH rows AS (SELECT person, {{facts}} FROM linked_{{feed}} SEMI JOIN many USING (person) WHERE {{speaks_if}}
              UNION ALL FROM extra)
SELECT person, {{facts}} FROM rows
QUALIFY row_number() OVER (PARTITION BY person ORDER BY {{strongest_first}}) = 1;
