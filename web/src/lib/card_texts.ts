import zh from '../texts/cards.zh.json';
import type { Card } from '../api/types';
import { currentLanguage } from './i18n';

type Catalogue = { methods: Record<string, string>; parameters: Record<string, string>; roles: Record<string, string>; choices: Record<string, string> };
const CATALOGUES: Record<string, Catalogue> = { zh };

const textOf = (kind: keyof Catalogue, key: string): string | undefined => CATALOGUES[currentLanguage()]?.[kind][key];

/** Cards are written in English; what has no text in the person's language stays so. */
export const methodTitle = (card: Card): string => textOf('methods', `${card.task}/${card.id}`) ?? card.title;
export const parameterLabel = (name: string): string => textOf('parameters', name) ?? name;
export const roleLabel = (role: string): string => textOf('roles', role) ?? role;
export const choiceLabel = (choice: string): string => textOf('choices', choice) ?? choice;

const UNITS: Record<string, string> = { "[hnsf'U]": 'HU', '1': '', Cel: '°C', '{pixels}': 'px' };
/** A UCUM unit as people write it. */
export const unitText = (unit: string | undefined): string => UNITS[unit ?? ''] ?? (unit ?? '').replace(/[{}]/g, '');
