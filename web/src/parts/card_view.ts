import type { Card } from '../api/types';
import { h, type Child } from '../lib/dom';
import { formatNumber, t } from '../lib/i18n';

const list = (title: string, lines: string[] = []): Child[] => (lines.length === 0 ? [] : [h('dt', {}, title), h('dd', {}, lines.length === 1 ? lines[0]! : h('ul', {}, lines.map((line) => h('li', {}, line))))]);

/** What a method's card says about it, numbers with their command. */
export function cardView(card: Card): HTMLElement {
  return h('details', { class: 'card-view' }, h('summary', {}, t('card.title')),
    h('dl', {}, list(t('card.use'), card.intended_use ? [card.intended_use] : []), list(t('card.not_for'), card.not_for), list(t('card.failures'), card.known_failures),
      list(t('card.evidence'), card.evidence_note ? [card.evidence_note] : []), list(t('card.algorithm'), card.algorithm ? [card.algorithm] : []),
      list(t('card.reference'), card.reference ? [card.reference] : []), list(t('card.licence'), card.weights_licence ? [card.weights_licence] : []),
      list(t('card.results'), (card.results ?? []).map((one) =>
        `${one.metric} ${formatNumber(one.value)}${one.ci95 ? ` (${formatNumber(one.ci95[0])} – ${formatNumber(one.ci95[1])})` : ''}, n = ${one.n ?? '?'}: ${one.data}`))));
}
