-- The fence is one row from the beginning, so that every guard finds it.
INSERT INTO fence (id, term, mode, mode_version, epoch, updated_at) VALUES (1, 0, 'running', 0, 0, 0);
