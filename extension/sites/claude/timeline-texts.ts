/** The texts of a timeline: messages have display groups, and those have blocks of content. */
import type { BlockChange, GroupChange } from './conversation-update.ts';

/** Text blocks around a tool are paragraphs of one answer. */
export const TEXT_SEPARATOR = '\n\n';
const MAX_PARTS = 100_000;
const MAX_CHARS = 64 * 1024 * 1024;

interface Group extends GroupChange {
  blocks: Map<string, Block>;
  /** The block at each index. */
  places: Map<number, Block>;
  /** Characters of the blocks that are not hidden. */
  chars: number;
}
interface Block {
  id: string;
  index: number;
  isHidden: boolean;
  text: string;
}

export class TimelineTexts {
  readonly #groups = new Map<string, Group>();
  readonly #groupsOfMessage = new Map<string, Set<Group>>();
  readonly #blocks = new Map<string, { group: Group; block: Block }>();
  /** The text of each message has so many characters. */
  readonly #chars = new Map<string, number>();
  #allChars = 0;

  get isTooLarge(): boolean {
    return this.#groups.size + this.#blocks.size > MAX_PARTS || this.#allChars > MAX_CHARS;
  }

  clear(): void {
    for (const part of [this.#groups, this.#groupsOfMessage, this.#blocks, this.#chars]) part.clear();
    this.#allChars = 0;
  }

  putGroup(change: GroupChange): void {
    const known = this.#groups.get(change.id);
    if (known) {
      if (known.style !== change.style) this.#restyle(known, change.style);
      known.index = change.index;
      return;
    }
    const group: Group = { ...change, blocks: new Map(), places: new Map(), chars: 0 };
    this.#groups.set(change.id, group);
    const groups = this.#groupsOfMessage.get(change.messageId);
    if (groups) groups.add(group);
    else this.#groupsOfMessage.set(change.messageId, new Set([group]));
  }

  /** Returns the message whose text it changes; null when it changes none, undefined when its group is not known. */
  putBlock(change: BlockChange): string | null | undefined {
    const group = this.#groups.get(change.groupId);
    if (!group) return undefined;
    let known = this.#blocks.get(change.id)?.block;
    if (!known) {
      known = { id: change.id, index: change.index, isHidden: change.isHidden, text: '' };
      // A repeat gives the block of a place another id.
      const replaced = group.places.get(change.index);
      if (replaced) this.#removeBlock(group, replaced);
      group.places.set(change.index, known);
      group.blocks.set(change.id, known);
      this.#blocks.set(change.id, { group, block: known });
    }
    if (change.isHidden && !known.isHidden) {
      this.#count(group, known, -known.text.length);
      known.isHidden = true;
      this.#count(group, known, known.text.length);
    }
    if (change.text === null) return null;
    this.#count(group, known, change.text.length - known.text.length);
    known.text = change.text;
    return isShown(group, known) ? group.messageId : null;
  }

  /** As `putBlock`. */
  append(blockId: string, text: string): string | null | undefined {
    const found = this.#blocks.get(blockId);
    if (!found) return undefined;
    found.block.text += text;
    this.#count(found.group, found.block, text.length);
    return isShown(found.group, found.block) ? found.group.messageId : null;
  }

  /** Removes a group or a block. */
  remove(id: string): void {
    const group = this.#groups.get(id);
    if (group) {
      for (const block of [...group.blocks.values()]) this.#removeBlock(group, block);
      this.#groups.delete(id);
      this.#groupsOfMessage.get(group.messageId)?.delete(group);
    }
    const found = this.#blocks.get(id);
    if (found) this.#removeBlock(found.group, found.block);
  }

  /** Whether the message has any content, text or not. */
  hasContent(messageId: string): boolean {
    return (this.#groupsOfMessage.get(messageId)?.size ?? 0) > 0;
  }

  charsOf(messageId: string): number {
    return this.#chars.get(messageId) ?? 0;
  }

  textOf(messageId: string): string {
    const groups = [...(this.#groupsOfMessage.get(messageId) ?? [])].sort((a, b) => a.index - b.index);
    return groups
      .flatMap((group) => [...group.blocks.values()].filter((block) => isShown(group, block)).sort(byIndex))
      .map((block) => block.text)
      .filter((text) => text !== '')
      .join(TEXT_SEPARATOR);
  }

  #removeBlock(group: Group, block: Block): void {
    this.#count(group, block, -block.text.length);
    group.blocks.delete(block.id);
    group.places.delete(block.index);
    this.#blocks.delete(block.id);
  }

  #restyle(group: Group, style: Group['style']): void {
    group.style = style;
    const sign = style === 'text' ? 1 : -1;
    this.#chars.set(group.messageId, this.charsOf(group.messageId) + sign * group.chars);
  }

  #count(group: Group, block: Block, chars: number): void {
    this.#allChars += chars;
    if (block.isHidden) return;
    group.chars += chars;
    if (group.style === 'text') this.#chars.set(group.messageId, this.charsOf(group.messageId) + chars);
  }
}

function isShown(group: Group, block: Block): boolean {
  return group.style === 'text' && !block.isHidden;
}

function byIndex(a: { index: number }, b: { index: number }): number {
  return a.index - b.index;
}
