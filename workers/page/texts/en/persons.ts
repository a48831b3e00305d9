/** English: what people say and ask for: the end of an interrupted instruction, and forgetting a conversation. */
export const PERSONS_EN = {
  resolve_question: 'Did it take effect?',
  resolve_about:
    'It was interrupted, so the system does not know whether it took effect. Say what you found; what is said first stays.',
  resolve_check: 'To see what is on its node, run there: {command}',
  resolve_note: 'How you know',
  resolve_note_needed: 'Needed; the journal keeps it.',
  resolve_done: 'It took effect',
  resolve_not_done: 'It did not',
  resolve_said: 'The journal has what you said.',
  resolve_means: 'This cannot be changed later.',
  resolution: 'A person found',
  resolution_done: 'it took effect: {note} ({by})',
  resolution_not_done: 'it did not take effect: {note} ({by})',
  event_resolved: 'A person said what became of it',
} as const;
