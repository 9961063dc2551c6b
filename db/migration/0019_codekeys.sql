-- Codes that were different before the rule of keys made them one: they keep their narrow keys
-- (coupon.CodeKeys.Narrow), and key is the one that they would share. The next start finds them
-- (db/codekey.go).
CREATE TABLE code_collision (
    key        VARCHAR NOT NULL,
    narrow_key VARCHAR NOT NULL
);
