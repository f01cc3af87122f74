-- Names as keys, and what two names say of each other. Macros only; they are asked about the few names that differ.
-- In: letters(letter, fold, sound, first, tags) of comparison/names.py, policy from look_alikes.yaml.

-- A name without width, case and separators. What stands for a letter that could not be typed stays, as '?'.
CREATE MACRO name_plain(x) AS upper(translate(regexp_replace(x, '[{{placeholders}}\p{Co}]', '?', 'g'),
    'ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'));
CREATE MACRO name_core(x) AS regexp_replace(name_plain(x), '[^\p{L}\p{Nl}?]+', '', 'g');
CREATE MACRO near_sound(sound) AS {{near_sound}};
-- What other ears write otherwise, as the first of its kind.
CREATE MACRO word_head(word) AS {{headed}};
-- Of a long name the words, at whatever separator; NFKC does not unify them (domain.md, Identity).
CREATE MACRO name_words(x) AS list_filter(
    string_split_regex(name_plain(x), '[^\p{L}\p{Nl}?]+'), lambda word: word <> '');

-- One row per name asked for: its keys. `asked` is the name of a table or view with a column `name`, each name once.
-- near is the sound of the whole, dialect-proof; tags hold for each letter what it is alike to; words are the near
-- sounds of the words of a long name, reversed is the whole from the last word to the first.
CREATE MACRO name_keys(asked) AS TABLE
WITH cored AS (SELECT name, name_core(name) AS core FROM query_table(asked)),
parted AS (SELECT *, regexp_full_match(core, '\p{Han}{1,4}') AND NOT regexp_matches(name, '\p{L}[^\p{L}\p{Z}?]\p{L}')
                     AND NOT regexp_matches(core, '{{listed}}') AS is_short FROM cored),
-- Nearly all names have up to four letters and no separator: four joins are a tenth of the price of the general way.
short AS (
    SELECT p.name, p.core, length(p.core)::INTEGER AS letters,
           concat(coalesce(a.fold, left(core, 1)), coalesce(b.fold, substr(core, 2, 1)),
                  coalesce(c.fold, substr(core, 3, 1)), coalesce(d.fold, substr(core, 4, 1))) AS fold,
           near_sound(concat(a.first, b.sound, c.sound, d.sound)) AS near,
           list_filter([coalesce(a.fold, left(core, 1)), coalesce(b.fold, substr(core, 2, 1)),
                        coalesce(c.fold, substr(core, 3, 1)), coalesce(d.fold, substr(core, 4, 1))],
                       lambda fold: fold <> '') AS folds,
           list_filter([coalesce(a.tags, [left(core, 1)]), coalesce(b.tags, [substr(core, 2, 1)]),
                        coalesce(c.tags, [substr(core, 3, 1)]), coalesce(d.tags, [substr(core, 4, 1)])],
                       lambda tags: tags <> ['']) AS tags
    FROM parted p
    LEFT JOIN letters a ON a.letter = left(p.core, 1)
    LEFT JOIN letters b ON b.letter = substr(p.core, 2, 1)
    LEFT JOIN letters c ON c.letter = substr(p.core, 3, 1)
    LEFT JOIN letters d ON d.letter = substr(p.core, 4, 1)
    WHERE p.is_short
),
words AS (
    SELECT name, core, word_head(unnest(written)) AS word, generate_subscripts(written, 1) AS word_number
    FROM (SELECT *, name_words(name) AS written FROM parted WHERE NOT is_short)
),
units AS (
    -- A Han letter is a unit; so is a run of Latin ones, which is a letter's pinyin.
    SELECT name, core, word_number, unnest(found) AS unit, generate_subscripts(found, 1) AS unit_number
    FROM (SELECT *, regexp_extract_all(word, '\p{Han}|\?|[^\p{Han}?]+') AS found FROM words)
),
read AS (
    SELECT u.*, coalesce(l.fold, u.unit) AS fold,
           CASE WHEN l.letter IS NULL THEN lower(unit)
                WHEN word_number = 1 AND unit_number = 1 THEN l.first ELSE l.sound END AS sound,
           coalesce(l.tags, CASE WHEN unit = '?' THEN ['?'] ELSE [unit, near_sound(lower(unit))] END) AS tags
    FROM units u LEFT JOIN letters l ON l.letter = u.unit
),
spoken AS (
    SELECT name, core, word_number, string_agg(fold, '' ORDER BY unit_number) AS fold,
           string_agg(sound, '' ORDER BY unit_number) AS sound, count(*) AS letters,
           list(fold ORDER BY unit_number) AS folds, list(tags ORDER BY unit_number) AS tags
    FROM read GROUP BY name, core, word_number
),
long AS (
    SELECT name, core, sum(letters)::INTEGER AS letters, string_agg(fold, '' ORDER BY word_number) AS fold,
           near_sound(string_agg(sound, '' ORDER BY word_number)) AS near,
           flatten(list(folds ORDER BY word_number)) AS folds, flatten(list(tags ORDER BY word_number)) AS tags,
           near_sound(string_agg(sound, '' ORDER BY word_number DESC)) AS reversed,
           list(near_sound(sound) ORDER BY word_number) AS words
    FROM spoken GROUP BY name, core
)
SELECT *, near AS reversed, [near] AS words, false AS is_long FROM short
UNION ALL BY NAME
SELECT *, greatest(letters, length(core)) >= {{letters_at_least}} OR (len(words) > 1 AND letters > len(words) + 1) AS is_long FROM long;

-- How alike two near sounds are: 1 - edits / length. They are ASCII, so bytes are letters.
CREATE MACRO sound_likeness(a, b) AS 1 - levenshtein(a, b) / greatest(length(a), length(b), 1);

-- Two Han names, letter by letter: each letter alike, one at least really the same.
CREATE MACRO letters_alike(a, b) AS a.letters = b.letters
    AND list_bool_and(list_transform(list_zip(a.tags, b.tags), lambda pair:
        list_has_any(pair[1], pair[2]) OR pair[1] = ['?'] OR pair[2] = ['?']))
    AND list_bool_or(list_transform(list_zip(a.folds, b.folds), lambda pair: pair[1] = pair[2]));

-- Two long names with all their words: in another order, or written down by another ear.
CREATE MACRO words_alike(a, b) AS
    list_sort(a.words) = list_sort(b.words) OR a.near = b.reversed OR b.near = a.reversed
    OR sound_likeness(a.near, b.near) >= {{whole_likeness}}
    OR (len(a.words) > 1 AND sound_likeness(a.reversed, b.near) >= {{whole_likeness}})
    OR (len(b.words) > 1 AND sound_likeness(a.near, b.reversed) >= {{whole_likeness}})
    OR (len(a.words) = len(b.words) AND list_bool_and(list_transform(list_zip(a.words, b.words), lambda pair:
        sound_likeness(pair[1], pair[2]) >= {{token_likeness}})));

-- `less` says less than `more`: cut off (a word may be cut in two), or without the father's name, which stands after
-- one's own.
CREATE MACRO is_cut_long_enough(less, more, written) AS written >= {{prefix_letters}}
    OR (written >= {{prefix_letters_of_long}} AND (len(less.words) > 1 OR len(more.words) = 1));
CREATE MACRO says_part_of(less, more) AS
    (less.letters < more.letters AND (
        (is_cut_long_enough(less, more, less.letters)
         AND (starts_with(more.near, less.near) OR starts_with(more.reversed, less.near)))
        OR (len(less.words) = 1 AND len(more.words) > 1 AND less.letters >= 2
            AND sound_likeness(less.near, more.words[1]) >= {{token_likeness}})))
    -- As written too: a word that is cut in two is not known as the word it was (次 of 次仁, which is put down as 才让).
    OR (less.core <> more.core AND starts_with(more.core, less.core) AND is_cut_long_enough(less, more, length(less.core)));
-- …or it is the last word of a name turned round, which may as well be the father's; or two letters, with which a long
-- name begins that lost its separator, so that nobody knows whether they are a word.
CREATE MACRO says_last_of(less, more) AS len(less.words) = 1 AND less.letters >= 2 AND (
    (len(more.words) > 1 AND sound_likeness(less.near, more.words[-1]) >= {{token_likeness}})
    OR (len(more.words) = 1 AND length(more.core) >= {{letters_at_least}} AND starts_with(more.core, less.core)));

-- What two names say of each other. a, b: rows of name_keys. 'same' but for separators, width, case; 'spelling': one name
-- written in two ways; 'part': one of them says less, which is weaker; 'last': less still, for a family shares the father's
-- name; 'different': a person must look.
CREATE MACRO name_verdict(a, b) AS CASE
    WHEN a.core = b.core THEN 'same'
    WHEN a.fold = b.fold OR a.near = b.near THEN 'spelling'
    WHEN letters_alike(a, b) THEN 'spelling'
    WHEN NOT (a.is_long OR b.is_long) THEN 'different'
    WHEN says_part_of(a, b) OR says_part_of(b, a) THEN 'part'
    WHEN words_alike(a, b) THEN 'spelling'
    WHEN says_last_of(a, b) OR says_last_of(b, a) THEN 'last'
    ELSE 'different'
END;
