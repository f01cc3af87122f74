-- Rows with one kind of doubt. Either about whose they are: the number is blank, wrong, cut off or shared by two names, or
-- the name cannot be read; all else in them holds. The comparison may find whose they are, where the name and more agree
-- (domain.md 20, 23, 28). Or about what they say: number and name hold, and a code, date or number of an employer cannot
-- be read (37, 40): that cell is empty. They are never accepted, and never nothing: who stands in a register is not to be
-- pushed as if the register did not know him. Same columns as the snapshot, id_number null, and beside it the number
-- as it came (without spaces, width and case) and the fault. Sex and birth date are the row's own, not the number's: the
-- number may be somebody else's. Rows that stand twice stand once.
-- In: rows, raw. Out: the relation to write.
WITH told AS (
    SELECT rows.*{{own}}, raw.id_number AS number_cell, raw.name AS name_cell,
           -- The two cells have changed places (domain.md 29).
           coalesce(regexp_full_match(squeeze(raw.name), '[0-9]{14,17}[0-9X]')
                    AND NOT regexp_matches(raw.id_number, '[0-9]'), false) AS is_swapped
    FROM rows JOIN raw USING (row_number, member){{own_cells}}
    WHERE rows.outcome = 'quarantined' AND rows.row_fault IS NULL
      AND (rows.reason = 'id_number_two_names' OR rows.id_number_fault IS NOT NULL OR rows.name_fault IS NOT NULL)
          <> ({{otherwise_faulty}})
)
SELECT {{columns}}, coalesce(id_number, plain_number(CASE WHEN is_swapped THEN name_cell ELSE number_cell END)) AS id_given,
       reason AS id_fault, row_number, member, getvariable('source_file')::VARCHAR AS source_file
FROM told
QUALIFY row_number() OVER (PARTITION BY {{names}}, id_given ORDER BY row_number, member) = 1
ORDER BY row_number, member;
