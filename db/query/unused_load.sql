-- add the codes of spooled runs
INSERT INTO unused
SELECT first_id + unnest(range(count))
FROM read_csv($path, auto_detect = false, header = false, delim = '\t',
    columns = {'first_id': 'BIGINT', 'count': 'BIGINT'})
