-- where some messages go that may not stand in the form that is sent to, with the country of their
-- recipients. What these patterns know is in it; most are
SELECT m.id, d.channel, m.address, json_extract_string(r.attributes, $country_path)
FROM message m JOIN delivery d ON d.id = m.delivery_id JOIN recipient r ON r.id = m.recipient_id
WHERE m.id BETWEEN $first AND $last AND m.address <> '' AND CASE d.channel
    WHEN 'EMAIL' THEN NOT regexp_full_match(m.address,
        '[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*@([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]+')
    WHEN 'SMS' THEN NOT regexp_full_match(m.address, '\+[1-9][0-9]+')
    ELSE false
END
ORDER BY m.id
