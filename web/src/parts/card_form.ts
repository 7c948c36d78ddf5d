import type { Card, CardInput, JobInput, Parameter, Series, SettingValue } from '../api/types';
import { h } from '../lib/dom';
import { choiceLabel, parameterLabel, roleLabel, unitText } from '../lib/card_texts';
import { formatNumber, t } from '../lib/i18n';

const DICOM_OF: Record<string, string[]> = { CT: ['CT'], MR: ['MR'], US: ['US', 'IVUS'], PET: ['PT'], SPECT: ['NM'] };

/** Whether a series can fill a role: the modality on the card, labels from segmentations. */
export function fits(input: CardInput, card: Card, series: Series): boolean {
  if (input.kind === 'labels') return series.modality === 'SEG' || series.modality === 'RTSTRUCT';
  if (['SEG', 'SR', 'RTSTRUCT', 'PR', 'KO', 'DOC'].includes(series.modality)) return false;
  const modalities = input.modalities ?? card.modalities;
  return modalities.length === 0 || modalities.some((one) => one.toLowerCase() === 'any' || (DICOM_OF[one] ?? [one]).includes(series.modality));
}

export interface Filled { inputs: JobInput[]; settings: Record<string, SettingValue>; seed: number }
export interface CardForm { element: HTMLFormElement; read: () => Filled; onInput: (listener: (inputs: JobInput[]) => void) => void }

const isOptional = (input: CardInput): boolean => input.required === false || (input.from?.length ?? 0) > 0;

export function seriesText(series: Series): string {
  const size = series.frame_count > series.instance_count ? series.frame_count : series.instance_count;
  return `${series.modality} ${series.description || `#${series.number}`} (${size})`;
}

/** The form of a method, made from its card. */
export function cardForm(card: Card, all: Series[], chosen: string | null, onSubmit: () => void): CardForm {
  const taken = new Set<string>();
  // Where everything could be made from something else, there must still be one image to make it from.
  const source = card.inputs.some((input) => !isOptional(input)) ? undefined : card.inputs[0];
  const roles = card.inputs.map((input) => ({ input, select: roleSelect(input, card, all, chosen, taken, isOptional(input) && input !== source) }));
  const parameters = (card.parameters ?? []).map((parameter) => parameterField(parameter));
  const seed = h('input', { type: 'number', id: 'seed', value: 0, step: 1, min: 0 });
  const element = h('form', { class: 'card-form', onsubmit: (event) => { event.preventDefault(); onSubmit(); } },
    roles.length > 0 && h('fieldset', {}, h('legend', {}, t('form.inputs')), roles.map(({ input, select }) => roleField(input, select))),
    parameters.length > 0 && h('fieldset', {}, h('legend', {}, t('form.parameters')), parameters.map((one) => one.element)),
    h('details', {}, h('summary', {}, t('form.more')), h('div', { class: 'field' }, h('label', { for: 'seed' }, t('form.seed')), seed)),
    h('button', { class: 'primary run', type: 'submit' }, t('form.run')));
  const inputs = (): JobInput[] => roles.filter(({ select }) => select.value !== '').map(({ input, select }) => ({ role: input.role, series_uid: select.value }));
  const read = (): Filled => {
    const settings: Record<string, SettingValue> = {};
    for (const parameter of parameters) {
      const value = parameter.read();
      if (value !== undefined) settings[parameter.name] = value;
    }
    return { inputs: inputs(), settings, seed: Number(seed.value) || 0 };
  };
  const onInput = (listener: (inputs: JobInput[]) => void): void => roles.forEach(({ select }) => select.addEventListener('change', () => listener(inputs())));
  return { element, read, onInput };
}

function roleSelect(input: CardInput, card: Card, all: Series[], chosen: string | null, taken: Set<string>, mayBeEmpty: boolean): HTMLSelectElement {
  const fitting = all.filter((series) => fits(input, card, series));
  const first = fitting.find((series) => series.series_uid === chosen && !taken.has(series.series_uid)) ?? fitting.find((series) => !taken.has(series.series_uid));
  if (first && !mayBeEmpty) taken.add(first.series_uid);
  const select = h('select', { id: `role-${input.role}`, required: !mayBeEmpty },
    (mayBeEmpty || !first) && h('option', { value: '' }, mayBeEmpty ? t('form.made') : t('form.nothing_fits')),
    fitting.map((series) => h('option', { value: series.series_uid, selected: !mayBeEmpty && series === first }, seriesText(series))));
  return select;
}

function roleField(input: CardInput, select: HTMLSelectElement): HTMLElement {
  return h('div', { class: 'field' }, h('label', { for: select.id }, roleLabel(input.role), isOptional(input) && h('span', { class: 'hint' }, ` ${t('form.optional')}`)), select,
    input.text && h('p', { class: 'hint' }, input.text));
}

interface Field { name: string; element: HTMLElement; read: () => SettingValue | undefined }

function rangeText({ unit, minimum, maximum, default: usual }: Parameter): string {
  const parts = [unitText(unit), minimum !== undefined && maximum !== undefined ? `${formatNumber(minimum)} – ${formatNumber(maximum)}` : '',
    usual === null || usual === undefined ? t('form.no_default') : t('form.default', { value: typeof usual === 'number' ? formatNumber(usual) : String(usual) })];
  return parts.filter(Boolean).join(' · ');
}

function parameterField(parameter: Parameter): Field {
  const id = `set-${parameter.name}`, usual = parameter.default;
  const { control, read } = controlOf(parameter, id);
  control.setAttribute('aria-describedby', `${id}-text`);
  const element = h('div', { class: `field ${parameter.type}` }, h('label', { for: id, title: parameter.name }, parameterLabel(parameter.name)), control,
    h('p', { class: 'hint', id: `${id}-text` }, h('span', { class: 'range' }, rangeText(parameter)), parameter.text ? ` ${parameter.text}` : ''));
  // Only what was changed is sent, so that a job's settings show what somebody meant.
  return { name: parameter.name, element, read: () => { const value = read(); return value === usual || value === null ? undefined : value; } };
}

function controlOf(parameter: Parameter, id: string): { control: HTMLElement; read: () => SettingValue } {
  const { type, default: usual, minimum, maximum, choices = [] } = parameter;
  if (type === 'flag') {
    const box = h('input', { type: 'checkbox', id, checked: usual === true });
    return { control: box, read: () => box.checked };
  }
  if (type === 'choice') {
    const select = h('select', { id }, (usual === null || usual === undefined) && h('option', { value: '' }, '–'), choices.map((choice) => h('option', { value: choice, selected: choice === usual }, choiceLabel(choice))));
    return { control: select, read: () => select.value || null };
  }
  const isNumber = type === 'number' || type === 'integer';
  const field = h('input', { type: isNumber ? 'number' : 'text', id, ...(usual === null || usual === undefined ? {} : { value: String(usual) }),
    ...(isNumber ? { step: type === 'integer' ? 1 : 'any', ...(minimum === undefined ? {} : { min: minimum }), ...(maximum === undefined ? {} : { max: maximum }) } : {}) });
  return { control: field, read: () => (field.value === '' ? null : isNumber ? Number(field.value) : field.value) };
}
