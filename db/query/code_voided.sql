-- when codes were voided
SELECT code_id, voided_at FROM code_void WHERE code_id BETWEEN $first AND $last
