-- What the file says of itself in its 合计 and 小计 rows, beside what the rows around them add up to (domain.md 10).
-- A total stands for its sheet or for the file, a subtotal for the rows above it, or below it, up to the next mark.
-- In: rows, raw, part. Out: one row per mark: its kind, what it states, and the same measures of its sheet, of the file,
-- of the block above and of the block below. The measures: rows, lines, and one sum per column that can be added up.
WITH marked AS MATERIALIZED (
    SELECT rows.*, coalesce(part.first_row, 0) AS sheet,
           coalesce(
               regexp_extract(replace(concat_ws(' ', {{cells}}), ',', ''), '([0-9]{1,9}) ?(人|户|条|行|家|个|项|笔)', 1),
               '') AS with_unit,
           list_filter([{{cells}}], lambda cell: regexp_full_match(coalesce(cell, ''), '[0-9]{1,9}'))[1] AS bare
    FROM rows JOIN raw USING (row_number, member)
    LEFT JOIN part ON rows.row_number BETWEEN part.first_row AND part.last_row
    WHERE rows.dropped IN ('total', 'subtotal')
),
marks AS MATERIALIZED (
    SELECT sheet, row_number, dropped AS kind, row_number() OVER (PARTITION BY sheet ORDER BY row_number) AS block,
           {'rows': TRY_CAST(coalesce(nullif(with_unit, ''), bare) AS BIGINT){{stated}}} AS says
    FROM marked
),
data AS (
    SELECT rows.*, coalesce(part.first_row, 0) AS sheet
    FROM rows LEFT JOIN part ON rows.row_number BETWEEN part.first_row AND part.last_row
    WHERE rows.outcome <> 'dropped' AND EXISTS (FROM marks)
),
sums AS MATERIALIZED (
    SELECT d.sheet, coalesce(m.block, 0) AS block, count(*) AS rows, count(DISTINCT d.row_number) AS lines{{sums}}
    FROM data d ASOF LEFT JOIN marks m ON m.sheet = d.sheet AND m.row_number <= d.row_number
    GROUP BY ALL
)
SELECT kind, says,
       (SELECT {{measures}} FROM sums s WHERE s.sheet = m.sheet),
       (SELECT {{measures}} FROM sums s),
       (SELECT {{measures}} FROM sums s WHERE s.sheet = m.sheet AND s.block = m.block - 1),
       (SELECT {{measures}} FROM sums s WHERE s.sheet = m.sheet AND s.block = m.block)
FROM marks m ORDER BY sheet, block;
