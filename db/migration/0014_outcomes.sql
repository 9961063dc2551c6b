-- What a delivery may switch off, and its own pace.

-- Messages a second. NULL: only the server's own limit.
ALTER TABLE delivery ADD COLUMN send_rate DOUBLE;
ALTER TABLE delivery ADD COLUMN allow_duplicate_addresses BOOLEAN DEFAULT false;
ALTER TABLE delivery ADD COLUMN ignore_quarantine BOOLEAN DEFAULT false;
