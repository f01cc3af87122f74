-- The typed snapshot: accepted rows in file order. In: rows. Out: the relation to write.
SELECT {{columns}}, row_number, getvariable('source_file')::VARCHAR AS source_file
FROM rows WHERE outcome = 'accepted' ORDER BY row_number;
