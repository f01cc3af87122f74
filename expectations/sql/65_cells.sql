-- Cells of rows that are neither footer nor blank, aggregated: how many have a value, a fault, a repair, and of which
-- kind. In: rows. Out: one row.
SELECT {{aggregates}} FROM rows WHERE outcome <> 'dropped';
