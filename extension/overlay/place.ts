/** Where the overlay is in the window, as fractions of the room that it has, so that it is never outside. Pure. */
import { z } from 'zod';

export const PlaceSchema = z.object({
  /** From the left and the top, 0 to 1. */
  x: z.number().min(0).max(1),
  y: z.number().min(0).max(1),
  isOpen: z.boolean(),
});
export type PanelPlace = z.infer<typeof PlaceSchema>;

/** At the right, below the headers that the sites have there, and closed. */
export const FIRST_PLACE: PanelPlace = { x: 1, y: 0.12, isOpen: false };

interface Size {
  width: number;
  height: number;
}

/** Between the panel and the edge of the window. */
export const MARGIN = 12;

function room(window: Size, panel: Size): Size {
  return {
    width: Math.max(0, window.width - panel.width - 2 * MARGIN),
    height: Math.max(0, window.height - panel.height - 2 * MARGIN),
  };
}

export function toPixels(place: PanelPlace, window: Size, panel: Size): { left: number; top: number } {
  const { width, height } = room(window, panel);
  return { left: Math.round(MARGIN + place.x * width), top: Math.round(MARGIN + place.y * height) };
}

/** The place that puts the panel as near to those pixels as the window allows. */
export function fromPixels(
  place: PanelPlace,
  at: { left: number; top: number },
  window: Size,
  panel: Size,
): PanelPlace {
  const { width, height } = room(window, panel);
  const fraction = (pixels: number, of: number) => (of === 0 ? 0 : Math.min(1, Math.max(0, (pixels - MARGIN) / of)));
  return { ...place, x: fraction(at.left, width), y: fraction(at.top, height) };
}
