/** What each editor offers to the page of a fake site. This folder runs in Firefox. */

export interface EditorOptions {
  /** Attributes of the editable element, such as `id` or `data-testid`. */
  attributes?: Record<string, string>;
  /** A paste of more UTF-16 units than this becomes an attachment, as on the sites; by default none does. */
  attachmentAbove?: number;
  /** What shows an attachment, as the site does it. */
  chip?: (document: Document, name: string) => HTMLElement;
  /** ProseMirror only: a paste of plain text loses its blank lines, as it does where a site does not change that. */
  pasteDropsBlankLines?: boolean;
  /** Whether Enter from a script sends, as Enter from a person does. */
  untrustedEnterSends?: boolean;
}

export interface MountedEditor {
  /** The editable element. */
  element: HTMLElement;
  /** The text that the page would send. */
  text(): string;
  clear(): void;
  /** The texts of pastes that became attachments, and the names of files that were dropped. No part of `text()`. */
  attachments(): readonly string[];
  /** A person, or a script where that is allowed, pressed Enter. */
  onSubmit: (() => void) | null;
  /** The text or the attachments have changed. */
  onChange: (() => void) | null;
}

export type MountEditor = (host: HTMLElement, options?: EditorOptions) => MountedEditor;
