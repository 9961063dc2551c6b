-- stage the spooled redemptions: code_id and coupon_id say what the file's code is; of the spooled candidates the key proves one
CREATE OR REPLACE TEMP TABLE stage AS
SELECT f.line, f.raw, c.id AS code_id, coalesce(c.coupon_id, p.id) AS coupon_id, c.label, f.redeemed_at, f.latest_at, f.reference, f.amount, f.currency, f.store, f.customer, f.source
FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"', escape = '"', nullstr = '\N', allow_quoted_nulls = false,
    columns = {'line': 'BIGINT', 'raw': 'VARCHAR', 'key': 'VARCHAR', 'redeemed_at': 'TIMESTAMP', 'latest_at': 'TIMESTAMP', 'reference': 'VARCHAR', 'amount': 'DECIMAL(18,4)', 'currency': 'VARCHAR',
        'store': 'VARCHAR', 'customer': 'VARCHAR', 'source': 'VARCHAR'}) f
LEFT JOIN (
    SELECT candidate.line, code.*
    FROM read_csv($candidates, auto_detect = false, header = false, delim = '\t', columns = {'line': 'BIGINT', 'code_id': 'BIGINT'}) candidate
    JOIN code ON code.id = candidate.code_id
) c ON c.line = f.line AND c.key = f.key
LEFT JOIN coupon p ON p.code_key = f.key AND p.type = 'ANONYMOUS'
