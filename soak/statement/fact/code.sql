-- codes, but for those that were generated
SELECT value, 'code_' || id, state FROM states WHERE NOT regexp_matches(value, '^D[0-9]+-')
