-- How cells become text that can be compared. Macros only; every expression is over one cell.
-- Width is folded for letters and digits; spaces of every kind (NBSP, ideographic), zero-width letters and the
-- apostrophe by which Excel marks text are taken away (domain.md 16, 17). Cells without any of these, nearly all of
-- them, are told apart by one pattern and pass unchanged: translating is a hundred times dearer than looking.

-- What people write for nothing. (A list after IN would become a join; a pattern behind a length is nearly free.)
CREATE MACRO means_nothing(x) AS length(x) <= 4 AND regexp_full_match(x, '(?i)(|-{1,4}|—{1,2}|/|\\|无|空|不详|暂无|NULL|NONE|NAN)');
-- What Excel writes for a formula that failed, and reading for one whose value was not kept (domain.md 44). The first
-- letter is compared before any pattern is tried: every cell of every row is asked.
CREATE MACRO is_excel_error(x) AS CASE WHEN x >= '#' AND x < '$' THEN regexp_full_match(x,
    '#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|GETTING_DATA|公式无结果)') ELSE false END;

-- Free text: inner spaces stay, one each.
CREATE MACRO tidy(x) AS CASE
    WHEN x IS NULL OR means_nothing(x) THEN NULL
    WHEN NOT regexp_matches(x, '[\p{Z}\p{Cc}\p{Cf}''`０-９Ａ-Ｚａ-ｚ]') THEN x
    ELSE nullif(trim(ltrim(trim(regexp_replace(regexp_replace(translate(x,
        '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ',
        '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'),
        '\p{Cf}+', '', 'g'), '[\p{Z}\p{Cc}]+', ' ', 'g')), '''`')), '')
END;

-- Codes, numbers and dates: no space or mark inside means anything, nor does case.
CREATE MACRO squeeze(x) AS CASE
    WHEN x IS NULL OR x = '' THEN NULL
    WHEN regexp_full_match(x, '[-0-9A-Z\p{Han}/.,:+%()]+') THEN x
    ELSE nullif(upper(translate(regexp_replace(x, '[\p{Z}\p{Cc}\p{Cf}''"`‘’“”]+', '', 'g'),
        '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ（）［］－—／．，：；＋％￥＃',
        '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz()[]--/.,:;+%¥#')), '')
END;

-- Names, tidied before: a Han name of up to four letters has no space in it; the separator of minority names has one
-- form, U+00B7 (domain.md 26: it comes as U+2022 2027 2219 22C5 30FB FF65 FF0E 002E 25CF, which NFKC keeps apart).
CREATE MACRO joined_name(x) AS CASE
    WHEN regexp_full_match(x, '\p{Han}{2,4}') THEN x
    WHEN regexp_full_match(x, '\p{Han}( ?\p{Han}){1,3}') THEN replace(x, ' ', '')
    ELSE regexp_replace(x, ' ?[•‧∙⋅・･．.●·] ?', '·', 'g')
END;
-- What of a name must agree for two rows to mean the same person.
CREATE MACRO name_core(x) AS upper(regexp_replace(x, '[^\p{L}\p{N}]+', '', 'g'));
-- What stands where a name should.
CREATE MACRO name_fault(x) AS CASE
    WHEN is_excel_error(x) THEN 'unreadable'
    WHEN regexp_matches(x, '[0-9]{6}') THEN 'holds_number'
END;
-- A mobile or a landline number, or several with a separator between (domain.md 38).
CREATE MACRO is_no_phone(x) AS NOT regexp_full_match(x,
    '((\+?86-?)?1[3-9][0-9]{9}|(0[0-9]{2,3}-?)?[2-9][0-9]{6,7}(-[0-9]{1,6})?)([ /、,，;；]+((\+?86-?)?1[3-9][0-9]{9}|(0[0-9]{2,3}-?)?[2-9][0-9]{6,7}(-[0-9]{1,6})?))*');
CREATE MACRO text_fault(x) AS CASE WHEN is_excel_error(x) THEN 'unreadable' END;

-- The foot of a table, over the first cells of a row, squeezed and joined by | (domain.md 10, 11): what was added up,
-- who signed, what was noted. Cells without any letter with which such words begin are nearly all; squeezing them would
-- be ten times dearer than looking.
CREATE MACRO may_be_foot(cells) AS regexp_matches(cells, '[合总共累小填报制审复经统打导单主分领负签盖公联日备说注]');
CREATE MACRO foot_of(cells) AS CASE
    WHEN cells IS NULL THEN NULL
    WHEN regexp_matches(cells, '(^|\|)(合计|总计|共计|累计)') THEN 'total'
    WHEN regexp_matches(cells, '(^|\|)(小计|[^|]{0,12}小计(\||[:(]|$))') THEN 'subtotal'
    WHEN regexp_matches(cells, '(^|\|)((填表|填报|制表|审核|复核|经办|报送|统计|打印|导出|单位|主管|分管|领导|负责|签字|盖章|公章|联系|日期|备注|说明|注)[^0-9:|]{0,8}:|(填表人|填报人|制表人|审核人|复核人|经办人|负责人|单位负责人|填表日期|填报日期|填报单位|报送单位|盖章|注|备注|说明)(\||$))')
    THEN 'footer'
END;
