/** The address of the icon, which has a hash in its name. */
export const ICON = new URL('icon.svg', import.meta.url).href;
