-- the codes that the messages get, by place: each span is a run of consecutive codes
CREATE OR REPLACE TEMP TABLE taken AS
SELECT place + i AS place, first_id + i AS code_id, label
FROM (
    SELECT place, first_id, label, unnest(range(count)) AS i
    FROM (SELECT unnest($places::BIGINT[]) AS place, unnest($firsts::BIGINT[]) AS first_id,
        unnest($counts::BIGINT[]) AS count, unnest($labels::VARCHAR[]) AS label)
)
