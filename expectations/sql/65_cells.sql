-- What became of the cells of rows that are neither footer nor blank: per column, in the contract's order, how many
-- have a value, and how often each fault and each repair. In: rows. Out: one row, three columns per column.
SELECT {{cell_counts}} FROM rows WHERE outcome <> 'dropped';
