-- Citizen numbers (GB 11643) and unified social credit codes (GB 32100). Macros only.

-- Weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2 over the first 17 digits, modulo 11; null where they are no digits. (Twice
-- as fast as cutting 17 letters out.)
CREATE MACRO digit(n, place) AS n // (10 ** place)::BIGINT % 10;
CREATE MACRO weighed(n) AS (
      digit(n, 16) * 7 + digit(n, 15) * 9 + digit(n, 14) * 10 + digit(n, 13) * 5 + digit(n, 12) * 8
    + digit(n, 11) * 4 + digit(n, 10) * 2 + digit(n, 9) * 1 + digit(n, 8) * 6 + digit(n, 7) * 3
    + digit(n, 6) * 7 + digit(n, 5) * 9 + digit(n, 4) * 10 + digit(n, 3) * 5
    + digit(n, 2) * 8 + digit(n, 1) * 4 + digit(n, 0) * 2) % 11;
CREATE MACRO check_letter(x) AS substr('10X98765432', 1 + weighed(try_cast(left(x, 17) AS BIGINT)), 1);

-- × and the Cyrillic letter stand where X should (domain.md 17).
CREATE MACRO plain_number(x) AS CASE
    WHEN regexp_full_match(x, '[0-9X]+') THEN x
    WHEN means_nothing(x) THEN NULL
    ELSE translate(squeeze(x), '×✕╳Х', 'XXXX')
END;

-- 15 digits become 18: the century 19 goes in, the check letter goes on (domain.md 18).
CREATE MACRO eighteen(x) AS CASE
    WHEN length(x) = 15 AND regexp_full_match(x, '[1-9][0-9]{14}')
    THEN left(x, 6) || '19' || substr(x, 7) || check_letter(left(x, 6) || '19' || substr(x, 7))
    ELSE x
END;

CREATE MACRO is_number_shaped(x) AS regexp_full_match(x, '[1-9][0-9]{16}[0-9X]');
CREATE MACRO born(x) AS CASE WHEN is_number_shaped(x) THEN try_strptime(substr(x, 7, 8), '%Y%m%d')::DATE END;
CREATE MACRO sex_of(x) AS CASE WHEN ascii(substr(x, 17, 1)) % 2 = 1 THEN 'M' ELSE 'F' END;

-- Why a number is none; null where it is one. A foreign or retired area is never a fault (domain.md 22).
CREATE MACRO birth_fault(birth_date) AS CASE
    WHEN birth_date IS NULL OR birth_date NOT BETWEEN getvariable('earliest_birth') AND getvariable('latest_day') THEN 'birth_date'
END;
CREATE MACRO number_fault(x, birth_date) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN NOT is_number_shaped(x) THEN CASE
        WHEN regexp_full_match(x, '[0-9.]+E\+?[0-9]+') THEN 'lost_digits'
        WHEN regexp_full_match(x, '[A-Z]{1,2}[0-9]{6,10}') THEN 'other_document'
        ELSE 'shape' END
    WHEN check_letter(x) <> right(x, 1)
    THEN CASE WHEN ends_with(x, '000') THEN 'lost_digits' ELSE 'check_digit' END
    WHEN birth_fault(birth_date) IS NOT NULL THEN 'birth_date'
END;

-- How a number was mended; null where it came as it stands.
CREATE MACRO number_repair(raw, plain, final) AS CASE
    WHEN raw = final OR final IS NULL THEN NULL
    WHEN length(plain) = 15 THEN '15_digits'
    WHEN length(plain) > 18 THEN 'first_18'
    WHEN upper(raw) = final THEN 'lower_x'
    ELSE 'marks'
END;

-- The 31 letters of a credit code are 0-9 and A-Z without I O Z S V; weights are powers of 3 modulo 31.
CREATE MACRO credit_value(letter) AS strpos('0123456789ABCDEFGHJKLMNPQRTUWXY', letter) - 1;
CREATE MACRO credit_check(x) AS substr('0123456789ABCDEFGHJKLMNPQRTUWXY', 1 + CAST((31 - list_sum(list_transform(
    [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28],
    lambda weight, i: weight * credit_value(substr(x, i, 1)))) % 31) % 31 AS INTEGER), 1);
CREATE MACRO is_credit_code(x) AS
    CASE WHEN regexp_full_match(x, '[0-9A-HJ-NPQRTUWXY]{18}') THEN credit_check(x) = right(x, 1) ELSE false END;
