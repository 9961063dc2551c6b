-- what was done and how often, as the audit log tells: each mutation, and each mutation with an id
-- in its input. The names that the soak gives are no more in it than those of people
SELECT what, count(*) FROM (
    SELECT action AS what FROM audits WHERE outcome = 'DONE'
    UNION ALL SELECT action || ' '
        || unnest(list_distinct(regexp_extract_all(input, '[a-z]+_[0-9]+'))) FROM audits
        WHERE outcome = 'DONE'
) GROUP BY ALL
