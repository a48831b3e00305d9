/** One thing that a person can do on the status page, as a case of a table, and what several of them need. */
import type { z } from 'zod';
import type { ConversationDetail } from '../../../schema/contracts/conversations.ts';
import type { InstructionDetailSchema } from '../../../schema/contracts/instructions.ts';
import type { PageScene } from '../page-scene.ts';
import { clickOn, fillIn, press } from '../page-tab.ts';
import type { FirefoxTab } from '../sites/firefox-tab.ts';

export interface Target {
  /** Where the page shows it. */
  at: string;
  id: string;
}

export interface ActionRow {
  /** The name of the case. */
  name: string;
  /** Makes what it is done to, through the API. */
  prepare: (scene: PageScene) => Promise<Target>;
  act: (tab: FirefoxTab, scene: PageScene) => Promise<void>;
  /** What the page says once the edge has confirmed it. */
  says: RegExp;
  /** Method and route, as the audit has it. */
  wrote: string;
  /** Reads what has become of it, until it is as in `has`. */
  effect: (scene: PageScene, id: string) => Promise<unknown>;
  has: object;
  /** What the page then shows, without being loaded again. */
  shows: RegExp | ((tab: FirefoxTab) => Promise<unknown>);
}

export const conversationNow = ({ cluster }: PageScene, id: string) =>
  cluster.call<ConversationDetail>('GET', `/v1/renewal/conversations/${id}`);

export const instructionNow = ({ cluster }: PageScene, id: string) =>
  cluster.call<z.output<typeof InstructionDetailSchema>>('GET', `/v1/instructions/${id}`);

/** A conversation that is renewed: the assistant has just finished a message in it. */
export async function renewed(scene: PageScene, remote: string, platform: 'chatgpt' | 'gemini'): Promise<string> {
  const id = await scene.conversation(remote, platform);
  await scene.cluster.call('POST', `/v1/renewal/conversations/${id}/auto`, {});
  await scene.says('I have begun.', remote);
  return id;
}

/** Sets a setting for the scope that the page shows. */
export async function setHere(tab: FirefoxTab, field: string, value: string): Promise<void> {
  await clickOn(tab, `#setting-${field}-own`);
  await fillIn(tab, `#setting-${field}`, value);
  await press(tab, 'Save');
}

/** The form of settings has a value of its own for that field. */
export const hasOwn = (field: string, value: string) => (tab: FirefoxTab) =>
  tab.until(
    (name, wanted) => document.querySelector<HTMLInputElement>(`#setting-${name}:enabled`)?.value === wanted,
    field,
    value,
  );
