/** Why a patch is refused as a whole. */
export const PATCH_ERROR_CODES = ['invalid_patch', 'unsupported_patch', 'context_differs', 'patch_too_large'] as const;

export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly code: (typeof PATCH_ERROR_CODES)[number];

  constructor(code: PatchError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export function invalidPatch(line: number, message: string): PatchError {
  return new PatchError('invalid_patch', `line ${line} of the patch: ${message}`);
}

export function unsupportedPatch(line: number, message: string): PatchError {
  return new PatchError('unsupported_patch', `line ${line} of the patch: ${message}`);
}
