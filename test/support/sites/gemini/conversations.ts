/** What the fake Gemini has stored: conversations of turns, oldest first. */
import type { DraftAnswer, StoredTurn } from './wire-format.ts';

interface Follows {
  conversation: string;
  turn: string;
}

export class Conversations {
  readonly #turns = new Map<string, StoredTurn[]>();
  #lastNumber = 0;

  /** A conversation that was there before; gives its id in the form of the address. */
  add(turns: readonly { question: string; answer: string }[]): string {
    const conversation = `c_${this.#hex()}`;
    const stored = turns.map(({ question, answer }) => ({
      conversation,
      turn: `r_${this.#hex()}`,
      question,
      answers: [{ id: `rc_${this.#hex()}`, text: answer, state: 2 as const }],
    }));
    this.#turns.set(conversation, stored);
    return conversation.slice('c_'.length);
  }

  of(conversation: string): readonly StoredTurn[] {
    return this.#turns.get(conversation) ?? [];
  }

  /** Begins a turn. One that follows an earlier turn, as "regenerate" and "edit" do, takes the place of the later ones. */
  begin({ conversation, turn }: Follows, question: string): StoredTurn {
    const name = conversation === '' ? `c_${this.#hex()}` : conversation;
    const before = this.of(name);
    const followed = before.findIndex((one) => one.turn === turn);
    const begun: StoredTurn = { conversation: name, turn: `r_${this.#hex()}`, question, answers: [] };
    this.#turns.set(name, [...before.slice(0, turn === '' ? 0 : followed + 1), begun]);
    return begun;
  }

  newAnswer(text: string): DraftAnswer {
    return { id: `rc_${this.#hex()}`, text, state: 2 };
  }

  store(turn: StoredTurn, answers: readonly DraftAnswer[]): void {
    const turns = this.of(turn.conversation);
    this.#turns.set(
      turn.conversation,
      turns.map((one) => (one.turn === turn.turn ? { ...one, answers } : one)),
    );
  }

  #hex(): string {
    this.#lastNumber += 1;
    return (0xd256_0000_0000_0000n + BigInt(this.#lastNumber)).toString(16);
  }
}
