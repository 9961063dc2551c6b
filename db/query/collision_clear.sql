-- forget which codes would be one, to find them anew
DELETE FROM code_collision
