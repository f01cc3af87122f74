-- The typed snapshot: accepted rows in file order. In: rows. Out: the relation to write.
SELECT {{columns}}, row_number, member, getvariable('source_file')::VARCHAR AS source_file
FROM rows WHERE outcome = 'accepted' ORDER BY row_number, member;
