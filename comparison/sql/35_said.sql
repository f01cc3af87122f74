-- What one register says about each person: its plain rows as they stand, and the settled ones in place of theirs.
-- Run once per register. In: linked_{{feed}}, several_{{feed}}. Out: said_{{feed}}(person, {{facts}}).
CREATE VIEW said_{{feed}} AS
SELECT person, {{coded_facts}} FROM linked_{{feed}} ANTI JOIN several_{{feed}} USING (person) WHERE {{speaks_if}}
UNION ALL
SELECT person, {{coded_facts}} FROM several_{{feed}};
