-- One row per row of the file: every cell read, its fault and its repair beside it, and the first reason why the row
-- cannot be used as it stands. A row whose number looks like one is never taken for a footer.
-- In: raw, found_header(column_name, text), read_<column> for every column that is neither number, name nor text.
-- Out: judged(row_number, dropped, reason, <column>, <column>_fault, <column>_repair, …).
CREATE TEMP TABLE judged AS
WITH placed AS (
    SELECT raw.*,
           CASE WHEN {{is_plausible}} THEN NULL ELSE squeeze(concat_ws('|', {{foot_cells}})) END AS foot_cells,
           CASE WHEN {{is_plausible}} THEN NULL ELSE concat_ws('', {{all_cells}}) END AS other_cells,
           trim({{heading_cell}}) = (SELECT text FROM found_header WHERE column_name = '{{heading}}') AS repeats_header
           {{tidied}}{{plain_numbers}}
    FROM raw
),
long AS (
    SELECT *,
           CASE WHEN repeats_header THEN 'header'
                WHEN foot_cells IS NOT NULL AND foot_of(foot_cells) IS NOT NULL THEN foot_of(foot_cells)
                WHEN NOT regexp_matches(other_cells, '[^\p{Z}\p{C}]') THEN 'blank' END AS dropped
           {{joined_names}}{{final_numbers}}
    FROM placed
),
dated AS (SELECT *{{births}} FROM long),
checked AS (SELECT *{{number_faults}} FROM dated),
read AS (
    SELECT c.row_number, c.row_fault, c.dropped{{readings}}
    FROM checked c
    {{joins}}
),
agreed AS (SELECT * {{replacements}}{{agreements}} FROM read)
SELECT *, CASE WHEN dropped IS NULL THEN coalesce(row_fault{{reasons}}) END AS reason
FROM agreed;
