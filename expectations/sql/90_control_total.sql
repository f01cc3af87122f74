-- How many rows the file itself says it has: stated in a 合计 row, else the sum of the 小计 rows; null where none says.
-- In: rows, raw. Out: one number.
WITH totals AS (
    SELECT rows.dropped,
           coalesce(
               regexp_extract(replace(concat_ws(' ', {{cells}}), ',', ''), '([0-9]{1,9}) ?(人|户|条|行|家|个|项|笔)', 1),
               '') AS with_unit,
           list_filter([{{cells}}], lambda cell: regexp_full_match(coalesce(cell, ''), '[0-9]{1,9}'))[1] AS bare
    FROM rows JOIN raw USING (row_number)
    WHERE rows.dropped IN ('total', 'subtotal')
),
counted AS (SELECT dropped, TRY_CAST(coalesce(nullif(with_unit, ''), bare) AS BIGINT) AS stated FROM totals)
SELECT coalesce(
    (SELECT max(stated) FROM counted WHERE dropped = 'total'),
    (SELECT sum(stated)::BIGINT FROM counted WHERE dropped = 'subtotal'));
