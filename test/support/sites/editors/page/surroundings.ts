/** What the pages do around each editor: Enter sends, long pastes and files become attachments, attributes mark the element. */
import type { EditorOptions, MountedEditor } from './editor.ts';

interface EditorCore {
  element: HTMLElement;
  text(): string;
  clear(): void;
}

export interface Surroundings {
  editor: MountedEditor;
  /** The editor reports each change of its text. */
  changed(): void;
  /** Takes an Enter; true when it was a send, so that the editor must not insert a line. */
  entered(event: KeyboardEvent): boolean;
}

export function surround(host: HTMLElement, core: EditorCore, options: EditorOptions): Surroundings {
  const attached: string[] = [];
  const editor: MountedEditor = {
    element: core.element,
    text: () => core.text(),
    clear: () => {
      attached.length = 0;
      for (const chip of host.querySelectorAll('[data-fake-attachment]')) chip.remove();
      core.clear();
    },
    attachments: () => attached,
    onSubmit: null,
    onChange: null,
  };
  for (const [name, value] of Object.entries(options.attributes ?? {})) core.element.setAttribute(name, value);
  const { attachmentAbove = Number.POSITIVE_INFINITY, chip = plainChip } = options;
  const attach = (name: string, content: string): void => {
    attached.push(content);
    const shown = chip(host.ownerDocument, name);
    shown.setAttribute('data-fake-attachment', '');
    host.append(shown);
    editor.onChange?.();
  };
  // Before the editor's own listener, which is on the element.
  const pasted = (event: ClipboardEvent) => {
    const text = pastedText(event.clipboardData);
    if (text.length <= attachmentAbove) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    attach('Pasted text.txt', text);
  };
  host.addEventListener('paste', pasted, { capture: true });
  const dropped = (event: DragEvent) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    for (const { name } of files) attach(name, name);
  };
  host.addEventListener('drop', dropped, { capture: true });
  return {
    editor,
    changed: () => editor.onChange?.(),
    entered: (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return false;
      if (!event.isTrusted && !options.untrustedEnterSends) return false;
      event.preventDefault();
      editor.onSubmit?.();
      return true;
    },
  };
}

function pastedText(clipboard: DataTransfer | null): string {
  const plain = clipboard?.getData('text/plain') ?? '';
  const html = clipboard?.getData('text/html') ?? '';
  return plain === '' ? (new DOMParser().parseFromString(html, 'text/html').body.textContent ?? '') : plain;
}

function plainChip(document: Document, name: string): HTMLElement {
  const chip = document.createElement('div');
  chip.textContent = name;
  return chip;
}
