-- The form of an address that is sent to and compared, made by coupon.Canonical. NULL: it is as it was given;
-- empty: it cannot be an address. The next start fills it where it is missing (db/address.go).
ALTER TABLE recipient ADD COLUMN email_address VARCHAR;
ALTER TABLE recipient ADD COLUMN phone_address VARCHAR;
