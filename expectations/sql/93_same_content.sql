-- Whether the accepted rows are, whatever their order, exactly those of an earlier snapshot. Two registers with one sum
-- of hashes are the same: both are made here and now, by the same function. In: rows, the snapshot. Out: one truth value.
SELECT (SELECT (count(*), sum(hash({{columns}})::HUGEINT)) FROM rows WHERE outcome = 'accepted')
     = (SELECT (count(*), sum(hash({{columns}})::HUGEINT)) FROM read_parquet('{{snapshot}}'));
