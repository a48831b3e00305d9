/** Why an answer has ended. Both transports and the readings use the same names. */

/** `stop_sequence` is how older messages say that the assistant has ended its turn. */
const COMPLETE: readonly string[] = ['end_turn', 'stop_sequence'];

export function isCompleteStop(stopReason: string): boolean {
  return COMPLETE.includes(stopReason);
}
