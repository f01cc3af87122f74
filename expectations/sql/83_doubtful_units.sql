-- Rows about whose employer alone there is a doubt: the credit code is blank, wrong, or a 15-digit old number; all else in
-- them holds. They are never accepted; the comparison may find whose they are, by the old number or by name and place
-- (domain.md 40). Same columns as the snapshot, credit_code null, and beside it the number as it came and the fault.
-- In: rows, raw. Out: the relation to write.
SELECT {{columns}}, nullif(squeeze(raw.credit_code), '') AS id_given, rows.reason AS id_fault, rows.row_number, rows.member,
       getvariable('source_file')::VARCHAR AS source_file
FROM rows JOIN raw USING (row_number, member)
WHERE rows.outcome = 'quarantined' AND rows.row_fault IS NULL AND rows.credit_code_fault IS NOT NULL {{otherwise_sound}}
ORDER BY rows.row_number, rows.member;
