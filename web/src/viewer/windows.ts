import type { TextKey } from '../lib/i18n';
import type { LoadedSeries } from './series';

export interface Window { lower: number; upper: number }
export interface Preset extends Window { name: TextKey }

const of = (name: TextKey, width: number, centre: number): Preset => ({ name, lower: centre - width / 2, upper: centre + width / 2 });

const CT: Preset[] = [of('window.soft', 400, 40), of('window.lung', 1500, -600), of('window.bone', 2000, 400), of('window.brain', 80, 40),
  of('window.liver', 160, 60), of('window.mediastinum', 350, 50), of('window.angio', 600, 200)];
const SUV: Preset[] = [{ name: 'window.suv5', lower: 0, upper: 5 }, { name: 'window.suv10', lower: 0, upper: 10 }, { name: 'window.suv20', lower: 0, upper: 20 }];

/** The named windows that make sense for a series; keys 1 to 9 choose them. */
export function presetsOf(series: LoadedSeries): Preset[] {
  if (series.modality === 'CT') return CT;
  return series.modality === 'PT' && series.unit.startsWith('SUV') ? SUV : [];
}

/** The window a series opens with, or undefined: then the values decide. */
export function firstWindow(series: LoadedSeries): Window | undefined {
  if (series.modality === 'CT') return series.headerWindow ?? CT[0];
  if (series.modality === 'PT') return series.unit.startsWith('SUV') ? { lower: 0, upper: 7 } : undefined;
  return series.headerWindow;
}

/** From the values themselves: between the 1st and 99.5th of a hundred. */
export function windowOfValues(values: ArrayLike<number>): Window | undefined {
  const step = Math.max(1, Math.floor(values.length / 50000));
  const some: number[] = [];
  for (let i = 0; i < values.length; i += step) some.push(values[i]!);
  some.sort((a, b) => a - b);
  const lower = some[Math.floor(some.length * 0.01)], upper = some[Math.floor(some.length * 0.995)];
  return lower === undefined || upper === undefined ? undefined : { lower, upper: upper > lower ? upper : lower + 1 };
}
