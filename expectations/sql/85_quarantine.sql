-- What the sender has to mend: the kept cells as they came, with line, reason and the faults of all cells; for returned
-- files too.
-- In: rows, raw, part(sheet, skipped_lines, first_row, last_row). Out: the relation to write.
SELECT rows.row_number, rows.member, part.sheet, rows.row_number - part.skipped_lines AS line, rows.reason,
       list_filter([{{faults}}], lambda fault: fault IS NOT NULL) AS faults, {{columns}}
FROM rows JOIN raw USING (row_number, member)
LEFT JOIN part ON rows.row_number BETWEEN part.first_row AND part.last_row
WHERE rows.outcome = 'quarantined' ORDER BY rows.row_number, rows.member;
