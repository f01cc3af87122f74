-- Tier 0: which person a register's row is about by its number alone. Run once per register.
-- In: people, {{feed}}, {{feed}}_doubtful. Out: linked_{{feed}}, one row per register row whose number and name are those
-- of a person, with what the register says of that person; residual_{{feed}}, every other row, whole, with the holder of
-- its number if there is one (person, person_name): its name differs, nobody has its number, or its number is doubtful.
CREATE TEMP TABLE matched AS
SELECT r.*, {{computed}} p.person, p.name AS person_name, coalesce(p.name = r.name, false) AS is_exact
FROM (FROM {{feed}} UNION ALL BY NAME FROM {{feed}}_doubtful) r
LEFT JOIN (SELECT number, person, name FROM people WHERE number IS NOT NULL) p ON p.number = number_of(r.id_number);

CREATE VIEW linked_{{feed}} AS
SELECT person, file, source_file, row_number, member, {{facts}} FROM matched WHERE is_exact;

CREATE VIEW residual_{{feed}} AS SELECT * EXCLUDE (is_exact) FROM matched WHERE NOT is_exact;
