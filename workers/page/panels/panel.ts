import type { ComponentType } from 'preact';

/** What a panel gets from its address. */
export interface PanelProps {
  /** The id of the object, for the panel of one. */
  id: string;
}
export type Panel = ComponentType<PanelProps>;
