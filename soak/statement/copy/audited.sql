-- what was done, as the audit log tells: the mutation, and each mark and id in its input
SELECT DISTINCT action || ' ' || unnest(regexp_extract_all(input, 'mk[0-9]+x|[a-z]+_[0-9]+')) FROM audits WHERE outcome = 'DONE'
