-- The register in counts: accepted rows, per column of codes or organisations those with each value ('' = none), per
-- column those in which it is filled. In: rows. Out: one row: a count, one histogram or count for each place.
SELECT count(*){{counts}} FROM rows WHERE outcome = 'accepted';
