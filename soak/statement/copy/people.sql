-- the marks of people in a column of a table (names that %s stand for)
SELECT DISTINCT unnest(regexp_extract_all("%[2]s", 'zz[0-9]+q')) FROM "%[1]s"
WHERE contains("%[2]s", 'zz')
