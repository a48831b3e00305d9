/** Options of the platform's `toBase64` and `fromBase64` for text that fits into a URL, a cookie or a header. */
export const BASE64URL = { alphabet: 'base64url', omitPadding: true } as const;
