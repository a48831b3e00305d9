/** What the pages do around each editor: Enter sends, long pastes become attachments, attributes mark the element. */
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
  const { attachmentAbove = Number.POSITIVE_INFINITY } = options;
  // Before the editor's own listener, which is on the element.
  const attach = (event: ClipboardEvent) => {
    const text = pastedText(event.clipboardData);
    if (text.length <= attachmentAbove) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    attached.push(text);
    host.append(chipOf(host.ownerDocument));
    editor.onChange?.();
  };
  host.addEventListener('paste', attach, { capture: true });
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

function chipOf(document: Document): HTMLElement {
  const chip = document.createElement('div');
  chip.setAttribute('data-fake-attachment', '');
  chip.textContent = 'Pasted text';
  return chip;
}
