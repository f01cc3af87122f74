-- The rows whose person is in question, over all registers, numbered for the run. row_key is the question itself: the same
-- number under the same name is one question in every register and every month; without a number it is what the row
-- says. By it an answer is remembered.
-- In: residual_<feed>. Out: asked, one row per residual row.
CREATE TABLE asked AS
SELECT row_number() OVER () AS row_id, *,
       md5(concat_ws('|', name_core(name), coalesce(id_number, id_given, concat_ws('|', feed, {{told}})))) AS row_key
FROM (
{{rows}}
);
