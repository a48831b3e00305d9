/** When a limit ends, by the words of its notice. */
import { expect, it } from 'vitest';
import { resetTime } from '../../../../extension/lib/reset-time.ts';

const NOW = new Date(2026, 10, 26, 16, 0).getTime();
const at = (hour: number, minute: number) => new Date(2026, 10, 26, hour, minute).getTime();
const tomorrow = (hour: number, minute: number) => new Date(2026, 10, 27, hour, minute).getTime();

it.each([
  ['Your limit resets after 5:30 PM.', at(17, 30)],
  ['Limit reached for Model 4.10, resets after 17:00', at(17, 0)],
  ['At 15:05 you reached the limit of Model 4.10. Try again after 18:20.', at(18, 20)],
  ['Limit erreicht (Modell 4.10). Wieder verfügbar ab 17.45 Uhr.', at(17, 45)],
  ['Limit erreicht bis 17.45.', at(17, 45)],
  ['Resets at 5.30 p.m.', at(17, 30)],
  ['请在 15:05 之后再试', tomorrow(15, 5)],
  ['You can use it again at 12:15 AM', tomorrow(0, 15)],
  ['12:00 am', tomorrow(0, 0)],
])('of "%s" is the clock that it names for that', (text, expected) => {
  expect(resetTime(text, NOW)).toBe(expected);
});

it.each([
  'Limit reached for Model 4.10',
  'Version 2.5.30 is not available',
  'It resets in 4.10 hours',
  'Upgrade for 19.99',
  'resets at 25:00',
  'resets at 12:75',
  'soon',
  '13:10 PM',
])('of "%s" is not known', (text) => {
  expect(resetTime(text, NOW)).toBeNull();
});
