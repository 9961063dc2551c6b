-- recipients, by the id that their owner gave them
SELECT external_id, 'recipient_' || id, 'there' FROM recipient
WHERE NOT starts_with(external_id, 'erased-')
