/** What a table of transitions can do: check a move, make a move, and list where a state can come from. */
export interface StateMachine<S extends string> {
  mayMove(from: S, to: S): boolean;
  /** The one setter of the state: returns `to`. Throws when the table forbids the move, so callers check first. */
  move<To extends S>(from: S, to: To): To;
  /** The states that may move to `to`, for the WHERE of an update that does not read the state first. */
  sourcesOf(to: S): S[];
}

export function stateMachine<S extends string>(
  subject: string,
  table: Readonly<Record<S, readonly S[]>>,
): StateMachine<S> {
  const mayMove = (from: S, to: S): boolean => table[from].includes(to);
  return {
    mayMove,
    move(from, to) {
      if (!mayMove(from, to)) throw new Error(`the ${subject} is ${from} and cannot become ${to}`);
      return to;
    },
    sourcesOf: (to) => (Object.keys(table) as S[]).filter((from) => mayMove(from, to)),
  };
}
