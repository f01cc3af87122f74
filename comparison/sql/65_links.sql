-- Every register row and the person it was linked to, or nobody: no row vanishes. In: people, resolved, and linked_<feed>
-- and residual_<feed> of every register. Out: links, one row per register row (feed, source_file, row_number, member).
CREATE VIEW links AS
WITH plain AS (
    {{linked}}
),
rest AS (
    {{residual}}
)
SELECT l.feed, l.source_file, l.row_number, l.member, p.id_number, NULL::VARCHAR AS id_given, p.name, p.person_id,
       'exact' AS tier, 1.0::DOUBLE AS score, NULL::VARCHAR AS reason
FROM plain l JOIN people p USING (person)
UNION ALL
SELECT r.feed, r.source_file, r.row_number, r.member, r.id_number, r.id_given, r.name, p.person_id,
       s.tier, s.score, s.reason
FROM rest r JOIN resolved s USING (feed, file, row_number, member) LEFT JOIN people p ON p.person = s.person;
