import { fill, h, type Child } from '../lib/dom';
import { t, type TextKey } from '../lib/i18n';
import type { Cine } from './cine';
import type { Stage } from './stage';
import { removeLengths, type LeftTool } from './tools';
import { layoutsOf } from './views';
import { presetsOf } from './windows';

type Choice = { series_uid: string; text: string };
export interface BarState {
  tool: LeftTool; rate_hz: number; fusable: Choice[]; besides: Choice[];
  onFuse: (series_uid: string | null) => void; onBeside: (series_uid: string | null) => void;
}

const TOOLS: { tool: LeftTool; text: TextKey; key: string }[] = [
  { tool: 'window', text: 'tool.window', key: 'W' }, { tool: 'scroll', text: 'tool.scroll', key: 'S' }, { tool: 'pan', text: 'tool.pan', key: 'P' },
  { tool: 'zoom', text: 'tool.zoom', key: 'Z' }, { tool: 'length', text: 'tool.length', key: 'L' },
];

export function toolOfKey(key: string): LeftTool | undefined {
  return TOOLS.find((one) => one.key === key.toUpperCase())?.tool;
}

function toggle(text: string, isOn: boolean, onclick: () => void, title = text): HTMLButtonElement {
  return h('button', { class: 'tool', 'aria-pressed': isOn, title, onclick }, text);
}

function group(name: string, ...children: Child[]): HTMLElement {
  return h('div', { class: 'tool-group', role: 'group', 'aria-label': name }, children);
}

/** Tools, layouts, windows, cine and fusion of a stage. */
export function drawToolbar(place: HTMLElement, stage: Stage, state: BarState, cine: Cine): void {
  const again = (): void => drawToolbar(place, stage, state, cine);
  const series = stage.series;
  if (!series) { fill(place); return; }
  const layouts = layoutsOf(series, stage.beside !== null);
  fill(place,
    group(t('toolbar.tools'), ...TOOLS.map(({ tool, text, key }) => toggle(t(text), state.tool === tool, () => { state.tool = tool; stage.setTool(tool); again(); }, `${t(text)} (${key})`))),
    layouts.length > 1 && group(t('toolbar.layout'), ...layouts.map((layout) => toggle(t(layout.label), stage.layout === layout.name, () => void stage.arrange(layout.name)))),
    group(t('toolbar.window'), windowSelect(stage), !series.isColour && toggle(t('tool.invert'), stage.isInverted, () => { stage.setInverted(!stage.isInverted); again(); }, `${t('tool.invert')} (I)`)),
    stage.sliceCount > 1 && cineGroup(state, cine, again),
    state.fusable.length > 0 && fusionGroup(stage, state),
    state.besides.length > 0 && group(t('toolbar.beside'), seriesSelect(t('toolbar.beside'), t('beside.none'), state.besides, stage.beside?.series_uid, state.onBeside)),
    group(t('toolbar.more'), h('button', { class: 'tool', title: `${t('tool.reset')} (R)`, onclick: () => stage.reset() }, t('tool.reset')),
      state.tool === 'length' && h('button', { class: 'tool', onclick: () => { removeLengths(); stage.reset(); } }, t('tool.clear'))));
}

function windowSelect(stage: Stage): Child {
  const presets = presetsOf(stage.series!);
  return presets.length > 0 && h('select', { 'aria-label': t('toolbar.window'), onchange: (event) => {
    const preset = presets[Number((event.target as HTMLSelectElement).value)];
    if (preset) stage.setWindow(preset);
  } }, h('option', { value: -1 }, t('window.choose')), presets.map((preset, index) => h('option', { value: index }, `${index + 1} ${t(preset.name)}`)));
}

function cineGroup(state: BarState, cine: Cine, again: () => void): HTMLElement {
  const play = (): void => { if (cine.isPlaying) cine.stop(); else cine.start(state.rate_hz); again(); };
  return group(t('toolbar.cine'), toggle(cine.isPlaying ? t('cine.stop') : t('cine.play'), cine.isPlaying, play, `${t('cine.play')} (${t('key.space')})`),
    h('label', { class: 'rate' }, h('input', { type: 'number', min: 1, max: 60, step: 1, value: Math.round(state.rate_hz), 'aria-label': t('cine.rate'),
      onchange: (event) => { state.rate_hz = Number((event.target as HTMLInputElement).value) || 10; if (cine.isPlaying) cine.start(state.rate_hz); } }), t('cine.unit')));
}

function seriesSelect(name: string, none: string, choices: Choice[], chosen: string | undefined, act: (series_uid: string | null) => void): HTMLElement {
  return h('select', { 'aria-label': name, title: name, onchange: (event) => act((event.target as HTMLSelectElement).value || null) },
    h('option', { value: '' }, none), choices.map((one) => h('option', { value: one.series_uid, selected: one.series_uid === chosen }, one.text)));
}

function fusionGroup(stage: Stage, state: BarState): HTMLElement {
  return group(t('toolbar.fusion'), seriesSelect(t('toolbar.fusion'), t('fusion.none'), state.fusable, stage.fusion?.series.series_uid, state.onFuse),
    stage.fusion && h('input', { type: 'range', min: 0, max: 1, step: 0.05, value: stage.fusion.opacity, 'aria-label': t('fusion.opacity'),
      oninput: (event) => stage.setFusionOpacity(Number((event.target as HTMLInputElement).value)) }));
}
