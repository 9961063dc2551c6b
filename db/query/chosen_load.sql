-- choose the spooled numbers
INSERT INTO chosen SELECT id FROM read_csv($path, auto_detect = false, header = false, delim = '\t',
    columns = {'id': 'BIGINT'})
