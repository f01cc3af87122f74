-- Dates, months, amounts and whole numbers in the shapes in which they come. Macros over text already squeezed
-- (domain.md 31, 39). What fits none of the shapes is null, and a fault.

CREATE MACRO in_bounds(d) AS CASE WHEN d BETWEEN getvariable('earliest_date') AND getvariable('latest_date') THEN d END;

-- Excel's day 1 is 1900-01-01 and it believes in a 29 February 1900: counting from 1899-12-30 is right from March on.
CREATE MACRO date_of(x) AS in_bounds(CASE
    WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN TRY_CAST(x AS DATE)
    WHEN regexp_full_match(x, '[0-9]{8}') THEN try_strptime(x, '%Y%m%d')::DATE
    WHEN regexp_full_match(x, '[1-6][0-9]{4}(\.[0-9]+)?') THEN DATE '1899-12-30' + CAST(floor(TRY_CAST(x AS DOUBLE)) AS INTEGER)
    WHEN regexp_full_match(x, '[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}[日号]?(T?[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]+)?)?')
    THEN TRY_CAST(regexp_replace(x, '^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2}).*$', '\1-\2-\3') AS DATE)
END);
CREATE MACRO date_repair(x) AS CASE
    WHEN regexp_full_match(x, '[0-9]{4}([-/]?)[0-9]{1,2}([-/]?)[0-9]{1,2}') AND length(x) >= 8 THEN NULL
    WHEN regexp_full_match(x, '[1-6][0-9]{4}(\.[0-9]+)?') THEN 'serial'
    ELSE 'shape'
END;
-- The time of day is cut off before squeezing joins it to the day.
CREATE MACRO date_text(x) AS squeeze(regexp_replace(trim(x), '^([^ T]*[0-9日号])[ T]+[0-9]{1,2}:[0-9]{2}.*$', '\1'));

CREATE MACRO month_of(x) AS CASE
    WHEN regexp_full_match(x, '[0-9]{4}(0[1-9]|1[0-2])(期|月)?') THEN left(x, 4) || '-' || substr(x, 5, 2)
    WHEN regexp_full_match(x, '[0-9]{4}[-/.年](0?[1-9]|1[0-2])(月|月份|期)?')
    THEN left(x, 4) || '-' || lpad(regexp_extract(x, '^[0-9]{4}[-/.年]([0-9]{1,2})', 1), 2, '0')
    ELSE strftime(date_of(x), '%Y-%m')
END;
CREATE MACRO month_in_bounds(m) AS CASE
    WHEN m BETWEEN strftime(getvariable('earliest_date')::DATE, '%Y-%m') AND strftime(getvariable('latest_date')::DATE, '%Y-%m') THEN m
END;

-- '330元', '¥1,200.50', '0.0330万元'. A comma stands only before three digits: '1,2' is nothing.
CREATE MACRO amount_core(x) AS regexp_extract(x, '^(人民币|RMB|¥)?(-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?)(万|亿)?(元|圆|块|人|户|家|个|%)?(整|/年|/月|每年|每月)?$', 2);
CREATE MACRO amount_of(x, unit) AS round(
    TRY_CAST(nullif(replace(amount_core(x), ',', ''), '') AS DOUBLE)
    * CASE WHEN contains(x, '万') THEN 10000 WHEN contains(x, '亿') THEN 100000000 WHEN contains(x, '元') THEN 1 ELSE unit END, 4);
CREATE MACRO amount_repair(x) AS CASE WHEN regexp_full_match(x, '-?[0-9]+(\.[0-9]+)?') THEN NULL ELSE 'unit' END;
CREATE MACRO whole_of(x) AS CASE
    WHEN regexp_full_match(x, '[0-9]{1,12}(\.0+)?(年|年度|人|个|家|户)?') THEN TRY_CAST(regexp_extract(x, '^[0-9]+') AS BIGINT)
    WHEN regexp_full_match(x, '[0-9]{1,3}(,[0-9]{3})+(人|个|家|户)?') THEN TRY_CAST(regexp_extract(replace(x, ',', ''), '^[0-9]+') AS BIGINT)
END;

-- The last day that a file of this period may know of; contracts ask for it.
CREATE MACRO latest_day() AS getvariable('latest_day')::DATE;
