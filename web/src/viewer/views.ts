import { Enums, type Types } from '@cornerstonejs/core';
import type { TextKey } from '../lib/i18n';
import type { LoadedSeries } from './series';

export type ViewKind = 'frames' | 'acquired' | 'axial' | 'sagittal' | 'coronal' | 'mip';
export type LayoutName = 'one' | 'mpr' | 'mpr_mip' | 'mip' | 'pair';

export interface Layout { name: LayoutName; label: TextKey; views: ViewKind[] }

const LAYOUTS: Layout[] = [
  { name: 'one', label: 'layout.one', views: ['acquired'] },
  { name: 'mpr', label: 'layout.mpr', views: ['axial', 'sagittal', 'coronal'] },
  { name: 'mpr_mip', label: 'layout.mpr_mip', views: ['axial', 'sagittal', 'coronal', 'mip'] },
  { name: 'mip', label: 'layout.mip', views: ['mip'] },
];

const FRAMES: Layout = { name: 'one', label: 'layout.one', views: ['frames'] };
const PAIR: Layout = { name: 'pair', label: 'layout.pair', views: ['acquired', 'acquired'] };

/** The plane that a series shows by itself. */
export const besideKind = (series: LoadedSeries): ViewKind => (series.isVolume ? 'acquired' : 'frames');

/** What fits a series: only an even volume can be cut in other planes. */
export function layoutsOf(series: LoadedSeries, hasBeside: boolean): Layout[] {
  return [...(series.isVolume ? LAYOUTS : [FRAMES]), ...(hasBeside ? [PAIR] : [])];
}

/** How a series opens: slices for CT and ultrasound, planes for MR, planes with a projection for nuclear images. */
export function firstLayout(series: LoadedSeries, isFused: boolean): LayoutName {
  if (!series.isVolume) return 'one';
  if (isFused || series.modality === 'PT' || series.modality === 'NM') return 'mpr_mip';
  return series.modality === 'MR' ? 'mpr' : 'one';
}

export function viewportInput(id: string, kind: ViewKind, element: HTMLDivElement): Types.PublicViewportInput {
  if (kind === 'frames') return { viewportId: id, element, type: Enums.ViewportType.STACK };
  const axis = { acquired: Enums.OrientationAxis.ACQUISITION, axial: Enums.OrientationAxis.AXIAL, sagittal: Enums.OrientationAxis.SAGITTAL,
    coronal: Enums.OrientationAxis.CORONAL, mip: Enums.OrientationAxis.CORONAL }[kind];
  return { viewportId: id, element, type: Enums.ViewportType.ORTHOGRAPHIC, defaultOptions: { orientation: axis } };
}
