-- judge every target of a delivery: its address, its label, and the first reason to leave it out
CREATE OR REPLACE TEMP TABLE prepared AS
WITH addressed AS (
    SELECT t.seq, r.id AS recipient_id, r.is_contactable,
        -- NULL: there is none. Empty: it cannot be one.
        CASE $channel
            WHEN 'EMAIL' THEN coalesce(r.email_address, r.email)
            WHEN 'SMS' THEN coalesce(r.phone_address, r.phone)
            WHEN 'PUSH' THEN nullif(regexp_replace(json_extract_string(r.attributes, '/pushToken'),
                $invisible, '', 'g'), '')
            ELSE nullif(regexp_replace(json_extract_string(r.attributes, '/postalAddress'),
                $invisible, '', 'g'), '')
        END AS address,
        CASE WHEN $label_path = '' THEN NULL
            ELSE nullif(trim(json_extract_string(r.attributes, $label_path)), '') END AS label
    FROM target t JOIN recipient r ON r.id = t.recipient_id
    WHERE t.delivery_id = $id /* only chosen */
),
compared AS (
    -- What is compared to find two targets with one address, and an address in quarantine:
    -- coupon.Address.Key.
    SELECT *, key_of_address($channel, address) AS address_key
    FROM addressed
),
judged AS (
    SELECT c.*,
        CASE
            WHEN address IS NULL THEN 'NO_ADDRESS'
            WHEN address = '' THEN 'INVALID_ADDRESS'
            WHEN NOT is_contactable THEN 'NOT_CONTACTABLE'
            WHEN q.key IS NOT NULL THEN 'QUARANTINED'
        END AS own_reason
    FROM compared c LEFT JOIN (
        -- A complaint is an objection, which nobody can ignore.
        SELECT address_key AS key FROM quarantine
        WHERE channel = $channel AND lifted_at IS NULL
            AND (reason = 'COMPLAINT' OR NOT $ignore_quarantine)
    ) q ON q.key = c.address_key
),
doubles AS (
    SELECT address_key, min(seq) AS first_seq FROM judged
    WHERE own_reason IS NULL AND NOT $allow_duplicates
    GROUP BY address_key HAVING count(*) > 1
)
SELECT j.seq, j.recipient_id, j.address, j.label,
    CASE
        WHEN j.own_reason IS NOT NULL THEN j.own_reason
        WHEN j.seq > d.first_seq THEN 'DUPLICATE_ADDRESS'
        WHEN $label_path <> '' AND j.label IS NULL THEN 'NO_MATCHING_LABEL'
    END AS reason,
    -- See delivery_prepare_reuse.
    NULL::BIGINT AS repeats_id, NULL::BIGINT AS repeated_code_id
FROM judged j LEFT JOIN doubles d ON d.address_key = j.address_key
ORDER BY j.seq
