-- when messages were sent. To narrow it to SENT rows here costs more than to read the few others
SELECT message_id, outcome, settled_at FROM sending WHERE message_id BETWEEN $first AND $last
