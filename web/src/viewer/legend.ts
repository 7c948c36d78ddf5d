import { fill, h } from '../lib/dom';
import { formatNumber, t } from '../lib/i18n';
import { centreOf, css, type LabelSet } from './labels';
import type { Stage } from './stage';

/** The list of labels: show and hide, opacity, and where each lies. */
export function drawLegend(place: HTMLElement, stage: Stage): void {
  place.hidden = stage.labels.length === 0;
  fill(place, stage.labels.map((set) => drawSet(set, stage)));
}

function drawSet(set: LabelSet, stage: Stage): HTMLElement {
  const repaint = (): void => stage.repaint(set);
  return h('section', { class: 'legend-set', 'aria-label': set.name },
    h('header', {},
      h('label', { class: 'legend-title' },
        h('input', { type: 'checkbox', checked: set.isVisible, onchange: (event) => { set.isVisible = (event.target as HTMLInputElement).checked; repaint(); } }),
        h('b', {}, set.name)),
      h('button', { class: 'quiet', title: t('labels.remove'), 'aria-label': `${t('labels.remove')}: ${set.name}`, onclick: () => stage.removeLabelSet(set) }, '✕')),
    h('label', { class: 'slider' }, t('labels.opacity'),
      h('input', { type: 'range', min: 0, max: 1, step: 0.05, value: set.opacity, oninput: (event) => { set.opacity = Number((event.target as HTMLInputElement).value); repaint(); } })),
    h('ul', { class: 'legend-list' }, set.segments.map((segment) => {
      const dot = h('span', { class: 'swatch', 'aria-hidden': 'true' });
      dot.style.setProperty('--colour', css(segment.colour));
      return h('li', {},
        h('input', { type: 'checkbox', checked: segment.isVisible, 'aria-label': t('labels.show', { name: segment.name }),
          onchange: (event) => { segment.isVisible = (event.target as HTMLInputElement).checked; repaint(); } }),
        h('button', { class: 'link', title: t('labels.go'), onclick: () => goTo(set, segment.value, stage) }, dot, segment.name),
        h('span', { class: 'number' }, segment.volume_ml === undefined ? '' : `${formatNumber(segment.volume_ml)} mL`));
    })));
}

export function goTo(set: LabelSet, value: number, stage: Stage): void {
  const centre = centreOf(set, value);
  if (!centre) return;
  if (set.volumeId || set.isPlaced) stage.jumpTo(centre.centre_mm);
  else stage.jumpToFrame(centre.frame);
}
