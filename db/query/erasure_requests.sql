-- erase the customer that an export was asked for; a name that nobody has takes the place, so that
-- one that is still to be made has nobody else's redemptions
UPDATE export
SET request = json_merge_patch(request::JSON,
    json_object('statsFilter', json_object('customer', 'erased-' || uuid())))::VARCHAR
WHERE kind = 'REDEMPTIONS'
    AND lower(trim(json_extract_string(request, '$.statsFilter.customer'))) IN (SELECT text
        FROM erased)
