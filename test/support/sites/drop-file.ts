/** A person drops a file on what the selector finds. Runs in the page. */
export function dropFile(selector: string): void {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['%PDF-1.7'], 'contract.pdf', { type: 'application/pdf' }));
  const drop = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
  document.querySelector(selector)?.dispatchEvent(drop);
}
