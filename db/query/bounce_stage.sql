-- stage spooled reports, each with the message that it names. What is said of an erased recipient
-- is not kept
CREATE OR REPLACE TEMP TABLE stage AS
SELECT line, raw, named_id, message_id, delivery_id, channel, address, kind, happened_at, CASE
    WHEN address <> '' THEN reason END AS reason,
    nullif(key_of_address(channel, address), '') AS address_key
FROM (
    SELECT f.line, f.raw, f.named_id, m.id AS message_id, m.delivery_id,
        coalesce(d.channel, f.channel) AS channel,
        coalesce(m.address, f.address) AS address, f.kind, f.happened_at, f.reason
    FROM read_csv($path, auto_detect = false, header = false, delim = '\t', quote = '"',
        escape = '"', nullstr = '\N', allow_quoted_nulls = false,
        columns = {'line': 'BIGINT', 'raw': 'VARCHAR', 'named_id': 'BIGINT', 'channel': 'VARCHAR',
        'address': 'VARCHAR', 'kind': 'VARCHAR',
            'happened_at': 'TIMESTAMP', 'reason': 'VARCHAR'}) f
    LEFT JOIN message m ON m.id = f.named_id
    LEFT JOIN delivery d ON d.id = m.delivery_id
)
