-- Tier 0: which person a register's row is about by its number alone. Run once per register.
-- In: {{feed}}, {{feed}}_doubtful, apart_{{feed}}. Out: linked_{{feed}}, one row per register row whose number and name are
-- those of a person, with what the register says of that person; residual_{{feed}}, every other row, whole: its name differs
-- from that of its number's holder, nobody has its number, or its number is doubtful.
CREATE TYPE fact_code AS ENUM (SELECT code FROM ({{codes}}) WHERE code IS NOT NULL);

CREATE VIEW linked_{{feed}} AS
SELECT number_of(id_number) AS person, file, source_file::fact_code AS source_file, row_number, member, {{linked_facts}}
FROM {{feed}} ANTI JOIN apart_{{feed}} USING (file, row_number, member);

CREATE VIEW residual_{{feed}} AS
SELECT *{{computed}} FROM (FROM {{feed}} SEMI JOIN apart_{{feed}} USING (file, row_number, member)
                           UNION ALL BY NAME FROM {{feed}}_doubtful);
