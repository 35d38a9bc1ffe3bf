-- One row: how often payments were refused on a day for one reason. A count never falls: Redis may have forgotten some.
INSERT INTO business_day_refusals AS r (day, code, count)
VALUES (%(day)s, %(code)s, %(count)s)
ON CONFLICT (day, code) DO UPDATE SET count = greatest(r.count, excluded.count)
