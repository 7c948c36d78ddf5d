import { api } from '../api/client';
import type { Card } from '../api/types';
import { fill, h } from '../lib/dom';
import { methodTitle } from '../lib/card_texts';
import { t, tOr } from '../lib/i18n';
import type { Page } from '../lib/router';
import { emptyBox } from '../parts/notice';

export const TASKS = ['processing', 'segmentation', 'recognition', 'detection', 'generation', 'classification', 'annotation', 'synthesis', 'analysis', 'retrieval'];
const MODALITIES = ['CT', 'MR', 'US', 'PET', 'SPECT'];
const isOf = (card: Card, modality: string): boolean => modality === '' || card.modalities.length === 0 || card.modalities.some((one) => one === modality || one.toLowerCase() === 'any');

/** All methods by task; with ?study= they run on that study. */
export const page: Page = async (main, { query }) => {
  const study = query.get('study');
  const [cards, detail] = await Promise.all([api.methods(), study ? api.study(study) : null]);
  let modality = '', search = '';
  const place = h('div', { class: 'task-grid' });
  const buttons = h('div', { class: 'segmented', role: 'group', 'aria-label': t('worklist.modality') });
  const draw = (): void => {
    fill(buttons, ['', ...MODALITIES].map((one) => h('button', { 'aria-pressed': one === modality, onclick: () => { modality = one; draw(); } }, one || t('worklist.all'))));
    const wanted = cards.filter((card) => isOf(card, modality) && `${card.id} ${card.title} ${methodTitle(card)} ${card.task}`.toLowerCase().includes(search.toLowerCase()));
    const groups = TASKS.map((task) => ({ task, cards: wanted.filter((card) => card.task === task) })).filter((group) => group.cards.length > 0);
    fill(place, groups.length === 0 ? emptyBox(t('tasks.none')) : groups.map((group) => taskGroup(group.task, group.cards, study)));
  };
  fill(main, h('div', { class: 'page-head' }, h('h1', {}, t('tasks.title')),
    detail && h('p', { class: 'hint' }, t('tasks.for', { study: [detail.patient_id, detail.description].filter(Boolean).join(' · ') })),
    h('div', { class: 'filters', role: 'search' }, h('input', { type: 'search', placeholder: t('tasks.search'), 'aria-label': t('tasks.search'), oninput: (event) => { search = (event.target as HTMLInputElement).value; draw(); } }), buttons)), place);
  draw();
};

function taskGroup(task: string, cards: Card[], study: string | null): HTMLElement {
  const query = study ? `&study=${study}` : '';
  return h('section', { class: 'task-group' }, h('h2', {}, tOr(`task.${task}`, task)), h('ul', {}, cards.map((card) => h('li', {},
    h('a', { class: 'method', href: `/task/${card.task}?method=${card.id}${query}` }, h('b', {}, card.id), h('span', {}, methodTitle(card)),
      h('span', { class: 'modalities' }, card.modalities.map((modality) => h('span', { class: 'modality' }, modality))))))));
}
