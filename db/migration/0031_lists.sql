-- Lists of recipients that have a name.

CREATE TABLE recipient_list (
    id         BIGINT    NOT NULL,
    label      VARCHAR   NOT NULL,
    -- Who matches now is in the list, JSON of coupon.RecipientFilter. NULL: those of list_member are.
    filter     VARCHAR,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE list_member (
    list_id      BIGINT NOT NULL,
    recipient_id BIGINT NOT NULL
);

INSERT INTO number VALUES ('list', 0);
