/** Why a step of a deploy failed, in the three sentences that a person needs. A second run continues at that step. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly why: string;
  readonly next: string;

  constructor(what: string, why: string, next: string) {
    super(what);
    this.why = why;
    this.next = next;
  }
}
