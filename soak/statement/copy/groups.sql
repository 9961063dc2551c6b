-- how many codes there are of each group that was generated
SELECT regexp_extract(value, '^(D[0-9]+)-', 1) AS name, count(*) FROM states
WHERE regexp_matches(value, '^D[0-9]+-') GROUP BY ALL
