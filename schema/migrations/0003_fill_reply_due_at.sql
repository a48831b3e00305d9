-- Until now `claim_expires_at` also held the deadline of an approval, and on the instruction that ended a message the
-- deadline of the reply.
UPDATE messages SET reply_due_at = (SELECT max(claim_expires_at) FROM instructions
    WHERE instructions.message_id = messages.message_id)
  WHERE reply_outcome IS NULL AND NOT EXISTS (SELECT 1 FROM instructions
    WHERE instructions.message_id = messages.message_id
      AND status IN ('claimed', 'running', 'waiting', 'awaiting_approval'));--> statement-breakpoint
UPDATE instructions SET approval_expires_at = claim_expires_at WHERE status = 'awaiting_approval';--> statement-breakpoint
UPDATE instructions SET claim_expires_at = NULL WHERE status NOT IN ('claimed', 'running');
