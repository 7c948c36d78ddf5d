import { api } from '../api/client';
import type { Finding, JobFile, Measurement, Result, Score } from '../api/types';
import { h, type Child } from '../lib/dom';
import { formatBytes, formatNumber, t, tOr } from '../lib/i18n';

/** What a result's rows can lead to; undefined: nowhere. */
export interface Places {
  finding: (finding: Finding) => (() => void) | undefined;
  measurement: (measurement: Measurement) => (() => void) | undefined;
}

const NOWHERE: Places = { finding: () => undefined, measurement: () => undefined };

/** A job's result: remarks first, then what it says, then its files. */
export function resultView(job: string, result: Result, files: JobFile[], places: Places = NOWHERE): HTMLElement {
  const parts = [remarks(result), scores(result.scores), findings(result.findings, places), measurements(result.measurements, places), ranking(result), artefacts(job, result, files)];
  return h('div', { class: 'result' }, parts.some(Boolean) ? parts : h('p', { class: 'hint' }, t('result.nothing')));
}

function section(title: string, count: number, ...children: Child[]): HTMLElement {
  return h('section', { class: 'result-part' }, h('h3', {}, title, count > 0 && h('span', { class: 'count' }, String(count))), children);
}

function remarks({ remarks: all }: Result): Child {
  return all.length > 0 && h('ul', { class: 'remarks', 'aria-label': t('result.remarks') },
    all.map((remark) => h('li', { class: `remark ${remark.severity}` }, h('b', {}, tOr(`severity.${remark.severity}`, remark.severity)), ` ${remark.text}`)));
}

function scores(all: Score[]): Child {
  return all.length > 0 && section(t('result.scores'), 0, h('ul', { class: 'scores' }, all.map((score) => {
    const share = score.probability;
    return h('li', {}, h('span', {}, score.label), share !== null && share !== undefined
      ? [h('meter', { min: 0, max: 1, value: share, 'aria-label': score.label }), h('span', { class: 'number' }, `${formatNumber(100 * share, 3)} %`)]
      : h('span', { class: 'hint' }, t('result.no_probability')));
  })));
}

function lead(text: Child, go: (() => void) | undefined): Child {
  return go ? h('button', { class: 'link place', title: t('result.go'), onclick: go }, text) : text;
}

function findings(all: Finding[], places: Places): Child {
  return all.length > 0 && section(t('result.findings'), all.length, h('div', { class: 'scroll-x', tabindex: 0, role: 'group', 'aria-label': t('result.findings') }, h('table', {},
    h('thead', {}, h('tr', {}, ['#', t('result.label'), t('result.score'), t('result.size')].map((text) => h('th', { scope: 'col' }, text)))),
    h('tbody', {}, all.map((finding, index) => h('tr', {}, h('td', {}, String(index + 1)), h('td', {}, lead(finding.label, places.finding(finding))),
      h('td', { class: 'number' }, finding.score === undefined ? '' : formatNumber(finding.score, 3)),
      h('td', { class: 'number' }, finding.size_mm !== undefined ? `${formatNumber(finding.size_mm, 3)} mm` : finding.size_px !== undefined ? `${formatNumber(finding.size_px, 3)} px` : '')))))));
}

function valueText({ value, unit }: Measurement): string {
  const number = typeof value === 'number' ? formatNumber(value) : String(value ?? '–');
  return unit && unit !== '1' ? `${number} ${unit.replace(/^\{(.*)\}$/, '$1')}` : number;
}

/** Outside a plausible or reference range: said in words, never by colour alone. */
function rangeNote({ value, plausible_range: plausible, reference_range: reference }: Measurement): Child {
  if (typeof value !== 'number') return null;
  if (plausible && (value < plausible[0] || value > plausible[1])) return h('span', { class: 'badge pending' }, t('result.implausible'));
  if (!reference) return null;
  const is = value < reference.lo ? 'result.below' : value > reference.hi ? 'result.above' : null;
  return is && h('span', { class: 'badge pending', title: `${reference.lo} – ${reference.hi}, ${reference.population}, ${reference.source}` }, t(is));
}

function measurements(all: Measurement[], places: Places): Child {
  return all.length > 0 && section(t('result.measurements'), all.length, h('div', { class: 'scroll-x', tabindex: 0, role: 'group', 'aria-label': t('result.measurements') }, h('table', {},
    h('thead', {}, h('tr', {}, [t('result.name'), t('result.region'), t('result.value')].map((text) => h('th', { scope: 'col' }, text)))),
    h('tbody', {}, all.map((one) => h('tr', {}, h('td', { title: one.formula ?? '' }, one.name), h('td', {}, [one.region, one.side].filter(Boolean).join(', ')),
      h('td', { class: 'number' }, lead(valueText(one), places.measurement(one)), rangeNote(one))))))));
}

function ranking({ ranking: all }: Result): Child {
  return all.length > 0 && section(t('result.ranking'), all.length, h('ol', {}, all.map((one) => h('li', {},
    one.study_uid ? h('a', { href: `/study/${one.study_uid}` }, one.case) : one.case, ` ${formatNumber(one.score, 3)}`, one.why && h('span', { class: 'hint' }, ` ${one.why}`)))));
}

function artefacts(job: string, result: Result, files: JobFile[]): Child {
  const kindOf = new Map(result.artifacts.map((artifact) => [artifact.file, artifact]));
  return files.length > 0 && section(t('result.files'), files.length, h('ul', { class: 'files' }, files.map((file) => {
    const artifact = kindOf.get(file.name);
    return h('li', {}, h('a', { href: api.fileAddress(job, file.name), download: file.name.split('/').pop() ?? '', target: '_blank' }, file.name), h('span', { class: 'hint' }, ` ${formatBytes(file.bytes)}`),
      (artifact?.synthetic || /synth|simul/.test(artifact?.kind ?? '')) && h('span', { class: 'badge synthetic' }, t('view.synthetic')));
  })));
}
