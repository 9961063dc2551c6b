-- the keys that codes would share, and the narrow keys that they have
SELECT key, narrow_key FROM code_collision
