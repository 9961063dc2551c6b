-- draft the messages of a delivery, in the order of labels and targets, and behind them
-- those that need no code. What the templates use of
-- the recipient is copied
CREATE OR REPLACE TEMP TABLE draft AS
SELECT p.place, p.recipient_id, p.address, p.repeats_id, p.repeated_code_id,
    CASE WHEN $uses_external_id THEN r.external_id END AS external_id, CASE
        WHEN $uses_email THEN r.email END AS email,
    CASE WHEN $uses_phone THEN r.phone END AS phone, CASE
        WHEN $uses_first_name THEN r.first_name END AS first_name,
    CASE WHEN $uses_last_name THEN r.last_name END AS last_name, CASE
        WHEN $uses_attributes THEN r.attributes END AS attributes
FROM (SELECT recipient_id, address, repeats_id, repeated_code_id,
        row_number() OVER (ORDER BY repeats_id IS NOT NULL, label, seq) - 1 AS place
    FROM prepared WHERE reason IS NULL) p
JOIN recipient r ON r.id = p.recipient_id
ORDER BY p.place
