import { VicError } from '@vic/errors';

/** A kind of retention rule. */
interface RetentionTemplate {
  readonly name: string;
  readonly displayText: string;
  /** Absent for a template without a number. */
  readonly parameter?: { readonly unit: 'COUNT' | 'DAYS'; readonly fallback: number; readonly max: number };
}

const MAX_COUNT = 32_766;
const MAX_DAYS = 20_190_904;

/** Every kind of rule, as `/retentions/metadatas` lists them. */
const RETENTION_TEMPLATES: readonly RetentionTemplate[] = [
  {
    name: 'latestPushedK',
    displayText: 'the most recently pushed # artifacts',
    parameter: { unit: 'COUNT', fallback: 10, max: MAX_COUNT },
  },
  {
    name: 'latestPulledN',
    displayText: 'the most recently pulled # artifacts',
    parameter: { unit: 'COUNT', fallback: 10, max: MAX_COUNT },
  },
  {
    name: 'nDaysSinceLastPush',
    displayText: 'pushed within the last # days',
    parameter: { unit: 'DAYS', fallback: 30, max: MAX_DAYS },
  },
  {
    name: 'nDaysSinceLastPull',
    displayText: 'pulled within the last # days',
    parameter: { unit: 'DAYS', fallback: 30, max: MAX_DAYS },
  },
  { name: 'always', displayText: 'always' },
];

/** The number of a rule: how many, or for how long; 0 for a template without one. Refuses rules that are not ones. */
export function retentionParameter(rule: {
  readonly template: string;
  readonly params?: Readonly<Record<string, unknown>>;
}): number {
  const template = RETENTION_TEMPLATES.find(({ name }) => name === rule.template);
  if (template === undefined) throw invalid(`rule template ${rule.template} is not known`);
  if (template.parameter === undefined) return 0;
  const value = rule.params?.[template.name] ?? template.parameter.fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw invalid(`${template.name} type error`);
  if (value < 0) throw invalid(`${template.name} is less than zero`);
  if (value > template.parameter.max) throw invalid(`${template.name} is too large`);
  return value;
}

/** The body of `/retentions/metadatas`. */
export function retentionMetadataBody(): Record<string, unknown> {
  return {
    templates: RETENTION_TEMPLATES.map(({ name, displayText, parameter }) => ({
      rule_template: name,
      display_text: displayText,
      action: 'retain',
      params: parameter === undefined ? [] : [{ type: 'int', unit: parameter.unit, required: true }],
    })),
    scope_selectors: [
      { display_text: 'Repositories', kind: 'doublestar', decorations: ['repoMatches', 'repoExcludes'] },
    ],
    tag_selectors: [{ display_text: 'Tags', kind: 'doublestar', decorations: ['matches', 'excludes'] }],
  };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'RETENTION_RULE_INVALID', message });
}
